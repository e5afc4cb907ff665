"""The odds that sources are reference stars seen through a given WCS, against sources that lie anywhere.

A source is either a distractor, anywhere on the frame, or it is one of the reference stars, with a Gaussian error. The
alternative is that every source lies anywhere (Lang et al. 2010, AJ 139, 1782, section 3). Where the optics distort
unexpectedly a true alignment holds only near the quad that suggested it, so the odds are those of the best circle
around it, and the error grows with the distance from it.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

__all__ = ["log_odds", "log_trials"]

Float = NDArray[np.float64]
Complex = NDArray[np.complex128]

#: Fractions of sources that may be distractors; the one that fits best is taken.
_DISTRACTORS = np.array([0.2, 0.5, 0.8, 0.95])


def log_odds(
    sources: Complex, stars: Complex, sigma: Float, distance: Float, density: float, *, free_stars: float = 2.0
) -> float:
    """Return the natural logarithm of the odds in the best circle around the quad.

    Parameters
    ----------
    sources : ndarray of complex128, shape (n,)
        Positions of sources where the WCS under test sees them, in any unit.
    stars : ndarray of complex128, shape (m,)
        Reference stars in the same plane.
    sigma : ndarray of float64, shape (n,)
        Expected error of each source, per axis.
    distance : ndarray of float64, shape (n,)
        Distance of each source from the quad.
    density : float
        Reference stars in a unit area.
    free_stars : float
        Stars that the WCS matches perfectly however wrong it is, because it was fitted to them: coefficients for each
        axis. They count for nothing.
    """
    if len(stars) <= free_stars or len(sources) <= free_stars:
        return -np.inf
    tree = cKDTree(np.stack([stars.real, stars.imag], axis=1))
    separation, nearest = tree.query(np.stack([sources.real, sources.imag], axis=1))
    order = np.argsort(distance, kind="stable")
    separation, nearest, spread = separation[order], nearest[order], sigma[order]
    gaussian = np.exp(-0.5 * (separation / spread) ** 2) / (2 * np.pi * spread**2)
    # a star is one source only: the source that fits it best
    best = np.lexsort((-gaussian, nearest))
    again = np.zeros(len(best), bool)
    again[best[1:]] = nearest[best][1:] == nearest[best][:-1]
    gaussian[again] = 0.0
    terms = np.log(_DISTRACTORS[:, None] + (1 - _DISTRACTORS[:, None]) * gaussian / density)
    total = np.cumsum(terms, axis=1)
    matched = np.cumsum(terms > 0, axis=1)
    earned = np.where(matched > free_stars, total * (1 - free_stars / np.maximum(matched, 1)), -np.inf)
    return float(earned.max())


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
