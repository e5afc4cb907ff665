"""Clipped statistics."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from obs.kernels.library import Kernel

__all__ = ["ClippedStatistics", "clipped_statistics", "robust_sigma", "weighted_median"]

IQR_TO_SIGMA = 0.741301109252801

_KEEP = Kernel("keep_inside", "float32", "int", "float", "float", "float64")
_SQUARES = Kernel("sum_squares", "float32", "int", "float", "float64")
_RANKS = Kernel("find_ranks", "float32", "int", "int", "int64", "int", "int32", "float32")
_LANES = 8


class ClippedStatistics(NamedTuple):
    """Mean and standard deviation of the values that survived clipping, and their number.

    Parameters
    ----------
    mean : float
        Mean of the values that are left.
    sigma : float
        Their standard deviation.
    n : int
        Their number.
    """

    mean: float
    sigma: float
    n: int


def robust_sigma(values: NDArray[np.floating]) -> float:
    """Return the standard deviation of a Gaussian with the same median absolute deviation; NaN for no finite value.

    Parameters
    ----------
    values : ndarray of floating, shape (n,)
        Values; those that are not finite are left out.
    """
    finite = values[np.isfinite(values)]
    if not len(finite):
        return float("nan")
    return 1.4826022185056018 * _median(np.abs(finite - finite.dtype.type(_median(finite))))


def _median(values: NDArray[np.floating]) -> float:
    """Return the median of finite numbers."""
    if not (_RANKS and values.dtype == np.float32):
        return float(np.median(values))
    low, high = _ranks(values, 1, [(len(values) - 1) // 2, len(values) // 2])
    return float(np.float32(0.5) * (low + high))


def _ranks(values: NDArray[np.floating], step: int, ranks: list[int]) -> NDArray[np.float32]:
    """Return the values of some ranks, from 0, of every step-th value, float32; NaN if one of them is NaN."""
    found, n = np.empty(len(ranks), np.float32), -(-len(values) // step)
    room = np.empty(n + _LANES, np.int32)
    known = _RANKS(np.ascontiguousarray(values), len(values), step, np.array(ranks, np.int64), len(ranks), room, found)
    if known < n:
        found[:] = np.nan  # as numpy has it
    return found


def weighted_median(values: NDArray[np.floating], weights: NDArray[np.floating]) -> float:
    """Return the value below which half of the weight is; NaN for no values.

    Parameters
    ----------
    values : ndarray of floating, shape (n,)
        Finite values.
    weights : ndarray of floating, shape (n,)
        Their weights, not negative.
    """
    if not len(values):
        return float("nan")
    order = np.argsort(values)
    total = np.cumsum(weights[order])
    return float(values[order[np.searchsorted(total, 0.5 * total[-1])]])


def clipped_statistics(
    values: NDArray[np.floating],
    clip: float = 3.0,
    n_iteration: int = 3,
    *,
    least: float = 0.0,
    overwrite: bool = False,
) -> ClippedStatistics:
    """Return the sigma-clipped mean and standard deviation.

    Clipping starts from the median and the interquartile range, so that it holds with many sources in the sample.

    Parameters
    ----------
    values : ndarray of float, any shape
        The sample; must be finite.
    clip : float, optional
        Values further from the center than this many sigma are left out.
    n_iteration : int, optional
        Number of clippings.
    least : float, optional
        Values nearer to the center than this stay: where counts are coarser than their noise, the scatter of most of
        them is far below that of all.
    overwrite : bool, optional
        Whether the sample may be changed, which saves a copy.

    Returns
    -------
    ClippedStatistics
        NaN and 0 for an empty sample.
    """
    sample = values.ravel()
    if not sample.size:
        return ClippedStatistics(float("nan"), float("nan"), 0)
    low, center, high = _quartiles(sample)
    # where half of the values are one number, as in counts coarser than their noise, the quartiles say nothing
    sigma = IQR_TO_SIGMA * (high - low) if high > low else float(np.std(sample, dtype=np.float64))
    if _KEEP and sample.dtype == np.float32:
        return _clip(sample if overwrite else np.array(sample), center, sigma, clip, n_iteration, least)
    for _ in range(n_iteration):
        sample = sample[np.abs(sample - sample.dtype.type(center)) <= max(clip * sigma, least)]
        if not sample.size:
            break
        center = float(np.mean(sample, dtype=np.float64))
        # in float32 blocks numpy adds pairwise, and the deviations are small numbers: exact enough, and twice as fast
        sigma = float(np.sqrt(np.mean(np.square(sample - sample.dtype.type(center)))))
    return ClippedStatistics(center, sigma, int(sample.size))


def _clip(
    sample: NDArray[np.floating], center: float, sigma: float, clip: float, n_iteration: int, least: float
) -> ClippedStatistics:
    """Clip a sample of float32, which is overwritten, in the compiled loop."""
    n, total = sample.size, np.zeros(1)
    for _ in range(n_iteration):
        n = _KEEP(sample, n, center, max(clip * sigma, least), total)
        if not n:
            break
        center = float(total[0] / n)
        _SQUARES(sample, n, center, total)
        sigma = float(np.sqrt(total[0] / n))
    return ClippedStatistics(center, sigma, n)


def _quartiles(sample: NDArray[np.floating]) -> tuple[float, float, float]:
    """Quartiles; of every k-th value of a large sample, which only start the clipping."""
    step = max(1, sample.size // 100_000)
    if _RANKS and sample.dtype == np.float32:
        last = (sample.size - 1) // step
        places = [0.25 * last, 0.5 * last, 0.75 * last]
        found = _ranks(sample, step, [rank for place in places for rank in (int(place), min(int(place) + 1, last))])
        below, above = found[::2].astype(float), found[1::2].astype(float)
        quartiles = below + (above - below) * (np.array(places) % 1)
    else:
        quartiles = np.percentile(sample[::step], (25, 50, 75)).astype(float)
    low, center, high = quartiles.tolist()
    return low, center, high
