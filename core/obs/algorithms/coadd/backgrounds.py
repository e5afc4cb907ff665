"""Bring the sky of overlapping exposures to one level, so that no seam shows where one of them ends."""

import numpy as np
from numpy.typing import NDArray

__all__ = ["match_backgrounds", "sky_of_cells"]

_LEAST = 0.3  # share of a cell's samples that must be sky
_MANY_CELLS = 12
_CLIP = 4.0
_ROUNDS = 3


def sky_of_cells(samples: NDArray[np.float32], cell: int) -> NDArray[np.float64]:
    """Return the median of the sky in square cells.

    Parameters
    ----------
    samples : ndarray of float32, shape (ny, nx)
        Sky of a sparse sample of pixels; NaN where there are sources, faults or nothing.
    cell : int
        Width of a cell, samples.

    Returns
    -------
    ndarray of float64, shape (ceil(ny / cell), ceil(nx / cell))
        NaN where too few samples are sky.
    """
    counts = [-(-size // cell) for size in samples.shape]
    result = np.full(counts, np.nan)
    for row in range(counts[0]):
        for column in range(counts[1]):
            values = samples[row * cell : (row + 1) * cell, column * cell : (column + 1) * cell]
            good = values[np.isfinite(values)]
            if good.size >= _LEAST * cell**2:
                result[row, column] = np.median(good)
    return result


def match_backgrounds(levels: NDArray[np.float64], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return planes to be subtracted from exposures so that their skies agree where they overlap.

    Least squares for the sky of each cell and a plane for each exposure; exposures that share few cells with others get
    a constant. The weighted mean of all planes is zero, since which exposure is right is not known.

    Parameters
    ----------
    levels : ndarray of float64, shape (n, ny, nx)
        Sky of the exposures in cells of a common grid; NaN where not known.
    weights : ndarray of float64, shape (n,)
        Weight of each exposure.

    Returns
    -------
    ndarray of float64, shape (n, 3)
        Constant, slope in x and slope in y; x and y from -1 to 1 over the grid.
    """
    count, height, width = levels.shape
    y, x = np.meshgrid(np.linspace(-1, 1, height), np.linspace(-1, 1, width), indexing="ij")
    terms = np.stack([np.ones_like(x), x, y], axis=-1).reshape(-1, 3)
    cells = levels.reshape(count, -1)
    known = np.isfinite(cells)
    known &= known.sum(axis=0) > 1
    planes = np.zeros((count, 3))
    if not known.any():
        return planes
    for _ in range(_ROUNDS):
        planes = _solve(cells, known, weights, terms)
        rest = _residuals(cells, known, weights, planes @ terms.T)
        scatter = 1.4826 * np.median(np.abs(rest[known])) + 1e-12
        kept = known & (np.abs(rest) < _CLIP * scatter)
        kept &= kept.sum(axis=0) > 1
        if (kept == known).all() or not kept.any():
            break
        known = kept
    return planes


def _residuals(
    cells: NDArray[np.float64], known: NDArray[np.bool_], weights: NDArray[np.float64], planes: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return what the skies of exposures, without their planes, differ from the mean of their cells; zero elsewhere."""
    share = known * weights[:, None]
    total = share.sum(axis=0)
    flat = np.where(known, cells - planes, 0)
    mean = np.divide((share * flat).sum(axis=0), total, out=np.zeros_like(total), where=total > 0)
    return np.where(known, flat - mean, 0)


def _solve(
    cells: NDArray[np.float64], known: NDArray[np.bool_], weights: NDArray[np.float64], terms: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Solve the normal equations, from which the skies of cells are eliminated."""
    count = len(cells)
    orders = np.where(known.sum(axis=1) >= _MANY_CELLS, 3, 1)
    share = known * weights[:, None]
    total = np.maximum(share.sum(axis=0), 1e-300)
    rest = _residuals(cells, known, weights, np.zeros_like(cells))
    matrix, vector = np.zeros((count, 3, count, 3)), np.zeros((count, 3))
    for i in range(count):
        vector[i] = terms.T @ (share[i] * rest[i])
        for j in range(count):
            coupling = -share[i] * share[j] / total + (share[i] if i == j else 0)
            matrix[i, :, j, :] = terms.T @ (coupling[:, None] * terms)
    unknown = np.flatnonzero((np.arange(3) < orders[:, None]).ravel())
    square = matrix.reshape(3 * count, 3 * count)[np.ix_(unknown, unknown)]
    # Least squares of smallest size: the common plane, which nothing fixes, stays zero.
    solution = np.zeros(3 * count)
    solution[unknown] = np.linalg.lstsq(square, vector.ravel()[unknown], rcond=1e-8)[0]
    planes = solution.reshape(count, 3)
    common = (weights[:, None] * planes).sum(axis=0) / weights.sum()
    return np.asarray(np.where(orders[:, None] == 3, planes - common, planes - np.array([common[0], 0.0, 0.0])))
