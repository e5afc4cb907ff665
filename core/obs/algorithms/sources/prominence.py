"""How far peaks stand out of the light around them: their height above the saddle that leads to a higher one.

A bump of noise on the wing of a bright source has a saddle just below it; a source of its own stands on the wing. The
pixels are divided into the catchments of their maxima, and catchments are joined across their highest saddles.
"""

import numpy as np
from numpy.typing import NDArray

from obs.algorithms.pixels.label import label_regions, select_regions
from obs.kernels.library import Kernel

__all__ = ["find_prominent_peaks"]

Whole = NDArray[np.int64]
Float = NDArray[np.float32]

_SHARED = Kernel("list_shared_regions", "bool", "int", "int", "int64", "int", "int64")
_COMPILED = Kernel("find_catchments", "int64", "float32", "int", "int", "int64")
_SADDLES = Kernel("list_saddles", "int64", "float32", "int64", "int", "int", "int64", "int64", "float32")


def find_prominent_peaks(
    image: Float, region: NDArray[np.bool_], x: Whole, y: Whole, minimum: Float | NDArray[np.float64]
) -> NDArray[np.bool_]:
    """Whether peaks are higher by ``minimum`` than the saddle to any higher peak.

    Parameters
    ----------
    image : ndarray of float32, shape (ny, nx)
        The surface, finite.
    region : ndarray of bool, shape (ny, nx)
        Pixels over which a way from peak to peak may lead; a peak with no way to a higher one stands out. Every peak
        lies in it. The outermost pixels of the image do not belong to the way.
    x, y : ndarray of int64, shape (n,)
        Pixels of the peaks, local maxima of the image.
    minimum : ndarray of float, shape (n,)
        Wanted height of each peak above its saddle, image units.

    Returns
    -------
    ndarray of bool, shape (n,)
    """
    width = image.shape[1]
    peak = y * width + x
    pixel = _shared_ways(region, peak)
    value = image.ravel()[pixel]
    top = _catchments(pixel, value, width)
    is_top = top == np.arange(len(top))
    tops = np.flatnonzero(is_top)
    catchment = (np.cumsum(is_top) - 1)[top]
    height = value[tops]
    own = _entry(pixel, peak)
    inside = np.flatnonzero(own >= 0)
    of_peak = catchment[own[inside]]
    # a maximum that is not a peak gives way to anything higher
    wanted = np.full(len(tops), np.inf)
    wanted[of_peak] = np.asarray(minimum, np.float64)[inside]
    joined = _join(height, wanted, *_saddles(pixel, value, catchment, width))
    result = np.ones(len(x), bool)
    result[inside] = joined[of_peak] == of_peak
    return result


def _shared_ways(region: NDArray[np.bool_], peak: Whole) -> Whole:
    """Pixels of the parts of a region that lead from one of the peaks to another, flat indices in reading order."""
    if _SHARED:
        # memory that is not written to is never taken
        pixel = np.empty(np.count_nonzero(region), np.int64)
        n = _SHARED(np.ascontiguousarray(region), *region.shape, np.ascontiguousarray(peak), len(peak), pixel)
        if n < 0:
            raise MemoryError(f"no memory for the ways between {len(peak)} peaks")
        return pixel[:n]
    part, n = label_regions(_without_border(region))
    shared = np.bincount(part.ravel()[peak], minlength=n + 1) > 1
    shared[0] = False
    return np.flatnonzero(select_regions(part, shared))


def _entry(pixel: Whole, wanted: Whole) -> Whole:
    """Return the position of pixels in a sorted list, -1 for those that are not in it."""
    entry = np.searchsorted(pixel, wanted)
    there = np.append(pixel, -1)[entry] == wanted
    return np.where(there, entry, -1)


def _without_border(region: NDArray[np.bool_]) -> NDArray[np.bool_]:
    way = region.copy()
    way[[0, -1], :] = way[:, [0, -1]] = False
    return way


def _catchments(pixel: Whole, value: Float, width: int) -> Whole:
    """Entry of the maximum that the steepest way upward leads to from each pixel."""
    best, highest = np.arange(len(pixel)), value.copy()
    if _COMPILED:
        _COMPILED(pixel, value, len(pixel), width, best)
        return best
    for step in (-width - 1, -width, -width + 1, -1, 1, width - 1, width, width + 1):
        neighbor = _entry(pixel, pixel + step)
        there = np.where(neighbor >= 0, value[neighbor], -np.inf)
        # of equal neighbors the first in reading order is the maximum
        better = (there > highest) | ((there == highest) & (neighbor < best))
        best[better], highest[better] = neighbor[better], there[better]
    while True:
        further = best[best]
        if np.array_equal(further, best):
            return best
        best = further


def _saddles(pixel: Whole, value: Float, catchment: Whole, width: int) -> tuple[Whole, Whole, Float]:
    """Pairs of catchments that touch, and the highest level at which they do."""
    if _SADDLES:
        # memory that is not written to is never taken
        first, second = np.empty((2, 4 * len(pixel)), np.int64)
        level = np.empty(4 * len(pixel), np.float32)
        n = _SADDLES(pixel, value, catchment, len(pixel), width, first, second, level)
        return _highest(np.minimum(first[:n], second[:n]), np.maximum(first[:n], second[:n]), level[:n])
    firsts, seconds, levels = [], [], []
    for step in (1, width - 1, width, width + 1):
        neighbor = _entry(pixel, pixel + step)
        border = np.flatnonzero((neighbor >= 0) & (catchment != catchment[neighbor]))
        other = neighbor[border]
        firsts.append(catchment[border])
        seconds.append(catchment[other])
        levels.append(np.minimum(value[border], value[other]))
    first, second, level = np.concatenate(firsts), np.concatenate(seconds), np.concatenate(levels)
    return _highest(np.minimum(first, second), np.maximum(first, second), level)


def _highest(first: Whole, second: Whole, level: Float) -> tuple[Whole, Whole, Float]:
    """Keep the highest level of each pair."""
    order = np.lexsort((-level, second, first))
    first, second, level = first[order], second[order], level[order]
    new = np.ones(len(first), bool)
    new[1:] = (first[1:] != first[:-1]) | (second[1:] != second[:-1])
    return first[new], second[new], level[new]


def _join(height: Float, wanted: NDArray[np.float64], first: Whole, second: Whole, level: Float) -> Whole:
    """Catchment that each one has become part of, itself where its maximum stands out."""
    joined = np.arange(len(height))
    while len(first):
        low, high, saddle = np.r_[first, second], np.r_[second, first], np.r_[level, level]
        low, high, saddle = _first_of_each(low, high, saddle)
        upward = (height[high] > height[low]) | ((height[high] == height[low]) & (high < low))
        gone = upward & (height[low] - saddle < wanted[low])
        if not gone.any():
            break
        step = np.arange(len(height))
        step[low[gone]] = high[gone]
        while not np.array_equal(step[step], step):
            step = step[step]
        joined = step[joined]
        first, second = step[first], step[second]
        apart = first != second
        first, second = np.minimum(first, second)[apart], np.maximum(first, second)[apart]
        first, second, level = _highest(first, second, level[apart])
    return joined


def _first_of_each(low: Whole, high: Whole, saddle: Float) -> tuple[Whole, Whole, Float]:
    """Keep the highest saddle of each catchment; of equal ones that to the highest number."""
    order = np.lexsort((-saddle, low))
    low, high, saddle = low[order], high[order], saddle[order]
    new = np.ones(len(low), bool)
    new[1:] = low[1:] != low[:-1]
    return low[new], high[new], saddle[new]
