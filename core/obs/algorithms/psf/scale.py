"""The size that the sources of an image have in common, before anything else is known of its PSF.

A source smoothed with a Gaussian stands out most from the noise where the Gaussian has the source's own size
(Lindeberg 1998, IJCV 30, 79). Every maximum over place and size is a source and its size, whatever it looks like: the
parts of a defocused star are none, since the whole of it stands out more.

Stars of one image have one size and one shape, round or not. Cosmic rays may have any size and are drawn out in any
direction, so that thirty times as many of them as there are stars do not agree on one. The size is therefore that at
which the most sources, and most of the sources of that size, have one ellipticity; of several such sizes the smallest
is that of stars, the others are those of galaxies and blends.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from obs.algorithms.numeric.nearest import PointTree
from obs.algorithms.pixels.smoothing import gaussian_kernel, smooth
from obs.algorithms.pixels.statistics import clipped_statistics
from obs.algorithms.pixels.window import plane_windows
from obs.frozen import frozen
from obs.threads import map_threads

__all__ = ["SourceSizes", "common_size", "measure_source_sizes"]

Float = NDArray[np.float32]

Tile = tuple[slice, slice]
"""Rows and columns."""

STEP = np.sqrt(2.0)
"""Ratio of neighboring sizes."""

LEVELS = ((1, 0.0), (1, 0.5), (1, 0.5 * STEP), (1, 1.0), (1, STEP), (2, 1.0), (2, STEP), (4, 1.0), (4, STEP),
          (8, 1.0), (8, STEP), (16, 1.0), (16, STEP))  # fmt: skip
"""Bin, and size of the Gaussian in bins: large Gaussians need no fine pixels."""

SIZES = np.array([0.5 / STEP, *(bin_size * sigma for bin_size, sigma in LEVELS[1:])])
"""Size of each level, pixels; that of the single pixel first."""

KERNEL_SIZE = 6.0
"""Full size of the kernels in sigma."""

SIGNIFICANCE = 12.0
"""Least signal-to-noise ratio of a source."""

TILE, ENOUGH_PIXELS, ENOUGH_SOURCES = 724, 2_500_000, 40
"""Of large images four tiles are enough, if there are as many sources in them."""

LEAST_AROUND = 0.4
"""The eight neighbors of the brightest pixel of a star have together 0.7 of its light or more where the FWHM is one
pixel, and 0.5 where it is 0.9; those of a hot pixel have none."""

MOST_BAD = 0.1
"""Part of the square of a source's size whose pixels may be bad: what is left about a saturated core is sharp."""

WINDOW, ROUNDNESS = 0.25, 0.1
"""Sources are alike whose logarithms of the size, and components of the ellipticity, differ by less."""

AROUND = 2.0
"""Ellipticities that differ by up to this many times as much show how many sources are alike by chance."""

SHARE = 0.4
"""A smaller size wins that so many sources share, of those that share the most common one."""


@frozen
class SourceSizes:
    """Sources that stand out, and their sizes.

    Parameters
    ----------
    x, y : ndarray of float64, shape (n,)
        Place, pixels.
    size : ndarray of float64, shape (n,)
        Standard deviation of the Gaussian that fits best, pixels.
    signal : ndarray of float64, shape (n,)
        Signal-to-noise ratio with that Gaussian.
    e1, e2 : ndarray of float64, shape (n,)
        Ellipticity of the smoothed source, along x and along the diagonal, between -1 and 1.
    """

    x: NDArray[np.float64]
    y: NDArray[np.float64]
    size: NDArray[np.float64]
    signal: NDArray[np.float64]
    e1: NDArray[np.float64]
    e2: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.x)


def measure_source_sizes(image: Float, find_bad: Callable[[Tile], NDArray[np.bool_]]) -> SourceSizes:
    """Find sources that stand out, and the size at which each one does most.

    Parameters
    ----------
    image : ndarray of float32, shape (ny, nx)
        Background-subtracted pixels.
    find_bad : callable
        Given rows and columns, returns which of their pixels say nothing: defects, saturated, hits.

    Returns
    -------
    SourceSizes
    """
    if image.size > ENOUGH_PIXELS and min(image.shape) >= TILE:
        parts = map_threads(lambda tile: _moved(_measure(image[tile], find_bad(tile)), tile), list(_tiles(image.shape)))
        if sum(map(len, parts)) >= ENOUGH_SOURCES:
            return SourceSizes(*(np.concatenate(column) for column in zip(*map(_columns, parts), strict=True)))
    return _measure(image, find_bad((slice(0, image.shape[0]), slice(0, image.shape[1]))))


