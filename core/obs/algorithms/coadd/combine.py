"""Combine exposures on a common grid, pixel by pixel."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from obs.algorithms.coadd.order import lower_median
from obs.frozen import frozen

__all__ = ["CombinedRows", "Statistic", "combine_rows"]

Statistic = Literal["mean", "clipped", "median"]

_CLIP, _ROUNDS = 3.0, 2
_MEDIAN_VARIANCE = np.float32(np.pi / 2)


@frozen
class CombinedRows:
    """A part of a coadd.

    Parameters
    ----------
    image, variance : ndarray of float32, shape (ny, nx)
        Zero and infinite where nothing is usable.
    count : ndarray of uint16, shape (ny, nx)
        Number of exposures used.
    used : ndarray of bool, shape (n, ny, nx)
        Which values were.
    """

    image: NDArray[np.float32]
    variance: NDArray[np.float32]
    count: NDArray[np.uint16]
    used: NDArray[np.bool_]


def combine_rows(
    values: NDArray[np.float32],
    variances: NDArray[np.float32],
    usable: NDArray[np.bool_],
    weights: NDArray[np.float32],
    statistic: Statistic = "mean",
) -> CombinedRows:
    """Return the weighted mean, clipped mean or median of exposures.

    Each exposure has one weight: weights that follow each pixel's variance contain the noise of the sources themselves,
    and make fluxes too low. The variance is that of the inputs.

    Parameters
    ----------
    values, variances : ndarray of float32, shape (n, ny, nx)
        Exposures.
    usable : ndarray of bool, shape (n, ny, nx)
        Which values count.
    weights : ndarray of float32, shape (n,)
        One for each exposure; the median does not use them.
    statistic : {"mean", "clipped", "median"}
        "clipped" leaves out values beyond 3 standard errors of the median, and then of the mean of the others.
    """
    used = usable
    if statistic == "median":
        image = lower_median(values, usable) if len(values) < 2 else _median(values, usable)
        equal = np.ones_like(weights)
        _, variance = _mean(values, variances, usable, equal)
        return CombinedRows(image, variance * _MEDIAN_VARIANCE, _count(usable), usable)
    image, variance = _mean(values, variances, used, weights)
    center = _median(values, usable) if statistic == "clipped" else image
    for _ in range(_ROUNDS if statistic == "clipped" else 0):
        used = usable & (np.abs(values - center) <= _CLIP * np.sqrt(variances + variance))
        image, variance = _mean(values, variances, used, weights)
        center = image
    return CombinedRows(image, variance, _count(used), used)


def _count(used: NDArray[np.bool_]) -> NDArray[np.uint16]:
    return np.asarray(used.sum(axis=0, dtype=np.uint16))


def _median(values: NDArray[np.float32], usable: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Return the median: the mean of the lower one and of the upper one, which is the lower one of the negatives."""
    return np.asarray((lower_median(values, usable) - lower_median(-values, usable)) / 2, np.float32)


def _mean(
    values: NDArray[np.float32],
    variances: NDArray[np.float32],
    used: NDArray[np.bool_],
    weights: NDArray[np.float32],
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the weighted mean, zero of nothing, and its variance, infinite of nothing."""
    total, image, variance = (np.zeros(values.shape[1:], np.float32) for _ in range(3))
    for value, noise, good, weight in zip(values, variances, used, weights, strict=True):
        share = good * weight
        total += share
        image += share * value
        variance += share * share * noise
    with np.errstate(divide="ignore", invalid="ignore"):
        inverse = np.where(total > 0, 1 / total, 0)
    return image * inverse, np.where(total > 0, variance * inverse * inverse, np.float32(np.inf))
