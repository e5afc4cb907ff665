"""Measure steps between amplifiers: the level changes from one column to the next over the whole height of an image.

Medians of short parts of columns do not see stars. A step is a difference between the columns on both sides that stands
far out of the differences elsewhere, and is the same in nearly all parts.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from obs.algorithms.pixels.statistics import robust_sigma
from obs.kernels.library import Kernel
from obs.threads import map_threads

__all__ = ["LevelSteps", "find_level_steps", "find_steps_of_halves"]

Float = NDArray[np.float32]

_COMPILED = Kernel("column_medians", "float32", "int", "int", "bool", "int", "int", "int", "int", "float32", "int64")

PARTS = 24
"""Parts that the lines of an image are divided into."""

WIDTH = 12
"""Lines on each side that are compared."""

LEAST_PIXELS, MOST_PIXELS = 16, 48
"""Least length of a part, and most pixels of it that are looked at."""

MOST_BAD = 0.3
"""Fraction of bad pixels from which the median of a part is not known."""

SIGNIFICANCE = 10.0
"""Least height of a step, in the scatter of such differences over the image."""

LEAST = 0.1
"""Least height of a step, in noise of a pixel."""

SAME = 0.8
"""Least fraction of the parts in which a step has its sign and half of its height."""


HALVES_DIFFER = 0.3
"""Least difference of a step in both halves of an image, in noise of a pixel, for which each gets its own."""


class LevelSteps(NamedTuple):
    """Steps of the sky along one axis of the image.

    Parameters
    ----------
    places : ndarray of int64, shape (n,)
        First column (row) beyond each step.
    heights : ndarray of float64, shape (n,)
        Level beyond less level before, image units.
    """

    places: NDArray[np.int64]
    heights: NDArray[np.float64]

    def offsets(self, size: int) -> Float:
        """Return what has to be subtracted from each column (row), float32, shape (size,); its median is zero.

        Parameters
        ----------
        size : int
            Number of columns (rows) of the image.
        """
        total = np.zeros(size)
        for place, height in zip(self.places, self.heights, strict=True):
            total[place:] += height
        return (total - np.median(total)).astype(np.float32)


def find_level_steps(image: Float, bad: NDArray[np.bool_], noise: float) -> LevelSteps:
    """Find steps between columns; hand in the transposed image for those between rows.

    Parameters
    ----------
    image : ndarray of float32, shape (ny, nx)
        Pixels.
    bad : ndarray of bool, shape (ny, nx)
        Pixels to leave out.
    noise : float
        Noise of a pixel, image units.

    Returns
    -------
    LevelSteps
    """
    none = LevelSteps(np.zeros(0, np.int64), np.zeros(0))
    n_part = min(PARTS, image.shape[0] // LEAST_PIXELS)
    if n_part < 4 or image.shape[1] < 6 * WIDTH:
        return none
    levels = _levels(image, bad, n_part)
    step = _differences(levels)
    known = np.isfinite(step).mean(0) > 0.5
    middle = np.full(step.shape[1], np.nan)
    middle[known] = _known_medians(step[:, known])
    scatter = robust_sigma(middle[known]) if known.any() else 0.0
    if not scatter > 0:
        return none
    height = np.where(known, middle - np.median(middle[known]), 0.0)
    limit = max(SIGNIFICANCE * scatter, LEAST * noise)
    # between neighboring columns alone, where exactly it is
    sharp = np.zeros(len(known))
    sharp[known] = np.abs(_known_medians((levels[:, 1:] - levels[:, :-1])[:, known]))
    places: list[int] = []
    heights: list[float] = []
    left = np.abs(height)
    while left.max() > limit:
        at = int(left.argmax())
        low, high = max(at - WIDTH // 2, 0), min(at + WIDTH // 2 + 1, len(sharp))
        place = low + int(np.argmax(sharp[low:high]))
        # a narrow ridge, as a trail along a column, changes the mean of the columns beyond it but not their median
        lasting = _median_step(levels, place)
        there = lasting[np.isfinite(lasting)] * np.sign(height[place])
        agree = np.mean(there > 0.5 * abs(height[place])) if len(there) else 0.0
        if agree > SAME and abs(height[place]) > limit and sharp[place] > 0.5 * abs(height[place]):
            places.append(place + 1)
            heights.append(float(height[place]))
        left[max(at - 2 * WIDTH, 0) : at + 2 * WIDTH + 1] = 0.0
    order = np.argsort(places)
    return LevelSteps(np.array(places, np.int64)[order], np.array(heights)[order]) if places else none


def _known_medians(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the median of each column without NaN, as nanmedian does, which is slow for many short columns."""
    ordered = np.sort(values.T, axis=1)  # NaN come last
    number = np.isfinite(ordered).sum(1)
    each = np.arange(len(ordered))
    low, high = np.maximum(number - 1, 0) // 2, np.minimum(number // 2, len(values) - 1)
    return np.asarray(0.5 * (ordered[each, low] + ordered[each, high]))


