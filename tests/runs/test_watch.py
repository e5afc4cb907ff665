"""A night that is processed while it arrives: half-written files, restarts, frames that fail."""

import os
import shutil
import signal
import time
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits

import obs as package
from obs.ingest.arrivals import Arrivals, is_whole
from obs.pipeline import ComputedDetector
from obs.process_summary import ProcessSummary
from obs.runs.pending import Plan
from obs.runs.watch import watch_folder
from obs.tasks.process_settings import process_settings


class Clock:
    """A clock that goes when it is told."""

    now = 0.0

    def __call__(self):
        return self.now


def write_fits(path, value=1.0):
    fits.HDUList([fits.PrimaryHDU(np.full((40, 50), value, np.float32)), fits.ImageHDU(np.ones((30, 30)))]).writeto(
        path, overwrite=True
    )
    return path


def test_a_file_is_given_out_when_it_is_whole(tmp_path):
    clock, folder = Clock(), tmp_path / "night"
    arrivals = Arrivals(folder, settle=2.0, clock=clock)
    assert arrivals.poll() == []  # the folder is not there yet
    folder.mkdir()
    content = write_fits(tmp_path / "whole.fits").read_bytes()
    path = folder / "a.fits"
    path.write_bytes(content[:-4000])  # the last HDU is short
    for name in (".b.fits", "c.fits.part"):
        (folder / name).write_bytes(content)
    (folder / "notes.txt").write_text("cloudy")
    for name, target in {"up": "/", "round": folder, "beside": tmp_path}.items():
        (folder / name).symlink_to(target)  # none of them is walked
    assert arrivals.poll() == []
    clock.now = 10.0
    assert arrivals.poll() == []  # it has settled, and is not whole
    assert arrivals.unfinished() == [path]
    assert [list(arrivals.stopped(seconds)) for seconds in (60.0, 9.0, 9.0)] == [[], [path], []]  # named once
    path.write_bytes(content)
    arrivals.poll()
    clock.now = 11.0
    assert arrivals.poll() == []  # it may still be growing
    clock.now = 13.0
    assert arrivals.poll() == [path]
    assert arrivals.poll() == []


@pytest.mark.parametrize("cut", [1, 100, 2880, 5000, 9000])
def test_a_cut_file_is_not_whole(tmp_path, cut):
    path = write_fits(tmp_path / "a.fits")
    content = path.read_bytes()
    assert is_whole(path)
    path.write_bytes(content[:cut])
    assert not is_whole(path)


@pytest.fixture
def live(copied, monkeypatch):
    """A new repository, a folder for files that arrive, and the data IDs that the pipeline is called with."""
    calls = []

    def compute_detector(butler, data_id, config, *, may_wait=False):
        calls.append(data_id["visit"])
        if (Path("broken") / str(data_id["visit"])).exists():
            raise ValueError("broken")
        butler.put({"status": "done", "seconds": {}}, "processCcd_metadata", data_id)
        return ComputedDetector(ProcessSummary, 0)

    monkeypatch.setattr("obs.runs.process.compute_detector", compute_detector)
    monkeypatch.setattr("obs.runs.watch.plan_run", plan_by_metadata)
    package.make_repository("LIVE", package.load_instrument("night"))
    Path("arriving").mkdir()
    Path("broken").mkdir()

    def run():
        butler = package.Butler("LIVE", rerun="live")
        butler.prepare_output()
        config = process_settings(butler.instrument).build()
        return list(watch_folder(butler, Path("arriving"), config, settle=0, idle=0, pause=0))

    return run, calls


def plan_by_metadata(butler, config, data_ids):
    plan = Plan()
    for data_id in data_ids:
        (plan.current if butler.exists("processCcd_metadata", data_id, write=True) else plan.new).append(data_id)
    return plan


def test_frames_are_processed_once_each_whatever_happens(live):
    run, calls = live
    shutil.copy("night1/a0021.fits", "arriving")
    half = Path("night1/a0022.fits").read_bytes()
    Path("arriving/a0022.fits").write_bytes(half[: len(half) // 2])
    steps = run()
    assert calls == [21]
    assert [[file.status for file in step.files] for step in steps] == [["ingested"], [], []]
    assert [len(step.outcomes) for step in steps] == [0, 1, 0]
    assert [list(step.stopped) for step in steps] == [[], [], [Path("arriving/a0022.fits")]]
    Path("arriving/a0022.fits").write_bytes(half)
    run()  # as after a restart
    assert calls == [21, 22]
    run()
    assert calls == [21, 22]


def test_a_frame_that_fails_stops_nothing_and_is_not_tried_for_ever(live):
    run, calls = live
    Path("broken/21").touch()
    for name in ("a0021.fits", "a0022.fits"):
        shutil.copy(f"night1/{name}", "arriving")
    outcomes = [outcome for step in run() for outcome in step.outcomes]
    assert sorted(calls) == [21, 22]
    assert [outcome.ok for outcome in outcomes] == [False, True]


def test_a_file_of_another_size_does_not_take_the_number_of_an_exposure(live):
    run, calls = live
    with fits.open("night1/a0021.fits") as whole:
        guide = fits.PrimaryHDU(whole[0].data[:20, :30], whole[0].header)
    guide.writeto("arriving/a0001.fits")
    shutil.copy("night1/a0021.fits", "arriving")
    files = [file for step in run() for file in step.files]
    assert [(file.path.name, file.status) for file in files] == [("a0001.fits", "skipped"), ("a0021.fits", "ingested")]
    assert "its image has 30 x 20 pixels, those of 'night' have" in files[0].reason
    assert calls == [21]


def test_a_folder_that_is_not_there_is_named(copied, obs):
    status, _, err = obs("watch", "DATA", "nowhere")
    assert status == 1
    assert err == "obs: error: there is no folder nowhere to watch; make it, or correct its name\n"


@pytest.fixture
def signaled(monkeypatch):
    """A function that has a signal come at the next pause between two looks."""

    def at_the_next_pause(number):
        monkeypatch.setattr(time, "sleep", lambda seconds: os.kill(os.getpid(), number))

    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored where tests run in the background
    yield at_the_next_pause
    signal.signal(signal.SIGINT, before)


def test_ctrl_c_is_the_usual_end_of_a_watch(live, obs, signaled):
    _, calls = live
    shutil.copy("night1/a0021.fits", "arriving")
    words = ("watch", "LIVE", "arriving", "--settle", "0")
    signaled(signal.SIGINT)
    status, _, err = obs(*words)
    assert (status, err.splitlines()[-1]) == (0, "stopped; the same command continues")
    signaled(signal.SIGTERM)
    status, _, err = obs(*words)
    assert (status, err.splitlines()[-1]) == (143, "obs: error: ended by SIGTERM; what was finished is kept")
    shutil.copy("night1/a0022.fits", "arriving")
    Path("broken/22").touch()
    signaled(signal.SIGINT)
    assert obs(*words)[0] == 1  # a frame failed, as with --idle
    assert calls == [21, 22]


def test_ctrl_c_is_the_usual_end_of_a_page_that_is_renewed(live, obs, signaled):
    signaled(signal.SIGINT)
    status, _, err = obs("report", "LIVE", "--watch")
    assert (status, err.splitlines()[-1]) == (0, "stopped; the page stays as it is")
    assert not [path for path in Path("LIVE").rglob("*") if ".tmp" in path.name]
