"""Run one function over many data IDs, wherever the run is to happen.

One bad data ID never stops the others. The place is an `Executor`: this machine, unless `use_executor` says otherwise.
"""

import logging
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from typing import Any, Protocol, TypeVar

from obs.executor.outcome import DataId, Finishing, Outcome, Unfinished, attempt
from obs.executor.overlap import Overlap
from obs.kernels.library import is_of_other_version
from obs.threads import thread_count, use_threads

__all__ = ["Executor", "run", "use_executor"]

logger = logging.getLogger(__name__)

R = TypeVar("R")


class Executor(Protocol):
    """A place where functions run: what plugins bring by an entry point of the group ``obs.executors``."""

    def __call__(
        self,
        function: Callable[[DataId], R],
        data_ids: Sequence[DataId],
        *,
        timeout: float | None,
        tell: Callable[[Outcome[R]], None],
    ) -> list[Outcome[R]]:
        """Call a function for every data ID, and return the outcomes in their order.

        Parameters
        ----------
        function : callable
            A picklable function, a `Finishing`; so is what it returns. Its ``function`` would leave results unwritten.
        data_ids : sequence of DataId
            The data IDs.
        timeout : float or None
            Time limit for each data ID, s; None for no limit.
        tell : callable
            To be called here with every outcome as soon as it is known.
        """


_executor: ContextVar[Executor | None] = ContextVar("executor", default=None)


@contextmanager
def use_executor(executor: Executor | None) -> Iterator[None]:
    """Let `run` use an executor inside this context; None stands for this machine.

    Parameters
    ----------
    executor : Executor or None
        Executor.
    """
    token = _executor.set(executor)
    try:
        yield
    finally:
        _executor.reset(token)


def run(
    function: Callable[[DataId], R | Unfinished[R]],
    data_ids: Sequence[DataId],
    *,
    processes: int = 1,
    timeout: float | None = None,
    on_done: Callable[[Outcome[R]], None] | None = None,
    raise_errors: bool = False,
) -> list[Outcome[R]]:
    """Call a function for every data ID.

    Parameters
    ----------
    function : callable
        Called with a data ID. With several processes it must be picklable: a function of a module, or a
        `functools.partial` of one; so must be what it returns. What it returns as `Unfinished` is finished while the
        next data ID is worked on.
    data_ids : sequence of DataId
        The data IDs.
    processes : int, default: 1
        Number of processes that work at the same time; 1 works in this process, unless there is a time limit. Where
        there are fewer data IDs, each of them gets several threads instead.
    timeout : float, optional
        Time limit for each data ID, s; None for no limit.
    on_done : callable, optional
        Called in this process with every outcome as soon as it is known; where this process works itself, when the
        next data ID is done.
    raise_errors : bool, default: False
        Let the first exception through instead of recording it. Then everything runs in this process.

    Returns
    -------
    list of Outcome
        In the order of ``data_ids``.
    """
    _warn_of_kernels()
    tell: Callable[[Outcome[Any]], None] = on_done or (lambda outcome: None)
    elsewhere = _executor.get()
    if elsewhere is not None and not raise_errors:
        return elsewhere(Finishing(function), data_ids, timeout=timeout, tell=tell)
    if raise_errors:
        return [_told(attempt(function, data_id, raise_errors=True), tell) for data_id in data_ids]
    if processes <= 1 and timeout is None:
        return _run_here(function, data_ids, tell)
    from obs.executor.workers import run_in_workers  # noqa: PLC0415 - one process needs none

    number = min(max(processes, 1), len(data_ids))
    with use_threads(max(thread_count(), processes // max(number, 1))):
        return run_in_workers(function, data_ids, number, timeout, tell)


@cache
def _warn_of_kernels() -> None:
    """Log, once a process, that everything takes longer than it has to."""
    if is_of_other_version():
        logger.warning("the compiled kernels are of another version, so that numpy does their work; install obs again")


def _run_here(
    function: Callable[[DataId], R | Unfinished[R]], data_ids: Sequence[DataId], tell: Callable[[Outcome[R]], None]
) -> list[Outcome[R]]:
    """Work in this process. This thread tells an outcome when it has done its next data ID."""
    done: deque[Outcome[R]] = deque()
    outcomes: list[Outcome[R]] = []
    overlap: Overlap[R] = Overlap()
    try:
        for data_id in data_ids:
            overlap.work(function, data_id, done.append)
            outcomes += _tell_all(done, tell)
    finally:
        overlap.wait()
        outcomes += _tell_all(done, tell)
    return outcomes


def _tell_all(done: deque[Outcome[R]], tell: Callable[[Outcome[R]], None]) -> list[Outcome[R]]:
    """Tell the outcomes that are there, and return them."""
    return [_told(done.popleft(), tell) for _ in range(len(done))]


def _told(outcome: Outcome[R], tell: Callable[[Outcome[R]], None]) -> Outcome[R]:
    tell(outcome)
    return outcome
