"""Centroid: the maximum of the image smoothed with its own PSF.

The three-by-three pixels around the peak of the smoothed image are interpolated by quartics, stripe by stripe, as SDSS
Photo does (Pier et al. 2003, AJ 125, 1559, section 2.3). Sources much larger than the PSF are binned first, by two,
four and so on, until they are not.
"""

import numpy as np
from numpy.typing import NDArray

from obs.algorithms.pixels.bins import sum_bins
from obs.frozen import frozen
from obs.kernels.library import Kernel

__all__ = ["Centroids", "measure_centroid"]

QUARTIC = 1.33
"""Strength of the quartic correction relative to a Gaussian's, which real profiles need (Pier et al. 2003)."""

WIDEST = 1.5
"""Sources whose variance exceeds this many times that of the PSF plus one pixel are binned."""


_COMPILED = Kernel(
    "smooth_middle",
    *("float32", "float32", "float32", "int", "int", "int", "int", "int"),
    *("float32", "float64", "float64"),
)


@frozen
class Centroids:
    """Positions relative to the middle pixel of each stamp.

    Parameters
    ----------
    dx, dy : ndarray of float64, shape (n,)
        Offsets, pixels; 0 where ``failed``.
    x_err, y_err : ndarray of float32, shape (n,)
        Standard errors, pixels; NaN where ``failed``.
    failed : ndarray of bool, shape (n,)
        No maximum was found near the middle.
    size : ndarray of int64, shape (n,)
        Bin size that the source was still wider than, if this is a request for larger stamps; 0 if it is done.
    """

    dx: NDArray[np.float64]
    dy: NDArray[np.float64]
    x_err: NDArray[np.float32]
    y_err: NDArray[np.float32]
    failed: NDArray[np.bool_]
    size: NDArray[np.int64]


@frozen
class _Maximum:
    dx: NDArray[np.float64]
    dy: NDArray[np.float64]
    x_err: NDArray[np.float64]
    y_err: NDArray[np.float64]
    width_x: NDArray[np.float64]
    width_y: NDArray[np.float64]
    failed: NDArray[np.bool_]


def measure_centroid(
    stamps: NDArray[np.float32],
    variance: NDArray[np.float32],
    psf: NDArray[np.float32],
    sigma: NDArray[np.float64],
    *,
    bin_size: int = 1,
) -> Centroids:
    """Find the maximum near the middle of each stamp.

    Parameters
    ----------
    stamps, variance : ndarray of float32, shape (n, size, size)
        Pixels and variance; ``size`` at least ``bin_size * (psf size + 2)``, odd.
    psf : ndarray of float32, shape (n, k, k)
        PSF at each source, centered.
    sigma : ndarray of float64, shape (n,)
        Its width, pixels.
    bin_size : int, optional
        Bin the pixels by this much.

    Returns
    -------
    Centroids
        ``size`` is ``2 * bin_size`` for the sources that are too wide for this binning.
    """
    center = stamps.shape[1] // 2
    half = psf.shape[1] // 2 + 1
    if bin_size > 1:
        stamps, variance = (_bin(a, center, half, bin_size) for a in (stamps, variance))
        variance = variance / np.float32(bin_size**2)
        center = half
    smoothed, noise = _smooth(stamps, variance, psf, center - half)
    found = _maximum(smoothed, noise, sigma)
    # a bin's pixels begin at the peak pixel: the middle of the central bin lies half a bin further
    dx, dy = ((d + 0.5) * bin_size - 0.5 for d in (found.dx, found.dy))
    limit = WIDEST * (1 + sigma**2) * bin_size**2
    wide = ~found.failed & (
        (np.maximum(found.width_x, found.width_y) * bin_size**2 >= limit) | (dx**2 >= limit) | (dy**2 >= limit)
    )
    return Centroids(
        np.where(found.failed, 0.0, dx),
        np.where(found.failed, 0.0, dy),
        np.where(found.failed, np.nan, found.x_err * bin_size).astype(np.float32),
        np.where(found.failed, np.nan, found.y_err * bin_size).astype(np.float32),
        found.failed,
        np.where(wide, 2 * bin_size, 0),
    )


def _bin(stamps: NDArray[np.float32], center: int, half: int, bin_size: int) -> NDArray[np.float32]:
    return sum_bins(stamps, center - half * bin_size, 2 * half + 1, bin_size) / np.float32(bin_size**2)


