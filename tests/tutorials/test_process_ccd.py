"""Processing detector images: the command of two tutorials, run once on a small camera, and what it leaves behind."""

import sys
from pathlib import Path

import numpy as np
import pytest
from lines import lines

import obs
from obs.cli.main import main
from obs.compat.lsst.daf.persistence import Butler
from obs.compat.lsst.pipe.tasks.processCcd import ProcessCcdTask
from obs.errors import ConfigError

sys.path.insert(0, str(Path(__file__).parents[1] / "docs"))
from test_python import install

LINE = "processCcd.py DATA --rerun first --id visit=21"
WRITES = ["-c", "isr.doWrite=True", "charImage.doWriteExposure=True"]


@pytest.fixture(scope="module")
def processed(tmp_path_factory):
    """A folder with the repository DATA, in which the command of the tutorials has run."""
    folder = tmp_path_factory.mktemp("tutorials")
    with pytest.MonkeyPatch.context() as patch:
        install(folder / "site", patch)
        patch.chdir(folder)
        obs.make_repository("DATA", obs.load_instrument("night"))
        assert obs.ingest_raws(obs.Butler("DATA"), sorted(Path("night1").glob("a002*.fits"))).ok
        assert main(["ingest-refcat", "DATA", "simulated", "stars.csv"]) == 0
        assert main(["lsst-command", *LINE.split(), *WRITES]) == 0
        yield folder


@pytest.fixture
def night(processed, monkeypatch):
    """Go to that folder."""
    monkeypatch.chdir(processed)
    return processed


def run(*words):
    return main(["lsst-command", *words])


def test_what_the_run_leaves_behind(night, capsys):
    butler, data_id = obs.Butler("DATA/rerun/first"), {"visit": 21}
    kinds = (
        *("calexp", "calexpBackground", "icExp", "icExpBackground", "icSrc", "postISRCCD", "src", "srcMatch"),
        *("srcMatchFull", "processCcd_metadata"),
    )
    calexp, metadata = butler.get("calexp", data_id), butler.get("processCcd_metadata", data_id)
    cards = butler.get("calexp_md", data_id)
    color_terms = [cards[f"COLORTERM{number}"] for number in (1, 2, 3)]
    report = capsys.readouterr().err
    first, bright = butler.get("postISRCCD", data_id), butler.get("icExp", data_id)
    corner = {"x": [0.0], "y": [0.0]}
    moved = np.hypot(
        *(
            np.subtract(*pair)
            for pair in zip(calexp.wcs.pixel_to_sky(**corner), first.wcs.pixel_to_sky(**corner), strict=True)
        )
    )
    seen = {
        # variance and first WCS; background, PSF, filled pixels; then the refined WCS, zero point and faint sources
        "2.1": (first.masked_image.variance > 0).all()
        and first.psf is None
        and bright.psf is not None
        and bright.masked_image.mask.any("CR", "INTRP").any()
        and butler.exists("icExpBackground", data_id)
        and abs(np.median(bright.masked_image.image)) < 0.2 * np.median(first.masked_image.image)
        and 0 < moved[0] < 0.1
        and calexp.masked_image.mask.any("DETECTED").any()
        and len(butler.get("src", data_id)) > 1.5 * len(butler.get("icSrc", data_id)),
        "0.9": butler.exists("src", data_id),
        "0.15": calexp.wcs is not None and calexp.photo_calib is not None and metadata["n_zero_point"] > 20,
        "2.3": (night / "DATA/rerun/first/obs.yaml").is_file(),
        "2.6": [kind for kind in kinds if not butler.exists(kind, data_id)] == [],
        "2.7": cards["MAGZERO_RMS"] < 0.1 < cards["MAGZERO_NOBJ"] and not any(color_terms),
        "3.18": len(butler.get("src", data_id)) > 50,
        "4.9": np.isfinite(butler.get("postISRCCD", data_id).masked_image.image).all(),
    }
    assert {number: bool(value) for number, value in seen.items()} == dict.fromkeys(seen, True), report


@lines("0.13", "2.11")
def test_the_same_again_goes_on_and_other_settings_are_refused(night, capsys):
    assert run(*LINE.split(), *WRITES, "--show", "data") == 0
    assert run(*LINE.split(), *WRITES, "calibrate.detection.thresholdValue=7.0") == 1
    assert "was made with other settings of process: calibrate.detection.threshold: was 5.0, now 7.0" in (
        capsys.readouterr().err
    )


