"""Folders in the system's place for temporary files."""

import subprocess
import sys
import tempfile

import pytest

from obs.errors import OutputError
from obs.repo.scratch_folder import make_scratch_folder, scratch_folder

KILLED = """
import os, signal
from obs.repo.scratch_folder import scratch_folder
with scratch_folder("doctor") as folder:
    (folder / "data").mkdir()
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def test_what_a_killed_run_left_is_removed_by_the_next(place):
    of_others = [place / name for name in (".else.00000000-1-00000000.tmp", "tmpabcd", ".obs-notes")]
    for folder in of_others:
        folder.mkdir()
    assert subprocess.run([sys.executable, "-c", KILLED], check=False).returncode < 0
    (left,) = place.glob(".obs-doctor.*.tmp")
    elsewhere = place / left.name.replace("doctor", "link")
    elsewhere.symlink_to(of_others[0], target_is_directory=True)
    with scratch_folder("new") as folder, scratch_folder("new") as other:
        assert folder.stat().st_mode & 0o777 == 0o700
        assert sorted(place.iterdir()) == sorted([*of_others, elsewhere, folder, other])
    assert sorted(place.iterdir()) == sorted([*of_others, elsewhere])


def test_no_place(place, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(place / "gone"))
    with pytest.raises(OutputError, match=r"cannot write to .*gone: No such file .* \(TMPDIR\)"):
        make_scratch_folder("new")
