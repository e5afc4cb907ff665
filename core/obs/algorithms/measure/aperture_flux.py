"""Flux within circles.

Small circles are integrated over the band-limited image that the pixels sample, which knows no pixel corners
(Bickerton & Lupton 2013, MNRAS 431, 1275); large ones over the pixels, with the exact area of overlap, which costs
less and differs less.
"""

from functools import lru_cache

import numpy as np
import sep
from numpy.typing import NDArray
from scipy.special import j1

from obs.algorithms.measure.psf_flux import Fluxes
from obs.image.resample import shift_matrices

__all__ = ["measure_aperture_flux", "measure_ellipse_flux"]

OVERSAMPLING = 4
"""The kernel's transform is sampled this many times finer than the kernel's own extent demands."""


@lru_cache(maxsize=32)
def sinc_kernel(radius: float, half: int) -> NDArray[np.float32]:
    """Weights of the pixels about a circle's centre that integrate the band-limited image over the circle.

    Parameters
    ----------
    radius : float
        Radius, pixels.
    half : int
        Half the size of the kernel, pixels.

    Returns
    -------
    ndarray of float32, shape (2 half + 1, 2 half + 1)
    """
    n = OVERSAMPLING * (2 * half + 1)
    frequency = np.fft.fftfreq(n)
    k = 2 * np.pi * np.hypot(frequency[:, None], frequency[None, :])
    with np.errstate(invalid="ignore", divide="ignore"):
        transform = np.where(k > 0, 2 * np.pi * radius * j1(k * radius) / k, np.pi * radius**2)
    kernel = np.fft.fftshift(np.fft.ifft2(transform).real)
    middle = n // 2
    inner = slice(middle - half, middle + half + 1)
    return np.ascontiguousarray(kernel[inner, inner], np.float32)


def measure_aperture_flux(
    stamps: NDArray[np.float32],
    variance: NDArray[np.float32],
    inside: NDArray[np.bool_],
    dx: NDArray[np.float64],
    dy: NDArray[np.float64],
    radius: float,
    *,
    sinc: bool,
) -> Fluxes:
    """Add up the light within a circle about each source.

    Parameters
    ----------
    stamps, variance : ndarray of float32, shape (n, size, size)
        Pixels and variance.
    inside : ndarray of bool, shape (n, size, size)
        Pixels that lie in the image.
    dx, dy : ndarray of float64, shape (n,)
        Centre relative to the middle pixel.
    radius : float
        Radius, pixels.
    sinc : bool
        Integrate the band-limited image instead of the pixels.

    Returns
    -------
    Fluxes
        ``edge`` where the circle leaves the image, and the flux is then a lower limit; NaN and ``failed`` where the
        centre does.
    """
    half = stamps.shape[1] // 2
    touched = _leaves(inside, dx, dy, radius)
    if sinc:
        flux, flux_err = _sinc_sum(stamps, variance, dx, dy, radius)
    else:
        tall = stamps.reshape(-1, stamps.shape[2])
        y = dy + half + np.arange(len(stamps)) * stamps.shape[1]
        flux, flux_err, _ = sep.sum_circle(tall, dx + half, y, radius, var=variance.reshape(tall.shape), subpix=0)
    failed = ~np.isfinite(flux)
    return Fluxes(np.asarray(flux, np.float64), np.asarray(flux_err, np.float64), failed, touched)


def _leaves(
    inside: NDArray[np.bool_], dx: NDArray[np.float64], dy: NDArray[np.float64], radius: float
) -> NDArray[np.bool_]:
    """Whether a circle touches a pixel outside the image; boxes, since the image's border is straight."""
    half = inside.shape[1] // 2
    ends = []
    for centre, axis in ((dy, 2), (dx, 1)):
        line = np.asarray(inside.any(axis=axis))
        low = np.clip(np.floor(centre - radius + half + 0.5).astype(int), 0, inside.shape[1] - 1)
        high = np.clip(np.ceil(centre + radius + half - 0.5).astype(int), 0, inside.shape[1] - 1)
        rows = np.arange(len(inside))
        ends.append(~(line[rows, low] & line[rows, high]))
    return np.asarray(ends[0] | ends[1])


def _sinc_sum(
    stamps: NDArray[np.float32],
    variance: NDArray[np.float32],
    dx: NDArray[np.float64],
    dy: NDArray[np.float64],
    radius: float,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    centre = stamps.shape[1] // 2
    # beyond the circle the kernel rings on, falling as the third half power; ten pixels hold all but 1e-4 of it
    half = min(centre, int(np.ceil(radius)) + 10)
    inner = slice(centre - half, centre + half + 1)
    kernel = sinc_kernel(radius, half)
    size = 2 * half + 1
    weight = shift_matrices(dy, size, size) @ kernel @ shift_matrices(dx, size, size).transpose(0, 2, 1)
    flux = np.einsum("nij,nij->n", weight, stamps[:, inner, inner], dtype=np.float64)
    square = np.einsum("nij,nij,nij->n", weight, weight, variance[:, inner, inner], dtype=np.float64)
    return flux, np.sqrt(square)


def measure_ellipse_flux(
    stamps: NDArray[np.float32],
    variance: NDArray[np.float32],
    dx: NDArray[np.float64],
    dy: NDArray[np.float64],
    a: NDArray[np.float64],
    b: NDArray[np.float64],
    theta: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Add up the light within an ellipse about each source, with the exact area of overlap.

    Parameters
    ----------
    stamps, variance : ndarray of float32, shape (n, size, size)
        Pixels and variance.
    dx, dy : ndarray of float64, shape (n,)
        Centre relative to the middle pixel.
    a, b : ndarray of float64, shape (n,)
        Semi-axes, pixels.
    theta : ndarray of float64, shape (n,)
        Angle of the major axis from x to y, radian, -pi/2 to pi/2.

    Returns
    -------
    flux, flux_err : ndarray of float64, shape (n,)
    """
    half = stamps.shape[1] // 2
    tall = stamps.reshape(-1, stamps.shape[2])
    y = dy + half + np.arange(len(stamps)) * stamps.shape[1]
    flux, flux_err, _ = sep.sum_ellipse(
        tall, dx + half, y, a, b, theta, 1.0, var=variance.reshape(tall.shape), subpix=5
    )
    return flux, flux_err
