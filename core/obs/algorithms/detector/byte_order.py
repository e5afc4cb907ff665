"""Whole numbers whose bytes are in inverted order, as programs write them that forget that FITS is big-endian."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["find_inverted_bytes"]

#: Rows that are looked at.
_ROWS = 64
#: How many times closer neighbors are with their bytes swapped: the low byte of an image is noise, the high one is not.
_CLOSER = 20.0
#: Part of the pixels whose low byte has no bit set, or all, from which on it says nothing: numbers of 8 bits times 256.
_SAME = 0.9


def find_inverted_bytes(pixels: NDArray[Any]) -> tuple[float, float] | None:
    """Look whether the bytes of an image are in inverted order.

    Parameters
    ----------
    pixels : ndarray of any type, shape (ny, nx)
        Counts of a raw image, of any type.

    Returns
    -------
    tuple of float or None
        By how much neighbors differ (median), as they are and with their bytes swapped, counts; None where that shows
        no inverted order, and for numbers that are not whole.
    """
    if pixels.dtype.kind not in "iu" or pixels.dtype.itemsize not in (2, 4) or pixels.size < _ROWS:
        return None
    rows = np.ascontiguousarray(pixels[:: max(1, len(pixels) // _ROWS)])
    if rows.dtype.kind == "u":  # stored with an offset of half the range
        rows = rows ^ rows.dtype.type(1 << (8 * rows.dtype.itemsize - 1))
    signed = rows.view(f"{rows.dtype.byteorder}i{rows.dtype.itemsize}")
    found, swapped = _difference(signed), _difference(signed.byteswap())
    low = signed & 0xFF
    is_wide = signed.dtype.itemsize == 2 and max(np.mean(low == 0), np.mean(low == 0xFF)) > _SAME
    return None if is_wide or swapped * _CLOSER >= found else (found, swapped)


def _difference(rows: NDArray[Any]) -> float:
    return float(np.median(np.abs(np.diff(rows.astype(np.float64), axis=1))))