def _median_step(levels: NDArray[np.float64], place: int) -> NDArray[np.float64]:
    """Return, for each part, the median of the columns beyond a place less that of those before, shape (n_part,)."""
    after, before = levels[:, place + 1 : place + 1 + WIDTH], levels[:, max(place + 1 - WIDTH, 0) : place + 1]
    known = np.isfinite(after).sum(1) * np.isfinite(before).sum(1) > 0
    step = np.full(len(levels), np.nan)
    step[known] = np.nanmedian(after[known], axis=1) - np.nanmedian(before[known], axis=1)
    return step


def find_steps_of_halves(image: Float, bad: NDArray[np.bool_], noise: float) -> tuple[LevelSteps, LevelSteps] | None:
    """Find steps between columns that differ in both halves of the image, as where amplifiers share its four corners.

    Parameters
    ----------
    image : ndarray of float32, shape (ny, nx)
        Pixels.
    bad : ndarray of bool, shape (ny, nx)
        Pixels to leave out.
    noise : float
        Noise of a pixel, image units.

    Returns
    -------
    tuple of LevelSteps or None
        Steps of the lower half and of the upper half; None where those of the whole image say it all.
    """
    middle = len(image) // 2
    lower, upper = (find_level_steps(image[rows], bad[rows], noise) for rows in (np.s_[:middle], np.s_[middle:]))
    same = np.array_equal(lower.places, upper.places) and bool(
        np.all(np.abs(lower.heights - upper.heights) < HALVES_DIFFER * noise)
    )
    return None if same else (lower, upper)


def _levels(image: Float, bad: NDArray[np.bool_], n_part: int) -> NDArray[np.float64]:
    """Return the median of each part of each column, shape (n_part, nx); NaN where too few pixels are good."""
    edges = np.arange(n_part + 1) * image.shape[0] // n_part
    levels = np.full((n_part, image.shape[1]), np.nan)

    def measure(k: int) -> None:
        rows = slice(edges[k], min(edges[k + 1], edges[k] + MOST_PIXELS))
        levels[k] = (_medians if _COMPILED else _medians_by_numpy)(image[rows], bad[rows])

    map_threads(measure, range(n_part))
    return levels


def _medians(part: Float, out: NDArray[np.bool_]) -> Float:
    """Return the median of each column of a part; NaN where too few pixels are good."""
    median, n_bad = np.empty(part.shape[1], np.float32), np.empty(part.shape[1], np.int64)
    strides = ([step // plane.itemsize for step in plane.strides] for plane in (part, out))
    # the part of a transposed image is read where it is, too
    planes = (np.lib.stride_tricks.as_strided(plane, (1,), (plane.itemsize,)) for plane in (part, out))
    (image, bad), ((row, column), (bad_row, bad_column)) = planes, strides
    _COMPILED(image, row, column, bad, bad_row, bad_column, *part.shape, median, n_bad)
    median[n_bad >= MOST_BAD * len(part)] = np.nan
    return median


def _medians_by_numpy(part: Float, out: NDArray[np.bool_]) -> Float:
    enough = out.sum(0) < MOST_BAD * len(out)
    median = np.full(part.shape[1], np.nan, np.float32)
    if not out.any():
        median[:] = np.median(part, axis=0)
    elif enough.any():
        columns = np.where(out[:, enough], np.float32(np.nan), part[:, enough])
        median[enough] = np.nanmedian(columns, axis=0)
    return median


def _differences(levels: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return, for each place between two columns, mean of those beyond less mean of those before, less the slope."""
    n = levels.shape[1]
    known = np.isfinite(levels)
    total, number = (np.cumsum(np.pad(a, ((0, 0), (1, 0))), axis=1) for a in (np.where(known, levels, 0.0), known))
    means = (total[:, WIDTH:] - total[:, :-WIDTH]) / WIDTH
    means[number[:, WIDTH:] - number[:, :-WIDTH] < WIDTH] = np.nan
    step = np.full((len(levels), n - 1), np.nan)
    # means[j] is that of columns j to j + WIDTH - 1
    place = np.arange(2 * WIDTH - 1, n - 2 * WIDTH)
    after, before = means[:, place + 1], means[:, place - WIDTH + 1]
    slope = 0.5 * (means[:, place + 1 + WIDTH] - after + before - means[:, place - 2 * WIDTH + 1])
    step[:, place] = after - before - slope
    return step
