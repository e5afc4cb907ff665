"""One function over many data IDs, whatever happens to some of them."""

import atexit
import logging
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from obs.errors import DatasetNotFoundError
from obs.executor.outcome import Unfinished, current_data_id
from obs.executor.run import run
from obs.executor.workers import keep_workers
from obs.threads import THREAD_LIMITS, thread_count

VISITS = [{"visit": number} for number in range(5)]


def act(data_id):
    """Do what the visit number says."""
    logging.getLogger("obs.test").warning("working")
    match data_id["visit"]:
        case 1:
            raise DatasetNotFoundError("no psField\nfor this frame")
        case 2:
            return 1 / 0
        case 7:
            os.kill(os.getpid(), signal.SIGKILL)
        case 8:
            time.sleep(60)
        case 9:
            return lambda: None
        case 10:
            sys.exit(3)
        case 11:
            atexit.register(os.kill, os.getpid(), signal.SIGTERM)
    return os.environ.get("OMP_NUM_THREADS"), os.getpid(), current_data_id.get()


@pytest.mark.parametrize("processes", [1, 2])
def test_failures_do_not_stop_the_others(processes):
    done = []
    outcomes = run(act, VISITS, processes=processes, on_done=done.append)
    assert [outcome.ok for outcome in outcomes] == [True, False, False, True, True]
    assert [outcome.data_id for outcome in outcomes] == VISITS
    assert outcomes[1].error == "no psField for this frame"
    assert outcomes[1].cause == "DatasetNotFoundError"
    assert outcomes[2].error == "ZeroDivisionError: division by zero"
    assert "1 / 0" in outcomes[2].traceback
    assert sorted(done, key=lambda outcome: outcome.data_id["visit"]) == outcomes
    assert outcomes[3].result[2] == "visit=3"
    assert current_data_id.get() == ""


def test_workers_use_one_thread_and_send_their_messages(caplog, monkeypatch):
    for name in THREAD_LIMITS:  # which pytest itself has set
        monkeypatch.delenv(name, raising=False)
    before = dict(os.environ)
    with caplog.at_level(logging.WARNING):
        outcomes = run(act, VISITS, processes=2)
    good = [outcome.result for outcome in outcomes if outcome.ok]
    assert {threads for threads, _, _ in good} == {"1"}
    assert os.getpid() not in {process for _, process, _ in good}
    assert sorted(record.data_id for record in caplog.records) == [f"visit={number}" for number in range(5)]
    assert dict(os.environ) == before


def test_a_killed_worker_costs_one_data_id():
    outcomes = run(act, [{"visit": 7}, *VISITS, {"visit": 10}, {"visit": 9}], processes=2)
    assert [outcome.ok for outcome in outcomes] == [False, True, False, False, True, True, False, False]
    assert "killed (SIGKILL); perhaps memory ran out" in outcomes[0].error
    assert outcomes[0].cause == "Killed"
    assert "ended unexpectedly (exit status 3)" in outcomes[6].error
    assert "cannot be sent between processes" in outcomes[7].error


def leave(data_id):
    """Compute at once, and write when the next data ID is computed: one at a time."""
    folder, number = Path(data_id["folder"]), data_id["n"]
    if data_id.get("dies"):
        os.kill(os.getpid(), signal.SIGKILL)
    (folder / f"computed{number}").touch()

    def finish():
        if data_id.get("waits"):
            wait_for(folder / f"computed{number + 1}")
        if data_id.get("fails"):
            raise OSError("disk is full")
        if data_id.get("kills"):
            os.kill(os.getpid(), signal.SIGKILL)
        return number, (folder / f"computed{number + 2}").exists(), current_data_id.get().split()[-1]

    return Unfinished(finish, data_id.get("size", 0))


def wait_for(path):
    for _ in range(2000):
        if path.exists():
            return
        time.sleep(0.01)
    raise TimeoutError(f"{path} did not come")


@pytest.mark.parametrize("timeout", [None, 60.0])
def test_results_are_written_while_the_next_ones_are_computed(timeout, tmp_path):
    """With a time limit a worker process does it, without one this process."""
    facts = [{"waits": True}, {"waits": True, "fails": True}, {"waits": True}, {}]
    done = []
    data_ids = [{"folder": str(tmp_path), **fact, "n": number} for number, fact in enumerate(facts)]
    outcomes = run(leave, data_ids, timeout=timeout, on_done=done.append)
    assert [outcome.result for outcome in outcomes] == [(0, False, "n=0"), None, (2, False, "n=2"), (3, False, "n=3")]
    assert (outcomes[1].cause, outcomes[1].error) == ("OSError", "OSError: disk is full")
    assert done == outcomes


def test_results_that_need_much_memory_are_written_before_the_next_ones_are_computed(tmp_path):
    data_ids = [{"folder": str(tmp_path), "size": 1 << 30, "n": number} for number in (0, 2)]
    assert [outcome.result[1] for outcome in run(leave, data_ids)] == [False, False]


def test_a_killed_worker_costs_the_data_id_that_killed_it(tmp_path):
    """Whether it was computed or written; the other one that the worker had is done again."""
    facts = [{}, {"dies": True}, {}, {"kills": True}, {}, {}]
    data_ids = [{"folder": str(tmp_path), **fact, "n": number} for number, fact in enumerate(facts)]
    outcomes = run(leave, data_ids, timeout=60.0)
    assert [outcome.cause for outcome in outcomes] == ["", "Killed", "", "Killed", "", ""]
    assert [outcome.result[0] for outcome in outcomes if outcome.ok] == [0, 2, 4, 5]


