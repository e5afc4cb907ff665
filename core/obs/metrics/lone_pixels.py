"""Hot pixels among cosmic rays: they stand alone."""

import math

import numpy as np
from numpy.typing import NDArray

__all__ = ["percent_alone"]

_FEWEST = 20
_AROUND = [(dy, dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1) if (dy, dx) != (0, 0)]


def percent_alone(where: NDArray[np.bool_]) -> float:
    """Return the percentage of the marked pixels without a marked neighbor.

    Parameters
    ----------
    where : ndarray of bool, shape (ny, nx)
        The pixels.

    Returns
    -------
    float
        NaN if fewer than 20 are marked.
    """
    marked = np.pad(where, 1)
    y, x = np.nonzero(marked)
    if len(y) < _FEWEST:
        return math.nan
    has_neighbor = np.zeros(len(y), bool)
    for dy, dx in _AROUND:
        has_neighbor |= marked[y + dy, x + dx]
    return 100.0 * float(np.mean(~has_neighbor))
