"""Find outliers among the few values that frames have of a pixel, in units of the noise of each frame.

Each value is compared with the mean of the others. The noise of the difference follows from the variances, so that one
frame of high noise among frames of low noise, or one frame of low noise among many of high noise, is judged correctly.
The worst value of a pixel is rejected, and the rest is compared again, until all values agree.
"""

import numpy as np
from numpy.typing import NDArray

__all__ = ["TIE", "TIE_SIGMA", "find_outliers", "weighted_mean"]

TIE, TIE_SIGMA = 1.1, 2.0
"""A high value is rejected rather than a low one that is more significant by up to this factor and this many sigma:
light only adds."""


def weighted_mean(
    values: NDArray[np.float32],
    variance: NDArray[np.float32],
    weight: NDArray[np.float32],
    keep: NDArray[np.bool_],
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
    """Return the weighted mean along the first axis, its variance, and the sum of the weights.

    Parameters
    ----------
    values, variance, weight : ndarray of float32, shape (n_frame, ...)
        Values, their variance in the square of their unit, and their weights.
    keep : ndarray of bool, shape (n_frame, ...)
        Values that count.

    Returns
    -------
    mean, variance, total : ndarray of float32, shape (...)
        NaN, NaN and 0 where no value counts.
    """
    kept = np.where(keep, weight, np.float32(0))
    total = kept.sum(axis=0)
    # Relative to one of the values, which makes float32 exact enough.
    origin = np.take_along_axis(values, np.argmax(keep, axis=0)[None], axis=0)[0]
    with np.errstate(divide="ignore", invalid="ignore"):
        shift = np.where(keep, kept * (values - origin), np.float32(0)).sum(axis=0) / total
        mean_variance = np.where(keep, np.square(kept) * variance, np.float32(0)).sum(axis=0) / np.square(total)
    return np.where(total > 0, origin + shift, np.float32(np.nan)), mean_variance, total


def find_outliers(
    values: NDArray[np.float32],
    variance: NDArray[np.float32],
    weight: NDArray[np.float32],
    good: NDArray[np.bool_],
    *,
    clip: float,
) -> NDArray[np.bool_]:
    """Return the values that disagree with the mean of the other values of the same pixel.

    Of two values that disagree the higher one is the outlier, and so it is where the number of high and low values is
    the same: light and cosmic rays only add.

    Parameters
    ----------
    values, variance, weight : ndarray of float32, shape (n_frame, n_row, n_x)
        Values, their variance in the square of their unit, and their weights.
    good : ndarray of bool, shape (n_frame, n_row, n_x)
        Values to look at.
    clip : float
        Limit of the distance from the mean of all values, sigma of a value, where all have the same weight. That of
        the distance from the mean of the others is wider for few frames, ``clip / sqrt(1 - 1 / n)`` with the effective
        number ``n`` of values, at least 2, since a rejected value that was right costs more there.

    Returns
    -------
    ndarray of bool, shape (n_frame, n_row, n_x)
    """
    outlier = np.zeros(good.shape, bool)
    if len(values) < 2:
        return outlier
    limit = _limit(weight, good, clip)
    disagrees = (np.abs(_significance(values, variance, weight, good)) > limit).any(axis=0)
    pixel = np.flatnonzero(disagrees)
    floats = [plane.reshape(len(plane), -1)[:, pixel] for plane in (values, variance, weight)]
    left = good.reshape(len(good), -1)[:, pixel]
    rejected = outlier.reshape(len(outlier), -1)
    while len(pixel):
        significance = _significance(floats[0], floats[1], floats[2], left)
        high, low = np.argmax(significance, axis=0), np.argmin(significance, axis=0)
        column = np.arange(len(pixel))
        limit = _limit(floats[2], left, clip)
        up, down = significance[high, column], -significance[low, column]
        is_high = (up > limit) & (TIE * up + TIE_SIGMA >= down)
        worst = np.where(is_high, high, low)
        found = is_high | (down > limit)
        rejected[worst[found], pixel[found]] = True
        left[worst[found], column[found]] = False
        pixel, left = pixel[found], left[:, found]
        floats = [plane[:, found] for plane in floats]
    return outlier


def _limit(weight: NDArray[np.float32], good: NDArray[np.bool_], clip: float) -> NDArray[np.float32]:
    """Return the limit of the significance for the effective number of good values along the first axis."""
    kept = np.where(good, weight, np.float32(0))
    with np.errstate(divide="ignore", invalid="ignore"):
        number = np.square(kept.sum(axis=0)) / np.square(kept).sum(axis=0)
    limit: NDArray[np.float32] = np.float32(clip) / np.sqrt(1 - 1 / np.fmax(number, np.float32(2)))
    return limit


def _significance(
    values: NDArray[np.float32],
    variance: NDArray[np.float32],
    weight: NDArray[np.float32],
    good: NDArray[np.bool_],
) -> NDArray[np.float32]:
    """Return the difference of each value from the mean of all, over its standard deviation; 0 where there is none."""
    mean, mean_variance, total = weighted_mean(values, variance, weight, good)
    with np.errstate(divide="ignore", invalid="ignore"):
        expected = variance * (1 - 2 * weight / total) + mean_variance
        usable = good & (good.sum(axis=0) > 1) & (expected > 1e-6 * variance)
        return np.where(usable, (values - mean) / np.sqrt(expected), np.float32(0))