@lines("0.11", "0.12", "2.2")
def test_a_new_rerun_and_one_of_another(night, capsys):
    words = ["processCcd.py", "DATA", "--id", "visit=21", "-c", "doCalibrate=False"]
    assert run(*words, "--rerun", "first:second") == 0
    child = obs.Butler("DATA/rerun/second")
    assert child.roots == [(night / "DATA/rerun" / name).resolve() for name in ("second", "first")] + [
        (night / "DATA").resolve()
    ]
    assert child.path("icSrc", visit=21).is_relative_to(child.root)
    assert child.path("src", visit=21).is_relative_to((night / "DATA/rerun/first").resolve())


@lines("2.4")
def test_a_repository_by_its_uri(night, capsys):
    assert run("processCcd.py", f"file://{night}/DATA", "--rerun", "x", "--id", "--show", "data") == 0
    assert len(capsys.readouterr().out.splitlines()) == 2
    assert run("processCcd.py", "s3://bucket/DATA", "--rerun", "x", "--id", "--show", "data") == 1
    assert "repositories are folders here; copy it to a disk, or mount it" in capsys.readouterr().err


@lines("2.5", "2.10")
def test_the_task_of_the_tutorial_from_python(night, capsys):
    butler = Butler("DATA", output="python")
    config = ProcessCcdTask.ConfigClass()
    config.doCalibrate = False
    config.charImage.repair.cosmicray.nCrPixelMax = 1000000
    result = ProcessCcdTask(butler, config=config).runDataRef(butler.dataRef("raw", visit=22))
    assert result.summary.n_psf_star > 5
    assert len(result.charRes.sourceCat) > 5
    assert result.calibRes is None
    assert (
        result.background.getImage().getArray().shape == butler.get("icExpBackground", visit=22).getImage().array.shape
    )
    with pytest.raises(AttributeError, match="there is no result exposure; there are background, sourceCat"):
        _ = result.charRes.exposure
    # what was processed is calibrated by the line, whose own settings come last; a bare --id means all raw files
    line = ["DATA", "--output", "python", "--id", "--clobber-config", "-c", "doCalibrate=True"]
    assert ProcessCcdTask.parseAndRun(line, config=config).exitStatus == 0, capsys.readouterr().err
    for visit in (21, 22):
        assert len(butler.get("src", visit=visit)) > 5
        assert butler.path("calexp", visit=visit).is_relative_to((night / "python").resolve())


def test_settings_of_the_task_are_attributes():
    config = ProcessCcdTask.ConfigClass()
    config.calibrate.detection.thresholdValue = 7.0
    assert config.calibrate.detection.threshold == 7.0
    assert config.toDict()["calibrate"]["detection"]["threshold"] == 7.0
    assert "nCrPixelMax" not in dir(config)
    assert "detection" in dir(config.calibrate)
    assert "calibrate.detection.threshold = 7.0" in repr(config.calibrate.detection)
    with pytest.raises(AttributeError, match=r"no such setting; did you mean 'isr\.doBias'"):
        config.isr.doBiass = True
    with pytest.raises(AttributeError, match="there is no such setting"):
        _ = config.charImage.nothing
    with pytest.raises(AttributeError, match="append"):
        config.isr.keywords_to_remove.append("SAT")
    config.update(doCalibrate="perhaps")
    with pytest.raises(ConfigError, match=r"do_calibrate.*expected true or false, got 'perhaps'"):
        config.validate()


def test_loaders_of_the_stack_are_refused():
    with pytest.raises(ConfigError, match="leave the loaders out"):
        ProcessCcdTask(None, object())
    with pytest.raises(ConfigError, match="read them with its Butler"):
        ProcessCcdTask.parseAndRun(["DATA"], doReturnResults=True)


@lines("3.8", "3.9")
def test_a_setting_of_the_necam_tutorial(night, capsys):
    setting = "charImage.repair.cosmicray.nCrPixelMax"
    assert run("processCcd.py", "DATA", "-c", f"{setting}=1000000", "--show", "config=*max_pixels") == 0
    assert "max_pixels=1000000" in capsys.readouterr().out
