"""Adapting the stack to a camera: from an empty package to master frames that processed images show, by its lines."""

import sys
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from lines import lines

from obs.cli.main import main
from obs.ingest.repository import make_repository
from obs.instrument.instrument import FilterDefinition
from obs.instrument.translator import Translator
from obs.repo.butler import Butler

sys.path.insert(0, str(Path(__file__).parents[1] / "ingest"))
from toy_camera import GAINS, POLICY, make_instrument

#: The template of the policy, and where it puts the frame of the tutorial's data ID.
TEMPLATE, PLACE = "SCI/%(dateObs)s%(filter)s/Sci_%(frameId)04d.fts", "SCI/2016-01-01V/Sci_0001.fts"
HALF, HEIGHT, BIAS = 48, 80, 1000.0


class NecamTranslator(Translator):
    """The tutorial's blocks of config/ingest.py, and its functions."""

    translation = {
        "dataType": "IMGTYPE",
        "expTime": "EXPTIME",
        "frameId": "RUN-ID",
        "filter": "FILTER",
        "field": "OBJECT",
    }
    columns = {
        **dict.fromkeys(("frameId", "filter", "dataType", "dateObs", "taiObs", "field"), str),
        **{"visit": int, "ccd": int, "expTime": float},
    }
    visit = ("visit", "ccd", "filter", "dateObs", "taiObs")
    unique = ("visit", "ccd")

    def translate_dateObs(self, md):
        return md.getScalar("DATE-OBS").partition("T")[0]

    translate_taiObs = translate_dateObs

    def translate_visit(self, md):
        return int(md.get("RUN-ID"))

    def translate_ccd(self, md):
        return int(md["DETECTOR"])


@pytest.fixture
def use(tmp_path, monkeypatch):
    """Make a repository DATA of a small camera, which is found by its name, in the folder that the test runs in."""

    def make(**changes):
        toy = make_instrument(tmp_path, 2, **changes)
        for place in (
            "repo.find_instrument",
            "cli.init",
            "cli.ingest",
            "cli.calibs",
            "cli.calibs_build",
            "cli.process",
        ):
            monkeypatch.setattr(f"obs.{place}.load_instrument", lambda name: toy)
        return toy

    monkeypatch.chdir(tmp_path)
    return make


@lines("3.2")
def test_a_package_has_the_folders_of_the_tutorial(tmp_path):
    assert main(["new", "fresh", "--no-input", "--output", str(tmp_path)]) == 0
    package = tmp_path / "obs_fresh/obs_fresh"
    assert {"camera", "config", "policy"} <= {path.name for path in package.iterdir() if path.is_dir()}
    assert (package / "__init__.py").is_file()
    assert 'fresh = "obs_fresh' in (tmp_path / "obs_fresh/pyproject.toml").read_text()


@lines("3.14", "3.15")
def test_what_config_ingest_says(use, lsst, tmp_path):
    toy = use(translator=NecamTranslator(), filters=(FilterDefinition(physical_filter="V", band="V"),))
    (tmp_path / "plugin/policy.yaml").write_text(
        POLICY.replace('"raw/%(dateObs)s/raw-%(visit)05d-%(filter)s-%(ccd)d.fits"', f'"{TEMPLATE}"')
    )
    make_repository(Path("DATA"), toy)
    cards = {"IMGTYPE": "SCIENCE", "EXPTIME": 60.0, "RUN-ID": "1", "FILTER": "V", "OBJECT": "M 31", "DETECTOR": 0}
    header = fits.Header(cards | {"DATE-OBS": "2016-01-01T22:33:44.5"})
    fits.PrimaryHDU(np.zeros((HEIGHT, 2 * HALF + 8), np.uint16), header).writeto("night.fits")
    assert lsst("ingestImages.py", "DATA", "night.fits", "--mode=copy")[0] == 0
    assert (tmp_path / "DATA" / PLACE).is_file()
    found = Butler("DATA").query_metadata("raw", list(NecamTranslator.columns), visit=1)
    assert [dict(zip(NecamTranslator.columns, row, strict=True)) for row in found] == [
        {
            "frameId": "1", "visit": 1, "ccd": 0, "filter": "V", "dataType": "SCIENCE", "expTime": 60.0,
            "dateObs": "2016-01-01", "taiObs": "2016-01-01", "field": "M 31",
        }
    ]  # fmt: skip
    assert Butler("DATA").query_metadata("raw", "visit", dateObs="2016-01-01", filter="V", ccd=0) == [1]


