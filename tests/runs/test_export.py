"""`obs export`, `obs get` and `obs info` on the results of one exposure."""

import re
import shutil
from pathlib import Path

import numpy as np
import pytest
import yaml
from astropy.io import fits
from astropy.io.votable import parse
from astropy.table import Table

import obs
from obs.cli.main import main
from obs.errors import OutputError
from obs.exports.table_files import write_table_parts
from obs.exports.tables import as_part, join_catalogs, without_rows
from obs.image.catalog import Catalog
from obs.instrument.barycenter import mid_exposure_mjd
from obs.repo.fits_catalog import read_catalog
from obs.repo.formatters import read_dataset

RERUN = "DATA/rerun/a"
#: What the headers of the small camera do not say, and its short run did not fit.
CARDS = {
    "FLUXMAG0": 10.0**10.8,
    "HIERARCH FLUXMAG0ERR": 10.0**8.8,
    "DATE-BEG": "2024-03-02T01:00:00.000",
    "DATE-AVG": "2024-03-02T01:00:30.000",
    "OBS-LONG": 15.0,
    "OBS-LAT": 48.0,
}


@pytest.fixture
def run(copied, capsys):
    """Run a command in a copy of the repository, and return status, stdout and stderr."""
    with fits.open(Path(RERUN, "calexp/visit-21.fits"), mode="update") as hdus:
        hdus[0].header.update(CARDS)

    def call(*words):
        capsys.readouterr()
        return main([str(word) for word in words]), *capsys.readouterr()

    return call


def read(path):
    if path.suffix == ".parquet":
        return obs.read_catalog(path).to_table()
    return Table.read(path, **({"hdu": 1} if path.suffix == ".fits" else {}))


@pytest.mark.parametrize(
    ("kind", "ending"),
    [("fits", ".fits"), ("parquet", ".parquet"), ("votable", ".vot"), ("ecsv", ".ecsv"), ("csv", ".csv")],
)
def test_all_formats_hold_the_same(run, kind, ending):
    status, out, err = run("export", RERUN, "out", "--format", kind)
    assert (status, err) == (0, "")
    butler = obs.Butler(RERUN)
    src, calexp = butler.get("src", visit=21), butler.get("calexp", visit=21)
    assert out == f"{len(src)} sources of 1 image exported to out\n"
    table = read(Path(f"out/sources{ending}"))
    assert len(table) == len(src)
    assert set(table["visit"]) == {21}
    magnitudes = calexp.photo_calib.magnitude(src["base_PsfFlux_instFlux"])
    np.testing.assert_allclose(table["base_PsfFlux_mag"], magnitudes, rtol=1e-6)
    assert str(table["base_PsfFlux_mag"].unit) == ("None" if kind == "csv" else "mag")
    assert set(table["mjd_mid"]) == {mid_exposure_mjd(calexp.visit_info)}
    assert np.all(np.abs(table["bjd_tdb"] - 2400000.5 - table["mjd_mid"]) < 0.0067)
    flagged = np.asarray(table["base_PsfFlux_flag"]).astype(str) == "True"  # texts in CSV
    np.testing.assert_array_equal(flagged, src["base_PsfFlux_flag"])
    images = read(Path(f"out/images{ending}"))
    assert images["zero_point"][0] == pytest.approx(calexp.photo_calib.zero_point)
    assert images["n_source"][0] == len(src)
    picture = Path("out", str(images["image"][0]))
    assert picture.read_bytes() == Path(RERUN, "calexp/visit-21.fits").read_bytes()


def test_votable_says_the_time_scales(run):
    assert run("export", RERUN, "out", "--format", "votable", "--no-images")[0] == 0
    document = parse("out/sources.vot")
    systems = {system.ID: system for system in document.resources[0].time_systems}
    fields = {field.name: field for field in document.get_first_table().fields}
    assert systems[fields["bjd_tdb"].ref].timescale == "TDB"
    assert systems[fields["bjd_tdb"].ref].refposition == "BARYCENTER"
    assert systems[fields["mjd_mid"].ref].timescale == "UTC"
    assert not Path("out/calexp").exists()


