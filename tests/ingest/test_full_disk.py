"""Files that cannot be written to their end: a line with the reason and advice, and nothing half written.

A limit on the size of files stands for a full disk: both refuse in the middle of a file.
"""

import os
import resource
import signal
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from test_poisoned_night import ISR_ONLY, observe

from obs.cli.main import main
from obs.ingest.raws import IngestOptions, ingest_raws
from obs.os_advice import write_advice
from obs.repo.butler import Butler
from obs.repo.registry import Registry

LIMIT = 40_000


@pytest.fixture
def limited(capfd):
    """Run a command in a process that can write files of `LIMIT` bytes, and return its status and stderr."""

    def run(*words):
        capfd.readouterr()
        pid = os.fork()
        if pid == 0:
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (LIMIT, LIMIT))
            os._exit(main([str(word) for word in words]))
        status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        return status, capfd.readouterr().err

    return run


def large(path):
    """Add an image to a raw file, so that it is larger than the limit."""
    fits.append(path, np.zeros((200, 200), np.int16))
    return path


def hidden(root):
    return [path for path in Path(root).rglob(".*") if path.is_file()]


@pytest.mark.parametrize("mode", ["copy", "move"])
def test_ingest(repository, tmp_path, limited, mode, monkeypatch):
    # no second name for a file: as if the repository were on another disk
    monkeypatch.setattr("obs.ingest.transfer.Transfer._can_hard_link", lambda self: False)
    small, big = observe(tmp_path / "in", 1), large(observe(tmp_path / "in", 2))
    status, err = limited("ingest", repository, small, big, "--mode", mode, "-j", 1)
    assert status == 1
    assert f"FAILED {big}: " in err
    assert "File too large; raise the limit on file sizes or choose an output folder on another disk" in err
    assert big.is_file()
    assert hidden(repository) == []
    assert Registry(repository / "registry.sqlite3").lookup(["visit"], {}, ["raw"]) == [(0,)]
    assert len(list((repository / "raw").rglob("*.fits"))) == 1
    assert ingest_raws(Butler(repository), [big], IngestOptions(mode=mode)).ok


def test_process(repository, tmp_path, limited):
    assert ingest_raws(Butler(repository), [observe(tmp_path / "in", 1)], IngestOptions()).ok
    settings = [f"{name}={value}" for name, value in ISR_ONLY.items()]
    status, err = limited("process", repository, "--id", "--rerun", "p", "-c", *settings)
    assert status == 1
    assert "File too large" in err
    assert "unexpected" not in err
    rerun = repository / "rerun" / "p"
    assert hidden(rerun) == []
    assert not Butler(rerun).exists("postISRCCD", visit=0, ccd=1)
    assert Butler(rerun).get("processCcd_metadata", visit=0, ccd=1)["status"] == "failed"
    assert main([str(word) for word in ("process", repository, "--id", "--rerun", "p", "-c", *settings)]) == 0


def test_what_astropy_says_of_a_full_disk():
    said = OSError("Not enough space on disk: requested 3407872, available 0. 262144 requested and 39600 written")
    assert write_advice(said) == ("No space left on device; free some space or choose an output folder on another disk")


def test_what_numpy_says_of_a_file_that_is_too_large(monkeypatch):
    said = OSError("262144 requested and 39600 written")
    full = "No space left on device; free some space or choose an output folder on another disk"
    assert write_advice(said) == full
    monkeypatch.setattr("resource.getrlimit", lambda which: (40000, 40000))
    assert write_advice(said) == (
        "File too large, or no space left on device; raise the limit on file sizes or choose an output folder on "
        "another disk"
    )
    assert write_advice(OSError(f"Not enough space on disk: {said}")) == full
