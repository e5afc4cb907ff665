"""Grow regions of pixels."""

import numpy as np
from numpy.typing import NDArray

from obs.kernels.library import Kernel

__all__ = ["grow"]

_COMPILED = Kernel("grow_region", "bool", "int", "int", "int", "uint64", "bool")

_FIRST, _LAST = np.uint8(0x80), np.uint8(0x01)


def grow(region: NDArray[np.bool_], distance: int) -> NDArray[np.bool_]:
    """Return the pixels within a Manhattan distance (pixels) of those that are set.

    Eight pixels are packed into a byte, which makes this a few shifts of an image of an eighth of the size.

    Parameters
    ----------
    region : ndarray of bool, shape (ny, nx)
        The region.
    distance : int
        How far it grows.

    Returns
    -------
    ndarray of bool, shape (ny, nx)
    """
    if distance < 1:
        return region.copy()
    if _COMPILED:
        height, width = region.shape
        words, grown = np.empty(2 * height * (width // 64 + 1), np.uint64), np.empty(region.shape, np.bool_)
        _COMPILED(np.ascontiguousarray(region), height, width, distance, words, grown)
        return grown
    packed = np.packbits(region, axis=1)
    for _ in range(distance):
        previous = packed.copy()
        packed[1:] |= previous[:-1]
        packed[:-1] |= previous[1:]
        packed |= previous >> np.uint8(1)
        packed |= previous << np.uint8(1)
        # the pixel at the end of a byte has its neighbor in the next one
        packed[:, 1:] |= (previous[:, :-1] & _LAST) << np.uint8(7)
        packed[:, :-1] |= (previous[:, 1:] & _FIRST) >> np.uint8(7)
    return np.unpackbits(packed, axis=1, count=region.shape[1]).view(bool)
