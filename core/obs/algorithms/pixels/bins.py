"""Square bins of pixels."""

import numpy as np
from numpy.typing import NDArray

from obs.kernels.library import Kernel

__all__ = ["sum_bins"]

_COMPILED = Kernel("sum_bins", "float32", *("int",) * 5, "float32", "float32")


def sum_bins(stamps: NDArray[np.float32], first: int, count: int, bin_size: int) -> NDArray[np.float32]:
    """Add up the pixels of stamps in bins.

    Parameters
    ----------
    stamps : ndarray of float32, shape (n, size, size)
        The pixels.
    first : int
        Pixel in x and in y at which the first bin begins, not negative.
    count : int
        Number of bins in x and in y; what is beyond the stamp counts as zero.
    bin_size : int
        Pixels in x and in y that a bin has.

    Returns
    -------
    ndarray of float32, shape (n, count, count)
    """
    n, size = len(stamps), stamps.shape[1]
    if _COMPILED:
        sums, line = np.empty((n, count, count), np.float32), np.empty(count * bin_size, np.float32)
        _COMPILED(np.ascontiguousarray(stamps), n, size, first, count, bin_size, line, sums)
        return sums
    region = slice(first, first + count * bin_size)
    cut = stamps[:, region, region]
    missing = count * bin_size - cut.shape[1]
    if missing:
        cut = np.pad(cut, ((0, 0), (0, missing), (0, missing)))
    return np.asarray(cut.reshape(n, count, bin_size, count, bin_size).sum((2, 4)))
