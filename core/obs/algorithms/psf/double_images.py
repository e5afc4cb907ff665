"""Find out whether every star has the same companion: the guiding jumped during the exposure, or two were added.

Pairs of a bright source and a neighbor scatter evenly in offset and in flux ratio in an ordinary field. Of double
images they cluster at one offset and one ratio. Pairs are counted from the side that lies to the right, because noise
decides which of two equal images is the fainter one.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from obs.algorithms.numeric.nearest import PointTree

__all__ = ["DoubleImages", "find_double_images"]

_MOST, _LEAST, _LEAST_FRACTION = 150, 6, 0.4
"""Bright sources that are looked at, and the least number and fraction of them that must be in such a pair."""

_ABOVE_CHANCE = 5.0
"""Pairs must be this many times more frequent than by chance."""

_MOST_PAIRS = 20_000
_RATIO = 0.15
"""Decimal logarithm of flux ratios that count as one: what blends and the interpolation of pixels make of it."""

_LARGEST_RATIO = 1.5
"""Largest decimal logarithm of a flux ratio."""


class DoubleImages(NamedTuple):
    """The companion that bright sources share.

    Parameters
    ----------
    dx, dy : float
        Where the fainter image is, from the brighter one, pixels.
    part : float
        Its part of the light of both.
    n_with, n_bright : int
        Bright sources that are one of such a pair, and all of them.
    """

    dx: float
    dy: float
    part: float
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
        Largest distance of a companion, pixels; less in a crowd.
    """
    known = np.isfinite(x) & np.isfinite(y) & (flux > 0)
    place, light = np.stack([x[known], y[known]], axis=1), flux[known]
    if len(light) < 2 * _LEAST:
        return None
    bright = np.argsort(-light)[: min(_MOST, len(light) // 3)]
    area = float(np.prod(np.ptp(place, axis=0))) + 1.0
    reach = min(reach, np.sqrt(_MOST_PAIRS * area / (np.pi * len(bright) * len(light))))
    start, second = PointTree(place).list_within(place[bright], reach)
    first = np.repeat(bright, np.diff(start))
    fainter = light[second] < light[first]
    first, second = first[fainter], second[fainter]
    if len(first) < _LEAST:
        return None
    offset, ratio = place[second] - place[first], np.log10(light[second] / light[first])
    to_right = np.where((offset[:, 0] > 0) | ((offset[:, 0] == 0) & (offset[:, 1] > 0)), 1.0, -1.0)
    pair = np.c_[offset * to_right[:, None] / sigma, ratio * to_right / _RATIO][ratio > -_LARGEST_RATIO]
    first, second = first[ratio > -_LARGEST_RATIO], second[ratio > -_LARGEST_RATIO]
    if len(pair) < _LEAST:
        return None
    start, together = PointTree(pair).list_within(pair, 1.0)
    most = int(np.argmax(np.diff(start)))
    best = together[start[most] : start[most + 1]]
    n_with = len(np.intersect1d(np.r_[first[best], second[best]], bright))
    # by chance offsets fill half of a circle evenly, and ratios their range
    chance = len(pair) * 4.0 * (sigma / reach) ** 2 / max(float(np.ptp(pair[:, 2])), 2.0)
    if n_with < max(_LEAST, _LEAST_FRACTION * len(bright), _ABOVE_CHANCE * chance):
        return None
    dx, dy, tilt = np.median(pair[best], axis=0) * (sigma, sigma, _RATIO)
    sign = -1.0 if tilt > 0 else 1.0
    return DoubleImages(sign * float(dx), sign * float(dy), float(1 / (1 + 10 ** abs(tilt))), n_with, len(bright))
