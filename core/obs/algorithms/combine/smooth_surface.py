"""The smooth part of the differences between frames, from means of cells."""

import numpy as np
from numpy.typing import NDArray

__all__ = ["fit_smooth"]

_LEAST_CELLS = 12
"""Fewer cells do not show whether a difference is smooth."""


def fit_smooth(cells: NDArray[np.float64], places: NDArray[np.float64]) -> NDArray[np.float64] | None:
    """Return a polynomial of order 2 fitted to the difference of each frame from the mean of all, at its cells.

    Parameters
    ----------
    cells : ndarray of float64, shape (n_frame, n_cell)
        Clipped means of cells.
    places : ndarray of float64, shape (n_cell, 2)
        Middles of the cells, pixels.

    Returns
    -------
    ndarray of float64, shape (n_frame, n_known), or None
        Cells that a frame does not have are left out; None if too few are left.
    """
    known = np.isfinite(cells).all(axis=0)
    if np.count_nonzero(known) < _LEAST_CELLS:
        return None
    x, y = ((places[known] - places[known].mean(axis=0)) / np.maximum(np.ptp(places[known], axis=0), 1.0)).T
    terms = np.stack([np.ones_like(x), x, y, x * x, x * y, y * y], axis=1)
    difference = cells[:, known] - cells[:, known].mean(axis=0)
    return np.asarray(difference @ np.linalg.pinv(terms).T @ terms.T)
