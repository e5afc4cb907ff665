"""Fit the background on a mesh of clipped means.

Bertin & Arnouts (1996), section 3, with sources masked as Bosch et al. (2018), section 4.2, do.
"""

import numpy as np
from numpy.typing import NDArray

from obs.algorithms.pixels.statistics import IQR_TO_SIGMA
from obs.image.background import Background, Style
from obs.kernels.library import Kernel
from obs.threads import map_threads

__all__ = ["clip_cells", "clip_strip", "fit_background"]

_STRIP = Kernel(
    "clip_strip", "float32", "bool", "int", "int", "int", "int64", "int", "int", "float", "int", "float32", "float64",
    "float64", "int64", "int64",
)  # fmt: skip


def _edges(size: int, bin_size: int) -> NDArray[np.int64]:
    n_bin = -(-size // bin_size)
    return np.arange(n_bin + 1) * size // n_bin


def fit_background(
    image: NDArray[np.float32],
    bad: NDArray[np.bool_] | None,
    *,
    bin_size: int,
    style: Style = "akima",
    order: int = 0,
    clip: float = 3.0,
    n_iteration: int = 3,
    minimum_fraction: float = 0.1,
) -> Background:
    """Fit the level of the sky in each cell of a mesh.

    Parameters
    ----------
    image : ndarray of float32, shape (ny, nx)
        Pixel values.
    bad : ndarray of bool, shape (ny, nx), or None
        Pixels to leave out: sources, defects, edges.
    bin_size : int
        Largest size of a cell, pixels; the image is divided evenly.
    style, order : optional
        How an image follows from the mesh, see `Background`. An order that the mesh cannot hold is reduced to one less
        than the number of cells along its shorter side.
    clip, n_iteration : optional
        Clipping of each cell.
    minimum_fraction : float, optional
        Cells with a smaller fraction of good pixels are NaN: what they hold is what the source mask missed.

    Returns
    -------
    Background
        All NaN if no cell has good pixels.
    """
    edges_x, edges_y = _edges(image.shape[1], bin_size), _edges(image.shape[0], bin_size)
    shape = len(edges_y) - 1, len(edges_x) - 1
    level, error = np.full(shape, np.nan, np.float32), np.full(shape, np.nan, np.float32)

    def fit(j: int) -> None:
        rows = slice(edges_y[j], edges_y[j + 1])
        part = image[rows], None if bad is None else bad[rows]
        mean, sigma, n = clip_strip(*part, edges_x, clip, n_iteration, minimum_fraction)
        level[j], error[j] = mean, sigma / np.sqrt(np.maximum(n, 1))

    map_threads(fit, range(shape[0]))
    x, y = (np.asarray(0.5 * (edges[:-1] + edges[1:] - 1), np.float64) for edges in (edges_x, edges_y))
    full, order = (image.shape[0], image.shape[1]), min(order, *(n - 1 for n in shape))
    return Background(level, error, x, y, shape=full, style=style, order=order)


def clip_strip(
    strip: NDArray[np.float32],
    bad: NDArray[np.bool_] | None,
    edges: NDArray[np.int64],
    clip: float,
    n_iteration: int,
    minimum_fraction: float,
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]]:
    """Return the clipped mean and standard deviation of cells side by side, and the number of values they rest on.

    Parameters
    ----------
    strip : ndarray of float32, shape (height, nx)
        Pixels; NaN is left out.
    bad : ndarray of bool, shape (height, nx), or None
        Pixels to leave out.
    edges : ndarray of int64, shape (n + 1,)
        First column of each cell, and the end of the last one.
    clip : float
        Values further from the mean than this many standard deviations are left out.
    n_iteration : int
        Number of clippings.
    minimum_fraction : float
        Cells with a smaller fraction of values give NaN.

    Returns
    -------
    mean, sigma : ndarray of float64, shape (n,)
        Mean and standard deviation.
    number : ndarray of int64, shape (n,)
        Values that count.
    """
    if not (_STRIP and strip.dtype == np.float32):
        return _clip_by_numpy(_cells(strip, bad, edges), clip, n_iteration, minimum_fraction)
    (height, width), n_cell, widest = strip.shape, len(edges) - 1, int(np.diff(edges).max(initial=0))
    cell = np.empty(height * widest, np.float32)
    (center, sigma), (finite, n) = np.empty((2, n_cell)), np.empty((2, n_cell), np.int64)
    out = np.zeros(1, bool) if bad is None else np.ascontiguousarray(bad)
    pixels = np.ascontiguousarray(strip), out, bad is not None, height, width
    _STRIP(*pixels, edges, n_cell, widest, clip, n_iteration, cell, center, sigma, finite, n)
    enough = (finite >= minimum_fraction * cell.size) & (n > 0)
    return np.where(enough, center, np.nan), np.where(enough, sigma, np.nan), n


