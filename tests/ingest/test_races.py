"""Several processes that write to one repository at the same time: nothing is lost, and each tells the truth."""

import multiprocessing
import os
import traceback
from itertools import pairwise

import pytest
from test_calibs import write_calib
from test_raws import rows
from toy_camera import write_raw

from obs.errors import OutputError, RepositoryError
from obs.ingest.calib_store import CalibStore
from obs.ingest.calibs import ingest_calibs
from obs.ingest.raws import IngestOptions, ingest_raws
from obs.ingest.repository import make_repository
from obs.repo.butler import Butler
from obs.repo.registry import Registry
from obs.repo.rerun_settings import record_config

_FORK = multiprocessing.get_context("fork")


def race(*works):
    """Call functions at the same moment, each in a process of its own; return what they return."""
    start = _FORK.Barrier(len(works))
    results = _FORK.Queue()

    def child(number, work):
        try:
            start.wait(20)
            results.put((number, work()))
        except BaseException:  # noqa: BLE001 - whatever it is, the test shows it
            results.put((number, traceback.format_exc()))

    processes = [_FORK.Process(target=child, args=(number, work)) for number, work in enumerate(works)]
    for process in processes:
        process.start()
    found = dict(results.get(timeout=60) for _ in works)
    for process in processes:
        process.join()
    return [found[number] for number in range(len(works))]


def ingest(root, files, mode):
    def work():
        report = ingest_raws(Butler(root), files, IngestOptions(mode=mode, batch_size=7))
        return {status: report.count(status) for status in ("ingested", "skipped", "failed")} | {
            "lines": list(report.lines())
        }

    return work


def registered_files(root):
    names = rows(root, columns="visit, ccd")
    return [root / "raw" / "2024-03-01" / f"raw-{visit:05d}-r-{ccd}.fits" for visit, ccd in names]


