"""Number the connected regions of an image."""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from obs.kernels.library import Kernel

__all__ = ["label_regions"]

_COMPILED = Kernel("label_regions", "bool", "int", "int", "int32")


def label_regions(region: NDArray[np.bool_]) -> tuple[NDArray[np.int32], int]:
    """Return regions, numbered in the reading order of their first pixels; neighbors share a side or a corner.

    Parameters
    ----------
    region : ndarray of bool, shape (ny, nx)
        Pixels that belong to one.

    Returns
    -------
    labels : ndarray of int32, shape (ny, nx)
        Number of the region of each pixel, from 1; 0 outside.
    n : int
        Number of regions.

    Raises
    ------
    MemoryError
        If there is no memory for the runs of pixels.
    """
    if not _COMPILED:
        labels, n = ndimage.label(region, np.ones((3, 3), bool))
        return np.asarray(labels, np.int32), int(n)
    labels = np.empty(region.shape, np.int32)
    n = _COMPILED(np.ascontiguousarray(region), *region.shape, labels)
    if n < 0:
        raise MemoryError(f"no memory for the regions of {region.shape[1]} x {region.shape[0]} pixels")
    return labels, n
