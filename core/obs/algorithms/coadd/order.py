"""Sort many images pixel by pixel, all pixels at once."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

__all__ = ["lower_median", "sort_planes"]


def sort_planes(planes: NDArray[np.float32]) -> None:
    """Sort along the first axis, in place, by a network of comparisons between whole planes.

    Parameters
    ----------
    planes : ndarray of float32, shape (n, ...)
        Values.

    References
    ----------
    D. Knuth (1998), The Art of Computer Programming 3, algorithm 5.2.2M (K. Batcher's merge exchange).
    """
    for first, second in _comparisons(len(planes)):
        low = np.minimum(planes[first], planes[second])
        np.maximum(planes[first], planes[second], out=planes[second])
        planes[first] = low


def _comparisons(count: int) -> Iterator[tuple[int, int]]:
    top = 1 << max(count - 1, 0).bit_length() >> 1
    p = top
    while p > 0:
        q, r, d = top, 0, p
        while True:
            yield from ((i, i + d) for i in range(count - d) if i & p == r)
            if q == p:
                break
            d, q, r = q - p, q >> 1, p
        p >>= 1


def lower_median(values: NDArray[np.float32], usable: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Return the median of the usable values of each pixel, the lower of the two in the middle of an even number.

    Light that only few exposures have moves it less than the mean of the two.

    Parameters
    ----------
    values : ndarray of float32, shape (n, ny, nx)
        Values.
    usable : ndarray of bool, shape (n, ny, nx)
        Which of them count.

    Returns
    -------
    ndarray of float32, shape (ny, nx)
        Zero where nothing is usable.
    """
    ordered = np.where(usable, values, np.float32(np.inf))
    sort_planes(ordered)
    place = np.maximum(usable.sum(axis=0, dtype=np.int16) - 1, 0) // 2
    median = np.zeros(values.shape[1:], np.float32)
    for level in range((len(values) - 1) // 2 + 1):
        np.copyto(median, ordered[level], where=place == level)
    return np.where(np.isfinite(median), median, np.float32(0))
