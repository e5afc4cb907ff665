"""Files, patterns and folders on the command line."""

import gzip
import os

import numpy as np
import pytest
from astropy.io import fits

from obs.cli.files import find_files
from obs.errors import RepositoryError


@pytest.fixture
def night(tmp_path):
    """A folder of raw files by any names, with what else is there."""
    folder = tmp_path / "night"
    (folder / "flats" / "R").mkdir(parents=True)
    (folder / ".cache").mkdir()
    (folder / "DATA").mkdir()
    (folder / "DATA" / "registry.sqlite3").touch()
    image = fits.PrimaryHDU(np.zeros((4, 4), np.uint16))
    for name in (
        "a.fit",
        "b.FTS",
        "flats/c.new",
        "flats/R/noending",
        "flats/R/d.fits.gz",
        ".cache/e.fits",
        "DATA/g.fits",
    ):
        image.writeto(folder / name)
    fits.HDUList([fits.PrimaryHDU(), fits.CompImageHDU(image.data)]).writeto(folder / "f.fits.fz")
    (folder / "log.txt").write_text("clear sky")
    (folder / "flats" / "preview.jpg").write_bytes(b"\xff\xd8")
    (folder / "flats" / "other.jpg").write_bytes(b"\xff\xd8")
    (folder / "packed.gz").write_bytes(gzip.compress(b"no image"))
    (folder / "broken.gz").write_bytes(b"\x1f\x8b")
    (folder / "empty.fits").touch()
    os.symlink(folder / "nowhere", folder / "dangling.fits")
    return folder


def test_a_folder_is_all_its_fits_files(night, capsys):
    found = [str(path.relative_to(night)) for path in find_files([str(night)])]
    assert found == ["a.fit", "b.FTS", "f.fits.fz", "flats/c.new", "flats/R/d.fits.gz", "flats/R/noending"]
    assert capsys.readouterr().err == f"{night}: 6 files ignored, not FITS: 2 .gz, 2 .jpg, 1 .fits, ...\n"


def test_a_pattern_may_match_folders(night):
    assert {path.name for path in find_files([f"{night}/fl*"])} == {"c.new", "d.fits.gz", "noending"}


def test_what_is_named_is_taken_as_it_is(night):
    assert [path.name for path in find_files([f"{night}/log.txt", f"{night}/none.fits"])] == ["log.txt", "none.fits"]


def test_a_folder_without_fits_files(tmp_path):
    with pytest.raises(RepositoryError, match=f"no file matches {tmp_path}"):
        find_files([str(tmp_path)])
