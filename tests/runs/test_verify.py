"""`obs verify` finds what is done to a repository behind its back."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits

from obs.cli.main import main

RERUN = "DATA/rerun/a"


@pytest.fixture
def verify(copied, capsys):
    """Run obs verify on the repository or its rerun, and return status, stdout and stderr."""

    def call(place="DATA"):
        capsys.readouterr()
        return main(["verify", place]), *capsys.readouterr()

    return call


def own_copy(path):
    """Put a file of its own in the place of a link."""
    target = path.resolve()
    path.unlink()
    shutil.copy(target, path)


def test_an_untouched_repository_is_in_order(verify):
    assert verify() == (0, "DATA: all registered raw files are there\n", "")
    assert verify(RERUN)[0] == 0


def test_a_file_that_nobody_registered(verify):
    shutil.copy("DATA/raw/00021.fits", "DATA/raw/00099.fits")
    status, _, err = verify()
    assert status == 1
    assert "ORPHANED" in err
    assert "raw/00099.fits: raw visit=99 is not registered" in err
    assert "register orphaned files with --fix" in err


def test_a_raw_file_that_ends_too_early(verify):
    path = Path("DATA/raw/00021.fits")
    own_copy(path)
    path.write_bytes(path.read_bytes()[:-20000])
    status, _, err = verify()
    assert status == 1
    assert "TRUNCATED" in err
    assert "raw/00021.fits: " in err


@pytest.mark.parametrize("content", [b"", b"SIMPLE  =", b"not FITS at all" * 500])
def test_a_result_that_is_no_fits_file(verify, content):
    Path(RERUN, "src/visit-21.fits").write_bytes(content)
    status, _, err = verify(RERUN)
    assert status == 1
    assert "TRUNCATED" in err
    assert "src/visit-21.fits: " in err


def test_an_input_that_is_not_what_it_was(verify, processed):
    path = processed / "bias.fits"  # the record names the file where it was read
    before = path.read_bytes()
    try:
        fits.PrimaryHDU(np.ones((1024, 1024), np.float32)).writeto(path, overwrite=True)
        status, _, err = verify(RERUN)
        assert status == 1
        assert f"CHANGED {path}: bias that visit=21 was made with" in err
        path.unlink()
        assert f"MISSING {path}: bias that visit=21 was made with" in verify(RERUN)[2]
    finally:
        path.write_bytes(before)


def test_bits_that_flipped_in_a_result(verify):
    path = Path(RERUN, "calexp/visit-21.fits")
    with fits.open(path) as hdus:
        assert "DATASUM" in hdus[1].header
        place = hdus[1].fileinfo()["datLoc"]
    data = bytearray(path.read_bytes())
    data[place + 100] ^= 4
    path.write_bytes(data)
    status, _, err = verify(RERUN)
    assert status == 1
    assert "CHANGED" in err
    assert "calexp/visit-21.fits: " in err


def test_damaged_results_are_removed_and_made_again(verify, settings, capsys):
    path = Path(RERUN, "calexp/visit-21.fits")
    path.write_bytes(path.read_bytes()[:-20000])
    assert main(["verify", RERUN, "--fix"]) == 1
    assert "Remove 1 damaged result? obs process --skip-existing makes them again: not done" in capsys.readouterr().err
    assert path.exists()
    assert main(["verify", RERUN, "--fix", "--yes"]) == 0, capsys.readouterr()
    assert not path.exists()
    plan = ["process", "DATA", "--rerun", "a", "--id", "visit=21", "-c", *settings, "--skip-existing", "--dry-run"]
    assert main(plan) == 0
    assert "STALE visit=21: lost: calexp" in " ".join(capsys.readouterr().out.split())
