"""Find out whether every star has the same companion: the guiding jumped during the exposure, or two were added.

Offsets from bright sources to fainter ones nearby scatter evenly in an ordinary field. Of double images they cluster at
one vector.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from obs.algorithms.numeric.nearest import PointTree

__all__ = ["DoubleImages", "find_double_images"]

#: Bright sources that are looked at, and the least number and fraction of them that must have the companion.
_MOST, _LEAST, _LEAST_FRACTION = 150, 6, 0.4
_ABOVE_CHANCE = 5.0
"""Companions must be this many times more frequent than by chance."""


class DoubleImages(NamedTuple):
    """The companion that bright sources share.

    Parameters
    ----------
    dx, dy : float
        Where it is, pixels.
    n_with, n_bright : int
        Bright sources that have it, and all of them.
    """

    dx: float
    dy: float
    n_with: int
    n_bright: int


def find_double_images(
    x: NDArray[np.float64], y: NDArray[np.float64], flux: NDArray[np.float64], *, sigma: float, reach: float
) -> DoubleImages | None:
    """Return the companion that most bright sources share, or None.

    Parameters
    ----------
    x, y : ndarray of float64, shape (n,)
        Positions of all sources, pixels.
    flux : ndarray of float64, shape (n,)
        Their fluxes.
    sigma : float
        Size of the PSF, pixels; companions agree within it.
    reach : float
        Largest distance of a companion, pixels.
    """
    known = np.isfinite(x) & np.isfinite(y) & np.isfinite(flux)
    place, light = np.stack([x[known], y[known]], axis=1), flux[known]
    if len(light) < 2 * _LEAST:
        return None
    bright = np.argsort(-light)[: min(_MOST, len(light) // 3)]
    start, second = PointTree(place).list_within(place[bright], reach)
    first = np.repeat(bright, np.diff(start))
    fainter = light[second] < light[first]
    first, offset = first[fainter], (place[second] - place[first])[fainter]
    if len(offset) < _LEAST:
        return None
    start, together = PointTree(offset).list_within(offset, sigma)
    most = int(np.argmax(np.diff(start)))
    best = together[start[most] : start[most + 1]]
    n_with, chance = len(np.unique(first[best])), len(offset) * (sigma / reach) ** 2
    if n_with < max(_LEAST, _LEAST_FRACTION * len(bright), _ABOVE_CHANCE * chance):
        return None
    dx, dy = np.median(offset[best], axis=0)
    return DoubleImages(float(dx), float(dy), n_with, len(bright))
