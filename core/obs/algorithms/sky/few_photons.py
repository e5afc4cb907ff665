"""A sky with few photons in each pixel, whose noise is skewed: its peaks are higher than those of Gaussian noise.

Where most pixels have no photon at all, no clipping finds level and noise. The numbers of pixels without and with one
photon do.
"""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from obs.algorithms.numeric.special import poisson_above
from obs.algorithms.pixels.smoothing import gaussian_kernel
from obs.algorithms.pixels.statistics import clipped_statistics

__all__ = [
    "FewPhotons",
    "count_photons",
    "has_few_photons",
    "measure_few_photons",
    "predict_photon_noise",
    "raise_for_skewness",
]

PIXELS, FEWEST = 100_000, 1_000
"""Pixels that are looked at, about; fewer than the second do not show a skewness."""

LEAST_SKEWNESS = 0.3
"""Skewness of pixels below which the noise is that of many photons: eleven of them have as much."""

CUT, ROUNDS = 8.0, 2
"""Sigma beyond which a pixel does not belong to the noise of photons."""

RARE_CUT = 40.0
"""The same where hardly any pixel has a photon: one photon in a thousand pixels is 32 sigma."""

LARGEST_KURTOSIS = 2.5
"""Largest excess kurtosis, in squares of the skewness: 1 for photons, far more where some pixels are hot or hit."""

SHARED = 0.15
"""Largest part of the skewness that neighbors share: none for photons, most for the light of faint stars."""


MOSTLY_DARK = 0.5
"""Part of the pixels without a photon from which quartiles say nothing of the noise."""

SECOND, FEWEST_LIT = 0.5, 10
"""Largest number of pixels with two photons over that with one, which is a third where half of the pixels have none.
Least number of pixels with one."""


class FewPhotons(NamedTuple):
    """A sky of which most pixels have no photon.

    Parameters
    ----------
    level, sigma : float
        Mean and standard deviation of a pixel, image units.
    counts : float
        Mean number of photons in a pixel.
    photon : float
        What one photon counts, image units.
    """

    level: float
    sigma: float
    counts: float
    photon: float


def count_photons(image: NDArray[np.float32]) -> FewPhotons | None:
    """Return the sky of an image in which most pixels have no photon, and the others a few; None for any other image.

    Parameters
    ----------
    image : ndarray of float32, shape (ny, nx)
        Pixels as they were read, NaN where there are no data: all without a photon have exactly one value.
    """
    sample = image[:: max(1, image.size // PIXELS)]
    sample = sample[np.isfinite(sample)]
    if len(sample) < FEWEST or not np.count_nonzero(sample == sample.min()) > MOSTLY_DARK * len(sample):
        return None
    values, number = np.unique(sample, return_counts=True)
    if len(values) < 2 or number[1] < FEWEST_LIT:
        return None
    photon = float(values[1] - values[0])
    mean = float(number[1] / number[0])
    two = np.count_nonzero(np.abs(sample - (values[0] + 2 * photon)) < 0.1 * photon)
    # values between are those of noise that was cut off at the lowest one
    between = np.count_nonzero((sample > values[1] + 0.1 * photon) & (sample < values[0] + 1.9 * photon))
    if between > 0.1 * number[1] or two > SECOND * number[1]:
        return None
    return FewPhotons(float(values[0]) + mean * photon, photon * mean**0.5, mean, photon)


def has_few_photons(image: NDArray[np.float32], bad: NDArray[np.bool_]) -> bool:
    """Return whether the noise of pixels is as skewed as that of few photons; see `measure_few_photons`.

    Parameters
    ----------
    image : ndarray of float32, shape (ny, nx)
        Background-subtracted pixels.
    bad : ndarray of bool, shape (ny, nx)
        Pixels to leave out: defects and sources.
    """
    step = max(1, image.size // PIXELS)
    return measure_few_photons(image, bad, clipped_statistics(image[::step][~bad[::step]]).sigma)[1] > 0


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
    width, cut = (sigma, CUT) if sigma > 0 else (float(left.std()), RARE_CUT)
    for _ in range(ROUNDS):
        near = (np.abs(left) <= cut * width) & (np.abs(right) <= cut * width)
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
    z = threshold
    if third > 1.0:
        return max(1.0, _rare_peak(z, third**-2) / z)
    # the expansion of Cornish and Fisher (1938)
    more = (z**2 - 1) * third / 6 + (z**3 - 3 * z) * kurtosis / 24 - (2 * z**3 - 5 * z) * third**2 / 36
    return float(1.0 + max(more, 0.0) / z)


def predict_photon_noise(sky: FewPhotons, sigma: float, n_sigma: float, threshold: float) -> float:
    """Return the noise of which smoothed photons pass so many times as seldom as Gaussian noise does.

    Parameters
    ----------
    sky : FewPhotons
        Level and noise of the pixels.
    sigma : float
        Width of the Gaussian that smooths, pixels.
    n_sigma : float
        Full size of its kernel in sigma.
    threshold : float
        In units of the noise.
    """
    plain = sky.sigma * float(np.square(gaussian_kernel(sigma, n_sigma)).sum())
    return plain * raise_for_skewness(threshold, sky.counts**-0.5, sigma, n_sigma)


def _rare_peak(threshold: float, counts: float) -> float:
    """Return the height, in sigma, that a Poisson number passes as seldom as Gaussian noise passes a threshold."""
    target = 0.5 * math.erfc(threshold / math.sqrt(2.0))
    number, rarer, rare = 0, 1.0, 1.0
    while rare > target:
        number, rarer, rare = number + 1, rare, float(poisson_above(number, counts))
    between = math.log(rarer / target) / math.log(rarer / rare)
    return (number + between - counts) / math.sqrt(counts)
