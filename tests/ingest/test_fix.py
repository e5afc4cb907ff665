"""`obs verify` and `--fix` on raw files and calibrations, compressed or not, registered or not."""

import gzip
import os
from pathlib import Path

import pytest
from astropy.io import fits
from test_calibs import valid, write_calib
from toy_camera import write_raw

from obs.ingest.calibs import ingest_calibs
from obs.ingest.raws import IngestOptions, ingest_raws
from obs.repo.atomic import temporary_path
from obs.repo.butler import Butler
from obs.repo.registry import Registry


def ingest(root, *files, mode="copy"):
    assert ingest_raws(Butler(root), files, IngestOptions(mode=mode)).ok


def compressed(path, ending):
    """Compress a raw file, and return its new place."""
    target = path.with_name(path.name + ending)
    if ending == ".gz":
        target.write_bytes(gzip.compress(path.read_bytes()))
    else:
        with fits.open(path) as hdus:
            image = fits.CompImageHDU(hdus[0].data, hdus[0].header, compression_type="RICE_1")
            fits.HDUList([fits.PrimaryHDU(), image]).writeto(target)
    path.unlink()
    return target


@pytest.fixture
def filled(repository, tmp_path):
    """A repository with two raw frames of one visit, one of another, and two biases."""
    for visit, ccd in ((1, 0), (1, 1), (2, 0)):
        ingest(repository, write_raw(tmp_path / "in" / f"{visit}{ccd}.fits", RUN=visit, DETECTOR=ccd))
    biases = [write_calib(tmp_path / f"{day}.fits", day=day) for day in ("2024-03-01", "2024-03-05")]
    assert ingest_calibs(Butler(repository), biases, validity=10).ok
    return repository


def rows(root, table="raw", columns=("visit", "ccd")):
    return Registry(root / "registry.sqlite3").lookup(columns, {}, [table])


def raw_path(root, visit, ccd):
    return Butler(root).path("raw", {"visit": visit, "ccd": ccd})


@pytest.mark.parametrize("ending", ["", ".gz", ".fz"])
def test_a_repository_in_order(repository, tmp_path, obs, ending):
    path = write_raw(tmp_path / "in" / "1.fits", RUN=1)
    ingest(repository, compressed(path, ending) if ending else path)
    assert ingest_calibs(Butler(repository), [write_calib(tmp_path / "b.fits")], validity=10).ok
    assert obs("verify", repository) == (0, f"{repository}: all registered raw files are there\n", "")
    (tmp_path / "disk").mkdir()
    (repository / "out").symlink_to(tmp_path / "disk")
    (repository / "within").symlink_to(repository)
    status, out, err = obs("verify", repository)
    assert (status, err) == (0, "")
    assert out.startswith(f"{repository}/out is a link to {tmp_path}/disk: nothing is written there, as it is outside ")
    assert out.count("is a link to") == 1


@pytest.mark.parametrize("ending", [".gz", ".fz"])
def test_a_compressed_raw_file_that_ends_too_early(repository, tmp_path, obs, ending):
    ingest(repository, compressed(write_raw(tmp_path / "in" / "1.fits", RUN=1), ending))
    path = raw_path(repository, 1, 0)
    path.write_bytes(path.read_bytes()[: -100 if ending == ".gz" else -3000])
    status, _, err = obs("verify", repository)
    assert status == 1
    assert f"TRUNCATED {path}: " in err


def test_one_bad_file_stops_nothing(filled, obs):
    raw_path(filled, 1, 0).write_bytes(b"SIMPLE  =                    T" + b"\xff" * 5000)
    raw_path(filled, 1, 1).write_bytes(gzip.compress(bytes(10_000)))
    bias = filled / "CALIB/bias/2024-03-01/bias-2024-03-01-0.fits"
    bias.write_bytes(bias.read_bytes()[:2880])
    raw_path(filled, 2, 0).unlink()
    status, _, err = obs("verify", filled)
    assert status == 1
    assert err.count("TRUNCATED") == 3
    assert "MISSING" in err
    assert "1 missing, 0 leftovers, 3 other faults" in err


def test_mend_removes_what_killed_runs_left(filled, obs):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "getpid", lambda: 2**22 + 1)  # no process has this number
        leftover = temporary_path(filled / "raw" / "x.fits")
    leftover.write_bytes(b"half")
    own = temporary_path(filled / "raw" / "y.fits")
    own.write_bytes(b"somebody writes this now")
    status, out, _ = obs("verify", filled, "--fix")
    assert (status, out.splitlines()[0]) == (0, "1 leftovers removed")
    assert not leftover.exists()
    assert own.exists()


