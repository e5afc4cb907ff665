"""Correct the misplacement of single stars in a difference, and measure what is left of them."""

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from obs.algorithms.coadd.local_shifts import fit_local_shifts, isolated
from obs.algorithms.pixels.statistics import weighted_median
from obs.algorithms.pixels.window import plane_windows
from obs.frozen import frozen
from obs.tasks.psf_sizes import FWHM_PER_SIGMA

__all__ = ["Registered", "register_stars"]

Floats = NDArray[np.float64]
Image = NDArray[np.float32]

_REACH_FWHMS = 2.0
_NOISE_SAMPLE = 200_000
#: Peak of a star that is off by one pixel in the smoothed difference, over that of the star, times its sigma in pixels.
_DIPOLE_PEAK = 0.43


@frozen
class Registered:
    """What is left of constant stars in a difference.

    Parameters
    ----------
    misfit : float
        Share of the light of bright stars that is left beyond noise.
    scatter : tuple of float
        Standard deviation of the stars' shifts along x and y, pixels.
    share : ndarray of float32, shape (ny, nx) or (1, 1)
        Share of the light that may be left at each place; more where stars were not corrected.
    """

    misfit: float
    scatter: tuple[float, float]
    share: Image


def register_stars(
    difference: Image, model: Image, variance: Image, places: tuple[Floats, Floats], sigma: float
) -> Registered:
    """Remove the dipoles of misplaced stars from a difference, in place.

    The share of light that is left is the root mean square within the width of the PSF after smoothing with it, as
    detection does: single pixels of undersampled images differ by more, which no source does.

    Parameters
    ----------
    difference, model, variance : ndarray of float32, shape (ny, nx)
        The difference, the image that was subtracted, and the variance of single pixels of the difference.
    places : tuple of ndarray of float64, each of shape (n,)
        x and y of bright stars, the brightest first.
    sigma : float
        Size of the PSF, pixels.
    """
    half = int(np.ceil(_REACH_FWHMS * FWHM_PER_SIGMA * sigma))
    alone = isolated(*places, 2.0 * half)
    x, y = (axis[alone] for axis in places)
    shifts = fit_local_shifts(difference, model, variance, x, y, half)
    shifts.remove(difference, model, x, y, half)
    misfit = _misfit(difference, model, variance, (x, y), sigma)
    elsewhere = np.hypot(misfit, _DIPOLE_PEAK * np.hypot(*shifts.scatter) / sigma)
    share = np.full(difference.shape, elsewhere, np.float32)
    corrected = shifts.shift.any(axis=1)
    step = np.arange(-half, half + 1)
    rows = np.clip(np.rint(y[corrected]).astype(int)[:, None, None] + step[:, None], 0, difference.shape[0] - 1)
    columns = np.clip(np.rint(x[corrected]).astype(int)[:, None, None] + step, 0, difference.shape[1] - 1)
    share[rows, columns] = misfit
    return Registered(misfit, shifts.scatter, share)


def _misfit(difference: Image, model: Image, variance: Image, places: tuple[Floats, Floats], sigma: float) -> float:
    left, light = (gaussian_filter(plane, sigma, mode="constant") for plane in (difference, model))
    with np.errstate(divide="ignore", invalid="ignore"):
        pulls = (left / np.sqrt(variance)).ravel()[:: max(1, left.size // _NOISE_SAMPLE)]
    pulls = pulls[np.isfinite(pulls) & (pulls != 0)]
    ratio = float(1.4826 * np.median(np.abs(pulls))) if pulls.size else 0.0
    x, y = places
    if not len(x):
        return 0.0
    row, column = np.rint(y).astype(np.int64), np.rint(x).astype(np.int64)
    inner = int(np.ceil(FWHM_PER_SIGMA * sigma))
    stamps = (plane_windows(plane, row, column, inner).astype(np.float64) for plane in (left, light))
    left_power, power = (np.mean(np.square(stamp), axis=(1, 2)) for stamp in stamps)
    noise = ratio**2 * np.mean(plane_windows(variance, row, column, inner), axis=(1, 2), dtype=np.float64)
    share = (left_power - noise) / np.maximum(power, 1e-30)
    typical = weighted_median(share, np.sqrt(power / np.maximum(noise, 1e-30)))
    return float(np.sqrt(max(typical, 0.0)))
