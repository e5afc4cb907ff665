"""Square bins of pixels."""

import numpy as np
from numpy.typing import NDArray

from obs.algorithms.pixels.row_blocks import row_blocks
from obs.kernels.library import Kernel

__all__ = ["sum_bins", "sum_cut_bins"]

_COMPILED = Kernel("sum_bins", "float32", *("int",) * 5, "float32", "float32")
_CUT_COMPILED = Kernel("sum_cut_bins", "float32", *("int",) * 4, "float", *("float32",) * 3)

_AT_ONCE = 1 << 20
"""Pixels that are put into bins at a time."""


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


def sum_cut_bins(image: NDArray[np.float32], size: int, cut: float) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Add up the pixels of an image in square bins, cut off where they are large.

    Parameters
    ----------
    image : ndarray of float32, shape (ny, nx)
        Pixels; those that are not finite do not count.
    size : int
        Pixels in x and in y that a bin has. Pixels that fill no bin at the end of rows and columns are left out.
    cut : float
        Largest absolute value of a pixel; others are taken for it.

    Returns
    -------
    sums, number : ndarray of float32, shape (ny // size, nx // size)
        Sums, and how many pixels they are of.
    """
    ny, nx = (n // size for n in image.shape)
    sums, number = np.empty((2, ny, nx), np.float32)
    if _CUT_COMPILED:
        pixels, line = np.ascontiguousarray(image), np.empty(2 * nx * size, np.float32)
        _CUT_COMPILED(pixels, image.shape[1], size, ny, nx, cut, line, sums, number)
        return sums, number
    for rows in row_blocks((ny, nx), max(_AT_ONCE // size**2, 1)):
        part = image[rows.start * size : rows.stop * size, : nx * size]
        good = np.isfinite(part)
        shape = rows.stop - rows.start, size, nx, size
        number[rows] = good.reshape(shape).sum((1, 3), dtype=np.float32)
        sums[rows] = np.clip(np.where(good, part, np.float32(0.0)), -cut, cut).reshape(shape).sum((1, 3))
    return sums, number
