"""Compare the noise that the sky shows with the noise that is predicted for it.

Differences of pixels a few apart hold no smooth light. They are taken in cells, and the quiet cells count, so that
sources do not. Noise that neighboring pixels share, as in resampled images, shows in means of blocks of pixels; noise
of single pixels shows in a second difference that any smooth light cancels in (Immerkaer 1996).
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from obs.algorithms.pixels.statistics import IQR_TO_SIGMA
from obs.kernels.library import Kernel
from obs.threads import map_threads

__all__ = ["SkyScatter", "measure_scatter"]

# the numbers below are in kernels/scatter.c, too
_CELLS = Kernel("measure_cells", "float32", "float32", "bool", "int", "int", "float64")

CELL = 32
"""Side of a cell, pixels."""

LAG = 4
"""Distance, pixels, of the pixels that are subtracted from one another, and side of a block."""

PIXELS = 600_000
"""Pixels that are looked at: strips of rows, spread evenly."""

CLIP = 4.0
MOST_CLIPPED = 0.8
"""Clipping that leaves less than this fraction has not found the core of a Gaussian."""

CLIPPED_SIGMA = 0.9982
"""Standard deviation of a Gaussian clipped at four sigma."""

QUIET = 30.0
"""Percentile of the cells that is taken: half of the cells of a crowded field hold light of sources."""

FEWEST_GOOD = 0.5
"""Least fraction of good pixels in a cell."""


class SkyScatter(NamedTuple):
    """Noise of a pixel of the sky, image units, estimated in three ways, and as predicted.

    Parameters
    ----------
    pixel : float
        From differences of pixels four apart.
    single : float
        From second differences: what neighboring pixels do not share. Less than ``pixel`` in resampled images.
    block : float
        Four times the noise of means of 4 x 4 pixels, in the median cell: what neighbors share is in it. Faint sources
        are too.
    predicted : float
        From the variance of the same pixels.
    """

    pixel: float
    single: float
    block: float
    predicted: float


NO_NOISE = 3e-3
"""Of few photons hardly any pixels four apart differ, and clipping leaves those that do not: a noise below this part of
that of single pixels is none, and the latter counts. Patterns of period two make single pixels 100 times noisier."""

UNKNOWN = SkyScatter(float("nan"), float("nan"), float("nan"), float("nan"))


def measure_scatter(image: NDArray[np.float32], variance: NDArray[np.float32], bad: NDArray[np.bool_]) -> SkyScatter:
    """Measure the noise of the sky.

    Parameters
    ----------
    image : ndarray of float32, shape (ny, nx)
        Pixels; smooth light may be in them.
    variance : ndarray of float32, shape (ny, nx)
        Their variance, image units squared.
    bad : ndarray of bool, shape (ny, nx)
        Pixels to leave out.

    Returns
    -------
    SkyScatter
        NaN where the image is smaller than a cell or has no good cell.
    """
    parts = map_threads(
        lambda rows: _look(image[rows], np.ascontiguousarray(variance[rows]), bad[rows]), _strips(image.shape)
    )
    if not parts:
        return UNKNOWN
    pixel, single, block, expected = np.concatenate(parts, axis=1)
    known = np.isfinite(pixel) & (expected > 0)
    if not known.any():
        return UNKNOWN
    scale = np.sqrt(expected[known])
    # relative to what each cell should have, so that a sky of varying brightness is quiet where its noise is low
    typical = float(np.median(scale))
    found = [_percentile(part[known] / scale, q) for part, q in ((pixel, QUIET), (single, QUIET), (block, 50.0))]
    found[0] = found[1] if found[0] < NO_NOISE * found[1] else found[0]
    return SkyScatter(found[0] * typical, found[1] * typical, found[2] * typical, typical)


def _percentile(ratio: NDArray[np.float64], percent: float) -> float:
    known = ratio[np.isfinite(ratio)]
    return float(np.percentile(known, percent)) if len(known) else float("nan")


def _strips(shape: tuple[int, ...]) -> list[slice]:
    """Return rows of cells that are looked at."""
    n_row, n_column = (size // CELL for size in shape)
    if not n_row or not n_column:
        return []
    n_strip = min(n_row, max(1, PIXELS // (CELL * shape[1])))
    first = (np.arange(n_strip) * n_row // n_strip) * CELL
    return [slice(int(row), int(row) + CELL) for row in first]


def _look(image: NDArray[np.float32], variance: NDArray[np.float32], bad: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return pixel, single and block noise and the mean variance of each cell of a strip, shape (4, n)."""
    width = image.shape[1]
    n = width // CELL
    if _CELLS and image.dtype == variance.dtype == np.float32:
        found = np.empty((4, n))
        _CELLS(*map(np.ascontiguousarray, (image, variance, bad)), width, n, found)
        return found
    good = np.where(bad, np.float32(np.nan), image)
    cells, noise = (plane[:, : n * CELL].reshape(CELL, n, CELL).transpose(1, 0, 2) for plane in (good, variance))
    return _scatter(cells, noise)


