"""Number the connected regions of an image, and choose some of them."""

import numpy as np
from numpy.typing import NDArray

from obs.kernels.library import Kernel

__all__ = ["find_boxes", "label_regions", "measure_regions", "renumber_regions", "select_regions"]

_COMPILED = Kernel("label_regions", "bool", "int", "int", "int32")
_MEASURE = Kernel("measure_regions", "int32", "float32", "int", "int64", "float32")
_RENUMBER = Kernel("renumber_regions", "int32", "int", "int32", "int32")
_BOXES = Kernel("find_boxes", "int32", "int", "int", "int", "int64")
_SELECT = Kernel("select_regions", "int32", "int", "bool", "bool")


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
        from scipy import ndimage  # noqa: PLC0415 - slow to import, needed without compiled kernels only

        labels, n = ndimage.label(region, np.ones((3, 3), bool))
        return np.asarray(labels, np.int32), int(n)
    labels = np.empty(region.shape, np.int32)
    n = _COMPILED(np.ascontiguousarray(region), *region.shape, labels)
    if n < 0:
        raise MemoryError(f"no memory for the regions of {region.shape[1]} x {region.shape[0]} pixels")
    return labels, n


def measure_regions(
    labels: NDArray[np.int32], n: int, image: NDArray[np.float32]
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Return how many pixels each region has, and the highest value among them.

    Parameters
    ----------
    labels : ndarray of int32, shape (ny, nx)
        Number of the region of each pixel.
    n : int
        Number of regions.
    image : ndarray of float32, shape (ny, nx)
        Values, finite.

    Returns
    -------
    count : ndarray of int64, shape (n + 1,)
    highest : ndarray of float32, shape (n + 1,)
        Of each number; none and minus infinity for 0, which is outside of all regions.
    """
    count, highest = np.zeros(n + 1, np.int64), np.full(n + 1, -np.inf, np.float32)
    if _MEASURE and labels.flags.c_contiguous and image.flags.c_contiguous:
        _MEASURE(labels, image, labels.size, count, highest)
        return count, highest
    inside = labels != 0
    np.add.at(count, labels[inside], 1)
    np.maximum.at(highest, labels[inside], image[inside])
    return count, highest


def find_boxes(labels: NDArray[np.int32], n: int) -> NDArray[np.int64]:
    """Return the first column of each region, the one after its last, and the same of its rows, shape (n, 4).

    Parameters
    ----------
    labels : ndarray of int32, shape (ny, nx)
        Number of the region of each pixel, from 1 on.
    n : int
        Last region that is looked at. One without pixels gets the width, 0, the height and 0.
    """
    height, width = labels.shape
    boxes = np.tile(np.array([width, 0, height, 0], np.int64), (n, 1))
    if _BOXES:
        _BOXES(np.ascontiguousarray(labels), height, width, n, boxes)
        return boxes
    y, x = np.nonzero((labels > 0) & (labels <= n))
    region = labels[y, x] - 1
    for column, values in ((0, x), (2, y)):
        np.minimum.at(boxes[:, column], region, values)
        np.maximum.at(boxes[:, column + 1], region, values + 1)
    return boxes


def renumber_regions(labels: NDArray[np.int32], number: NDArray[np.int32]) -> NDArray[np.int32]:
    """Return labels, shape (ny, nx), with other numbers; pixels outside of regions stay 0.

    Parameters
    ----------
    labels : ndarray of int32, shape (ny, nx)
        Number of the region of each pixel.
    number : ndarray of int32, shape (n + 1,)
        What each number becomes; the first entry is 0.
    """
    if not (_RENUMBER and labels.flags.c_contiguous):
        return number[labels]
    result = np.empty_like(labels)
    _RENUMBER(labels, labels.size, np.ascontiguousarray(number), result)
    return result


def select_regions(labels: NDArray[np.int32], chosen: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return the pixels, shape (ny, nx), of some regions.

    Parameters
    ----------
    labels : ndarray of int32, shape (ny, nx)
        Number of the region of each pixel.
    chosen : ndarray of bool, shape (n + 1,)
        Which are wanted; the first entry is False.
    """
    if not (_SELECT and labels.flags.c_contiguous):
        return np.asarray(chosen[labels])
    result = np.empty(labels.shape, np.bool_)
    _SELECT(labels, labels.size, np.ascontiguousarray(chosen), result)
    return result
