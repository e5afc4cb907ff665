"""`obs translate`."""

import gzip
import json
import sys
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits

from obs.cli.main import main

CARDS = {
    "RUN": 12,
    "DETECTOR": 1,
    "IMGTYPE": "science",
    "FILTER": "Clear",
    "EXPTIME": "30.0",
    "DATE-OBS": "20200904",
    "TIME-OBS": "05:00:00.000",
    "RA2000": 150.0,
    "DEC2000": 2.0,
    "AIRMASS": 1.5,
}


def write(path, layout="plain", **changes):
    cards = {key: value for key, value in (CARDS | changes).items() if value is not None}
    header = fits.Header(list(cards.items()))
    pixels = np.zeros((20, 30), np.int16)
    if layout == "plain":
        fits.PrimaryHDU(pixels, header).writeto(path)
    elif layout == "extension":
        fits.HDUList([fits.PrimaryHDU(header=header), fits.ImageHDU(pixels), fits.ImageHDU(pixels)]).writeto(path)
    elif layout == "rice":
        fits.HDUList([fits.PrimaryHDU(), fits.CompImageHDU(pixels, header)]).writeto(path)
    elif layout == "text":
        header = fits.PrimaryHDU(pixels, header).header
        path.write_text(header.tostring(sep="\n", endcard=True, padding=False))
    elif layout == "gzip":
        plain = path.parent / "plain.fits"
        fits.PrimaryHDU(pixels, header).writeto(plain)
        path.write_bytes(gzip.compress(plain.read_bytes()))
    return path


@pytest.fixture
def run(capsys):
    """Run the command and return exit status, stdout and stderr."""

    def call(*words):
        status = main(["translate", *map(str, words)])
        captured = capsys.readouterr()
        return status, captured.out, captured.err

    return call


def lines(text):
    return {line.split()[0]: line.split()[1:] for line in text.splitlines() if line.strip()}


@pytest.mark.parametrize(
    ("name", "layout"),
    [
        ("a.fits", "plain"),
        ("a.fits.gz", "gzip"),
        ("a.fits.fz", "rice"),
        ("a.fits", "extension"),
        ("a.hdr", "text"),
    ],
)
def test_every_kind_of_file(tmp_path, run, name, layout):
    path = write(tmp_path / name, layout)
    status, out, err = run("necam", path)
    assert (status, err) == (0, "")
    assert out.startswith(f"{path}, HDU ")
    found = lines(out)
    assert found["visit"] == ["12", "RUN"]
    assert found["dateObs"] == ["2020-09-04", "DATE-OBS"]
    assert found["exposure_time"] == ["30", "s", "EXPTIME"]
    assert found["date_begin"] == ["2020-09-04T05:00:00.000", "TIME-OBS", "DATE-OBS"]
    assert found["date_end"] == ["2020-09-04T05:00:30.000", "derived"]
    assert found["time_scale"] == ["UTC", "constant"]
    assert found["boresight_ra"] == ["150", "deg", "RA2000"]
    assert found["latitude"] == ["not", "known", "deg"]
    assert out.count("visit ") == 1  # two extensions of one detector are one exposure


def test_json_has_every_value_with_its_unit(tmp_path, run):
    good, bad = write(tmp_path / "a.fits"), tmp_path / "b.fits"
    bad.write_text("hello")
    status, out, err = run("necam", good, bad, "--format", "json")
    first, second = json.loads(out)
    assert status == 1
    assert first["columns"]["visit"] == {"value": 12, "from": "RUN"}
    assert first["visit_info"]["air_pressure"] == {"value": None, "unit": "Pa", "from": ""}
    assert first["visit_info"]["exposure_id"]["value"] > 0
    assert len(first["visit_info"]) == 21
    assert (first["hdu"], first["errors"]) == (0, [])
    assert second == {"file": str(bad), "error": "is not a FITS file: it does not begin with SIMPLE"}
    assert err == f"{bad}: is not a FITS file: it does not begin with SIMPLE\n"


def test_bad_files_stop_nothing(tmp_path, run):
    good, cut = write(tmp_path / "a.fits"), tmp_path / "cut.fits"
    cut.write_bytes(good.read_bytes()[:3000])
    status, out, err = run("necam", cut, tmp_path / "nothing.fits", tmp_path, good)
    assert status == 1
    assert f"{good}, HDU 0" in out
    assert err.splitlines() == [
        f"{cut}: is cut short: it has 3000 bytes, its headers promise 4080",
        f"{tmp_path / 'nothing.fits'}: does not exist",
    ]
    assert out.count(f"{good}, HDU 0") == 1  # the folder stands for the files in it, which were named already


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"RUN": None}, "visit: the header does not have RUN"),
        ({"EXPTIME": "long"}, "exposure_time: EXPTIME = 'long' is not a number"),
        ({"DATE-OBS": "2020-09-04"}, "dateObs: '2020-09-04' is not a date like '20200904'"),
        ({"FILTER": None}, "the header does not give filter, which names the exposure"),
    ],
)
def test_values_that_cannot_be_are_told(tmp_path, run, changes, message):
    path = write(tmp_path / "a.fits", **changes)
    status, _, err = run("necam", path)
    assert status == 1
    assert f"{path}: {message}" in err.splitlines()


def test_a_package_need_not_be_installed(run, shared_data):
    package = Path(__file__).parents[1] / "plugins" / "kast" / "obs_kast"
    status, out, _ = run(package, *sorted((shared_data / "kast").glob("*.gz")))
    assert status == 0
    assert [line.split()[1] for line in out.splitlines() if line.startswith("object")] == ["Dome", "Bias", "Bias"]


def test_real_headers(run, shared_data):
    headers = shared_data / "headers"
    status, out, err = run("hsc", *sorted(headers.glob("hsc*.hdr")))
    assert (status, err) == (0, "")
    assert out.count("HSC-") == 2
    status, out, err = run("sdss", headers / "sdss-fpC-006377-g4-0399.hdr")
    assert (status, err) == (0, "")
    assert lines(out)["exposure_time"] == ["53.907456", "s", "EXPTIME"]
    pytest.importorskip("astro_metadata_translator", reason="the extra lsst is not installed")
    status, out, err = run("--lsst", "DECam", *sorted(headers.glob("decam*.hdr")))
    assert (status, err) == (0, "")
    assert lines(out)["dark_time"] == ["31.1290202", "s", "DARKTIME"]


def test_what_cannot_be_done_is_told(tmp_path, run, monkeypatch):
    path = write(tmp_path / "a.fits")
    assert run("necam")[0] == 2
    status, _, err = run("nekam", path)
    assert status == 1
    assert "no camera 'nekam' is installed; did you mean 'necam'?" in err
    monkeypatch.setitem(sys.modules, "astro_metadata_translator", None)
    status, _, err = run("--lsst", "DECam", path)
    assert status == 1
    assert err == (
        "obs: error: the translator 'DECam' needs the package astro-metadata-translator: "
        "pip install 'obs-toolkit[lsst]'\n"
    )


def test_a_broken_package_is_told_with_its_line(tmp_path, run):
    package = tmp_path / "obs_torn"
    package.mkdir()
    (package / "__init__.py").write_text("from pathlib import Path\n\nclas Torn:\n")
    status, _, err = run(package, write(tmp_path / "a.fits"))
    assert status == 1
    assert "obs_torn/__init__.py:3: invalid syntax: clas Torn:" in err
    assert "Traceback" not in err
