"""The workers of a Dask cluster: one that runs already, or one that is started on the site's batch system.

What goes over the network is the function with paths and settings, data IDs, outcomes and log messages; never pixels.
"""

import gc
import logging
import multiprocessing
import threading
import warnings
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from typing import Any, TypeVar

import dask
from distributed import Client, LocalCluster, Status, as_completed, secede
from distributed import wait as wait_for
from distributed.comm import connect
from distributed.utils import LoopRunner

from obs.errors import ConfigError, PluginError
from obs.executor.outcome import DataId, Finishing, Outcome, Unfinished, attempt, begin, complete, current_data_id
from obs.executor.overlap import may_wait
from obs.executor.run import Executor
from obs.executor.workers import run_in_workers
from obs.threads import thread_count, use_one_thread, use_threads
from obs.version import __version__

__all__ = ["DaskExecutor", "open_cluster"]

logger = logging.getLogger(__name__)

R = TypeVar("R")

#: Classes of dask-jobqueue, by the name of the batch system.
_BATCH_SYSTEMS = {"slurm": "SLURMCluster", "htcondor": "HTCondorCluster", "pbs": "PBSCluster"}
#: What a job is, where the site does not say otherwise.
_JOB: dict[str, Any] = {"cores": 1, "processes": 1, "memory": "3GB"}
#: Tasks that are handed to the scheduler at a time, at least, and for each worker.
_AHEAD, _AHEAD_OF_WORKER = 500, 4
#: Seconds that a task takes at least, if there are data IDs enough; and how many data IDs it has at most.
_TASK_SECONDS, _LARGEST_SHARE = 0.5, 200
#: Seconds in which a scheduler must answer.
_ANSWER_SECONDS = 20.0
#: How often a task may be on a worker that is lost before it is set aside, to be tried once more alone.
_ALLOWED_FAILURES = 0
#: How often it is tried alone, until it is the one that takes workers down.
_ALONE = 2

#: What keeps the messages of the task of this thread: those of a task that only writes are not the next one's.
_collector: ContextVar[logging.Handler | None] = ContextVar("_collector", default=None)
#: Held by the task of this worker that only writes its results, while the worker does another task.
_writing = threading.Lock()


@contextmanager
def open_cluster(
    *, scheduler: str | None, cluster: str | None, site: Mapping[str, Any], processes: int
) -> Iterator[Executor]:
    """Connect to a scheduler, or start a cluster, which is stopped at the end.

    Parameters
    ----------
    scheduler : str or None
        Address such as ``tcp://host:8786``.
    cluster : str or None
        ``local``, ``slurm``, ``htcondor`` or ``pbs``, where there is no scheduler.
    site : mapping
        Settings of the site: those of the class of dask-jobqueue, and ``workers``, the number of workers.
    processes : int
        Number of workers where the site says nothing.

    Raises
    ------
    ConfigError
        If the scheduler does not answer, or the settings do not suit the cluster.
    PluginError
        If dask-jobqueue is needed and not installed.
    """
    noisy = [name for name in logging.root.manager.loggerDict if name.startswith("distributed")]
    for name in [*noisy, "tornado.application"]:
        logging.getLogger(name).setLevel(logging.CRITICAL)  # what it warns of becomes an outcome
    if scheduler is not None:
        with _connect(scheduler) as client:
            yield DaskExecutor(client)
        return
    settings = dict(site)
    workers = settings.pop("workers", processes)
    if not isinstance(workers, int) or workers < 1:
        raise ConfigError(f"workers: expected a number of workers from 1, got {workers!r}")
    with dask.config.set({"distributed.scheduler.allowed-failures": _ALLOWED_FAILURES}):
        started = _start(cluster or "local", settings, workers)
        try:
            with Client(started) as client:
                yield DaskExecutor(client)
        finally:
            _close(started)


def _connect(scheduler: str) -> Client:
    """Connect to a scheduler.

    The scheduler is greeted first, because a client that reaches none leaves its thread running, with open sockets.
    """
    try:
        LoopRunner().run_sync(_greet, scheduler)
        return Client(scheduler, timeout=_ANSWER_SECONDS)
    except (OSError, ValueError, TimeoutError) as error:
        raise ConfigError(f"the Dask scheduler {scheduler} does not answer: {error}; is the address right?") from error


async def _greet(scheduler: str) -> None:
    connection = await connect(scheduler, timeout=_ANSWER_SECONDS)
    await connection.close()


