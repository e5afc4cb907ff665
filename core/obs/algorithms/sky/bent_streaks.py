"""Find trails that no straight line across the image follows: bent, short, dashed, or beside one another.

In a binned image a place is on a trail if all three parts of a short line through it have light, and the places beside
the line have none. Places of this kind that join to something long, thin and even are a trail. Its direction is known
everywhere, so the median along it is its light, which stars on it do not change.
"""

import numpy as np
from numpy.typing import NDArray

from obs.algorithms.numeric.nearest import PointTree
from obs.algorithms.pixels.box_sums import box_sums
from obs.algorithms.pixels.grow import grow, highest_of_neighbors
from obs.algorithms.pixels.label import label_regions
from obs.algorithms.pixels.row_blocks import row_blocks
from obs.algorithms.sky.streak import Streak

__all__ = ["find_bent_streaks"]

Float = NDArray[np.float32]

LARGEST = 512
"""Longer side, bins, of the image that is searched."""

CUT = 3.0
"""Sigma at which pixels, and bins, are cut off."""

LEAST_VALUE, LEAST_AROUND, AROUND = 1.5, 10.0, 5
"""Least significance of a bin, and sum in so many bins along either axis about it, of a place that is looked at."""

CROWDED = 0.2
"""Largest fraction of such places: more are those of a crowd of stars, or of a nebula."""

ANGLES, PART, PARTS = 16, 4, 3
"""Directions of the short line, bins of a part of it, and parts."""

LEAST_PART = 1.8
"""Least mean of each part of the line, noise of a bin."""

BESIDE = (3, 5, 8)
"""Bins beside the line of which one on either side must be darker; others may be on another trail."""

DARKER = 0.4
"""Largest light beside the line relative to that on it."""

MARGIN = 16
"""Bins beyond the border that short lines and what is beside them may reach."""

REACH = 9
"""Bins along the line by which places are joined to those that follow."""

LEAST_LENGTH = 0.08
"""Least length of a trail, as a fraction of the longer side of the image."""

DENSE = 1.0
"""Fewest places in a bin of its length: it is two or three bins wide, and half of it may be dark."""

THIN = 8.0
"""Least ratio of length to width."""

LEAST_ELONGATION = 4.0
"""Least ratio of the distance between the ends of a trail to its width as painted, half of which is its wings: rings of
stars out of focus that touch one another are one to three times as long as wide, trails seven times and more."""

ALONG_AXES = 0.5
"""Fraction of places on lines along rows, or columns, above which the light may be that of the detector."""

ONE_PIXEL = 0.4
"""Light beside the brightest row of pixels, relative to it, below which it is one row, or column, of the detector."""

UNEVEN = ((90, 40, 2.2), (80, 10, 1.8))
"""Largest ratios of the brightness at two percentiles of the places: galaxies, comets and diffraction spikes fade away
from a center, and between stars in a row it is dark."""

ALONG = 12
"""Pixels to either side along a trail whose median is its light."""

LONG, LARGEST_RATIO = 40, 2.0
"""Pixels to either side that the light of a star does not fill, and largest light relative to the median of these."""

FAINTEST = 0.7
"""Light, in noise of a pixel, at which a trail ends across."""

BATCH = 20_000
"""Pixels whose light is measured at a time."""

BINNED_AT_ONCE = 1 << 20
"""Pixels that are put into bins at a time."""


