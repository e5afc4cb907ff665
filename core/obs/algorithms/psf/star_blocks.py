"""Work on some stars at a time: their stamps stay in the cache, and threads share them."""

from collections.abc import Callable

from obs.threads import map_threads

__all__ = ["for_stars"]

AT_ONCE = 16
"""Stars in a block, whatever the number of threads."""


def for_stars(work: Callable[[slice], None], number: int) -> None:
    """Call a function for one block of stars after the other, some at the same time.

    Parameters
    ----------
    work : callable
        Called with the slice of a block; it writes to that slice of arrays of its own.
    number : int
        Number of stars.
    """
    map_threads(work, [slice(first, min(first + AT_ONCE, number)) for first in range(0, number, AT_ONCE)])