def test_workers_that_are_kept_serve_the_next_run():
    with keep_workers():
        first = {outcome.result[1] for outcome in run(act, [{"visit": 0}, {"visit": 3}], processes=2)}
        second = run(act, [{"visit": 4}, {"visit": 7}], processes=2)
        third = run(report_process, VISITS[:2], processes=2)
    assert len(first) == 2
    assert second[0].result[1] in first
    assert second[1].cause == "Killed"
    assert second[0].result[1] in {outcome.result for outcome in third}
    assert len({outcome.result for outcome in third} - first) == 1
    assert not any(map(is_alive, first))


def report_process(data_id):
    return os.getpid()


@pytest.mark.parametrize(("function", "times"), [("len", 1), ("count", 2)])
def test_a_script_runs_again_only_where_its_own_functions_are_needed(function, times, tmp_path):
    guard = "" if times == 1 else "if __name__ == '__main__': "
    script = tmp_path / "script.py"
    script.write_text(
        "from obs.executor.workers import run_in_workers\nprint('starts', flush=True)\n"
        "def count(keys): return len(keys)\n"
        f"{guard}outcomes = run_in_workers({function}, [{{'visit': 1}}], 1, None, lambda outcome: None)\n"
        f"{guard}print(outcomes[0].result)\n"
    )
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["starts"] * times + ["1"]
    assert not done.stderr


def test_a_time_limit_stops_only_the_slow_one():
    start = time.perf_counter()
    outcomes = run(act, [{"visit": 8}, {"visit": 3}], timeout=4.0)
    assert [outcome.cause for outcome in outcomes] == ["Timeout", ""]
    assert outcomes[0].error == "stopped after the time limit of 4 s"
    assert time.perf_counter() - start < 30


def test_a_worker_that_is_stopped_while_it_exits_says_nothing(capfd):
    outcomes = run(act, [{"visit": 11}, {"visit": 0}], processes=2)
    assert all(outcome.ok for outcome in outcomes)
    told = capfd.readouterr().err
    assert "Exception ignored" not in told
    assert "Traceback" not in told


def test_errors_can_be_let_through():
    with pytest.raises(DatasetNotFoundError, match="no psField"):
        run(act, VISITS, processes=2, raise_errors=True)


def test_no_data_ids():
    assert run(act, [], processes=4) == []


def test_interrupt_ends_all_processes():
    code = (
        "import multiprocessing; from obs.executor.run import run; from test_workers import act\n"
        "if __name__ == '__main__':\n"
        "    try: run(act, [{'visit': 8}, {'visit': 8}], processes=2)\n"
        "    except KeyboardInterrupt: print('stopped', multiprocessing.active_children())\n"
    )
    script = subprocess.Popen(
        [sys.executable, "-c", code],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([*sys.path, str(Path(__file__).parent)])},
    )
    assert [script.stderr.readline() for _ in range(2)] == ["working\n", "working\n"]
    os.killpg(script.pid, signal.SIGINT)
    assert script.communicate(timeout=20) == ("stopped []\n", "")


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_workers_end_with_their_parent(number, tmp_path):
    """Also where the parent cannot tell them, and while they work."""
    code = (
        "import sys; from obs.executor.run import run; from test_workers import report_and_sleep\n"
        "data_ids = [{'folder': sys.argv[1], 'n': n} for n in (1, 2)]\n"
        "if __name__ == '__main__': run(report_and_sleep, data_ids, processes=2)\n"
    )
    script = subprocess.Popen(
        [sys.executable, "-c", code, tmp_path],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([*sys.path, str(Path(__file__).parent)])},
    )
    wait_until(lambda: len(list(tmp_path.iterdir())) == 2)
    script.send_signal(number)
    script.wait(timeout=20)
    wait_until(lambda: not any(is_alive(int(path.name)) for path in tmp_path.iterdir()))


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a process that still imports")
def test_workers_that_still_import_end_with_their_parent(tmp_path):
    (tmp_path / "slow_module.py").write_text(
        "import os, pathlib, time\n"
        "if 'SLOW' in os.environ:\n"
        "    pathlib.Path(__file__).with_name(str(os.getpid())).touch()\n"
        "    time.sleep(60)\n"
        "def work(data_id): return 1\n"
    )
    code = (
        "import os; from obs.executor.run import run; from slow_module import work\n"
        "os.environ['SLOW'] = '1'\n"
        "if __name__ == '__main__': run(work, [{'n': 1}, {'n': 2}], processes=2)\n"
    )
    script = subprocess.Popen(
        [sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": os.pathsep.join([*sys.path, str(tmp_path)])}
    )
    workers = lambda: [int(path.name) for path in tmp_path.iterdir() if path.name.isdecimal()]  # noqa: E731
    wait_until(lambda: len(workers()) == 2)
    script.kill()
    script.wait(timeout=20)
    wait_until(lambda: not any(is_alive(pid) for pid in workers()))


def report_and_sleep(data_id):
    Path(data_id["folder"], str(os.getpid())).touch()
    time.sleep(60)


def is_alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def wait_until(is_true):
    end = time.monotonic() + 30
    while not is_true():
        assert time.monotonic() < end
        time.sleep(0.05)


def count_threads(data_id):
    return thread_count()


def test_data_ids_that_are_fewer_than_the_processes_get_threads():
    outcomes = run(count_threads, [{"visit": 1}], processes=3)
    assert [outcome.result for outcome in outcomes] == [3]
    outcomes = run(count_threads, [{"visit": 1}, {"visit": 2}], processes=3)
    assert [outcome.result for outcome in outcomes] == [1, 1]
