"""Runs on Dask: workers that are lost or join, failures, time limits, a scheduler that goes away."""

import os
import re
import subprocess
import sys
import threading
import time
from functools import partial
from pathlib import Path

import pytest
from distributed import Nanny

from obs.errors import ConfigError
from obs.executor.choose import ExecutorOptions, chosen_executor
from obs.executor.run import run

sys.path.insert(0, str(Path(__file__).parent))
import tasks_for_dask as tasks

pytestmark = pytest.mark.filterwarnings("ignore")  # of the libraries


class Cluster:
    """A scheduler and workers as processes of their own."""

    def __init__(self, folder):
        self.folder = folder
        paths = [*filter(None, sys.path), str(Path(__file__).parent)]
        self.environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
        self.scheduler = self._start("scheduler", "--port", "0", "--host", "127.0.0.1", "--no-dashboard")
        self.address = None
        while self.address is None:
            line = self.scheduler.stderr.readline()
            match = re.search(r"Scheduler at:\s+(tcp://\S+)", line)
            self.address = match and match[1]
        threading.Thread(target=self.scheduler.stderr.read, daemon=True).start()
        self.workers = []

    def _start(self, kind, *words, stderr=subprocess.PIPE):
        command = [sys.executable, "-m", "distributed.cli.dask_" + kind, *words]
        return subprocess.Popen(command, stderr=stderr, text=True, env=self.environment, cwd=self.folder)

    def add_worker(self):
        words = (self.address, "--nthreads", "1", "--no-nanny", "--no-dashboard", "--memory-limit", "0")
        self.workers.append(self._start("worker", *words, stderr=subprocess.DEVNULL))

    def stop(self):
        for process in [*self.workers, self.scheduler]:
            process.kill()
            process.wait()
        self.scheduler.stderr.close()


@pytest.fixture
def cluster(tmp_path):
    made = Cluster(tmp_path)
    made.add_worker()
    yield made
    made.stop()


@pytest.fixture
def no_thread_stays():
    """Nothing goes on in this process, where later tests count what is open."""
    before = set(threading.enumerate())
    yield
    names = {thread.name for thread in set(threading.enumerate()) - before}
    assert [name for name in names if "loop" in name.lower()] == []


def test_outcomes_messages_and_lost_workers(cluster, tmp_path, caplog):
    """A task whose worker is killed is done by another; one that kills several is reported; nothing else is lost.

    Results are written while the next task runs, and the messages of both stay apart.
    """
    told = []
    work = partial(tasks.act, folder=str(tmp_path))
    with chosen_executor(ExecutorOptions(scheduler=cluster.address)):
        outcomes = run(work, [{"n": n} for n in (0, 1, 6)], on_done=lambda outcome: told.append(outcome.data_id["n"]))
        assert [outcome.result for outcome in outcomes] == [0, None, 60]
        assert (outcomes[1].cause, outcomes[1].error) == ("DatasetNotFoundError", "no frame")
        assert sorted(told) == [0, 1, 6]
        assert [record.message for record in caplog.records if record.name == "obs.test"] == ["working"] * 3
        assert {record.data_id for record in caplog.records if record.name == "obs.test"} == {"n=0", "n=1", "n=6"}

        caplog.clear()
        left = run(partial(tasks.leave, folder=str(tmp_path)), [{"n": n} for n in range(3)])
        assert [outcome.result for outcome in left] == [0, 1, 2]  # written while the next one was computed
        said = sorted((record.data_id, record.message) for record in caplog.records if record.name == "obs.test")
        assert said == [(f"n={n}", word) for n in range(3) for word in ("computing", "written")]

        def kill_and_add():
            while not (tmp_path / "slow").exists():
                time.sleep(0.05)
            cluster.workers[0].kill()
            cluster.add_worker()

        helper = threading.Thread(target=kill_and_add)
        helper.start()
        outcomes = run(work, [{"n": n} for n in (5, 7, 8, 9)])
        helper.join()
        assert [outcome.result for outcome in outcomes] == [50, 70, 80, 90]


def test_a_time_limit(cluster, tmp_path):
    with chosen_executor(ExecutorOptions(scheduler=cluster.address)):
        slow, quick = run(partial(tasks.act, folder=str(tmp_path)), [{"n": 4}, {"n": 7}], timeout=8.0)
    assert (slow.cause, slow.error) == ("Timeout", "stopped after the time limit of 8 s")
    assert quick.result == 70


