"""A repository of a small camera with results of one exposure, made once for all tests of this folder."""

import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits

import obs
from obs.cli.main import main

sys.path.insert(0, str(Path(__file__).parents[1] / "docs"))
from test_python import install

#: Settings of the results in rerun/a.
SETTINGS = ("isr.do_bias=true", "calibrate.astrometry.enabled=false", "isr.bias_path=bias.fits")


@pytest.fixture(scope="session")
def processed(tmp_path_factory):
    """A folder with the repository DATA, a bias, a reference catalog, and results of visit 21 in rerun/a."""
    folder = tmp_path_factory.mktemp("pending")
    with pytest.MonkeyPatch.context() as patch:
        install(folder / "site", patch)
        patch.chdir(folder)
        obs.make_repository("DATA", obs.load_instrument("night"))
        assert obs.ingest_raws(obs.Butler("DATA"), sorted(Path("night1").glob("*.fits"))).ok
        assert main(["ingest-refcat", "DATA", "simulated", "stars.csv"]) == 0
        fits.PrimaryHDU(np.zeros((1024, 1024), np.float32)).writeto("bias.fits")
        assert main(["process", "DATA", "--rerun", "a", "--id", "visit=21", "-c", *SETTINGS]) == 0
    with pytest.MonkeyPatch.context() as patch:  # not the folder, in which tests of other modules would run
        patch.syspath_prepend(folder / "site")
        yield folder


@pytest.fixture
def copied(processed, tmp_path, monkeypatch):
    """A copy of that folder, in which the test runs."""
    folder = tmp_path / "copy"
    shutil.copytree(processed, folder, symlinks=True)
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def settings():
    """The settings that the results were made with."""
    return SETTINGS
