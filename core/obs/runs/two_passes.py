"""A run over data IDs in which some wait for what the others bring: the PSFs of good exposures.

Those are tried again when all others are done, so that the result depends neither on the order nor on the number of
processes.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Protocol, TypeVar, cast

from obs.executor.outcome import DataId, Outcome, Unfinished
from obs.executor.run import run
from obs.repo.good_psfs import PsfAwaitedError

__all__ = ["Work", "run_in_two_passes"]

R = TypeVar("R")
R_co = TypeVar("R_co", covariant=True)


class Work(Protocol[R_co]):
    """A picklable function of a data ID, which raises `PsfAwaitedError` where it may and must wait."""

    def __call__(self, data_id: DataId, /, *, may_wait: bool) -> R_co | Unfinished[R_co]:
        """Process a data ID."""


def run_in_two_passes(
    work: Work[R],
    data_ids: Sequence[DataId],
    *,
    processes: int = 1,
    timeout: float | None = None,
    on_done: Callable[[Outcome[R]], None] | None = None,
    raise_errors: bool = False,
) -> list[Outcome[R]]:
    """Call a function for every data ID, and again for those that had to wait for the others.

    Parameters
    ----------
    work : Work
        The function.
    data_ids : sequence of dict
        Data IDs.
    processes : int, default: 1
        Number of processes that work at the same time.
    timeout : float, optional
        Time limit for each data ID, seconds.
    on_done : callable, optional
        Called in this process with every outcome as soon as it is known.
    raise_errors : bool, default: False
        Whether the first exception is raised instead of recorded. Then everything runs in this process.

    Returns
    -------
    list of Outcome
        In the order of ``data_ids``.
    """
    tell = on_done or (lambda outcome: None)

    def attempt(chosen: Sequence[DataId], *, may_wait: bool) -> list[Outcome[R | None]]:
        return run(
            partial(_attempt, work=work, may_wait=may_wait),
            chosen,
            processes=processes,
            timeout=timeout,
            on_done=lambda outcome: None if _waits(outcome) else tell(cast("Outcome[R]", outcome)),
            raise_errors=raise_errors,
        )

    outcomes = attempt(data_ids, may_wait=len(data_ids) > 1)
    waiting = [number for number, outcome in enumerate(outcomes) if _waits(outcome)]
    if waiting:
        again = attempt([data_ids[number] for number in waiting], may_wait=False)
        for number, outcome in zip(waiting, again, strict=True):
            outcomes[number] = outcome
    return cast("list[Outcome[R]]", outcomes)


def _attempt(data_id: DataId, work: Work[R], *, may_wait: bool) -> R | Unfinished[R | None] | None:
    """Call the function; None for a data ID that has to wait."""
    try:
        return cast("R | Unfinished[R | None]", work(data_id, may_wait=may_wait))
    except PsfAwaitedError:
        return None


def _waits(outcome: Outcome[R | None]) -> bool:
    return outcome.ok and outcome.result is None
