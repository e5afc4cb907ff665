"""Fit the background on a mesh of clipped means.

Bertin & Arnouts (1996), section 3, with sources masked as Bosch et al. (2018), section 4.2, do.
"""

import numpy as np
from numpy.typing import NDArray

from obs.algorithms.statistics import clipped_statistics
from obs.image.background import Background, Style

__all__ = ["fit_background"]


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
    for j, i in np.ndindex(shape):
        cell = slice(edges_y[j], edges_y[j + 1]), slice(edges_x[i], edges_x[i + 1])
        values = image[cell] if bad is None else image[cell][~bad[cell]]
        if values.size < minimum_fraction * image[cell].size:
            continue
        statistics = clipped_statistics(values, clip, n_iteration)
        level[j, i] = statistics.mean
        error[j, i] = statistics.sigma / np.sqrt(max(statistics.n, 1))
    x, y = (0.5 * (edges[:-1] + edges[1:] - 1) for edges in (edges_x, edges_y))
    return Background(level, error, x, y, (image.shape[0], image.shape[1]), style, min(order, *(n - 1 for n in shape)))
