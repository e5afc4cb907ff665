"""Grow regions of pixels, and fill their holes."""

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from obs.kernels.library import Kernel

__all__ = ["fill_holes", "grow", "highest_of_neighbors"]

Value = TypeVar("Value", bound=np.generic)

_COMPILED = Kernel("grow_region", "bool", "int", "int", "int", "uint64", "bool")

_FILL = Kernel("fill_holes", "bool", "int", "int", "int", "int64", "bool")

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


def fill_holes(regions: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return regions with their holes, which are what no path over sides of pixels connects with the border.

    Parameters
    ----------
    regions : ndarray of bool, shape (n, ny, nx)
        Regions, one or more in each plane.
    """
    if not _FILL:
        from scipy.ndimage import binary_fill_holes  # noqa: PLC0415 - slow to import, needed without compiled kernels only

        return np.stack([binary_fill_holes(plane) for plane in regions]) if len(regions) else regions.copy()
    n, height, width = regions.shape
    filled = np.empty(regions.shape, np.bool_)
    _FILL(np.ascontiguousarray(regions), n, height, width, np.empty(height * width + 2, np.int64), filled)
    return filled


def highest_of_neighbors(plane: NDArray[Value]) -> NDArray[Value]:
    """Return the highest value of the three by three pixels about each one, shape (ny, nx).

    Parameters
    ----------
    plane : ndarray of any type, shape (ny, nx)
        Values of any type that can be ordered. Pixels on the edge are repeated outside.
    """
    around = np.pad(plane, 1, "edge")
    lines = np.maximum(np.maximum(around[:-2], around[1:-1]), around[2:])
    return np.maximum(np.maximum(lines[:, :-2], lines[:, 1:-1]), lines[:, 2:])
