"""The odds that sources are reference stars seen through a given WCS, against sources that lie anywhere.

A source is either a distractor, anywhere on the frame, or it is one of the reference stars, with a Gaussian error. The
alternative is that every source lies anywhere (Lang et al. 2010, AJ 139, 1782, section 3). Where the optics distort
unexpectedly a true alignment holds only near the quad that suggested it, so the odds are those of the best circle
around it, and the error grows with the distance from it.
"""

import numpy as np
from numpy.typing import NDArray

__all__ = ["comparable", "log_odds", "log_trials"]

Float = NDArray[np.float64]
Index = NDArray[np.int64]

#: Fractions of sources that may be distractors; the one that fits best is taken.
_DISTRACTORS = np.array([0.2, 0.5, 0.8, 0.95])
_FEWEST, _MOST = 25, 300  # brightest sources that the odds look at
_DEPTH = 3.0  # how many for each reference star on the frame


def comparable(n_star: float) -> int:
    """Return how many of the brightest sources the odds look at where there are so many reference stars.

    A catalog that is less deep than the frame has its brightest stars only, and all others would count as distractors.

    Parameters
    ----------
    n_star : float
        Reference stars expected on the frame.

    Returns
    -------
    int
        Three for each reference star, but not fewer than 25 and not more than 300.
    """
    return int(np.clip(_DEPTH * n_star, _FEWEST, _MOST))


def log_odds(
    separation: Float, nearest: Index, sigma: Float, distance: Float, density: float, *, free_stars: float = 2.0
) -> Float:
    """Return the natural logarithm of the odds in the best circle around the quad, for several assumed errors.

    Parameters
    ----------
    separation : ndarray of float64, shape (n,)
        Distance of each source from the nearest reference star, where the WCS under test sees it, in any unit.
    nearest : ndarray of int64, shape (n,)
        Which star that is.
    sigma : ndarray of float64, shape (k, n)
        Expected error of each source, per axis, under each of ``k`` assumptions.
    distance : ndarray of float64, shape (n,)
        Distance of each source from the quad.
    density : float
        Reference stars in a unit area.
    free_stars : float
        Stars that the WCS matches perfectly however wrong it is, because it was fitted to them: coefficients for each
        axis. They count for nothing.

    Returns
    -------
    ndarray of float64, shape (k,)
    """
    if len(separation) <= free_stars:
        return np.full(len(sigma), -np.inf)
    order = np.argsort(distance, kind="stable")
    separation, nearest, spread = separation[order], nearest[order], sigma[:, order]
    gaussian = np.exp(-0.5 * (separation / spread) ** 2) / (2 * np.pi * spread**2)
    # a star is one source only: the source that is nearest to it
    best = np.lexsort((separation, nearest))
    again = np.zeros(len(best), bool)
    again[best[1:]] = nearest[best][1:] == nearest[best][:-1]
    gaussian[:, again] = 0.0
    terms = np.log(_DISTRACTORS[:, None, None] + (1 - _DISTRACTORS[:, None, None]) * gaussian / density)
    total = np.cumsum(terms, axis=2)
    matched = np.cumsum(terms > 0, axis=2)
    earned = np.where(matched > free_stars, total * (1 - free_stars / np.maximum(matched, 1)), -np.inf)
    return np.asarray(earned.max(axis=(0, 2)))


def log_trials(area: float, sigma: float, extent: float, scale_range: float, rotation_range: float) -> float:
    """Return the natural logarithm of the number of similarities that could be told apart.

    Parameters
    ----------
    area : float
        Area over which the frame may be shifted, in the square of the unit of ``sigma``.
    sigma : float
        Error of a position, per axis.
    extent : float
        Distance over which stars fix scale and rotation.
    scale_range : float
        Natural logarithm of the largest over the smallest scale.
    rotation_range : float
        Range of rotations, radians, twice that where the frame may be mirrored.
    """
    turns = max(rotation_range * extent / sigma, 1.0)
    scales = max(scale_range * extent / sigma, 1.0)
    return float(np.log(max(area / (2 * np.pi * sigma**2), 1.0)) + np.log(turns) + np.log(scales))
