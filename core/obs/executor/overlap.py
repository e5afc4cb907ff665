"""Results written while the next ones are made: one thread beside the one that computes, and one data ID in it."""

import sys
import threading
from collections.abc import Callable
from contextvars import copy_context
from functools import partial
from typing import Any, Generic, TypeVar

from obs.executor.outcome import DataId, Outcome, Unfinished, begin, complete

__all__ = ["Overlap", "may_wait"]

R = TypeVar("R")

#: Bytes that may wait to be written while the next data ID needs its memory: an exposure of 22 million pixels.
_MOST_KEPT = 1 << 28


def may_wait(left: Unfinished[Any]) -> bool:
    """Return whether results take so little memory that they may be written while the next data ID needs its own.

    Parameters
    ----------
    left : Unfinished
        What is left.
    """
    return left.size <= _MOST_KEPT


class Overlap(Generic[R]):
    """Works on data IDs one after the other, and writes the results of each while it works on the next."""

    def __init__(self) -> None:
        self._thread: threading.Thread | None = None

    def work(
        self,
        function: Callable[[DataId], R | Unfinished[R]],
        data_id: DataId,
        tell: Callable[[Outcome[R]], None],
        on_left: Callable[[], None] = lambda: None,
    ) -> None:
        """Call a function with a data ID; what it leaves unfinished is written when that of the one before is.

        Parameters
        ----------
        function : callable
            The function.
        data_id : dict
            The data ID.
        tell : callable
            Called with the outcome, perhaps by the thread that writes.
        on_left : callable, optional
            Called if the next data ID may come before the outcome of this one.
        """
        begun = begin(function, data_id)
        self.wait()
        left = begun.result
        if not isinstance(left, Unfinished):
            tell(begun)  # type: ignore[arg-type]  # nothing is left
            return
        if not may_wait(left) or _is_profiled():
            tell(complete(data_id, left, begun.seconds))
            return
        on_left()
        # not a daemon: a process that ends waits for it, so that nothing is written by half
        arguments = partial(complete, data_id, left, begun.seconds), tell
        self._thread = threading.Thread(target=copy_context().run, args=(_pass_on, *arguments), name="obs-writer")
        self._thread.start()

    def wait(self) -> None:
        """Wait until everything is written."""
        if self._thread is not None:
            self._thread.join()
            self._thread = None


def _is_profiled() -> bool:
    """Return whether somebody wants to know what this thread does: what another one writes would be missing."""
    if sys.version_info >= (3, 12) and sys.monitoring.get_tool(sys.monitoring.PROFILER_ID) is not None:
        return True
    return sys.getprofile() is not None


def _pass_on(complete: Callable[[], Outcome[R]], tell: Callable[[Outcome[R]], None]) -> None:
    tell(complete())
