"""Which words of ``--id`` found nothing beside others that did: a command does the others, and ends with a failure."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar

__all__ = ["note_unmatched", "unmatched_noted"]

#: The words of each ``--id`` that found nothing; None outside of `unmatched_noted`.
_noted: ContextVar[list[str] | None] = ContextVar("noted", default=None)


@contextmanager
def unmatched_noted() -> Iterator[list[str]]:
    """Collect what `note_unmatched` is called with.

    Yields
    ------
    list of str
        The words of each ``--id`` that found nothing; it is filled while the block lasts.
    """
    noted: list[str] = []
    token = _noted.set(noted)
    try:
        yield noted
    finally:
        _noted.reset(token)


def note_unmatched(ids: Sequence[Sequence[str]]) -> None:
    """Note that nothing was found for the words of some ``--id``, of which the user has been told.

    Parameters
    ----------
    ids : sequence of sequence of str
        The words of each of them.
    """
    noted = _noted.get()
    if noted is not None:
        noted += [" ".join(words) for words in ids]