def frame(random, light, seconds):
    """A raw frame: an even bias, dark current that rises to the right, light that the pixels see unevenly."""
    column = np.arange(2 * HALF)
    electrons = light * (1 + 0.2 * np.sin(column / 15)) + seconds * 0.5 * column
    counts = random.poisson(np.broadcast_to(electrons, (HEIGHT, 2 * HALF))) / np.repeat(GAINS, HALF)
    raw = np.zeros((HEIGHT, 2 * HALF + 8))
    raw[:, :HALF], raw[:, HALF + 8 :] = counts[:, :HALF], counts[:, HALF:]
    return np.round(raw + BIAS + random.normal(0, 2.6, raw.shape)).astype(np.uint16)


def test_master_frames_and_what_they_remove(use, lsst, tmp_path, monkeypatch):
    toy = use()
    # as a script of the stack begins: mkdir DATA; echo lsst.obs.toy.ToyMapper > DATA/_mapper
    monkeypatch.setattr("obs.repo.find_instrument.instrument_for_mapper", lambda mapper: toy)
    Path("DATA").mkdir()
    Path("DATA/_mapper").write_text("lsst.obs.toy.ToyMapper\n")
    random, kinds = np.random.default_rng(2), (("BIAS", 0.0, 0.0), ("DARK", 0.0, 30.0), ("FLAT", 20000.0, 1.0))
    shots = [shot for shot in kinds for _ in range(4)] + [("OBJECT", 2000.0, 20.0)]
    for visit, (kind, light, seconds) in enumerate(shots, start=1):
        cards = {"RUN": visit, "DETECTOR": 0, "FILTER": "r", "IMGTYPE": kind, "EXPTIME": seconds}
        cards["DATE-OBS"] = f"2024-03-01T20:{visit:02d}:00"
        fits.PrimaryHDU(frame(random, light, seconds), fits.Header(cards)).writeto(f"{visit}.fits")
    assert lsst("ingestImages.py", "DATA", *(f"{n}.fits" for n in range(1, len(shots) + 1)))[0] == 0
    statuses = [
        lsst(*f"construct{kind.title()}.py DATA {where} --rerun calib --id dataType={kind} --cores 1".split())[0]
        for (kind, *_), where in zip(kinds, ("", "--calib DATA/CALIB", "--calib CALIB"), strict=True)
    ]
    # what construct*.py of the stack leave to ingestCalibs.py is registered already
    statuses.append(lsst("ingestCalibs.py", "DATA", "--calib", "DATA/CALIB", "DATA/rerun/calib/BIAS/*/*.fits")[0])
    assert not Path("DATA/DATA").exists()
    bias, dark, flat = (Butler("DATA").get(kind.lower(), visit=13, ccd=0).masked_image.image for kind, *_ in kinds)
    right = np.s_[:, -10:]
    settings = ["isr.doWrite=True", "isr.doDefect=False", "do_characterize=False"]
    line = ["processCcd.py", "DATA", "--id", "visit=13", "-c", *settings]
    runs = [lsst(*line, "--rerun", "with")]
    science = Butler("DATA/rerun/with").get("postISRCCD", visit=13, ccd=0)
    pixels = science.masked_image
    # calibrations that are somewhere else are found there, and only there
    (tmp_path / "DATA/CALIB").rename(tmp_path / "elsewhere")
    runs += [lsst(*line, "--rerun", "without"), lsst(*line, "--rerun", "again", "--calib", tmp_path / "elsewhere")]
    again = Butler("DATA/rerun/again").get("postISRCCD", visit=13, ccd=0)
    seen = {
        "3.16": statuses == [0, 0, 0, 0]
        and abs(bias.mean()) < 0.5
        and abs(np.median(dark[right]) / (0.5 * 91 / GAINS[1]) - 1) < 0.05
        and abs(flat.mean() - 1) < 0.01
        and np.ptp(np.median(flat, axis=0)) > 0.3,
        # light alone is left, and it is even: to the noise of the photons of a column
        "0.14": runs[0][0] == 0
        and np.std(np.median(pixels.image, axis=0)) < 0.006 * np.median(pixels.image)
        and {f"CALIB_{kind}" for kind, *_ in kinds} <= set(science.metadata),
        "1.4": [status for status, *_ in runs] == [0, 1, 0]
        and "bias" in runs[1][2]
        and np.array_equal(again.masked_image.image, pixels.image),
    }
    assert {number: bool(value) for number, value in seen.items()} == dict.fromkeys(seen, True), (
        np.std(np.median(pixels.image, axis=0)),
        sorted(science.metadata),
        runs,
    )