def _smooth(
    stamps: NDArray[np.float32], variance: NDArray[np.float32], kernel: NDArray[np.float32], first: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the smoothed middle of stamps without ``first`` pixels at the border, and the noise of its derivatives."""
    if _COMPILED:
        n, size, width = len(stamps), kernel.shape[1], stamps.shape[1]
        smoothed, noise, padded = np.empty((n, 3, 3)), np.empty((4, n)), np.empty((size + 4) ** 2, np.float32)
        planes = (np.ascontiguousarray(plane) for plane in (stamps, variance, kernel))
        _COMPILED(*planes, n, size, width, width**2, first * width + first, padded, smoothed, noise)
        return smoothed, noise
    inner = slice(first, first + kernel.shape[1] + 2)
    return (
        _smooth_middle(stamps[:, inner, inner], kernel),
        _derivative_variance(variance[:, inner, inner], kernel),
    )


def _smooth_middle(stamps: NDArray[np.float32], kernel: NDArray[np.float32]) -> NDArray[np.float64]:
    """Correlate stamps with kernels, at the nine middle pixels only."""
    size = kernel.shape[1]
    result = np.empty((len(stamps), 3, 3))
    for j, i in np.ndindex(3, 3):
        result[:, j, i] = np.einsum("nij,nij->n", stamps[:, j : j + size, i : i + size], kernel)
    return result


def _derivative_variance(variance: NDArray[np.float32], kernel: NDArray[np.float32]) -> NDArray[np.float64]:
    """Variance of slope and curvature in x, slope and curvature in y, of the smoothed image; shape (4, n)."""
    padded = np.pad(kernel, ((0, 0), (1, 1), (1, 1)))
    result = np.empty((4, len(kernel)))
    for k, axis in ((0, 2), (2, 1)):
        ahead, behind = np.roll(padded, 1, axis), np.roll(padded, -1, axis)
        for number, weight in ((k, 0.5 * (ahead - behind)), (k + 1, 2 * padded - ahead - behind)):
            result[number] = np.einsum("nij,nij,nij->n", weight, weight, variance)
    return result


def _quartic(
    below: NDArray[np.float64], middle: NDArray[np.float64], above: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Place of the maximum of three values at -1, 0, 1; NaN where there is none within one pixel."""
    fall_up, fall_down = middle - above, middle - below
    curvature = fall_up + fall_down
    with np.errstate(divide="ignore", invalid="ignore"):
        place = 0.5 * (above - below) / curvature * (1 + QUARTIC * fall_up * fall_down / (curvature * middle))
    return np.where((curvature > 0) & (middle > 0) & (np.abs(place) < 1), place, np.nan)


def _maximum(image: NDArray[np.float64], noise: NDArray[np.float64], sigma: NDArray[np.float64]) -> _Maximum:
    middle = image[:, 1, 1]
    curve_x = 2 * middle - image[:, 1, 0] - image[:, 1, 2]
    curve_y = 2 * middle - image[:, 0, 1] - image[:, 2, 1]
    slope_x, slope_y = 0.5 * (image[:, 1, 2] - image[:, 1, 0]), 0.5 * (image[:, 2, 1] - image[:, 0, 1])
    peaked = (curve_x > 0) & (curve_y > 0)
    safe_x, safe_y = np.where(peaked, curve_x, 1.0), np.where(peaked, curve_y, 1.0)
    first_x, first_y = slope_x / safe_x, slope_y / safe_y
    failed = ~peaked | (np.abs(first_x) > 10) | (np.abs(first_y) > 10)
    height = np.abs(middle + 0.5 * (slope_x * first_x + slope_y * first_y))

    along_x = [_quartic(image[:, j, 0], image[:, j, 1], image[:, j, 2]) for j in range(3)]
    along_y = [_quartic(image[:, 0, i], image[:, 1, i], image[:, 2, i]) for i in range(3)]
    quartic = np.all(np.isfinite([*along_x, *along_y]), axis=0)
    tilt_x, tilt_y = 0.5 * (along_x[2] - along_x[0]), 0.5 * (along_y[2] - along_y[0])
    bend_x = along_x[1] - 0.5 * (along_x[0] + along_x[2])
    bend_y = along_y[1] - 0.5 * (along_y[0] + along_y[2])
    dx, dy = along_x[1] + first_y * (tilt_x - first_y * bend_x), along_y[1] + first_x * (tilt_y - first_x * bend_y)
    dx, dy = along_x[1] + dy * (tilt_x - dy * bend_x), along_y[1] + dx * (tilt_y - dx * bend_y)
    width_x = height / safe_x - np.where(quartic, (1 + 6 * first_x**2) / 4, 0.0)
    width_y = height / safe_y - np.where(quartic, (1 + 6 * first_y**2) / 4, 0.0)
    # the source itself is narrower than its smoothed image, and no narrower than the PSF
    width_x, width_y = np.maximum(width_x - sigma**2, sigma**2), np.maximum(width_y - sigma**2, sigma**2)
    strength = np.where(quartic, QUARTIC, 0.0)
    x_err = _error(noise[0], noise[1], height, slope_x, safe_x, strength)
    y_err = _error(noise[2], noise[3], height, slope_y, safe_y, strength)
    return _Maximum(
        np.where(quartic, dx, first_x), np.where(quartic, dy, first_y), x_err, y_err, width_x, width_y, failed
    )


def _error(
    slope_variance: NDArray[np.float64],
    curve_variance: NDArray[np.float64],
    height: NDArray[np.float64],
    slope: NDArray[np.float64],
    curvature: NDArray[np.float64],
    strength: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Propagate the noise of slope and curvature of the smoothed image to the place of its maximum."""
    gain = strength / (4 * np.where(height > 0, height, np.inf))
    by_slope = 1 / curvature + gain * (1 - 12 * (slope / curvature) ** 2)
    by_curve = slope / curvature**2 - gain * 8 * slope**2 / curvature**3
    return np.asarray(np.sqrt(slope_variance * by_slope**2 + curve_variance * by_curve**2))
