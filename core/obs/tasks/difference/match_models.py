"""A kernel from PSF models alone, and what it makes of unusable pixels."""

import numpy as np
from numpy.typing import NDArray
from scipy.signal import fftconvolve, oaconvolve

from obs.algorithms.coadd.matching_kernel import KernelBasis, MatchingKernel, fit_matching_kernel
from obs.geom import Box
from obs.image.psf import Psf
from obs.tasks.difference.config import MatchConfig

__all__ = ["convolve_variance", "match_models", "matching_basis", "scaled_places", "spread_unusable"]

Floats = NDArray[np.float64]
Image = NDArray[np.float32]

_NARROWEST = 0.7  # pixels; narrower Gaussians are no longer sampled
_GRID = 6
_DAMPING = 1e-2  # the kernel may miss so much of a PSF for the sake of noise
_SPOILED = 0.05  # share of the kernel's light from unusable pixels above which a pixel is unusable


def matching_basis(narrow: float, wide: float, config: MatchConfig) -> KernelBasis:
    """Return the Gaussians of a kernel from a PSF of one width to that of another, both in pixels.

    Parameters
    ----------
    narrow, wide : float
        Widths (sigma) of the narrower and of the wider PSF, pixels.
    config : MatchConfig
        Its ``degrees`` are the polynomial degrees of the Gaussians, each twice as wide as the one before.
    """
    width = max(np.sqrt(max(wide**2 - narrow**2, 0)), 2 * _NARROWEST)
    return KernelBasis(tuple(float(width * 2.0 ** (n - 1)) for n in range(len(config.degrees))), tuple(config.degrees))


def spread_unusable(unusable: NDArray[np.bool_], kernel: MatchingKernel) -> NDArray[np.bool_]:
    """Return the pixels that get a good part of their light from unusable ones.

    Parameters
    ----------
    unusable : ndarray of bool, shape (ny, nx)
        Pixels that cannot be used.
    kernel : MatchingKernel
        Kernel with which the image is convolved.

    Returns
    -------
    ndarray of bool, shape (ny, nx)
        Pixels with more than 5 % of the kernel's absolute weight on unusable ones.
    """
    if not unusable.any():
        return unusable
    weight = np.abs(kernel.stamp())
    weight /= weight.sum()
    return np.asarray(oaconvolve(unusable.astype(np.float32), weight.astype(np.float32), mode="same") > _SPOILED)


def convolve_variance(variance: Image, kernel: MatchingKernel, weights: Image | None = None) -> Image:
    """Return the variance that sums over pixels of a convolved image have, in which neighbors share noise.

    Parameters
    ----------
    variance : ndarray of float32, shape (ny, nx)
        Variance of the image before the convolution, whose pixels are independent.
    kernel : MatchingKernel
        The kernel.
    weights : ndarray of float32, shape (k, k), optional
        Weights of the sums, such as the PSF for its fluxes; without them, the sums are over many pixels.
    """
    stamp = kernel.stamp()
    share = kernel.flux_ratio**2
    if weights is not None:
        share = float(np.sum(fftconvolve(stamp, weights) ** 2) / np.sum(np.square(weights, dtype=np.float64)))
    square = stamp**2
    square *= share / square.sum()
    return np.asarray(np.maximum(oaconvolve(variance, square.astype(np.float32), mode="same"), 0), np.float32)


def match_models(
    source: Psf, target: Psf, box: Box, half: int, basis: KernelBasis, config: MatchConfig
) -> MatchingKernel:
    """Fit the kernel to PSF models at places all over the image.

    Parameters
    ----------
    source, target : Psf
        PSF of the image that is convolved, and the one that it gets.
    box : Box
        Pixels of the image, on the grid of both PSFs.
    half : int
        Pixels from the middle of the PSFs to where their light ends.
    basis : KernelBasis
        What the kernel is a sum of.
    config : MatchConfig
        Settings.
    """
    share = (np.arange(_GRID) + 0.5) / _GRID
    x, y = (axis.ravel() for axis in np.meshgrid(np.rint(share * box.width), np.rint(share * box.height)))
    sources, targets = (
        _resized(psf.evaluate(x=x + box.x_min, y=y + box.y_min), size)
        for psf, size in ((source, 2 * (half + basis.half) + 1), (target, 2 * half + 1))
    )
    u, v = scaled_places(x, y, box.shape)
    noises = np.zeros(len(x)), np.ones(len(x))
    return fit_matching_kernel(sources, targets, noises, u, v, basis, order=config.order, damping=_DAMPING)


def _resized(stamps: Image, size: int) -> Image:
    """Return stamps of another size, both odd, with the same middle."""
    result = np.zeros((len(stamps), size, size), np.float32)
    take = [min(size, length) // 2 for length in stamps.shape[1:]]
    inner, outer = (
        np.s_[:, center[0] - take[0] : center[0] + take[0] + 1, center[1] - take[1] : center[1] + take[1] + 1]
        for center in ((size // 2, size // 2), (stamps.shape[1] // 2, stamps.shape[2] // 2))
    )
    result[inner] = stamps[outer]
    return result


def scaled_places(x: Floats, y: Floats, shape: tuple[int, int]) -> tuple[Floats, Floats]:
    """Return positions that run from -1 to 1 over an image.

    Parameters
    ----------
    x, y : ndarray of float64, shape (n,)
        Positions, 0-based pixels.
    shape : tuple of int
        Shape (ny, nx) of the image.

    Returns
    -------
    u, v : ndarray of float64, shape (n,)
        -1 is the middle of the first pixel, 1 that of the last one.
    """
    u, v = (2 * place / max(size - 1, 1) - 1 for place, size in zip((x, y), shape[::-1], strict=True))
    return u, v