def test_many_quick_tasks_come_back_in_order(cluster):
    with chosen_executor(ExecutorOptions(scheduler=cluster.address)):
        outcomes = run(tasks.nothing, [{"n": n} for n in range(3000)])
    assert [outcome.result for outcome in outcomes] == list(range(3000))


def test_a_task_that_kills_every_worker_is_reported(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([*filter(None, sys.path), str(Path(__file__).parent)]))
    with chosen_executor(ExecutorOptions(cluster="local", processes=1)):
        killer, other = run(partial(tasks.act, folder=str(tmp_path)), [{"n": 2}, {"n": 7}])
    assert (killer.cause, other.result) == ("Killed", 70)
    assert killer.error.startswith("the worker that had it was lost, twice")


def test_a_cluster_that_fails_when_it_is_closed_loses_no_result(monkeypatch, no_thread_stays):
    """As distributed does while it starts a lost worker again: it closes that worker, and fails."""

    async def fail(self, **more):
        await kill(self, **more)
        raise AssertionError("can only join a started process")

    kill = Nanny.kill
    monkeypatch.setattr(Nanny, "kill", fail)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([*filter(None, sys.path), str(Path(__file__).parent)]))
    with chosen_executor(ExecutorOptions(cluster="local", processes=1)):
        outcomes = run(tasks.nothing, [{"n": 7}, {"n": 8}])
    assert [outcome.result for outcome in outcomes] == [7, 8]


def test_a_scheduler_that_goes_away_is_said_for_each_data_id(cluster, tmp_path):
    def stop():
        while not (tmp_path / "slow").exists():
            time.sleep(0.05)
        cluster.scheduler.kill()

    helper = threading.Thread(target=stop)
    helper.start()
    with chosen_executor(ExecutorOptions(scheduler=cluster.address)):
        outcomes = run(partial(tasks.act, folder=str(tmp_path)), [{"n": 5}, {"n": 7}])
    helper.join()
    assert [outcome.cause for outcome in outcomes] == ["Scheduler", "Scheduler"]
    assert outcomes[0].error == f"the connection to the Dask scheduler {cluster.address} was lost"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"scheduler": "tcp://127.0.0.1:1"}, r"the Dask scheduler tcp://127\.0\.0\.1:1 does not answer"),
        ({"scheduler": "nonsense://x"}, "the Dask scheduler nonsense://x does not answer"),
        ({"name": "dsk"}, "there is no executor 'dsk'; did you mean 'dask'"),
        ({"name": "local", "cluster": "local"}, "are options of --executor dask, not of 'local'"),
        ({"cluster": "local", "scheduler": "tcp://x"}, "give one of them"),
    ],
)
def test_mistakes(options, message, monkeypatch, no_thread_stays):
    monkeypatch.setattr("obs.executor.dask._ANSWER_SECONDS", 1.0)
    with pytest.raises(ConfigError, match=message), chosen_executor(ExecutorOptions(**options)):
        pass


def test_site_files(tmp_path):
    site = tmp_path / "site.yaml"
    site.write_text("workers: 0\n")
    wanted = pytest.raises(ConfigError, match="expected a number of workers from 1, got 0")
    with wanted, chosen_executor(ExecutorOptions(cluster="local", site=site)):
        pass
    site.write_text("- a\n")
    with pytest.raises(ConfigError, match="expected 'name: value' lines"):
        ExecutorOptions(site=site).load_site()
    site.write_text("queue: short\nno_such_setting: 3\n")
    wanted = pytest.raises(ConfigError, match="the settings of the site do not suit slurm")
    with wanted, chosen_executor(ExecutorOptions(cluster="slurm", site=site)):
        pass


def test_local_workers_that_do_not_start(tmp_path, monkeypatch):
    def refuse(**settings):
        raise RuntimeError("Nanny failed to start.")

    monkeypatch.setattr("obs.executor.dask.LocalCluster", refuse)
    site = tmp_path / "site.yaml"
    site.write_text("job_extra: [x]\n")
    message = r"the \d+ workers of --cluster local do not start with the settings of the site job_extra: Nanny failed"
    with pytest.raises(ConfigError, match=message), chosen_executor(ExecutorOptions(cluster="local", site=site)):
        pass
