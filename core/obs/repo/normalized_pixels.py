"""Counts from pixels that a program has divided by the largest number of sixteen bits."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["are_normalized", "to_counts"]

_FULL_SCALE = np.float32(65535.0)


def are_normalized(pixels: NDArray[Any]) -> bool:
    """Return whether pixels are floats from 0 to 1, as PixInsight and Siril write frames; counts are never all below 1.

    Parameters
    ----------
    pixels : ndarray
        The pixels of a raw frame, any shape.
    """
    if pixels.dtype.kind != "f" or not pixels.size:
        return False
    lowest, highest = pixels.min(), pixels.max()
    return bool(lowest >= 0.0 and 0.0 < highest <= 1.0)


def to_counts(pixels: NDArray[Any]) -> NDArray[Any]:
    """Return the pixels of a raw frame in counts.

    Parameters
    ----------
    pixels : ndarray
        Counts, or parts of 65,535.
    """
    return pixels * _FULL_SCALE if are_normalized(pixels) else pixels
