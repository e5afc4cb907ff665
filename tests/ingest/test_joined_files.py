"""Files of single amplifiers into a repository."""

from dataclasses import replace

import numpy as np
import pytest
from astropy.io import fits
from toy_translator import ToyTranslator

from obs.ingest.raws import IngestOptions, ingest_raws
from obs.instrument.amplifier_files import AmplifierFiles
from obs.repo.butler import Butler
from obs.repo.origins import find_origins


class HalfTranslator(ToyTranslator):
    """Two files a detector."""

    amplifier_files = AmplifierFiles("AMP", ("B", "A"))


@pytest.fixture
def root(repository, instrument, monkeypatch):
    halves = replace(instrument, translator="test_joined_files:HalfTranslator")
    monkeypatch.setattr("obs.repo.find_instrument.load_instrument", lambda name: halves)
    return repository


def write(folder, visit, amp, level=0):
    header = fits.Header(
        [("RUN", visit), ("DETECTOR", 0), ("FILTER", "r"), ("DATE-OBS", "2024-03-01T02:00:00"), ("EXPTIME", 3.0)]
    )
    header["IMGTYPE"], header["AMP"] = "science", amp
    path = folder / f"f{visit}{amp}.fits"
    fits.PrimaryHDU(np.full((6, 5), 40000 + level + ord(amp), np.uint16), header).writeto(path, overwrite=True)
    return path


def ingest(root, files, **options):
    return ingest_raws(Butler(root), files, IngestOptions(**options))


@pytest.mark.parametrize("mode", ["link", "copy", "move"])
def test_the_files_of_an_exposure_become_one(root, tmp_path, mode):
    files = [write(tmp_path, visit, amp) for visit in (1, 2) for amp in "AB"]
    report = ingest(root, files, mode=mode)
    assert [file.status for file in report.files] == ["ingested"] * 4
    assert list(report.lines()) == ["4 files: 4 ingested (put together to 2), 0 skipped, 0 failed"]
    assert [path.exists() for path in files] == [mode != "move"] * 4
    place = Butler(root).path("raw", visit=1, ccd=0)
    assert not place.is_symlink()
    with fits.open(place) as hdus:
        assert [hdu.name for hdu in hdus[1:]] == ["AMP_B", "AMP_A"]
        assert [int(hdu.data[0, 0]) for hdu in hdus[1:]] == [40066, 40065]
    assert not [path for path in root.iterdir() if "joined" in path.name]
    origins = find_origins([root], Butler(root).policy)
    assert sorted(origin.source for origin in origins.values()) == [
        " ".join(str(file) for file in sorted(files)[first : first + 2]) for first in (0, 2)
    ]
    assert {origin.mode for origin in origins.values()} == {mode}
    again = ingest(root, [write(tmp_path, visit, amp) for visit in (1, 2) for amp in "AB"], mode=mode)
    assert {(file.status, file.reason) for file in again.files} == {("skipped", "already ingested")}


def test_parts_that_another_move_has_taken_or_left(root, tmp_path):
    """A move that is killed between the parts that it removes, or has not ended yet."""
    files = [write(tmp_path, 1, amp) for amp in "AB"]
    assert ingest(root, files, mode="move").ok
    gone = ingest(root, files, mode="move")
    assert {(file.status, file.reason) for file in gone.files} == {("skipped", "already ingested")}
    write(tmp_path, 1, "B")
    rest = ingest(root, files, mode="move")
    assert {(file.status, file.reason) for file in rest.files} == {("skipped", "already ingested")}
    assert not files[1].exists()
    write(tmp_path, 1, "B", level=7)
    other = ingest(root, files, mode="move")
    assert [file.status for file in other.files] == ["skipped", "failed"]
    assert files[1].exists()


def test_what_is_no_whole_is_told_and_stays(root, tmp_path):
    files = [write(tmp_path, 1, "A"), write(tmp_path, 2, "A"), write(tmp_path, 2, "B")]
    report = ingest(root, files, mode="move")
    assert [file.status for file in report.files] == ["failed", "ingested", "ingested"]
    assert report.files[0].reason == (
        "one amplifier of visit=1 ccd=0, of which there is no file of AMP = B; give all files of an exposure at once"
    )
    assert files[0].exists()
    other = ingest(root, [write(tmp_path, 2, "A", level=7), write(tmp_path, 2, "B")])
    assert {file.status for file in other.files} == {"failed"}
    assert "visit=2 ccd=0 is ingested already" in other.files[0].reason


def test_two_files_of_an_amplifier_and_a_dry_run(root, tmp_path):
    (tmp_path / "more").mkdir()
    files = [write(tmp_path, 1, "A"), write(tmp_path / "more", 1, "A"), write(tmp_path, 1, "B")]
    report = ingest(root, files, dry_run=True)
    assert {file.reason for file in report.files} == {
        "visit=1 ccd=0 has several files of AMP = A: f1A.fits, f1A.fits; give one of them"
    }
    report = ingest(root, files[1:], dry_run=True)
    assert list(report.lines()) == ["2 files: 2 would be ingested (put together to 1), 0 skipped, 0 failed"]
    assert not list((root / "raw").glob("**/*.fits")) if (root / "raw").exists() else True
