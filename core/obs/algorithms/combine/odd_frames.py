"""Find frames whose structure differs from that of the others: light, another filter, a step, a cloud.

Frames are compared by clipped means of cells, in which the noise of pixels averages out. A median would not do: where
the counts are coarser than their noise, it jumps from one whole number to the next. The difference of two frames is the
root mean square difference of their cells, without the part that is noise, in units of the noise of a pixel: a
difference of 1 is a structure as large as the noise of a frame.
"""

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from obs.algorithms.combine.smooth_surface import fit_smooth
from obs.geom import Box
from obs.kernels.library import Kernel

__all__ = ["OddFrames", "cell_places", "find_odd_frames", "measure_cells", "smooth_differences"]

_COMPILED = Kernel(
    "cell_means", "float32", "int", "bool", "int", "int", "int", "float", "int32", "float32", "float64", "int64"
)
_LANES = 8
_LARGEST_CELL = 64
_SMALLEST_CELL = 8
_CELLS_ALONG_SIDE = 16
_REACH = 4.0
"""Pixels further than this many times their noise from the median of their cell do not count."""
_SIGNIFICANCE = 5.0
"""Differences below this many times their standard error count as none."""
_SPREAD = 4.0
"""A frame is odd only if it is this many times further off than the closest half of the frames are from one another."""

_DRIFT = 2.0
"""Standard errors by which frames in a row must be more alike than others."""


class OddFrames(NamedTuple):
    """How frames compare with the one that most others resemble.

    Attributes
    ----------
    reference : int
        Number of that frame.
    difference : ndarray of float64, shape (n_frame,)
        Difference of each frame from it, in units of the noise of a pixel.
    level : ndarray of float64, shape (n_frame,)
        Mean level of each frame above that of the reference, in the unit of the frames.
    is_odd : ndarray of bool, shape (n_frame,)
        Frames that differ.
    majority : float
        Difference within which half of the frames are from the one that is nearest to them.
    drifts : bool
        Whether those that are not odd differ the more, the farther apart they come.
    """

    reference: int
    difference: NDArray[np.float64]
    level: NDArray[np.float64]
    is_odd: NDArray[np.bool_]
    majority: float
    drifts: bool


