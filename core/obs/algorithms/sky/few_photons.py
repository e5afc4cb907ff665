"""Noise of a sky with few photons in each pixel: skewed, so that its peaks are higher than those of Gaussian noise."""

import numpy as np
from numpy.typing import NDArray

from obs.algorithms.pixels.smoothing import gaussian_kernel

__all__ = ["measure_few_photons", "raise_for_skewness"]

PIXELS, FEWEST = 100_000, 1_000
"""Pixels that are looked at, about; fewer than the second do not show a skewness."""

LEAST_SKEWNESS = 0.3
"""Skewness of pixels below which the noise is that of many photons: eleven of them have as much."""

CUT, ROUNDS = 8.0, 2
"""Sigma beyond which a pixel does not belong to the noise of photons."""

LARGEST_KURTOSIS = 2.5
"""Largest excess kurtosis, in squares of the skewness: 1 for photons, far more where some pixels are hot or hit."""

SHARED = 0.15
"""Largest part of the skewness that neighbors share: none for photons, most for the light of faint stars."""


def measure_few_photons(image: NDArray[np.float32], bad: NDArray[np.bool_], sigma: float) -> tuple[float, float]:
    """Return standard deviation and skewness of pixels with few photons; of others the first as given, and 0.

    Parameters
    ----------
    image : ndarray of float32, shape (ny, nx)
        Background-subtracted pixels.
    bad : ndarray of bool, shape (ny, nx)
        Pixels to leave out: defects and sources.
    sigma : float
        Standard deviation of a pixel after clipping, which cuts off the tail that photons have; 0 if most pixels are
        alike, as without any photon.
    """
    step = max(1, image.size // PIXELS)
    rows, good = image[::step], ~bad[::step]
    both = good[:, :-1] & good[:, 1:]
    left, right = (part[both].astype(np.float64) for part in (rows[:, :-1], rows[:, 1:]))
    if len(left) < FEWEST:
        return sigma, 0.0
    width = sigma if sigma > 0 else float(left.std())
    for _ in range(ROUNDS):
        near = (np.abs(left) <= CUT * width) & (np.abs(right) <= CUT * width)
        x, y = left[near] - left[near].mean(), right[near] - left[near].mean()
        square = x * x
        width = float(square.mean()) ** 0.5
        if not width > 0:
            return sigma, 0.0
        skewness, shared = (float((square * other).mean()) / width**3 for other in (x, y))
        if skewness < LEAST_SKEWNESS or abs(shared) > SHARED * skewness:
            return sigma, 0.0
    kurtosis = float((square * square).mean()) / width**4 - 3.0
    if kurtosis > LARGEST_KURTOSIS * skewness**2:
        return sigma, 0.0
    return max(sigma, width), skewness


def raise_for_skewness(threshold: float, skewness: float, sigma: float, n_sigma: float = 7.0) -> float:
    """Return by what to multiply a threshold so that smoothed photons pass it as seldom as Gaussian noise passes it.

    Parameters
    ----------
    threshold : float
        In units of the noise.
    skewness : float
        That of the pixels.
    sigma : float
        Width of the Gaussian that smooths, pixels.
    n_sigma : float, optional
        Full size of its kernel in sigma.
    """
    kernel = gaussian_kernel(sigma, n_sigma)
    square, cube, fourth = (float((kernel**power).sum()) ** 2 for power in (2, 3, 4))
    third = skewness * cube / square**1.5
    kurtosis = skewness**2 * fourth / square**2  # photons have the square of their skewness
    # the expansion of Cornish and Fisher (1938)
    z = threshold
    more = (z**2 - 1) * third / 6 + (z**3 - 3 * z) * kurtosis / 24 - (2 * z**3 - 5 * z) * third**2 / 36
    return float(1.0 + max(more, 0.0) / z)