@pytest.mark.parametrize("mode", ["link", "copy", "move"])
@pytest.mark.parametrize("kind", ["same", "opposite", "shared"])
def test_ingest_at_the_same_time(repository, tmp_path, mode, kind):
    frames = [write_raw(tmp_path / "in" / f"f{n:02d}.fits", RUN=n // 2, DETECTOR=n % 2) for n in range(30)]
    lists = {
        "same": [frames] * 3,
        "opposite": [frames, frames[::-1]],
        "shared": [frames[:20], frames[10:], frames[5:25]],
    }[kind]
    told = race(*(ingest(repository, files, mode) for files in lists))
    assert sum(report["ingested"] for report in told) == 30
    assert not [line for report in told for line in report["lines"] if line.startswith("FAILED")]
    assert len(rows(repository)) == 30
    assert all(path.is_file() for path in registered_files(repository))
    assert len([path for path in (repository / "raw").rglob("*") if path.is_file()]) == 30
    assert sum(path.exists() for path in frames) == (0 if mode == "move" else 30)


def test_what_another_has_moved_away_is_ingested_already(repository, tmp_path):
    """Also where it is gone before its header is read; what nobody has ingested does not exist."""
    frames = [write_raw(tmp_path / "in" / f"f {n}.fits", RUN=n) for n in range(3)]
    assert ingest_raws(Butler(repository), frames[:2], IngestOptions(mode="move")).ok
    frames[2].unlink()
    again = ingest_raws(Butler(repository), frames, IngestOptions(mode="move"))
    assert [(file.status, file.reason) for file in again.files] == [
        *[("skipped", "already ingested")] * 2,
        ("failed", "does not exist"),
    ]
    assert again.files[0].targets == tuple(registered_files(repository)[:1])
    registered_files(repository)[0].unlink()
    assert not ingest_raws(Butler(repository), frames[:1], IngestOptions(mode="move")).ok


def test_one_moves_what_another_copies(repository, tmp_path):
    frames = [write_raw(tmp_path / "in" / f"f{n:02d}.fits", RUN=n // 2, DETECTOR=n % 2) for n in range(30)]
    told = race(ingest(repository, frames, "move"), ingest(repository, frames, "copy"))
    assert sum(report["ingested"] for report in told) == 30
    assert all(path.is_file() and not path.is_symlink() for path in registered_files(repository))
    assert len(registered_files(repository)) == 30


def test_other_files_of_the_same_data_ids(repository, tmp_path):
    """One of them is taken; the other says so, and keeps its file."""
    ours, theirs = (
        [write_raw(tmp_path / who / f"{n}.fits", RUN=n, EXPTIME=seconds) for n in range(12)]
        for who, seconds in (("a", 1.0), ("b", 2.0))
    )
    told = race(ingest(repository, ours, "move"), ingest(repository, theirs, "move"))
    assert [report["ingested"] + report["failed"] for report in told] == [12, 12]
    assert sum(report["ingested"] for report in told) == 12
    assert sum(path.exists() for path in (*ours, *theirs)) == 12
    kept = sorted(path.read_bytes() for path in registered_files(repository))
    assert len(set(kept) | {path.read_bytes() for path in (*ours, *theirs) if path.exists()}) == 24


def test_calibrations_registered_at_the_same_time(repository):
    """Eight builds that end together: none is lost, and their days do not overlap."""
    CalibStore(Butler(repository))

    def add(day):
        def work():
            store = CalibStore(Butler(repository))
            store.add([("bias", store.complete("bias", {"ccd": 0, "calibDate": f"2024-01-{day:02d}"}))], 30)

        return work

    assert race(*(add(day) for day in range(1, 9))) == [None] * 8
    found = CalibStore(Butler(repository), read_only=True).find("bias")
    assert [calibration.data_id["calibDate"] for calibration in found] == [f"2024-01-{day:02d}" for day in range(1, 9)]
    assert all(a.valid_end == b.valid_start for a, b in pairwise(found))


def test_calibrations_ingested_at_the_same_time(repository, tmp_path):
    (tmp_path / "in").mkdir()
    files = [write_calib(tmp_path / "in" / f"{day}.fits", f"2024-01-{day:02d}") for day in range(1, 11)]

    def work():
        report = ingest_calibs(Butler(repository), files, validity=5)
        return report.count("ingested"), report.count("failed")

    told = race(*[work] * 3)
    assert sum(ingested for ingested, _ in told) == 10
    assert sum(failed for _, failed in told) == 0
    found = CalibStore(Butler(repository), read_only=True).find("bias")
    assert [calibration.path.is_file() for calibration in found] == [True] * 10
    assert not any(path.exists() for path in files)


def test_init_by_eight_at_once(tmp_path, instrument):
    root = tmp_path / "new"
    told = race(*[lambda: make_repository(root, instrument)] * 8)
    assert sorted(told) == [False] * 7 + [True]
    assert set(Registry(root / "registry.sqlite3").tables()) == {"raw", "raw_visit"}


def test_init_for_different_cameras_at_once(tmp_path, instrument):
    """One makes the repository, the other is told so."""
    root = tmp_path / "new"
    other = instrument.__class__(**(vars(instrument) | {"name": "other"}))
    told = race(lambda: make_repository(root, instrument), lambda: make_repository(root, other))
    assert sorted(map(str, told), key=len)[0] == "True"
    assert "is a repository of the camera" in sorted(map(str, told), key=len)[1]
    assert RepositoryError.__name__ in sorted(map(str, told), key=len)[1]


def test_one_new_output_has_one_set_of_settings(tmp_path):
    """Of runs that begin at the same moment with different settings, one goes on and the others are refused."""

    def record(threshold):
        def work():
            try:
                record_config(tmp_path, "process", {"threshold": threshold})
            except OutputError as error:
                return str(error)
            return "recorded"

        return work

    told = race(*(record(threshold) for threshold in range(4)))
    assert told.count("recorded") == 1
    assert all("was made with other settings of process" in line for line in told if line != "recorded")
    kept = (tmp_path / "config" / "process.yaml").read_text()
    assert kept == f"threshold: {told.index('recorded')}\n"


def test_who_waits_too_long_is_told(repository, tmp_path, monkeypatch):
    monkeypatch.setattr("obs.repo.sqlite_file.BUSY_SECONDS", 0.2)
    frame = write_raw(tmp_path / "f.fits")
    butler = Butler(repository)
    with Registry(repository / "registry.sqlite3", read_only=False).transaction():
        assert butler.query_metadata("raw", ("visit",), {}) == []  # reading goes on
        with pytest.raises(OutputError, match=r"another process has been writing to it for more than 0.2 s"):
            ingest_raws(butler, [frame], IngestOptions(mode="move"))
    assert frame.exists()
    assert ingest_raws(butler, [frame], IngestOptions(mode="move")).ok
    assert os.listdir(repository / "raw" / "2024-03-01") == ["raw-00001-r-0.fits"]