def _close(cluster: Any) -> None:  # noqa: ANN401 - clusters share no base class
    """Close a cluster; what goes wrong now harms no result.

    A worker that was lost and is just being started again cannot be ended by distributed, which fails with an
    AssertionError, and then has closed that worker, but not the scheduler: it would go on in a thread of this process,
    and the worker would connect to it. A second attempt closes the rest, if the cluster forgets that it is closing.
    """
    try:
        cluster.close()
    except Exception as error:  # noqa: BLE001 - results are there, and their exit status counts
        logger.info("the cluster did not end in order: %s: %s", type(error).__name__, error)
        cluster.status = Status.failed
        with suppress(Exception):
            cluster.close(timeout=_ANSWER_SECONDS)


def _start(kind: str, settings: dict[str, Any], workers: int) -> Any:  # noqa: ANN401 - clusters share no base class
    if kind == "local":
        try:
            return LocalCluster(
                n_workers=workers,
                threads_per_worker=1,
                processes=True,
                dashboard_address=None,
                silence_logs=logging.CRITICAL,
                **settings,
            )
        except (OSError, RuntimeError, TypeError, ValueError) as error:
            named = f" with the settings of the site {', '.join(settings)}" if settings else ""
            raise ConfigError(f"the {workers} workers of --cluster local do not start{named}: {error}") from None
    if kind not in _BATCH_SYSTEMS:
        raise ConfigError(f"--cluster does not know '{kind}'; it knows: local, {', '.join(_BATCH_SYSTEMS)}")
    try:
        import dask_jobqueue  # noqa: PLC0415 - needed for batch systems only
    except ImportError as error:
        raise PluginError(
            "dask-jobqueue is needed for batch systems and is not installed; pip install 'obs-toolkit[dask]'",
            plugin="dask",
        ) from error
    try:
        started = getattr(dask_jobqueue, _BATCH_SYSTEMS[kind])(**(_JOB | settings))
    except (TypeError, ValueError) as error:
        message = f"the settings of the site do not suit {kind}: {error}"
    else:
        started.scale(workers)
        return started
    with warnings.catch_warnings():  # of a half-made cluster, which cannot be closed
        warnings.simplefilter("ignore")
        gc.collect()
    raise ConfigError(message)


class DaskExecutor:
    """Runs functions on the workers of a cluster.

    Workers may be lost and added meanwhile: what a lost one worked on is done again by another, once.

    Parameters
    ----------
    client : object
        The connection to the scheduler.
    """

    def __init__(self, client: Any) -> None:  # noqa: ANN401 - a class of an extra
        self.client = client
        self.address: str = client.scheduler.address

    def __call__(
        self,
        function: Callable[[DataId], R],
        data_ids: Sequence[DataId],
        *,
        timeout: float | None,
        tell: Callable[[Outcome[R]], None],
    ) -> list[Outcome[R]]:
        """Call a function for every data ID; see `obs.executor.run.Executor`."""
        waiting = deque(range(len(data_ids)))
        outcomes: dict[int, Outcome[R]] = {}
        tasks: dict[Any, list[int]] = {}
        pace = _Pace()
        suspects: list[int] = []

        def submit() -> list[Any]:
            """Hand over more tasks, up to as many as the scheduler is to have at a time."""
            futures = []
            while waiting and len(tasks) < self._window():
                share = [waiting.popleft() for _ in range(min(pace.share, len(waiting)))]
                futures.append(self._submit(function, [data_ids[number] for number in share], timeout))
                tasks[futures[-1].key] = share
            return futures

        running = as_completed(submit())
        for batch in running.batches():
            for future in batch:
                share = tasks.pop(future.key)
                found = self._collect(future, [data_ids[number] for number in share])
                if found[0].cause == "Killed":
                    suspects += share
                    continue
                for number, outcome in zip(share, found, strict=True):
                    outcomes[number] = outcome
                    pace.note(outcome.seconds)
                    tell(outcome)
            running.update(submit())
        for number in [*suspects, *waiting]:
            # Tasks that wait on a worker count as suspect when another takes it down. Which one did shows alone, as for
            # a task that is handed to a worker which the one before took down, until the scheduler has noticed that.
            for _ in range(_ALONE):
                future = self._submit(function, [data_ids[number]], timeout)
                wait_for(future)
                (outcomes[number],) = self._collect(future, [data_ids[number]])
                if outcomes[number].cause != "Killed":
                    break
            tell(outcomes[number])
        return [outcomes[number] for number in range(len(data_ids))]

    def _submit(self, function: Callable[[DataId], Any], data_ids: list[DataId], timeout: float | None) -> Any:  # noqa: ANN401 - a class of an extra
        level = logging.getLogger("obs").getEffectiveLevel()
        settings = timeout, level, thread_count(), __version__
        return self.client.submit(_work, function, data_ids, *settings, pure=False)

    def _window(self) -> int:
        """Return how many tasks the scheduler has at a time, so that its memory does not grow with their number."""
        if self.client.status != "running":
            return 0
        threads = sum(self.client.nthreads().values())
        return max(_AHEAD, _AHEAD_OF_WORKER * int(threads))

    def _collect(self, future: Any, data_ids: list[DataId]) -> list[Outcome[Any]]:  # noqa: ANN401 - a class of an extra
        if future.status == "finished":
            outcomes: list[Outcome[Any]]
            outcomes, records = future.result()
            for record in records:
                logging.getLogger(record.name).handle(record)
            return outcomes
        if future.status != "error":
            return [self._lost(data_id) for data_id in data_ids]
        problem = future.exception()
        cause, message = type(problem).__name__, " ".join(f"{type(problem).__name__}: {problem}".split())
        if cause == "KilledWorker":
            cause, message = "Killed", "the worker that had it was lost, twice; perhaps memory ran out"
        return [Outcome(dict(data_id), None, message, cause, message) for data_id in data_ids]

    def _lost(self, data_id: DataId) -> Outcome[Any]:
        message = f"the connection to the Dask scheduler {self.address} was lost"
        return Outcome(dict(data_id), None, message, "Scheduler", message)


