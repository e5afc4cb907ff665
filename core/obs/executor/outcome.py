"""What became of one data ID, and how it is attempted."""

import logging
import time
import traceback
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from functools import partial
from typing import Any, Generic, TypeVar

from obs.errors import ObsError
from obs.frozen import frozen
from obs.policy.data_id import format_data_id

__all__ = ["DataId", "Finishing", "Outcome", "Unfinished", "attempt", "begin", "complete", "current_data_id"]

logger = logging.getLogger(__name__)

R = TypeVar("R")
DataId = Mapping[str, Any]

#: The data ID being worked on in this process, as text; empty outside. For log messages.
current_data_id: ContextVar[str] = ContextVar("current_data_id", default="")


@frozen
class Outcome(Generic[R]):
    """What became of one data ID.

    Attributes
    ----------
    data_id : dict
        The data ID.
    result : object
        What the function returned; None after a failure.
    error : str
        The message of a failure on one line, else empty.
    cause : str
        Class name of the exception, ``Timeout`` or ``Killed``; empty after success.
    traceback : str
        The traceback of a failure, as text.
    seconds : float
        Time that it took, s.

    Examples
    --------
    >>> from obs import process
    >>> outcome = process("DATA", "visit=21", rerun="first", config={"calibrate.parquet": True})[0]
    >>> outcome.ok, outcome.result.n_source > 50
    (True, True)
    """

    data_id: dict[str, Any]
    result: R | None = None
    error: str = ""
    cause: str = ""
    traceback: str = ""
    seconds: float = 0.0

    @property
    def ok(self) -> bool:
        """Whether the function returned without an error."""
        return not self.cause


@frozen
class Unfinished(Generic[R]):
    """What a function may return whose results are there, and only have to be written: while the next ones are made.

    Attributes
    ----------
    finish : callable
        Writes them, perhaps in another thread, and returns what the function would.
    size : int
        Memory that is kept until then, bytes.
    """

    finish: Callable[[], R]
    size: int


@frozen
class Finishing(Generic[R]):
    """A function that finishes what another one leaves unfinished.

    Attributes
    ----------
    function : callable
        The other one.
    """

    function: Callable[[DataId], R | Unfinished[R]]

    def __call__(self, data_id: DataId) -> R:
        """Call the function with a data ID, and finish.

        Parameters
        ----------
        data_id : dict
            The data ID.
        """
        result = self.function(data_id)
        return result.finish() if isinstance(result, Unfinished) else result


def attempt(
    function: Callable[[DataId], R | Unfinished[R]], data_id: DataId, *, raise_errors: bool = False
) -> Outcome[R]:
    """Call a function with a data ID, and record what comes of it.

    Parameters
    ----------
    function : callable
        The function.
    data_id : dict
        The data ID.
    raise_errors : bool, default: False
        Let an exception through instead of recording it.
    """
    return _call(partial(Finishing(function), data_id), data_id, raise_errors=raise_errors)


def begin(function: Callable[[DataId], R | Unfinished[R]], data_id: DataId) -> Outcome[R | Unfinished[R]]:
    """Do the same, but leave unfinished what the function does; see `complete`.

    Parameters
    ----------
    function : callable
        The function.
    data_id : dict
        The data ID.
    """
    return _call(partial(function, data_id), data_id)


def complete(data_id: DataId, left: Unfinished[R], seconds: float) -> Outcome[R]:
    """Finish what `begin` has left unfinished.

    Parameters
    ----------
    data_id : dict
        The data ID.
    left : Unfinished
        What is left.
    seconds : float
        Time that it has taken so far, s.
    """
    return _call(left.finish, data_id, seconds=seconds)


def _call(
    function: Callable[[], R], data_id: DataId, *, seconds: float = 0.0, raise_errors: bool = False
) -> Outcome[R]:
    token = current_data_id.set(format_data_id(data_id))
    start = time.perf_counter() - seconds
    try:
        result = function()
    except Exception as problem:
        if raise_errors:
            raise
        logger.debug("the traceback of this failure:", exc_info=True)
        message = " ".join(str(problem).split())
        if not isinstance(problem, ObsError):
            message = f"{type(problem).__name__}: {message}" if message else type(problem).__name__
        seconds = time.perf_counter() - start
        return Outcome(dict(data_id), None, message, type(problem).__name__, traceback.format_exc(), seconds)
    finally:
        current_data_id.reset(token)
    return Outcome(dict(data_id), result, seconds=time.perf_counter() - start)