def find_bent_streaks(image: Float, scaled: Float) -> tuple[list[Streak], NDArray[np.bool_], Float | None]:
    """Find bent, short and dashed trails, and those beside one another.

    Parameters
    ----------
    image : ndarray of float32, shape (ny, nx)
        Background-subtracted pixels.
    scaled : ndarray of float32, shape (ny, nx)
        The same in units of their noise; NaN where bad or on a trail that is known.

    Returns
    -------
    streaks : list of Streak
        The trails.
    mask : ndarray of bool, shape (ny, nx)
        Their pixels.
    light : ndarray of float32, shape (ny, nx), or None
        Their light, image units; None without trails.
    """
    size = max(1, -(-max(image.shape) // LARGEST))
    binned, unknown = _bin(scaled, size)
    rows, columns, angle = _places(binned, unknown)
    streaks: list[Streak] = []
    mask = np.zeros(image.shape, bool)
    light: Float | None = None
    if not len(rows):
        return streaks, mask, light
    label, number = label_regions(_joined(binned.shape, rows, columns, angle))
    own = label[rows, columns]
    for k in range(1, number + 1):
        part = own == k
        y, x, direction = rows[part], columns[part], angle[part]
        if not _is_long_and_thin(y, x, max(binned.shape)):
            continue
        cos, sin = _turned(np.stack([x, y], axis=1).astype(float), direction)
        along_axis = max(np.mean(direction == axis) for axis in (0, ANGLES // 2)) > ALONG_AXES
        if not _is_even(scaled, y, x, cos, sin, size, binned.shape) or (
            along_axis and _is_one_pixel_wide(scaled, y * size, x * size, cos, sin, size)
        ):
            continue
        streak, painted, level = _follow(image, scaled, y, x, cos, sin, size)
        if np.hypot(streak.x[1] - streak.x[0], streak.y[1] - streak.y[0]) < LEAST_ELONGATION * streak.width:
            continue
        light = np.zeros_like(image) if light is None else light
        light[painted & ~mask] += level[~mask[painted]]
        mask |= painted
        streaks.append(streak)
    return streaks, mask, light


def _bin(scaled: Float, size: int) -> tuple[Float, NDArray[np.bool_]]:
    """Return significances of bins, cut off, and which bins are mostly unknown."""
    ny, nx = (n // size for n in scaled.shape)
    n, value = np.empty((2, ny, nx), np.float32)
    for rows in row_blocks((ny, nx), max(BINNED_AT_ONCE // size**2, 1)):
        part = scaled[rows.start * size : rows.stop * size, : nx * size]
        good = np.isfinite(part)
        shape = rows.stop - rows.start, size, nx, size
        n[rows] = np.maximum(good.reshape(shape).sum((1, 3), dtype=np.float32), 1)
        filled = np.clip(np.where(good, part, np.float32(0.0)), -CUT, CUT)
        value[rows] = filled.reshape(shape).sum((1, 3)) / np.sqrt(n[rows])
    value -= np.median(value)
    scatter = max(float(np.median(np.abs(value))) * 1.4826, 1.0)
    unknown = n < 0.5 * size**2
    value[unknown] = 0.0
    return np.clip(value / scatter, -CUT, CUT).astype(np.float32), unknown


def _directions() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    angle = np.pi * np.arange(ANGLES) / ANGLES
    return np.cos(angle), np.sin(angle)


def _places(
    binned: Float, unknown: NDArray[np.bool_]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Return rows, columns and direction of bins on a thin line."""
    around = box_sums(box_sums(binned, AROUND, axis=0), AROUND, axis=1)
    seen = (binned > LEAST_VALUE) & (around > LEAST_AROUND)
    none = np.empty(0, np.int64)
    if np.mean(seen) > CROWDED:
        return none, none, none
    rows, columns = np.nonzero(seen)
    if not len(rows):
        return none, none, none
    padded = np.pad(binned, MARGIN)
    width = padded.shape[1]
    place = (rows + MARGIN) * width + columns + MARGIN
    pixels = padded.ravel()
    steps = [_steps(k, 0, width) for k in range(ANGLES)]
    best, angle = np.full(len(rows), -np.inf, np.float32), np.zeros(len(rows), np.int64)
    for k, step in enumerate(steps):
        lowest = pixels[place[:, None] + step].reshape(-1, PARTS, PART).mean(axis=2).min(axis=1)
        better = lowest > best
        best[better], angle[better] = lowest[better], k
    kept = best > LEAST_PART
    rows, columns, angle, best, place = rows[kept], columns[kept], angle[kept], best[kept], place[kept]
    # what is beside a border, or a dead amplifier, has no sky on that side
    pixels = np.pad(np.where(unknown, np.float32(CUT), binned), MARGIN, constant_values=CUT).ravel()
    darkest = []
    for side in (-1, 1):
        beside = np.array([[_steps(k, side * distance, width) for distance in BESIDE] for k in range(ANGLES)])
        darkest.append(pixels[place[:, None, None] + beside[angle]].mean(axis=2).min(axis=1))
    # on an edge, and in a cloud, one side or both are as bright as the line
    kept = np.max(darkest, axis=0) < DARKER * best
    return rows[kept], columns[kept], angle[kept]


def _steps(k: int, aside: int, width: int) -> NDArray[np.int64]:
    """Return the distances in memory of the bins of a short line from the one in its middle, so many bins beside it."""
    cos, sin = (float(c[k]) for c in _directions())
    along = np.arange(PART * PARTS) - 0.5 * (PART * PARTS - 1)
    dy, dx = (np.rint(v).astype(np.int64) for v in (along * sin + aside * cos, along * cos - aside * sin))
    return np.asarray(dy * width + dx)


def _joined(
    shape: tuple[int, ...], rows: NDArray[np.int64], columns: NDArray[np.int64], angle: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Return the places, each drawn out along its line so that dashes join."""
    cos, sin = _directions()
    step = np.arange(-REACH, REACH + 1)
    y = np.clip(np.rint(rows[:, None] + step * sin[angle, None]).astype(np.int64), 0, shape[0] - 1)
    x = np.clip(np.rint(columns[:, None] + step * cos[angle, None]).astype(np.int64), 0, shape[1] - 1)
    result = np.zeros(shape, bool)
    result[y, x] = True
    return grow(result, 1)


def _is_long_and_thin(rows: NDArray[np.int64], columns: NDArray[np.int64], side: int) -> bool:
    """Whether places are long and thin as a trail is."""
    length = float(np.hypot(np.ptp(rows), np.ptp(columns)))
    if min(np.ptp(rows), np.ptp(columns)) <= 2:
        return False  # a row or column, or charge bled along it; trails along them are found as straight lines
    return length >= LEAST_LENGTH * side and DENSE * length < len(rows) < length * length / THIN


def _is_even(
    scaled: Float,
    rows: NDArray[np.int64],
    columns: NDArray[np.int64],
    cos: NDArray[np.float64],
    sin: NDArray[np.float64],
    size: int,
    shape: tuple[int, ...],
) -> bool:
    """Whether the light, without the stars on it, is about as bright at most places."""
    middle = size // 2
    level = np.zeros(shape, np.float32)
    level[rows, columns] = _median_along(scaled, columns * size + middle, rows * size + middle, cos, sin)
    # places beside the axis are as bright as it is
    even = highest_of_neighbors(level)[rows, columns]
    return all(np.percentile(even, high) < ratio * np.percentile(even, low) for high, low, ratio in UNEVEN)


def _is_one_pixel_wide(
    scaled: Float,
    rows: NDArray[np.int64],
    columns: NDArray[np.int64],
    cos: NDArray[np.float64],
    sin: NDArray[np.float64],
    size: int,
) -> bool:
    """Whether the light of most places is in a single row or column of pixels, which no light is."""
    aside = np.arange(-size, 2 * size)
    level = [
        _median_along(
            scaled, np.rint(columns - k * sin).astype(np.int64), np.rint(rows + k * cos).astype(np.int64), cos, sin
        )
        for k in aside
    ]
    ordered = np.sort(level, axis=0)
    return bool(np.median(ordered[-2]) < ONE_PIXEL * np.median(ordered[-1]))


def _follow(
    image: Float,
    scaled: Float,
    rows: NDArray[np.int64],
    columns: NDArray[np.int64],
    cos: NDArray[np.float64],
    sin: NDArray[np.float64],
    size: int,
) -> tuple[Streak, NDArray[np.bool_], Float]:
    """Describe a trail; return its pixels, and their light in the order of the image."""
    places = np.stack([columns, rows], axis=1).astype(float)
    core = np.zeros(image.shape, bool)
    middle = 0.5 * (size - 1)
    step = np.arange(-PART * PARTS // 2 * size, PART * PARTS // 2 * size + 1)
    y = np.rint(rows[:, None] * size + middle + step * sin[:, None]).astype(np.int64)
    x = np.rint(columns[:, None] * size + middle + step * cos[:, None]).astype(np.int64)
    inside = (y >= 0) & (y < image.shape[0]) & (x >= 0) & (x < image.shape[1])
    core[y[inside], x[inside]] = True
    core = grow(core, size)
    v, u = np.nonzero(grow(core, 2 * size + 4))
    _, nearest = PointTree(places * size + middle).nearest(np.stack([u, v], axis=1).astype(float))
    nearest = nearest.reshape(-1)
    with np.errstate(divide="ignore", invalid="ignore"):
        noise = image[v, u] / scaled[v, u]
    known = np.isfinite(noise) & (noise > 0)
    # the noise of the sky: that of a pixel on a star is larger, and would make the light there larger
    sky_noise = np.float32(np.median(noise[known])) if known.any() else np.float32(1.0)
    plane = np.where(np.isfinite(scaled), image / sky_noise, np.float32(np.nan))
    level = _median_along(plane, u, v, cos[nearest], sin[nearest])
    # a bright star is longer than the short line, but not than the long one, which holds the gaps of a dashed trail too
    long = _median_along(plane, u, v, cos[nearest], sin[nearest], LONG)
    bright = level > 0.5 * np.percentile(level, 90)
    if np.median(long[bright]) > 0.5 * np.median(level[bright]):
        level = np.minimum(level, LARGEST_RATIO * np.maximum(long, 0.0) + FAINTEST)
    on = core[v, u] | (level > FAINTEST)
    u, v, level = u[on], v[on], np.maximum(level[on], 0.0)
    painted = np.zeros(image.shape, bool)
    painted[v, u] = True
    ends = np.argmin(places @ _long_axis(places)), np.argmax(places @ _long_axis(places))
    (x0, y0), (x1, y1) = (places[k] * size + middle for k in ends)
    width = len(u) / max(float(np.hypot(x1 - x0, y1 - y0)), 1.0)
    streak = Streak((x0, x1), (y0, y1), width, float(np.percentile(level, 80)), straight=False)
    return streak, painted, (level * sky_noise).astype(np.float32)


def _long_axis(places: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the unit vector along which points spread most."""
    return np.asarray(np.linalg.eigh(np.cov(places.T))[1][:, 1])


def _turned(places: NDArray[np.float64], angle: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return cosine and sine of the direction at each place, from the places about it, to a degree or two."""
    start, index = PointTree(places).list_within(places, float(REACH))
    number = np.maximum(np.diff(start), 1)
    own = np.repeat(np.arange(len(places)), np.diff(start))
    dx, dy = (places[index] - places[own]).T
    dx -= (np.bincount(own, dx, len(places)) / number)[own]
    dy -= (np.bincount(own, dy, len(places)) / number)[own]
    xx, yy, xy = (np.bincount(own, v, len(places)) for v in (dx * dx, dy * dy, dx * dy))
    turned = 0.5 * np.arctan2(2 * xy, xx - yy)
    rough = np.pi * angle / ANGLES
    # few places give no direction, and then that of the line holds
    off = np.abs((turned - rough + 0.5 * np.pi) % np.pi - 0.5 * np.pi)
    turned = np.where((number > 4) & (off < 1.5 * np.pi / ANGLES), turned, rough)
    return np.cos(turned), np.sin(turned)


def _median_along(
    scaled: Float,
    u: NDArray[np.int64],
    v: NDArray[np.int64],
    cos: NDArray[np.float64],
    sin: NDArray[np.float64],
    reach: int = ALONG,
) -> NDArray[np.float64]:
    """Return the median of the pixels along the trail through each pixel, noise."""
    result = np.zeros(len(u))
    step = np.arange(-reach, reach + 1)
    for first in range(0, len(u), BATCH):
        part = slice(first, first + BATCH)
        y = np.rint(v[part, None] + step * sin[part, None]).astype(np.int64)
        x = np.rint(u[part, None] + step * cos[part, None]).astype(np.int64)
        inside = (y >= 0) & (y < scaled.shape[0]) & (x >= 0) & (x < scaled.shape[1])
        values = np.where(inside, scaled[np.where(inside, y, 0), np.where(inside, x, 0)], np.float32(np.nan))
        values.sort(axis=1)  # what is not known comes last
        number = np.isfinite(values).sum(axis=1)
        middle = np.take_along_axis(values, np.maximum(number - 1, 0)[:, None] // 2, axis=1)[:, 0]
        result[part] = np.where(number > 0, middle, 0.0)
    return result
