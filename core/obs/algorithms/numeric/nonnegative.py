"""Linear least squares whose solution has no negative part."""

import numpy as np
from numpy.typing import NDArray

__all__ = ["solve_nonnegative"]

_ROUNDING = 1e-12
"""Gradients below this, relative to the largest possible one, are zero but for rounding."""


def solve_nonnegative(rows: NDArray[np.float64], wanted: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the x >= 0 that minimizes the norm of rows x - wanted.

    The method is that of Lawson and Hanson (1974): unknowns become free one at a time, the one that gains most first,
    and those that would become negative return to zero. `scipy.optimize.nnls` does the same, and takes a third of a
    second to be imported.

    Parameters
    ----------
    rows : ndarray of float64, shape (n_row, n)
        The matrix; its columns must be linearly independent.
    wanted : ndarray of float64, shape (n_row,)
        What the product is to be.

    Returns
    -------
    ndarray of float64, shape (n,)
        The solution.
    """
    number = rows.shape[1]
    normal, projected = rows.T @ rows, rows.T @ wanted
    least = _ROUNDING * float(np.abs(rows).T.dot(np.abs(wanted)).max(initial=0.0))
    solution, free = np.zeros(number), np.zeros(number, bool)
    for _ in range(3 * number):
        gain = np.where(free, -np.inf, projected - normal @ solution)
        if free.all() or gain.max() <= least:
            break
        free[np.argmax(gain)] = True
        while free.any():
            trial = np.zeros(number)
            trial[free] = np.linalg.lstsq(rows[:, free], wanted, rcond=None)[0]
            below = free & (trial <= 0)
            if not below.any():
                solution = trial
                break
            # as far towards the trial as nothing becomes negative; what is zero there stays zero
            step = float((solution[below] / (solution[below] - trial[below])).min())
            solution = solution + step * (trial - solution)
            free &= solution > _ROUNDING * max(float(solution.max()), 1e-300)
            solution[~free] = 0.0
    return solution
