"""Several processes of this machine.

An exception, a time limit or a process that is killed becomes an `Outcome` that says so. Worker processes are started
afresh (never forked), use one thread each by default, and send their log messages to the process that
started them.
"""

import logging
import multiprocessing
import os
import signal
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext, suppress
from contextvars import ContextVar
from functools import partial
from logging.handlers import QueueHandler
from multiprocessing import connection, resource_tracker
from multiprocessing.reduction import ForkingPickler
from typing import Any, NoReturn, TypeVar

from obs.executor.outcome import DataId, Outcome, Unfinished, current_data_id
from obs.executor.overlap import Overlap
from obs.frozen import frozen
from obs.lean_astropy import import_fits
from obs.lifeline import Lifeline, end_with_parent
from obs.memory import pause_collection, resume_collection
from obs.threads import THREAD_LIMITS, thread_count, use_one_thread, use_threads

__all__ = ["keep_workers", "run_in_workers"]

R = TypeVar("R")

_GRACE = 5.0  # seconds that a stopped worker has to remove its temporary files


@frozen
class _Task:
    """What a worker does with its data IDs until it gets another task.

    Attributes
    ----------
    function : callable
        Called with a data ID.
    levels : mapping
        Levels of log messages by the name of the logger.
    threads : int
        Number of threads.
    """

    function: Callable[[DataId], Any]
    levels: Mapping[str, int]
    threads: int


@frozen
class _Order:
    """A data ID and its number in the run.

    Attributes
    ----------
    number : int
        Its number.
    data_id : mapping
        The data ID.
    """

    number: int
    data_id: DataId


@frozen
class _Answer:
    """What a worker says of an order: that only writing is left, or what became of it.

    Attributes
    ----------
    number : int
        Number of the order.
    outcome : Outcome or None
        None while its results are written; the worker takes another order meanwhile.
    """

    number: int
    outcome: Outcome[Any] | None = None


class _Worker:
    """A process that works on one data ID while it writes the results of another, and the pipe to it.

    Attributes
    ----------
    has_script : bool
        Whether it has imported the script that runs here.
    """

    def __init__(self, *, has_script: bool) -> None:
        self.has_script = has_script
        context = multiprocessing.get_context("spawn")
        self.pipe, theirs = context.Pipe()
        reads_images = "astropy.io.fits" in sys.modules  # as this process does
        self.process = context.Process(target=_work, args=(Lifeline(), theirs, reads_images), daemon=True)
        with _environment_of_workers(), nullcontext() if has_script else _script_hidden():
            self.process.start()
        theirs.close()
        self.task: _Task | None = None
        self.started: dict[int, float] = {}  # by the number of the order, in their turn
        self.works_on: int | None = None

    def assign(self, task: _Task, number: int, data_id: DataId) -> None:
        """Hand over a data ID; a worker that died meanwhile shows when its answer is read."""
        self.works_on, self.started[number] = number, time.perf_counter()
        try:
            if task is not self.task:
                self.pipe.send(task)
                self.task = task
            self.pipe.send(_Order(number, dict(data_id)))
        except OSError:
            return

    def stop(self) -> None:
        """End the process, gently first."""
        self.pipe.close()
        if self.process.is_alive():
            self.process.terminate()
            self.process.join(_GRACE)
        if self.process.is_alive():
            self.process.kill()
        self.process.join()

    def describe_exit(self) -> str:
        """Wait for the end of a process that hung up, and say how it ended."""
        self.process.join(_GRACE)
        code = self.process.exitcode
        if code is None or code >= 0:
            return f"the worker process ended unexpectedly (exit status {code})"
        name = signal.Signals(-code).name
        hint = "; perhaps memory ran out: try fewer processes (-j)" if name == "SIGKILL" else ""
        return f"the worker process was killed ({name}){hint}"


_kept: ContextVar[list[_Worker] | None] = ContextVar("kept", default=None)


@contextmanager
def keep_workers() -> Iterator[None]:
    """Let the processes of `run_in_workers` live on for its next calls in this context, as they import modules once."""
    workers: list[_Worker] = []
    token = _kept.set(workers)
    try:
        yield
    finally:
        _kept.reset(token)
        for worker in workers:
            worker.stop()


