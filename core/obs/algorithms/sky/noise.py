"""Noise of a smoothed image."""

import numpy as np
from numpy.typing import NDArray

from obs.algorithms.pixels.smoothing import Smoothed, gaussian_kernel
from obs.algorithms.pixels.statistics import clipped_statistics
from obs.algorithms.sky.few_photons import measure_few_photons, raise_for_skewness

__all__ = ["measure_smoothed_noise", "predict_smoothed_noise"]

Float = NDArray[np.float32]

NOISE_PIXELS = 500_000
"""Half a million pixels give the noise to a part in a thousand."""

CLIPPED_SIGMA = 0.98658
"""Standard deviation of a Gaussian clipped at three sigma."""

SEGMENT = 256
"""Length, pixels, of the parts of rows and columns whose means are compared."""


def measure_smoothed_noise(smoothed: Smoothed, bad: NDArray[np.bool_] | None = None) -> float:
    """Return the clipped standard deviation of the smoothed image, which knows about correlated noise.

    Parameters
    ----------
    smoothed : Smoothed
        The image.
    bad : ndarray of bool, shape (ny, nx), optional
        Pixels to leave out.
    """
    values = smoothed.image[smoothed.inner]
    # rows next to each other say nearly the same
    rows = slice(None, None, max(1, values.size // NOISE_PIXELS))
    values = values[rows]
    if bad is not None:
        values = values[~bad[smoothed.inner][rows]]
    return clipped_statistics(values).sigma


def predict_smoothed_noise(
    image: Float, bad: NDArray[np.bool_], sigma: float, n_sigma: float = 7.0, threshold: float | None = None
) -> float:
    """Return the noise of an image smoothed with a Gaussian, from the noise of its pixels before.

    Sources too faint to be seen make a smoothed image scatter more than its noise does. The noise of single pixels
    hardly knows about them; it goes through the kernel together with the noise that whole rows or columns share, as
    read-out leaves it. Other noise that neighboring pixels share, as in resampled images, is not seen.

    Parameters
    ----------
    image : ndarray of float32, shape (ny, nx)
        Background-subtracted pixels, not smoothed.
    bad : ndarray of bool, shape (ny, nx)
        Pixels to leave out: defects and sources.
    sigma : float
        Width of the Gaussian, pixels.
    n_sigma : float, optional
        Full size of the kernel in sigma.
    threshold : float, optional
        Where pixels have few photons, return the noise of which this many times are passed as seldom as of Gaussian
        noise.

    Returns
    -------
    float
        Standard deviation; NaN if all pixels are bad.
    """
    step = max(1, image.size // NOISE_PIXELS)
    pixel = clipped_statistics(image[::step][~bad[::step]]).sigma / CLIPPED_SIGMA
    pixel, skewness = measure_few_photons(image, bad, pixel)
    square = float(np.square(gaussian_kernel(sigma, n_sigma)).sum())
    rows, columns = _shared_variance(image, bad, pixel), _shared_variance(image.T, bad.T, pixel)
    noise = float(np.sqrt(square * (square * pixel**2 + rows + columns)))
    return noise * raise_for_skewness(threshold, skewness, sigma, n_sigma) if skewness and threshold else noise


def _shared_variance(image: Float, bad: NDArray[np.bool_], sigma: float) -> float:
    """Variance that the pixels of a row have in common, beyond that of their own noise."""
    n_segment = image.shape[1] // SEGMENT
    if not n_segment or image.shape[0] < 2:
        return 0.0
    # pairs of neighboring rows, in which whatever is smooth cancels
    step = max(1, image.size // NOISE_PIXELS)
    first = np.arange(0, image.shape[0] - 1, 2 * step)
    (mean, n), (next_mean, next_n) = (_segment_means(image, bad, rows, n_segment) for rows in (first, first + 1))
    known = (n > SEGMENT // 4) & (next_n > SEGMENT // 4)
    difference = (mean - next_mean)[known]
    if not difference.size:
        return 0.0
    expected = sigma**2 * np.mean(1.0 / n[known] + 1.0 / next_n[known])
    found = (clipped_statistics(difference).sigma / CLIPPED_SIGMA) ** 2
    # what chance alone makes of independent pixels is nothing
    chance = 3.0 * expected * np.sqrt(2.0 / difference.size)
    return float(0.5 * (found - expected)) if found - expected > chance else 0.0


def _segment_means(
    image: Float, bad: NDArray[np.bool_], rows: NDArray[np.int64], n_segment: int
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Mean of the good pixels of each segment, shape (n_row, n_segment), and their number."""
    shape = len(rows), n_segment, SEGMENT
    good = ~bad[rows, : n_segment * SEGMENT].reshape(shape)
    values = np.where(good, image[rows, : n_segment * SEGMENT].reshape(shape), np.float32(0.0))
    n = good.sum(2)
    return values.sum(2, dtype=np.float64) / np.maximum(n, 1), n