def measure_cells(
    image: NDArray[np.float32], rejected: NDArray[np.bool_], regions: Sequence[Box], noise: float
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return clipped means of square cells of each region, and the number of pixels in each; NaN for an empty cell.

    Parameters
    ----------
    image : ndarray of float32, shape (ny, nx)
        The frame.
    rejected : ndarray of bool, shape (ny, nx)
        Pixels that do not count.
    regions : sequence of Box
        Amplifiers, whose borders no cell crosses.
    noise : float
        Noise of a pixel, in the unit of the image: pixels far from the median of their cell do not count.

    Returns
    -------
    mean : ndarray of float64, shape (n_cell,)
    n_pixel : ndarray of int64, shape (n_cell,)
    """
    means, numbers = [np.empty(0)], [np.empty(0, np.int64)]
    for rows, columns in _strips(regions):
        strip, size = (rows, columns), rows.stop - rows.start
        mean, number = (_means if _COMPILED else _means_by_numpy)(image[strip], rejected[strip], size, _REACH * noise)
        means.append(mean)
        numbers.append(number)
    return np.concatenate(means), np.concatenate(numbers)


def cell_places(regions: Sequence[Box]) -> NDArray[np.float64]:
    """Return the middles (x, y) of the cells of `measure_cells`, pixels, shape (n_cell, 2).

    Parameters
    ----------
    regions : sequence of Box
        The amplifiers that `measure_cells` was given.
    """
    places = [np.empty((0, 2))]
    for rows, columns in _strips(regions):
        size = rows.stop - rows.start
        x = np.arange(columns.start, columns.stop, size) + 0.5 * (size - 1)
        places.append(np.stack([x, np.full(len(x), rows.start + 0.5 * (size - 1))], axis=1))
    return np.concatenate(places)


def _strips(regions: Sequence[Box]) -> Iterator[tuple[slice, slice]]:
    """Yield rows and columns of each row of cells, whose height is the side of a cell."""
    for region in regions:
        side = min(region.width, region.height)
        size = min(max(side // _CELLS_ALONG_SIDE, _SMALLEST_CELL), _LARGEST_CELL, side)
        columns = slice(region.x_min, region.x_min + region.width // size * size)
        for row in range(region.y_min, region.y_max - size + 1, size):
            yield slice(row, row + size), columns


def _means(
    strip: NDArray[np.float32], rejected: NDArray[np.bool_], size: int, reach: float
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return means of the pixels near the median in squares in a row of them, and the number of finite pixels."""
    n_cell = strip.shape[1] // size
    mean, number = np.empty(n_cell), np.empty(n_cell, np.int64)
    planes = [np.ascontiguousarray(plane) for plane in (strip, rejected)]
    room, values = np.empty(size**2 + _LANES, np.int32), np.empty(size**2 + 1, np.float32)
    rows = (planes[0], strip.shape[1], planes[1], strip.shape[1])
    _COMPILED(*rows, size, n_cell, max(reach, 0.0), room, values, mean, number)
    return mean, number


def _means_by_numpy(
    strip: NDArray[np.float32], rejected: NDArray[np.bool_], size: int, reach: float
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    known = np.where(rejected | ~np.isfinite(strip), np.float32(np.nan), strip)
    ordered = np.sort(known.reshape(size, -1, size).swapaxes(0, 1).reshape(-1, size * size), axis=1)
    number = np.isfinite(ordered).sum(axis=1)
    middle = np.maximum(number - 1, 0)
    low, high = (np.take_along_axis(ordered, k[:, None], axis=1) for k in (middle // 2, (middle + 1) // 2))
    median = 0.5 * (low.astype(np.float64) + high)
    from_median = ordered - median
    near = np.abs(from_median) <= max(reach, 0.0)
    n_near = near.sum(axis=1)
    shift = np.where(near, from_median, 0.0).sum(axis=1) / np.maximum(n_near, 1)
    return np.where(number > 0, median[:, 0] + shift, np.nan), number


def find_odd_frames(
    cells: NDArray[np.float64],
    n_pixel: NDArray[np.int64],
    noise: NDArray[np.float64],
    *,
    limit: float,
    light_only_adds: bool = False,
) -> OddFrames:
    """Find the frames that differ from the majority.

    The reference is the frame whose closest half of the others is closest. Frames are odd that differ from it by more
    than the limit and by far more than that half does, so that frames that all differ a little are all kept.

    Parameters
    ----------
    cells : ndarray of float64, shape (n_frame, n_cell)
        Clipped means of cells, as of `measure_cells`.
    n_pixel : ndarray of int64, shape (n_frame, n_cell)
        Number of pixels in each.
    noise : ndarray of float64, shape (n_frame,)
        Noise of a pixel of each frame.
    limit : float
        Least difference of an odd frame, in units of the noise of a pixel.
    light_only_adds : bool, optional
        Whether a lower level is the better one: a third of the frames that agree at a lower level are then preferred.

    Returns
    -------
    OddFrames
    """
    n_frame = len(cells)
    distance = np.zeros((n_frame, n_frame))
    for one in range(n_frame):
        for other in range(one):
            distance[one, other] = distance[other, one] = _distance(cells, n_pixel, noise, one, other)
    half = (n_frame + 1) // 2
    radius = np.sort(distance, axis=1)[:, half - 1]
    reference = int(np.argmin(radius))
    allowed = max(limit, _SPREAD * float(radius[reference]))
    if light_only_adds:
        reference = _lowest_group(cells, distance, allowed, reference)
    with np.errstate(invalid="ignore"):
        level = np.array([np.nanmean(row - cells[reference]) if np.isfinite(row).any() else np.nan for row in cells])
    difference = distance[reference]
    is_odd = difference > allowed
    kept = ~is_odd
    return OddFrames(reference, difference, level, is_odd, float(radius.min()), _drifts(distance[kept][:, kept]))


def smooth_differences(cells: NDArray[np.float64], places: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return by how much the smooth difference of each frame from the mean of all changes over the detector.

    Parameters
    ----------
    cells : ndarray of float64, shape (n_frame, n_cell)
        Clipped means of cells, as of `measure_cells`.
    places : ndarray of float64, shape (n_cell, 2)
        Middles of the cells, as of `cell_places`.

    Returns
    -------
    ndarray of float64, shape (n_frame,)
        Highest minus lowest value of a polynomial of order 2, in the unit of the cells; zero for a frame whose
        difference is mostly something else.
    """
    smooth = fit_smooth(cells, places)
    if smooth is None:
        return np.zeros(len(cells))
    known = np.isfinite(cells).all(axis=0)
    difference = cells[:, known] - cells[:, known].mean(axis=0)
    difference = difference - difference.mean(axis=1, keepdims=True)
    explained = np.mean((smooth - smooth.mean(axis=1, keepdims=True)) ** 2, axis=1)
    return np.where(explained > 0.5 * np.mean(difference**2, axis=1), np.ptp(smooth, axis=1), 0.0)


def _drifts(distance: NDArray[np.float64]) -> bool:
    """Return whether frames in a row are more alike than frames in any order would be by chance (von Neumann 1941)."""
    n_frame = len(distance)
    every = distance[np.triu_indices(n_frame, 1)]
    if n_frame < 3 or not (np.isfinite(every).all() and every.any()):
        return False
    ratio = float(np.mean(np.diagonal(distance, 1) ** 2) / np.mean(every**2))
    error = math.sqrt((n_frame - 2.0) / (n_frame**2 - 1.0))
    return ratio < 1.0 - _DRIFT * error


def _distance(
    cells: NDArray[np.float64], n_pixel: NDArray[np.int64], noise: NDArray[np.float64], one: int, other: int
) -> float:
    """Return the difference of two frames, in units of the mean noise of their pixels; infinity if nothing overlaps."""
    known = np.isfinite(cells[one]) & np.isfinite(cells[other])
    if not known.any():
        return float("inf")
    variances = [noise[k] ** 2 / n_pixel[k][known] for k in (one, other)]
    expected = variances[0] + variances[1]
    excess = np.mean((cells[one] - cells[other])[known] ** 2 - expected)
    error = np.sqrt(2.0 * np.mean(expected**2) / known.sum())
    unit = 0.5 * (noise[one] ** 2 + noise[other] ** 2)
    if not (unit > 0 and excess > _SIGNIFICANCE * error):
        return 0.0 if unit > 0 or not excess > 0 else float("inf")
    return float(np.sqrt(excess / unit))


def _lowest_group(cells: NDArray[np.float64], distance: NDArray[np.float64], allowed: float, reference: int) -> int:
    """Return the reference, or that of a group of frames below it that is large enough to be no accident."""
    n_frame = len(cells)
    is_near = distance <= allowed
    level = np.array([np.nanmean(row - cells[reference]) if np.isfinite(row).any() else np.nan for row in cells])
    lower = [
        k
        for k in range(n_frame)
        if not is_near[reference, k] and level[k] < 0 and is_near[k].sum() >= max(2, n_frame / 3)
    ]
    return min(lower, key=lambda k: level[k], default=reference)
