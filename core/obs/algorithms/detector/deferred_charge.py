"""Charge that is left behind in the read-out: what follows the last light in the overscan, and how to put it back.

Each transfer leaves a part of the charge behind, which comes out with later pixels. Overscan pixels get no light, so
what the first of them hold is what the transfers of the last pixel with light have left (extended pixel edge response,
Janesick 2001, Scientific Charge-Coupled Devices, section 5.3). It grows with the number of transfers.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from obs.algorithms.pixels.statistics import clipped_statistics

__all__ = ["Deferred", "measure_deferred_charge", "restore_deferred_charge"]

LONGEST = 10
"""Pixels behind the last light that are looked at, at most half of the overscan: the other half gives the level."""

FEWEST = 30
"""Lines that give a mean worth having."""

STARS = 3.0
"""Lines whose last pixels are so many standard deviations off the others end in a star, and do not count."""

CLIP = 4.0
"""Overscan pixels that are so many standard deviations off the others of their column do not count."""

LARGEST_ERROR = 0.002
"""Error of the part left behind above which it is not known."""


class Deferred(NamedTuple):
    """Charge that a pixel leaves behind on all of its way, of the last pixels with light.

    Parameters
    ----------
    trail : ndarray of float64, shape (k,)
        Part of the light of a pixel that comes out with each pixel read after it; empty where it is not known.
    error : float
        Standard error of the sum.
    """

    trail: NDArray[np.float64]
    error: float

    @property
    def part(self) -> float:
        """Part of the light that is left behind; NaN where it is not known."""
        return float(self.trail.sum()) if self.trail.size else float("nan")


def measure_deferred_charge(
    light: NDArray[np.floating], overscan: NDArray[np.floating], *, step: float = 0.0
) -> Deferred:
    """Measure what the last pixels with light leave in the overscan behind them.

    Parameters
    ----------
    light : ndarray of float, shape (n,)
        Last pixel with light of each line, above the level of the overscan; NaN where it does not count.
    overscan : ndarray of float, shape (n, m)
        Pixels of the same lines that are read after it, in their order. The second half of each line is its level.
    step : float, optional
        Distance of possible values, so that clipping leaves more than one of them.

    Returns
    -------
    Deferred
    """
    unknown = Deferred(np.zeros(0), float("nan"))
    length = min(LONGEST, overscan.shape[1] // 2)
    usable = np.isfinite(light) & np.isfinite(overscan).all(axis=1)
    if length < 1 or np.count_nonzero(usable) < FEWEST:
        return unknown
    usual = clipped_statistics(light[usable], STARS)
    usable &= np.abs(light - usual.mean) <= STARS * usual.sigma
    number = np.count_nonzero(usable)
    if number < FEWEST or not usual.mean > 0:
        return unknown
    above = overscan[usable] - overscan[usable, length:].mean(axis=1, keepdims=True)
    columns = [clipped_statistics(column, CLIP, least=2.0 * step) for column in above.T]
    # under even light the pixels before the last one add what is released later than it
    excess = np.array([*(column.mean for column in columns[:length]), 0.0])
    trail = -np.diff(excess) / float(light[usable].mean(dtype=float))
    behind = len(columns) - length
    # the level of a line has noise, too, which all of its pixels share
    sigma = float(np.median([column.sigma for column in columns[length:]]))
    error = sigma * np.sqrt((1.0 + 1.0 / behind) / number) / usual.mean
    return Deferred(trail, float(error)) if error <= LARGEST_ERROR else unknown


def restore_deferred_charge(image: NDArray[np.float32], trail: NDArray[np.float64]) -> None:
    """Put charge that was left behind back where it came from, in place, to first order in the part left behind.

    Parameters
    ----------
    image : ndarray of float32, shape (n, m)
        Lines of light in the order in which they are read, the pixel nearest to the read-out first.
    trail : ndarray of float64, shape (k,)
        Part of the light of the last pixel that comes out with each pixel read after it.
    """
    count = image.shape[1]
    weight = (np.arange(1, count + 1) / count).astype(np.float32)
    left = weight * np.where(np.isfinite(image), image, np.float32(0.0))
    image += np.float32(trail.sum()) * left
    for distance, part in enumerate(trail[: count - 1], 1):
        image[:, distance:] -= np.float32(part) * left[:, :-distance]