def test_nights_and_data_ids(run):
    # two o'clock in the morning of the second, local time: the night of the first
    assert run("export", RERUN, "by-night", "--night", "2024-03-01", "--split")[0] == 0
    assert Path("by-night/src/visit-21.fits").is_file()
    status, _, err = run("export", RERUN, "none", "--night", "1999-01-01")
    assert status == 1
    assert "no result is of the night 1999-01-01; nights: 2024-03-01" in err
    status, _, err = run("export", RERUN, "none", "--night", "tonight")
    assert (status, "--night takes a date like 2024-03-01, got 'tonight'" in err) == (1, True)
    status, _, err = run("export", RERUN, "none", "--id", "visit=99")
    assert (status, "no src matches visit=99" in err) == (1, True)
    # the filter is in the registry only, not in the names of catalogs
    physical_filter = obs.Butler("DATA").query_metadata("raw", "filter", visit=21)[0]
    assert run("export", RERUN, "by-filter", "--id", f"filter={physical_filter}")[0] == 0
    assert not Path("none").exists()


def test_nothing_is_replaced_without_being_asked(run):
    assert run("export", RERUN, "out")[0] == 0
    Path("out/images.fits").unlink()
    status, _, err = run("export", RERUN, "out")
    assert (status, "out/sources.fits is there already; --clobber replaces it" in err) == (1, True)
    Path("out/calexp/visit-21.fits").write_bytes(b"mine")
    Path("out/sources.fits").unlink()
    status, _, err = run("export", RERUN, "out")
    assert (status, "out/calexp/visit-21.fits is there already" in err) == (1, True)
    assert run("export", RERUN, "out", "--clobber")[0] == 0
    status, _, err = run("export", RERUN, "DATA")
    assert (status, "DATA is a repository; name a folder for the export" in err) == (1, True)


def test_a_catalog_that_cannot_be_read_stops_no_other(run):
    shutil.copy(Path(RERUN, "calexp/visit-21.fits"), Path(RERUN, "calexp/visit-22.fits"))
    Path(RERUN, "src/visit-22.fits").write_bytes(b"not FITS")
    status, out, err = run("export", RERUN, "out")
    assert status == 1
    assert "not exported: visit=22: cannot be read as FITS" in err
    assert "of 1 image exported" in out


def test_a_catalog_without_image_has_no_magnitudes(run):
    shutil.copy(Path(RERUN, "src/visit-21.fits"), Path(RERUN, "src/visit-22.fits"))
    status, _, err = run("export", RERUN, "out")
    assert status == 0
    assert "visit=22: there is no calexp" in err
    assert set(read(Path("out/sources.fits"))["visit"]) == {21, 22}


def test_columns_that_differ_between_catalogs():
    one, other = Catalog(), Catalog()
    for catalog in (one, other):
        catalog.add("id", [1, 2])
    one.add("flux", [1.0, 2.0], "ct", "flux")
    one.add("flag", [True, False])
    joined, left_out = join_catalogs([one, other])
    np.testing.assert_array_equal(joined["flux"], [1.0, 2.0, np.nan, np.nan])
    assert joined.columns["flux"].unit == "ct"
    assert left_out == ["flag"]
    assert "flag" not in joined


@pytest.mark.parametrize("kind", ["fits", "parquet"])
def test_texts_of_any_width_and_letters_in_a_table_of_parts(tmp_path, kind):
    """Texts of data IDs, which were a character wide in the header of the table and as wide as they are in its rows."""
    parts = []
    for number, name in enumerate(["g", "2020-09-04", "Größe"]):
        parts.append(Catalog())
        parts[-1].add("filter", np.full(number + 2, name))
        parts[-1].add("flux", np.arange(number + 2.0))
    whole, _ = join_catalogs([without_rows(part) for part in parts])
    path = tmp_path / f"x.{kind}"
    write_table_parts(whole, 9, (as_part(part, whole) for part in parts), path, kind)
    names = np.repeat(["g", "2020-09-04", "Größe" if kind == "parquet" else "Gr\\xf6\\xdfe"], [2, 3, 4])
    np.testing.assert_array_equal(read_catalog(path)["filter"], names)
    if kind == "fits":
        assert path.stat().st_size % 2880 == 0
        with pytest.raises(OutputError, match="2 rows came where 9 were expected, because an input changed meanwhile"):
            write_table_parts(whole, 9, iter(parts[:1]), path, kind)