def _take_kept(number: int, *, needs_script: bool) -> list[_Worker]:
    """Return up to so many workers that are kept, still alive, and know what they need."""
    kept = _kept.get() or []
    able = [worker for worker in kept if worker.has_script or not needs_script][-number:]
    for worker in able:
        kept.remove(worker)
    return [worker for worker in able if worker.process.is_alive()]


def run_in_workers(
    function: Callable[[DataId], R | Unfinished[R]],
    data_ids: Sequence[DataId],
    processes: int,
    timeout: float | None,
    tell: Callable[[Outcome[R]], None],
) -> list[Outcome[R]]:
    """Call a function for every data ID, in several processes of this machine.

    Parameters
    ----------
    function : callable
        Called with a data ID. What it leaves unfinished is finished while its process works on the next one.
    data_ids : sequence of DataId
        The data IDs.
    processes : int
        Number of processes.
    timeout : float or None
        Time limit for each data ID, s; None for no limit.
    tell : callable
        Called in this process with every outcome as soon as it is known.

    Returns
    -------
    list of Outcome
        In the order of ``data_ids``.
    """
    waiting = deque(enumerate(data_ids))
    outcomes: dict[int, Outcome[R]] = {}
    alone: set[int] = set()  # tried again, so that it shows which one ends its worker
    task = _Task(function, _log_levels(), thread_count())
    needs_script = _needs_script(function, data_ids)
    idle = _take_kept(processes, needs_script=needs_script)
    busy: dict[connection.Connection[Any, Any], _Worker] = {}

    def free_worker() -> _Worker | None:
        """Return a worker that can take a data ID: one without any, a new one, or one that only writes."""
        if idle or len(busy) < processes:
            return idle.pop() if idle else _Worker(has_script=needs_script)
        if waiting[0][0] in alone:
            return None
        return next((w for w in busy.values() if w.works_on is None and alone.isdisjoint(w.started)), None)

    def finish(worker: _Worker, number: int, outcome: Outcome[R]) -> None:
        outcomes[number] = outcome
        del worker.started[number]
        if worker.works_on == number:
            worker.works_on = None
        if not worker.started:
            del busy[worker.pipe]
            idle.append(worker)
        tell(outcome)

    def give_up(worker: _Worker, guilty: int, cause: str, message: str) -> None:
        """Let a data ID fail for which its worker has ended; others are tried again, with -1 all of them."""
        del busy[worker.pipe]
        worker.stop()
        for number, started in worker.started.items():
            if number != guilty:
                alone.add(number)
                waiting.appendleft((number, data_ids[number]))
                continue
            seconds = time.perf_counter() - started
            outcomes[number] = Outcome(dict(data_ids[number]), None, message, cause, message, seconds)
            tell(outcomes[number])

    try:
        while waiting or busy:
            while waiting and (worker := free_worker()) is not None:
                busy[worker.pipe] = worker
                worker.assign(task, *waiting.popleft())
            for pipe in connection.wait(list(busy), _time_left(busy.values(), timeout)):
                worker = busy[pipe]  # type: ignore[index]  # wait() returns what it was given
                try:
                    answer = worker.pipe.recv()
                except (EOFError, OSError):
                    guilty = next(iter(worker.started)) if len(worker.started) == 1 else -1
                    give_up(worker, guilty, "Killed", worker.describe_exit())
                    continue
                if isinstance(answer, logging.LogRecord):
                    logging.getLogger(answer.name).handle(answer)
                elif answer.outcome is None:
                    worker.works_on = None
                else:
                    finish(worker, answer.number, answer.outcome)
            for worker in list(busy.values()):
                number, started = next(iter(worker.started.items()))
                if timeout is not None and time.perf_counter() - started > timeout:
                    give_up(worker, number, "Timeout", f"stopped after the time limit of {timeout:g} s")
        if (kept := _kept.get()) is not None:
            kept += idle
            idle.clear()
    finally:
        for worker in [*idle, *busy.values()]:
            worker.stop()
    return [outcomes[index] for index in range(len(data_ids))]


def _time_left(workers: Iterable[_Worker], timeout: float | None) -> float | None:
    if timeout is None:
        return None
    first = min(started for worker in workers for started in worker.started.values())
    return max(0.0, first + timeout - time.perf_counter()) + 0.01