def clip_cells(
    cells: NDArray[np.float32], clip: float, n_iteration: int, minimum_fraction: float
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]]:
    """Clip the values of cells, ndarray of float32, shape (n, n_pixel), as `clip_strip` does.

    Parameters
    ----------
    cells : ndarray of float32, shape (n, n_pixel)
        Values of each cell; NaN is left out.
    clip : float
        Values further from the mean than this many standard deviations are left out.
    n_iteration : int
        Number of clippings.
    minimum_fraction : float
        Cells with a smaller fraction of values give NaN.

    Returns
    -------
    mean, sigma : ndarray of float64, shape (n,)
        Mean and standard deviation.
    number : ndarray of int64, shape (n,)
        Values that count.
    """
    edges = np.arange(len(cells) + 1) * cells.shape[1]
    return clip_strip(cells.reshape(1, -1), None, edges, clip, n_iteration, minimum_fraction)


def _cells(strip: NDArray[np.float32], bad: NDArray[np.bool_] | None, edges: NDArray[np.int64]) -> NDArray[np.float32]:
    """Pixels of the cells of one strip, shape (n_cell, n_pixel); NaN where bad or where a cell is a column narrower."""
    widths = np.diff(edges)
    widest, n_cell = int(widths.max()), len(widths)
    if (widths == widest).all():
        values = strip.reshape(len(strip), n_cell, widest).transpose(1, 0, 2).copy()
        outside = None if bad is None else bad.reshape(len(strip), n_cell, widest).transpose(1, 0, 2)
    else:
        column = edges[:-1, None] + np.arange(widest)
        inside = np.minimum(column, strip.shape[1] - 1)
        values = strip[:, inside].transpose(1, 0, 2).copy()
        outside = np.broadcast_to((column >= edges[1:, None])[:, None], values.shape)
        outside = outside if bad is None else outside | bad[:, inside].transpose(1, 0, 2)
    if outside is not None:
        np.copyto(values, np.float32(np.nan), where=outside)
    return values.reshape(n_cell, -1)


def _clip_by_numpy(
    cells: NDArray[np.float32], clip: float, n_iteration: int, minimum_fraction: float
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]]:
    # the quartiles only start the clipping: a thousand values a cell give them to a few per cent
    sample = np.sort(cells[:, :: max(1, cells.shape[1] // 1000)], axis=1)
    known = np.isfinite(sample).sum(1)
    quartiles = [
        sample[np.arange(len(sample)), np.clip((q * (known - 1)).astype(int), 0, None)] for q in (0.25, 0.5, 0.75)
    ]
    center = quartiles[1].astype(np.float64)
    sigma = IQR_TO_SIGMA * (quartiles[2] - quartiles[0]).astype(np.float64)
    # where more than half of the values are one number, as in counts coarser than their noise, they say nothing
    for row in np.flatnonzero((sigma == 0) & (known > 0)):
        sigma[row] = np.std(cells[row][np.isfinite(cells[row])], dtype=np.float64)
    n = np.isfinite(cells).sum(1)
    enough = n >= minimum_fraction * cells.shape[1]
    deviation = np.empty_like(cells)
    for _ in range(n_iteration):
        np.subtract(cells, center[:, None].astype(np.float32), out=deviation)
        # comparison with NaN is false: bad pixels drop out here
        inside = np.abs(deviation) <= (clip * sigma)[:, None].astype(np.float32)
        n = inside.sum(1)
        deviation[~inside] = 0.0
        shift = deviation.sum(1, dtype=np.float64) / np.maximum(n, 1)
        square = np.einsum("ij,ij->i", deviation, deviation) / np.maximum(n, 1)
        sigma = np.sqrt(np.maximum(square - shift**2, 0.0))
        center = center + shift
    enough &= n > 0
    return np.where(enough, center, np.nan), np.where(enough, sigma, np.nan), n
