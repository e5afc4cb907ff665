"""Measure the light of a trail that no straight line follows, without that of the stars on it."""

import numpy as np
from numpy.typing import NDArray

from obs.algorithms.numeric.nearest import PointTree
from obs.algorithms.pixels.grow import grow
from obs.algorithms.sky.line_chains import PART, PARTS, Chain, Directions
from obs.algorithms.sky.streak import Streak

__all__ = ["follow_chain", "median_along"]

Float = NDArray[np.float32]

ALONG = 12
"""Pixels to either side along a trail whose median is its light."""

LONG, LARGEST_RATIO = 40, 2.0
"""Pixels to either side that the light of a star does not fill, and largest light relative to the median of these."""

FAINTEST = 0.7
"""Light, in noise of a pixel, at which a trail ends across."""

BATCH = 20_000
"""Pixels whose light is measured at a time."""


def follow_chain(
    image: Float, scaled: Float, chain: Chain, directions: Directions
) -> tuple[Streak, tuple[NDArray[np.int64], NDArray[np.int64]], Float]:
    """Describe a trail, and find its pixels and their light.

    Parameters
    ----------
    image : ndarray of float32, shape (ny, nx)
        Background-subtracted pixels.
    scaled : ndarray of float32, shape (ny, nx)
        The same in units of their noise; NaN where bad.
    chain : Chain
        Places on its axis.
    directions : tuple of ndarray of float64
        Cosine and sine of its direction there.

    Returns
    -------
    streak : Streak
        The trail.
    pixels : tuple of ndarray of int64, shape (n,)
        Rows and columns of its pixels.
    light : ndarray of float32, shape (n,)
        Their light, image units.
    """
    places, (cos, sin), size = chain.places, directions, chain.size
    core = np.zeros(image.shape, bool)
    middle = 0.5 * (size - 1)
    step = np.arange(-PART * PARTS // 2 * size, PART * PARTS // 2 * size + 1)
    y = np.rint(chain.rows[:, None] * size + middle + step * sin[:, None]).astype(np.int64)
    x = np.rint(chain.columns[:, None] * size + middle + step * cos[:, None]).astype(np.int64)
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
    # only the box that the lines along it reach: a trail is a small part of a large image
    box, shift = _box_about(v, u, image.shape)
    plane = np.where(np.isfinite(scaled[box]), image[box] / sky_noise, np.float32(np.nan))
    at_u, at_v, along = u - shift[1], v - shift[0], (cos[nearest], sin[nearest])
    level = median_along(plane, at_u, at_v, along)
    # a bright star is longer than the short line, but not than the long one, which holds the gaps of a dashed trail too
    long = median_along(plane, at_u, at_v, along, LONG)
    bright = level > 0.5 * np.percentile(level, 90)
    if np.median(long[bright]) > 0.5 * np.median(level[bright]):
        level = np.minimum(level, LARGEST_RATIO * np.maximum(long, 0.0) + FAINTEST)
    on = core[v, u] | (level > FAINTEST)
    u, v, level = u[on], v[on], np.maximum(level[on], 0.0)
    ends = np.argmin(places @ _long_axis(places)), np.argmax(places @ _long_axis(places))
    (x0, y0), (x1, y1) = (places[k] * size + middle for k in ends)
    width = len(u) / max(float(np.hypot(x1 - x0, y1 - y0)), 1.0)
    streak = Streak((x0, x1), (y0, y1), width, float(np.percentile(level, 80)), straight=False)
    return streak, (v, u), (level * sky_noise).astype(np.float32)


def _box_about(
    rows: NDArray[np.int64], columns: NDArray[np.int64], shape: tuple[int, ...]
) -> tuple[tuple[slice, slice], tuple[int, int]]:
    """Return the part of an image that lines through some pixels reach, and where it begins."""
    start = max(int(rows.min()) - LONG, 0), max(int(columns.min()) - LONG, 0)
    stop = min(int(rows.max()) + LONG + 1, shape[0]), min(int(columns.max()) + LONG + 1, shape[1])
    return (slice(start[0], stop[0]), slice(start[1], stop[1])), start


def _long_axis(places: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the unit vector along which points spread most."""
    return np.asarray(np.linalg.eigh(np.cov(places.T))[1][:, 1])


def median_along(
    scaled: Float,
    u: NDArray[np.int64],
    v: NDArray[np.int64],
    directions: Directions,
    reach: int = ALONG,
) -> NDArray[np.float64]:
    """Return the median of the pixels along the trail through each pixel, noise.

    Parameters
    ----------
    scaled : ndarray of float32, shape (ny, nx)
        Pixels in units of their noise; NaN where bad.
    u, v : ndarray of int64, shape (n,)
        Columns and rows of the pixels.
    directions : tuple of ndarray of float64, shape (n,)
        Cosine and sine of the direction of the trail there.
    reach : int, optional
        Pixels to either side.
    """
    cos, sin = directions
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