def common_size(sizes: SourceSizes, least: int = 1) -> float:
    """Return the size that most sources of one shape share, pixels; of several about as common the smallest.

    Parameters
    ----------
    sizes : SourceSizes
        Sources.
    least : int, optional
        Fewer sources have no size in common.

    Returns
    -------
    float
        Standard deviation of a Gaussian, pixels; NaN if there are too few.
    """
    if len(sizes) < least:
        return float("nan")
    logarithm = np.log(sizes.size)
    place = np.stack([logarithm / WINDOW, sizes.e1 / ROUNDNESS, sizes.e2 / ROUNDNESS], axis=1)
    wider = (place, place / np.array([1.0, AROUND, AROUND]), place[:, :1])
    alike, around, of_size = (PointTree(at).count_within(at, 1.0, square=True) for at in wider)
    # those that are alike beyond chance, times their share of the sources of that size, which for hits is small
    support = np.maximum(alike - (around - alike) / (AROUND**2 - 1.0), 0.0) ** 2 / of_size
    chosen = np.argmin(np.where(support >= SHARE * support.max(), logarithm, np.inf))
    shape_like = (np.abs(place - place[chosen]) <= 1.0)[:, 1:].all(1)
    near = shape_like & (np.abs(logarithm - logarithm[chosen]) <= WINDOW)
    # once more about the median: the window began at the smallest of them
    near = shape_like & (np.abs(logarithm - np.median(logarithm[near])) <= WINDOW)
    return float(np.exp(np.median(logarithm[near])))


