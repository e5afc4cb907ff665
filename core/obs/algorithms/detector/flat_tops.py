"""Find saturated pixels where no level of saturation is known: stars with flat tops that pile up at one level.

The number of pixels between a star's peak and a fraction of it is the same for each equal step in the logarithm of the
fraction, if its profile is Gaussian, and rises outward for any profile of stars and galaxies. A star that is cut off
has many more pixels near its highest value than in the next step down. Defocused stars are flat too, but each at a
level of its own, and the faint ones like the bright ones.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from obs.algorithms.numeric.nearest import PointTree
from obs.algorithms.numeric.special import poisson_above
from obs.algorithms.pixels.grow import highest_of_neighbors
from obs.algorithms.pixels.label import label_regions
from obs.algorithms.pixels.row_blocks import row_blocks
from obs.algorithms.pixels.window import plane_windows

__all__ = ["FlatTops", "find_flat_tops", "find_peaks"]

CELL = 8
"""Side, pixels, of the cells whose highest pixels are looked at."""

MOST_PEAKS = 3000
HALF = 10
"""Half the side, pixels, of the window about a peak."""

BRIGHT = 50.0
"""Least height of a peak above the sky, in noise of the sky."""

VISIBLE = 10.0
"""Least height above the sky, in its noise, of a limit at which pixels pile up."""

TOP, SHOULDER = 0.97, 0.80
"""Fractions of the height that bound a top, and the step below it."""

FLAT = 0.5
"""Least ratio of the pixels of a flat top to those of the step below; a Gaussian has 0.16, steeper profiles less."""

NARROW, CROSSES, SLANTED = 0.15, 0.2, 0.5
"""Of the high pixels of a trail: largest ratio of the variances across and along, least variance along in squares of
half the window (a third if it crosses all of it), and least correlation of x and y."""

BARE = 0.1
"""Of a top one pixel wide: light of the pixels beside it over its height, below which it is a ray; stars have wings."""

FEWEST_PIXELS = 3
FEWEST_EQUAL = 4
"""Least number of exactly equal highest pixels that noise does not make."""

SPREAD = 0.02
"""Half the width of a pile-up, as a fraction of its level: what is left of one level by flat-fielding."""

EQUAL_SPREAD = 0.002
"""The same where pixels are exactly equal."""

FEWEST_STARS = 3
"""Flat tops at one level that are a pile-up. Of exactly equal pixels one star is enough."""

CHANCE = 1e-4
"""Probability below which the flat tops at one level are not there by chance."""

LEAST_EXPECTED = 0.05
"""Flat tops that blends may put at a level, where none is seen below it."""

NEAR_LIMIT, RARE = 0.7, 1e-9
"""Fraction of the highest value above which values tell how often any one of them occurs, and the probability below
which the highest is repeated by more than chance."""

BELOW = (0.3, 0.9)
"""Range of heights, as fractions of a level, of the fainter stars that it is compared with."""


class FlatTops(NamedTuple):
    """Saturated pixels, and the levels at which they were found.

    Parameters
    ----------
    saturated : ndarray of bool, shape (ny, nx)
        The pixels.
    levels : ndarray of float64, shape (n,)
        Values, image units, ascending; several if amplifiers differ.
    """

    saturated: NDArray[np.bool_]
    levels: NDArray[np.float64]


def find_flat_tops(image: NDArray[np.float32], bad: NDArray[np.bool_], *, sky: float, noise: float) -> FlatTops:
    """Find the pixels of stars that are cut off at a level which several share.

    Parameters
    ----------
    image : ndarray of float32, shape (ny, nx)
        Counts with their sky.
    bad : ndarray of bool, shape (ny, nx)
        Pixels that are not looked at.
    sky, noise : float
        Level of the sky, and its standard deviation, image units.

    Returns
    -------
    FlatTops
    """
    nothing = FlatTops(np.zeros(image.shape, bool), np.zeros(0))
    light = np.empty(image.shape, np.float32)
    for rows in row_blocks((image.shape[0], image.shape[1])):
        np.subtract(image[rows], np.float32(sky), out=light[rows])
        light[rows][bad[rows] | ~np.isfinite(light[rows])] = 0.0
    row, column = find_peaks(light, np.float32(BRIGHT * noise))
    tops = _measure(light, row, column)
    levels = _pile_ups(tops)
    limit = _find_limit(light, VISIBLE * noise)
    if limit is not None:
        levels.setdefault(limit, EQUAL_SPREAD)
    if not len(levels):
        return nothing
    return FlatTops(_grow_tops(light, tops, levels), np.array(sorted(level + sky for level in levels)))


def _find_limit(light: NDArray[np.float32], minimum: float) -> float | None:
    """Return the highest value if so many pixels have it as only a limit of the numbers or of the detector makes.

    Undersampled stars have too few pixels at a limit for a flat top, and a sky that fills half of the range leaves no
    star that stands out far enough for its shape to be looked at.
    """
    limit = float(light.max())
    if not limit > minimum:
        return None
    high = light[light >= np.float32(NEAR_LIMIT * limit)]
    values, count = np.unique(high, return_counts=True)
    if count[-1] < FEWEST_EQUAL or len(values) < 2:
        return None
    usual = (high.size - count[-1]) * float(np.diff(values).min()) / ((1.0 - NEAR_LIMIT) * limit)
    return limit if poisson_above(count[-1] - 1, max(usual, LEAST_EXPECTED)) < RARE else None


class _Tops(NamedTuple):
    """Of each peak its pixel and height, whether its top is flat, and whether its pixels are exactly equal."""

    row: NDArray[np.int64]
    column: NDArray[np.int64]
    height: NDArray[np.float64]
    flat: NDArray[np.bool_]
    equal: NDArray[np.bool_]


def find_peaks(light: NDArray[np.float32], minimum: np.float32) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return row and column of the highest pixels of cells that no neighboring cell exceeds, the brightest first.

    Parameters
    ----------
    light : ndarray of float32, shape (ny, nx)
        Image without sky.
    minimum : float32
        Lower peaks are left out, in the unit of the image.

    Returns
    -------
    row, column : ndarray of int64, shape (n,)
        Pixels of the peaks, not more than 3000.
    """
    ny, nx = (-(-n // CELL) * CELL for n in light.shape)
    padded = light
    if (ny, nx) != light.shape:
        padded = np.pad(light, ((0, ny - light.shape[0]), (0, nx - light.shape[1])))
    cells = padded.reshape(ny // CELL, CELL, nx // CELL, CELL)
    highest = cells.max((1, 3))
    top = (highest > minimum) & (highest == highest_of_neighbors(highest))
    j, i = np.nonzero(top)
    brightest = np.argsort(-highest[j, i], kind="stable")[:MOST_PEAKS]
    j, i = j[brightest], i[brightest]
    inside = cells[j, :, i, :].reshape(len(j), CELL * CELL).argmax(1)
    return j * CELL + inside // CELL, i * CELL + inside % CELL


def _measure(light: NDArray[np.float32], row: NDArray[np.int64], column: NDArray[np.int64]) -> _Tops:
    windows = plane_windows(light, row, column, HALF)
    peak = windows.max((1, 2)).astype(np.float64)
    n_equal = (windows == peak[:, None, None].astype(np.float32)).sum((1, 2))
    # the middle of the top, so that the noise of its highest pixel does not count
    near = windows >= (TOP * peak)[:, None, None].astype(np.float32)
    n_top = near.sum((1, 2))
    height = np.where(near, windows, np.float32(0.0)).sum((1, 2), dtype=np.float64) / n_top
    top = windows >= (TOP * height)[:, None, None].astype(np.float32)
    n_top = top.sum((1, 2))
    shoulder = windows >= (SHOULDER * height)[:, None, None].astype(np.float32)
    n_step = shoulder.sum((1, 2)) - n_top
    flat = (
        (n_top >= FEWEST_PIXELS)
        & (n_top > FLAT * np.maximum(n_step, 1.0))
        & ~_is_on_trail(shoulder)
        & ~_is_ray(windows, top, height)
    )
    equal = n_equal >= FEWEST_EQUAL
    return _Tops(row, column, np.where(equal, peak, height), flat, equal)


def _is_on_trail(shoulder: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return which tops, given the high pixels of their windows, are narrow bands that cross the window slantwise.

    The crest of the trail of a satellite is at one level all along. Charge that bleeds from a star runs along an axis.
    """
    offset = np.arange(-HALF, HALF + 1, dtype=np.float64)
    weight = shoulder / np.maximum(shoulder.sum((1, 2), keepdims=True), 1)
    x, y = weight.sum(1) @ offset, weight.sum(2) @ offset
    xx, yy = weight.sum(1) @ offset**2 - x**2, weight.sum(2) @ offset**2 - y**2
    xy = np.einsum("nij,i,j->n", weight, offset, offset) - x * y
    mean, difference = 0.5 * (xx + yy), np.hypot(0.5 * (xx - yy), xy)
    narrow = (mean - difference < NARROW * (mean + difference)) & (mean + difference > CROSSES * HALF**2)
    return np.asarray(narrow & (np.abs(xy) > SLANTED * np.sqrt(np.maximum(xx * yy, 1e-12))))


def _is_ray(windows: NDArray[np.float32], top: NDArray[np.bool_], height: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return which tops are lines one pixel wide with nothing beside them, as cosmic rays of even charge are."""
    wide = (top[:, 1:, 1:] & top[:, :-1, 1:] & top[:, 1:, :-1] & top[:, :-1, :-1]).any((1, 2))
    near = np.zeros_like(top)
    for axis in (1, 2):
        ahead, behind = [slice(None)] * 3, [slice(None)] * 3
        ahead[axis], behind[axis] = slice(1, None), slice(None, -1)
        near[tuple(ahead)] |= top[tuple(behind)]
        near[tuple(behind)] |= top[tuple(ahead)]
    near &= ~top
    beside = np.where(near, windows, np.float32(0.0)).sum((1, 2), dtype=np.float64) / np.maximum(near.sum((1, 2)), 1)
    return np.asarray(~wide & (beside < BARE * height), np.bool_)


def _pile_ups(tops: _Tops) -> dict[float, float]:
    """Return the levels at which flat tops pile up, and the spread of each as a fraction of it."""
    levels: dict[float, float] = {}
    exact = tops.height[tops.flat & tops.equal]
    for level in np.unique(exact):
        if not any(abs(level / other - 1) < EQUAL_SPREAD for other in levels):
            levels[float(level)] = EQUAL_SPREAD
    left = np.sort(tops.height[tops.flat & ~tops.equal])
    for level in levels:  # of tops of few pixels not all are equal
        left = left[np.abs(left / level - 1) > 2 * SPREAD]
    while len(left) >= FEWEST_STARS:
        low, high = (np.searchsorted(left, left * (1 + sign * SPREAD)) for sign in (-1, 1))
        best = int(np.argmax(high - low))
        n, level = int(high[best] - low[best]), float(np.median(left[low[best] : high[best]]))
        if n < FEWEST_STARS:
            break
        if _is_pile_up(level, tops):
            levels[level] = SPREAD
        left = np.delete(left, slice(low[best], high[best]))
    return levels


def _is_pile_up(level: float, tops: _Tops) -> bool:
    """Whether flat tops at a level are more than fainter stars, most of them not flat, would put there by chance."""
    at_level = np.abs(tops.height / level - 1) <= SPREAD
    below = (tops.height > BELOW[0] * level) & (tops.height < BELOW[1] * level)
    width = 2 * SPREAD / np.log(BELOW[1] / BELOW[0])
    expected = max(width * _number_of_stars(tops, below & tops.flat), LEAST_EXPECTED)
    n = _number_of_stars(tops, at_level & tops.flat)
    mostly_flat = 2 * np.count_nonzero(at_level & tops.flat) > np.count_nonzero(at_level)
    return bool(mostly_flat and n >= FEWEST_STARS and poisson_above(n - 1, expected) < CHANCE)


def _number_of_stars(tops: _Tops, which: NDArray[np.bool_]) -> int:
    """Return the number of tops that are further apart than a window: a wide top may hold several peaks."""
    places = np.c_[tops.row, tops.column][which]
    group = np.arange(len(places))
    one, other = PointTree(places).pairs_within(2 * HALF).T
    while np.any(group[one] != group[other]):
        lowest = np.minimum(group[one], group[other])
        np.minimum.at(group, one, lowest)
        np.minimum.at(group, other, lowest)
    return len(np.unique(group))


def _grow_tops(light: NDArray[np.float32], tops: _Tops, levels: dict[float, float]) -> NDArray[np.bool_]:
    """Return the pixels that reach the highest level, and those at lower ones that belong to a flat top."""
    highest = max(levels)
    saturated = light >= np.float32((1 - levels[highest]) * highest)
    lowest = min(level * (1 - 2 * spread) for level, spread in levels.items())
    own = tops.flat & (tops.height >= lowest)
    if len(levels) == 1 and levels[highest] == EQUAL_SPREAD:
        return saturated
    labels, n = label_regions(light >= np.float32(lowest))
    part = labels[tops.row[own], tops.column[own]]
    # the lowest top of each region says where its pixels are cut off
    level = np.full(n + 1, np.inf)
    np.minimum.at(level, part, tops.height[own])
    level[0] = np.inf
    high = np.flatnonzero(labels)
    cut = light.ravel()[high] >= (1 - 2 * SPREAD) * level[labels.ravel()[high]]
    saturated.ravel()[high[cut]] = True
    return saturated
