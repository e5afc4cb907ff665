"""Median of each pixel and its eight neighbors, for many stamps at once."""

import numpy as np
from numpy.typing import NDArray

__all__ = ["median_of_neighbors"]

EXCHANGES = (
    *((1, 2), (4, 5), (7, 8), (0, 1), (3, 4), (6, 7), (1, 2), (4, 5), (7, 8), (0, 3)),
    *((5, 8), (4, 7), (3, 6), (1, 4), (2, 5), (4, 7), (4, 2), (6, 4), (4, 2)),
)
"""Pairs of values that are put in order in turn; then the fifth is the median (Paeth 1990, Graphics Gems, 171)."""

PIXELS_AT_ONCE = 30_000
"""So many pixels stay in the cache of a processor."""


def median_of_neighbors(stamps: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the median of 3 x 3 pixels about each pixel; zero counts outside of a stamp.

    Parameters
    ----------
    stamps : ndarray of float32, shape (n, h, w)
        Stamps; finite.

    Returns
    -------
    ndarray of float32, shape (n, h, w)
    """
    n, height, width = stamps.shape
    result = np.empty_like(stamps)
    step = max(1, PIXELS_AT_ONCE // max(height * width, 1))
    for first in range(0, n, step):
        padded = np.pad(stamps[first : first + step], ((0, 0), (1, 1), (1, 1)))
        nine = [padded[:, j : j + height, i : i + width].copy() for j in range(3) for i in range(3)]
        spare = np.empty_like(nine[0])
        for low, high in EXCHANGES:
            np.minimum(nine[low], nine[high], out=spare)
            np.maximum(nine[low], nine[high], out=nine[high])
            nine[low], spare = spare, nine[low]
        result[first : first + step] = nine[4]
    return result