class _Pace:
    """How many data IDs make a task: one, or several that are done so fast that the scheduler would take longer.

    Attributes
    ----------
    share : int
        Number of data IDs in the next task.
    """

    def __init__(self) -> None:
        self.share = 1
        self._seconds = _TASK_SECONDS

    def note(self, seconds: float) -> None:
        """Count a data ID that took so long."""
        self._seconds += 0.1 * (seconds - self._seconds)
        self.share = int(min(max(_TASK_SECONDS / max(self._seconds, 1e-6), 1), _LARGEST_SHARE))


class _Collector(logging.Handler):
    """Keeps messages, marked with the data ID, until they go back with the outcome."""

    def __init__(self) -> None:
        super().__init__()
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        if _collector.get() is not self:
            return
        record.msg, record.args = record.getMessage(), None
        record.exc_info = record.exc_text = None
        record.data_id = current_data_id.get()
        self.records.append(record)


def _work(
    function: Callable[[DataId], R],
    data_ids: Sequence[DataId],
    timeout: float | None,
    level: int,
    threads: int,
    version: str,
) -> tuple[list[Outcome[R]], list[logging.LogRecord]]:
    """Do one task on a worker, and return its outcomes with the messages."""
    use_one_thread()
    if version != __version__:
        message = f"the worker has obs {__version__}, and {version} asks; install the same version on all machines"
        return [Outcome(dict(data_id), None, message, "PluginError", message) for data_id in data_ids], []
    collector = _Collector()
    token = _collector.set(collector)
    logger = logging.getLogger("obs")
    logger.addHandler(collector)
    if logger.level != level:
        logger.setLevel(level)  # and it stays: a task that writes needs it longer than this one
    try:
        with use_threads(threads):
            if timeout is not None:
                with _children_allowed():
                    return run_in_workers(function, data_ids, 1, timeout, lambda outcome: None), collector.records
            if len(data_ids) == 1 and isinstance(function, Finishing):
                return [_attempt_leaving(function, data_ids[0])], collector.records
            return [attempt(function, data_id) for data_id in data_ids], collector.records
    finally:
        logger.removeHandler(collector)
        _collector.reset(token)


def _attempt_leaving(function: Finishing[R], data_id: DataId) -> Outcome[R]:
    """Do a data ID, and give the place in the worker to the next task while its results are written."""
    begun = begin(function.function, data_id)
    left = begun.result
    if not isinstance(left, Unfinished):
        return begun  # type: ignore[return-value]  # nothing is left
    if not may_wait(left):
        return complete(data_id, left, begun.seconds)
    with _writing:  # one at a time, or memory would grow where a disk is slow
        secede()
        return complete(data_id, left, begun.seconds)


@contextmanager
def _children_allowed() -> Iterator[None]:
    """Let this process start another although a nanny watches it: that one ends when its pipe closes."""
    settings = multiprocessing.current_process()._config  # type: ignore[attr-defined]  # there is no public way
    before = settings.pop("daemon", None)
    try:
        yield
    finally:
        if before is not None:
            settings["daemon"] = before
