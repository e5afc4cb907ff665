"""Sums of an image along all straight lines that cross it: the fast discrete Radon transform.

Lines are put together from halves, halves from quarters and so on, which takes n^2 log n additions for n^2 lines
(Goetz & Druck 1996; Brady 1998).
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["LineSums", "sum_lines"]


class LineSums(NamedTuple):
    """Sums along lines that lead from the first column of a square image to the last.

    Parameters
    ----------
    total : ndarray of float32, shape (n, 2 n)
        Sum for each rise, 0 to n - 1 rows over the whole width, and each first row.
    first : int
        Row of the first column that the first entry belongs to, at most 0.
    """

    total: NDArray[np.float32]
    first: int


def sum_lines(image: NDArray[np.float32]) -> LineSums:
    """Sum an image along all lines that rise by 0 to 45 degrees.

    Parameters
    ----------
    image : ndarray of float32, shape (n, n)
        The pixels; n is a power of two. The other angles follow from images that are flipped or transposed.

    Returns
    -------
    LineSums
    """
    n = len(image)
    # strips of columns, slopes within them, first rows from n above the image
    sums = np.zeros((n, 1, 2 * n), np.float32)
    sums[:, 0, n:] = image.T
    rise = 1
    while len(sums) > 1:
        left, right = sums[0::2], sums[1::2]
        joined = np.empty((len(left), 2 * rise, 2 * n), np.float32)
        for slope in range(rise):
            for step in (0, 1):
                # the right half begins where the left half ends
                shift = slope + step
                target = joined[:, 2 * slope + step]
                if shift:
                    np.add(left[:, slope, :-shift], right[:, slope, shift:], out=target[:, :-shift])
                    target[:, -shift:] = left[:, slope, -shift:]
                else:
                    np.add(left[:, slope], right[:, slope], out=target)
        sums, rise = joined, 2 * rise
    return LineSums(sums[0], -n)
