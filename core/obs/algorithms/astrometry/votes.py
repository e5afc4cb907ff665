"""Where many guesses of the same quantity agree."""

import numpy as np
from numpy.typing import NDArray

from obs.algorithms.numeric.nearest import PointTree

__all__ = ["most_voted"]


def most_voted(votes: NDArray[np.float64], *, near: float, apart: float, most: int) -> NDArray[np.int64]:
    """Return the guesses that most others agree with, each neighborhood once, the best first.

    Parameters
    ----------
    votes : ndarray of float64, shape (n, k)
        Guesses of k quantities, in units in which their errors are alike.
    near : float
        Guesses nearer than this agree.
    apart : float
        Guesses nearer than this to a chosen one are of its neighborhood.
    most : int
        Largest number of guesses to return.

    Returns
    -------
    ndarray of int64, shape (m,)
        Rows of ``votes``.
    """
    tree = PointTree(votes)
    count = tree.count_within(votes, near)
    taken = np.zeros(len(votes), bool)
    chosen: list[int] = []
    for index in np.argsort(-count, kind="stable"):
        if taken[index]:
            continue
        chosen.append(int(index))
        if len(chosen) == most:
            break
        taken[tree.list_within(votes[index : index + 1], apart)[1]] = True
    return np.array(chosen, np.int64)