@contextmanager
def _environment_of_workers() -> Iterator[None]:
    """Let processes started here use one thread each, and leave Ctrl-C to this one."""
    resource_tracker.ensure_running()  # starts once, and would unblock the signal
    before = {name: os.environ.get(name) for name in THREAD_LIMITS}
    use_one_thread()
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _needs_script(function: Callable[[DataId], object], data_ids: Sequence[DataId]) -> bool:
    """Return whether a worker finds something only in the script that runs here."""
    try:
        return b"__main__" in bytes(ForkingPickler.dumps((function, data_ids)))
    except Exception:  # noqa: BLE001 - whatever cannot be sent is named when it is sent
        return True


@contextmanager
def _script_hidden() -> Iterator[None]:
    """Keep a new process from running the script again, which would repeat its commands if they have no guard."""
    script = sys.modules["__main__"]
    hidden = {name: getattr(script, name) for name in ("__spec__", "__file__") if hasattr(script, name)}
    for name in hidden:
        setattr(script, name, None)
    try:
        yield
    finally:
        for name, value in hidden.items():
            setattr(script, name, value)


def _log_levels() -> dict[str, int]:
    """Return the levels that were set in this process, by logger name."""
    named = logging.root.manager.loggerDict
    levels = {name: logger.level for name, logger in named.items() if isinstance(logger, logging.Logger)}
    return {"": logging.root.level, **{name: level for name, level in levels.items() if level}}


class _Sender(QueueHandler):
    """Sends log messages to the process that shows them, marked with the data ID."""

    queue: Any  # _Answers

    def enqueue(self, record: logging.LogRecord) -> None:
        record.data_id = current_data_id.get()
        with suppress(OSError):  # nobody listens any more
            self.queue.send(record)


class _Answers:
    """The way from a worker to the process that started it, for the thread that computes and the one that writes."""

    def __init__(self, pipe: Any) -> None:  # noqa: ANN401 - a class of another name on each system
        self._pipe = pipe
        self._lock = threading.Lock()

    def send(self, answer: object) -> None:
        """Send an answer or a log message."""
        with self._lock:
            self._pipe.send(answer)

    def send_left(self, number: int) -> None:
        """Say that the results of an order are there, and are being written."""
        with suppress(OSError):  # nobody listens any more
            self.send(_Answer(number))

    def send_outcome(self, number: int, outcome: Outcome[Any]) -> None:
        """Send an outcome, or that it cannot be sent."""
        with suppress(OSError):  # nobody listens any more
            try:
                self.send(_Answer(number, outcome))
            except (TypeError, AttributeError, ValueError) as problem:
                message = f"the result cannot be sent between processes: {problem}"
                failure: Outcome[Any] = Outcome(
                    outcome.data_id, None, message, type(problem).__name__, message, outcome.seconds
                )
                self.send(_Answer(number, failure))


def _end(number: int, frame: object) -> NoReturn:
    """Leave orderly at a signal; a further one while Python exits ends it at once, where it would be a traceback."""
    signal.signal(number, _end_at_once)
    sys.exit(128 + number)


def _end_at_once(number: int, frame: object) -> NoReturn:
    """End without a word. Python prints a traceback if a handler is set back while its signal is on the way."""
    os._exit(128 + number)


def _work(lifeline: Lifeline, pipe: Any, reads_images: bool) -> None:  # noqa: ANN401
    """Answer data IDs with outcomes until the other end hangs up."""
    pause_collection()
    signal.signal(signal.SIGTERM, _end)
    end_with_parent()
    answers = _Answers(pipe)
    logging.root.handlers[:] = [_Sender(answers)]  # type: ignore[arg-type]  # it needs `send` alone
    logging.captureWarnings(True)
    if reads_images:
        import_fits()
    overlap: Overlap[Any] = Overlap()
    while True:
        try:
            order = pipe.recv()
        except EOFError:
            overlap.wait()
            signal.signal(signal.SIGTERM, _end_at_once)
            return
        if isinstance(order, _Task):  # comes before the first data ID
            task = order
            resume_collection()
            for name, level in task.levels.items():
                logging.getLogger(name or None).setLevel(level)
            continue
        tell, on_left = partial(answers.send_outcome, order.number), partial(answers.send_left, order.number)
        with use_threads(task.threads):
            overlap.work(task.function, order.data_id, tell, on_left)