def test_get_prints_and_writes(run, monkeypatch):
    status, out, _ = run("get", RERUN, "processCcd_metadata", "--id", "visit=21")
    assert status == 0
    assert yaml.safe_load(out)["status"] == "done"
    status, out, _ = run("get", RERUN, "src", "--id", "visit=21")
    assert status == 0
    assert "base_PsfFlux_mag" in out
    status, out, _ = run("get", RERUN, "calexp", "--id")
    assert status == 0
    assert "zero point" in out
    assert run("get", RERUN, "src_len", "--id", "visit=21")[1].strip().isdigit()
    assert run("get", RERUN, "src", "--id", "visit=21", "-o", "stars.ecsv")[0] == 0
    assert len(Table.read("stars.ecsv")) == len(obs.Butler(RERUN).get("src", visit=21))
    assert run("get", RERUN, "calexp", "--id", "visit=21", "-o", "image.fits")[0] == 0
    assert fits.getheader("image.fits", 1)["EXTNAME"] == "IMAGE"
    status, _, err = run("get", RERUN, "calexp", "--id", "visit=21", "-o", "image.fits")
    assert (status, "image.fits is there already; --clobber replaces it" in err) == (1, True)
    status, _, err = run("get", RERUN, "calexp", "--id", "visit=21", "-o", "image.png")
    assert (status, "calexp is written as it is stored: let the name of the file end in .fits" in err) == (1, True)
    stored = obs.Butler(RERUN).get_uri("src", visit=21)
    whole = Path(stored).read_bytes()
    Path(stored).write_bytes(whole[:-2880])
    status, _, err = run("get", RERUN, "src", "--id", "visit=21", "-o", "stars.fits")
    Path(stored).write_bytes(whole)
    assert (status, f"stars.fits is a copy of a damaged file: {stored}: HDU 1: the file was truncated" in err) == (
        1,
        True,
    )
    with monkeypatch.context() as patch:
        patch.setattr(obs.Butler, "get", lambda *_: read_dataset("FitsStorage", "some.Frame", stored))
        status, _, err = run("get", RERUN, "calexp", "--id", "visit=21", "-o", "image.fits", "--clobber")
    assert (status, "image.fits is a copy that was not looked into" in err, "of class Frame" in err) == (0, True, True)
    status, _, err = run("get", RERUN, "src", "--id", "visit=21", "-o", "stars.xlsx")
    assert (status, "no table format for '.xlsx'" in err) == (1, True)


def test_what_only_a_part_of_the_words_finds(run):
    for words in (
        ("ls", RERUN, "src"),
        ("export", RERUN, "part", "--clobber"),
        ("calibrate-visits", RERUN, "--dry-run"),
        ("get", RERUN, "src"),
        ("where", RERUN, "src"),
    ):
        status, out, err = run(*words, "--id", "visit=21^99", "--id", "visit=98")
        assert (status, bool(out)) == (1, True)  # a whole --id
        assert re.search(r"No (src|calexp) found for visit=99; visit=98\n", err)
        status, _, err = run(*words, "--id", "visit=21^99")
        assert (status, "found for visit=99\n" in err) == (0, True)  # a value among others
    for words, told in ((("ls", RERUN), "Nothing found for visit=98"), (("log", RERUN), "no entry of visit=98")):
        status, out, err = run(*words, "--id", "visit=21", "--id", "visit=98")
        assert (status, bool(out), told in err) == (1, True, True)
    assert "found for" not in run("ls", RERUN, "src", "--id", "visit=21", "filter=r")[2]


def test_get_names_one_dataset(run):
    status, _, err = run("get", "DATA", "raw", "--id")
    assert status == 1
    assert "matches 8 raw" in err
    status, _, err = run("get", "DATA", "raw", "--id", "visit=99")
    assert (status, "no raw matches visit=99; obs ls" in err) == (1, True)


def test_info(run):
    status, out, err = run("info", "DATA")
    assert (status, err) == (0, "")
    assert "kind:         made by obs\n" in out
    assert "camera:       night\n" in out
    assert "(schema 2; 8 in raw" in out
    assert "references:   simulated\n" in out
    lines = [line.split() for line in out.splitlines()]
    assert ["raw", "8"] in [line[:2] for line in lines]
    assert ["a", "1", "0"] in [line[:3] for line in lines]
    status, out, _ = run("info", RERUN)
    assert status == 0
    assert "parents: " in out
    assert ["src", "1"] in [line.split()[:2] for line in out.splitlines()]


def test_process_from_python_keeps_results(copied, settings):
    config = {name: yaml.safe_load(value) for name, _, value in (text.partition("=") for text in settings)}
    assert obs.process("DATA", "visit=21", rerun="a", config=config, skip_existing=True) == []
    again = obs.process("DATA", "visit=21..22", rerun="a", config=config, skip_existing=True)
    assert [(outcome.data_id["visit"], outcome.ok) for outcome in again] == [(22, True)]
