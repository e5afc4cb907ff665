"""Threads of this process: one for linear algebra, and as many as the user asks for to work on one image.

The libraries behind numpy start a thread a core for small products, which costs more time than it saves. They read
the variables of `THREAD_LIMITS` when they are loaded, so `use_one_thread` has to run before numpy is imported.

`map_threads` works on parts of one image at the same time: numpy and the compiled kernels release the interpreter's
lock while they compute. How an image is divided does not depend on the number of threads, and results come in the
order of the parts, so that they are equal to the bit.
"""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar, copy_context
from functools import cache
from typing import Any, TypeVar

__all__ = ["THREAD_LIMITS", "map_threads", "thread_count", "use_one_thread", "use_threads"]

THREAD_LIMITS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")

P = TypeVar("P")
R = TypeVar("R")

_count: ContextVar[int] = ContextVar("_count", default=1)


def use_one_thread() -> None:
    """Set the limits that are not set in the environment to one thread."""
    for name in THREAD_LIMITS:
        os.environ.setdefault(name, "1")


def thread_count() -> int:
    """Return how many threads may work on one image."""
    return _count.get()


@contextmanager
def use_threads(count: int) -> Iterator[None]:
    """Let `map_threads` use several threads inside this context.

    Parameters
    ----------
    count : int
        Number of threads; less than 1 counts as 1.
    """
    token = _count.set(max(count, 1))
    try:
        yield
    finally:
        _count.reset(token)


def map_threads(function: Callable[[P], R], parts: Iterable[P]) -> list[R]:
    """Call a function for every part, some at the same time.

    Parameters
    ----------
    function : callable
        Called with a part. It must not change what another part reads. Inside it there is one thread.
    parts : iterable
        The parts.

    Returns
    -------
    list
        What the function returned, in the order of the parts. The first part that raises raises here; those after it
        may not have begun.
    """
    waiting = deque(enumerate(parts))
    count = min(thread_count(), len(waiting))
    if count <= 1:
        return [function(part) for _, part in waiting]
    results: dict[int, R] = {}
    errors: dict[int, BaseException] = {}

    def work() -> None:
        with use_threads(1):
            while not errors:
                try:
                    index, part = waiting.popleft()
                except IndexError:
                    return
                try:
                    results[index] = function(part)
                except BaseException as error:  # noqa: BLE001 - raised below, by the thread that waits
                    errors[index] = error

    size = len(waiting)
    helpers = [_pool(count - 1).submit(copy_context().run, work) for _ in range(count - 1)]
    try:
        work()
        for helper in helpers:
            helper.result()
    finally:
        waiting.clear()
    if errors:
        raise errors[min(errors)]
    return [results[index] for index in range(size)]


@cache
def _pool(size: int) -> Any:  # noqa: ANN401 - a class of a module that is slow to import
    """Return the threads beside the one that asks; they stay until the process ends."""
    from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415 - few processes need it

    return ThreadPoolExecutor(size, thread_name_prefix="obs")