@pytest.mark.parametrize("ending", ["", ".gz", ".fz"])
def test_mend_registers_raw_files_in_their_places(repository, tmp_path, obs, ending):
    path = write_raw(tmp_path / "in" / "1.fits", RUN=1)
    ingest(repository, compressed(path, ending) if ending else path)
    there = raw_path(repository, 1, 0)
    with Registry(repository / "registry.sqlite3", read_only=False).transaction() as changes:
        changes.delete("raw", {"visit": 1})
    status, _, err = obs("verify", repository)
    assert (status, f"ORPHANED {there}" in err) == (1, True)
    status, out, err = obs("verify", repository, "--fix")
    assert (status, err) == (0, "")
    assert f"{there}: registered as visit=1" in out
    assert rows(repository) == [(1, 0)]
    assert there.is_file()


def test_mend_leaves_files_alone_whose_headers_belong_elsewhere(filled, obs):
    path = raw_path(filled, 1, 0)
    stranger = path.with_name(path.name.replace("00001", "00077"))
    stranger.write_bytes(path.read_bytes())
    status, _, err = obs("verify", filled, "--fix", "--yes")
    assert status == 1
    assert f"{stranger}: is left alone, because its header belongs to " in err
    assert stranger.is_file()
    assert rows(filled) == [(1, 0), (1, 1), (2, 0)]


def test_mend_registers_calibrations_with_their_validity(filled, obs):
    connection = Registry(filled / "CALIB/calibRegistry.sqlite3", read_only=False)
    connection.change({}, delete=[("bias", {"calibDate": "2024-03-05"})])
    status, _, err = obs("verify", filled, "--fix")
    assert (status, "say with --validity DAYS for how long it is valid" in err) == (1, True)
    status, out, _ = obs("verify", filled, "--fix", "--validity", "10")
    assert status == 0
    assert "registered as bias" in out
    assert [start for day, *_, start, _ in valid(filled)] == ["2024-02-20", "2024-03-04"]


def test_rows_without_a_file_are_kept_until_the_user_agrees(filled, obs):
    raw_path(filled, 1, 1).unlink()
    raw_path(filled, 2, 0).unlink()
    (filled / "CALIB/bias/2024-03-05/bias-2024-03-05-0.fits").unlink()
    status, _, err = obs("verify", filled, "--fix")
    assert status == 1
    assert "Forget 3 rows of the registry without a file?" in err
    assert "not done without --yes" in err
    assert len(rows(filled)) == 3
    status, out, err = obs("verify", filled, "--fix", "--yes")
    assert (status, err) == (0, "")
    assert out.count("no longer registered") == 3
    assert rows(filled) == [(1, 0)]
    assert rows(filled, "raw_visit", ("visit",)) == [(1,)]
    # the days of the calibration that is gone are those of the other again
    assert valid(filled) == [("2024-03-01", 0, "2024-02-20", "2024-03-11")]


def test_links_that_lead_nowhere_go_with_their_rows(repository, tmp_path, obs):
    path = write_raw(tmp_path / "in" / "1.fits", RUN=1)
    ingest(repository, path, mode="link")
    link = raw_path(repository, 1, 0)
    path.unlink()
    assert obs("verify", repository, "--fix", "--yes")[0] == 0
    assert not os.path.lexists(link)
    assert rows(repository) == []


def test_raw_files_of_an_output_are_those_of_the_repository_that_lists_them(filled, tmp_path, obs):
    output = tmp_path / "output"
    output.mkdir()
    description = Path(filled, "obs.yaml").read_text()
    Path(output, "obs.yaml").write_text(description.replace("parents: []", f"parents: ['{filled}']"))
    lost = raw_path(filled, 2, 0)
    lost.unlink()
    for words in ((), ("--fix", "--yes")):
        status, _, err = obs("verify", output, *words)
        assert status == 1
        assert f": {lost}\n" in err
        assert f"obs verify {filled}, which lists the raw files, finds moved ones with --relink DIR" in err
    status, _, err = obs("verify", output, "--relink", tmp_path / "in")
    assert status == 1
    assert f"link them there: obs verify {filled} --relink {tmp_path / 'in'}" in err
    assert not (output / "registry.sqlite3").exists()
    assert len(rows(filled)) == 3


def test_a_registry_of_another_program_lists_more_than_was_copied(shared_data, tmp_path, obs):
    root = tmp_path / "output"
    root.mkdir()
    Path(root, "obs.yaml").write_text(f"camera: sdss\nparents: ['{shared_data / 'sdss_stripe82'}']\n")
    status, out, err = obs("verify", root)
    assert (status, err) == (0, "")
    assert "of the registry, which another program made, were not copied with it" in out