def _tiles(shape: tuple[int, ...]) -> Iterator[Tile]:
    height, width = shape
    for y in (height // 4, 3 * height // 4):
        for x in (width // 4, 3 * width // 4):
            first = (min(max(c - TILE // 2, 0), size - TILE) for c, size in ((y, height), (x, width)))
            row, column = first
            yield slice(row, row + TILE), slice(column, column + TILE)


def _columns(sizes: SourceSizes) -> tuple[NDArray[np.float64], ...]:
    return sizes.x, sizes.y, sizes.size, sizes.signal, sizes.e1, sizes.e2


def _moved(sizes: SourceSizes, tile: Tile) -> SourceSizes:
    return replace(sizes, x=sizes.x + tile[1].start, y=sizes.y + tile[0].start)


def _measure(image: Float, bad: NDArray[np.bool_]) -> SourceSizes:
    clean = np.where(bad | ~np.isfinite(image), np.float32(0.0), image)
    maps = list(_signal_maps(clean, bad))
    found = []
    for k, here in enumerate(maps):
        bin_size = LEVELS[k][0]
        row, column = _peaks(here)
        value = here[row, column].astype(np.float64)
        y, x = (np.asarray((c + 0.5) * bin_size - 0.5, np.float64) for c in (row, column))
        below = _highest_near(maps, k - 1, x, y, SIZES[k])
        above = _highest_near(maps, k + 1, x, y, SIZES[k])
        # the outermost sizes are not maxima, but a single pixel may be
        top = (value >= below) & (value > above) & (k < len(maps) - 1)
        top[top] = _bad_share(bad, x[top], y[top], SIZES[k]) <= MOST_BAD
        if not k:
            top &= ~_is_defect(here, row, column)
        size = _refined(SIZES[k], below, value, above) if k else np.full(len(x), SIZES[0])
        # a single pixel has no shape, but the least of the Gaussians gives it one
        shape = _ellipticity(maps[max(k, 1)], row[top], column[top]) if top.any() else np.zeros((2, 0))
        found.append(np.concatenate([np.stack([x, y, size, value])[:, top], shape]))
    return SourceSizes(*np.concatenate([np.zeros((6, 0)), *found], axis=1))


def _signal_maps(image: Float, bad: NDArray[np.bool_]) -> Iterator[Float]:
    """Return the image smoothed with each Gaussian, in units of the noise; none for those it is too small for.

    The noise is that of the pixels, carried through the kernel: a smoothed image of many sources shows theirs.
    """
    noise = clipped_statistics(image[~bad]).sigma if not bad.all() else 0.0
    if not noise > 0:
        return
    binned, factor = image, 1
    for bin_size, sigma in LEVELS:
        while factor < bin_size:
            binned, factor = _bin(binned), 2 * factor
        if min(binned.shape) < 16:
            return
        if sigma:
            smoothed = smooth(binned, sigma, KERNEL_SIZE, to_border=True).image
            scale = float(np.square(gaussian_kernel(sigma, KERNEL_SIZE)).sum())
        else:
            smoothed, scale = binned, 1.0
        yield smoothed / np.float32(noise * factor * scale)


def _peaks(signal: Float) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return rows and columns of the significant pixels that no neighbor exceeds."""
    row, column = np.nonzero(signal > SIGNIFICANCE)
    inner = (row > 0) & (row < signal.shape[0] - 1) & (column > 0) & (column < signal.shape[1] - 1)
    row, column = row[inner], column[inner]
    around = np.stack([signal[row + dy, column + dx] for dy in (-1, 0, 1) for dx in (-1, 0, 1)])
    top = around[4] >= around.max(0) if len(row) else np.zeros(0, bool)
    return row[top], column[top]


def _is_defect(image: Float, row: NDArray[np.int64], column: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return which peaks are nothing but one pixel: hot pixels share a size and a shape as stars do."""
    near = plane_windows(image, row, column, 2)
    ring = np.ones((5, 5), bool)
    ring[1:4, 1:4] = False
    near = near - np.median(near[:, ring], axis=1)[:, None, None]  # a hot pixel may be on a star
    peak = near[:, 2, 2]
    return np.asarray(near[:, 1:4, 1:4].sum((1, 2)) - peak < LEAST_AROUND * peak)


def _bad_share(
    bad: NDArray[np.bool_], x: NDArray[np.float64], y: NDArray[np.float64], size: float
) -> NDArray[np.float64]:
    """Return which part of the square about each place, within a size but at least one pixel, is bad."""
    row, column = np.rint(y).astype(np.int64), np.rint(x).astype(np.int64)
    return np.asarray(plane_windows(bad, row, column, max(1, round(size))).mean((1, 2)), np.float64)


def _ellipticity(signal: Float, row: NDArray[np.int64], column: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the ellipticity, shape (2, n), of peaks with all their neighbors.

    The logarithm of a Gaussian is quadratic: its second differences do not depend on where within a pixel the peak is,
    which moments of undersampled sources do. What is below the noise counts as the noise.
    """
    near = np.log(np.maximum(plane_windows(signal, row, column, 1), 1.0)).astype(np.float64)
    fall_x = 2 * near[:, 1, 1] - near[:, 1, 0] - near[:, 1, 2]
    fall_y = 2 * near[:, 1, 1] - near[:, 0, 1] - near[:, 2, 1]
    twist = near[:, 0, 0] + near[:, 2, 2] - near[:, 0, 2] - near[:, 2, 0]
    total = np.maximum(fall_x + fall_y, 1e-6)
    return np.clip(np.stack([(fall_y - fall_x) / total, 0.5 * twist / total]), -1.0, 1.0)


def _bin(image: Float) -> Float:
    """Add up squares of two pixels; a last odd row or column is left out."""
    height, width = (size // 2 * 2 for size in image.shape)
    rows = image[:height:2, :width] + image[1:height:2, :width]
    return np.asarray(rows[:, ::2] + rows[:, 1::2], np.float32)


def _highest_near(
    maps: list[Float], k: int, x: NDArray[np.float64], y: NDArray[np.float64], reach: float
) -> NDArray[np.float64]:
    """Return the highest value of a map within a distance of places; zero if there is no such map."""
    if not 0 <= k < len(maps):
        return np.zeros(len(x))
    bin_size = LEVELS[k][0]
    row, column = (
        np.clip(np.rint((c + 0.5) / bin_size - 0.5).astype(np.int64), 0, n - 1)
        for c, n in zip((y, x), maps[k].shape, strict=True)
    )
    return np.asarray(plane_windows(maps[k], row, column, max(1, round(reach / bin_size))).max((1, 2)), np.float64)


def _refined(
    size: float, below: NDArray[np.float64], value: NDArray[np.float64], above: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the size at the top of the parabola through three sizes."""
    curvature = np.maximum(2 * value - below - above, 1e-9)
    return np.asarray(size * STEP ** np.clip(0.5 * (above - below) / curvature, -0.5, 0.5))