def _scatter(cell: NDArray[np.float32], variance: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return pixel, single and block noise and the mean variance of each cell, shape (4, n)."""
    n = len(cell)
    apart = np.concatenate(
        [(cell[:, LAG:] - cell[:, :-LAG]).reshape(n, -1), (cell[:, :, LAG:] - cell[:, :, :-LAG]).reshape(n, -1)], axis=1
    )
    curved = cell[:, 2:] + cell[:, :-2] - 2 * cell[:, 1:-1]
    curved = curved[:, :, 2:] + curved[:, :, :-2] - 2 * curved[:, :, 1:-1]
    side = CELL // LAG
    blocks = cell.reshape(n, side, LAG, side, LAG).mean((2, 4))
    # blocks two apart, so that what neighboring blocks share is not lost
    steps = np.concatenate(
        [(blocks[:, 2:] - blocks[:, :-2]).reshape(n, -1), (blocks[:, :, 2:] - blocks[:, :, :-2]).reshape(n, -1)], axis=1
    )
    unknown = np.asarray(np.isnan(cell).all((1, 2)))
    middle = np.nanmedian(np.where(unknown[:, None, None], np.float32(0.0), cell), axis=(1, 2))
    pixel = _sigma(apart) / np.sqrt(2)
    limit = (CLIP * pixel)[:, None, None]
    near = np.asarray(np.abs(cell - middle[:, None, None]) <= limit, np.bool_)
    expected = np.where(near, variance, np.float32(0.0)).sum((1, 2), dtype=np.float64) / np.maximum(near.sum((1, 2)), 1)
    few = np.isfinite(cell).mean((1, 2)) < FEWEST_GOOD
    found = np.array([pixel, _sigma(curved.reshape(n, -1)) / 6, LAG * _sigma(steps) / np.sqrt(2), expected])
    found[:, few] = np.nan
    return found


def _sigma(values: NDArray[np.float32]) -> NDArray[np.float64]:
    """Clipped standard deviation about zero of each row; NaN values are left out."""
    size = np.abs(values)
    known = np.isfinite(size)
    order = np.sort(np.where(known, size, np.float32(np.inf)), axis=1)
    n = known.sum(1)
    middle = order[np.arange(len(order)), np.maximum(n // 2, 0).clip(max=order.shape[1] - 1)]
    start = 2 * IQR_TO_SIGMA * middle.astype(np.float64)
    square = np.where(known, size, np.float32(0.0)).astype(np.float64) ** 2
    kept = known & (size <= (CLIP * start)[:, None])
    # Of few photons most differences are zero, or what a smooth sky leaves: then the median says nothing of the noise.
    plain = np.sqrt(square.sum(1) / np.maximum(n, 1))
    counted = kept.sum(1) < MOST_CLIPPED * n
    kept = np.where(counted[:, None], known & (size <= (CLIP * plain)[:, None]), kept)
    clipped = np.sqrt(np.where(kept, square, 0.0).sum(1) / np.maximum(kept.sum(1), 1)) / CLIPPED_SIGMA
    return np.where(n > 0, clipped, np.nan)
