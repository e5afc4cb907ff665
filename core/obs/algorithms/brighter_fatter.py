"""Undo the spreading of bright stars by the charge that their own pixels have collected.

Coulton et al. (2018, AJ 155, 258), section 3: the charge Q in a pixel deflects what arrives later as the gradient of
K * Q, a potential with a measured kernel K. To first order the light that would have been collected is

    Q + 1/2 div(Q grad(K * Q)),

solved by iteration for the Q on the right-hand side. The divergence is taken here between fluxes through the borders of
pixels, so that no charge is made or lost.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.fft import irfft2, next_fast_len, rfft2

from obs.errors import FileFormatError

__all__ = ["BrighterFatter", "correct_brighter_fatter", "displaced_charge"]


class BrighterFatter(NamedTuple):
    """Outcome of the correction.

    Parameters
    ----------
    correction : ndarray of float32, shape (ny, nx)
        What is to be added to the image, its units.
    n_iteration : int
        Iterations made.
    change : float
        Sum of the absolute changes of the last iteration.
    """

    correction: NDArray[np.float32]
    n_iteration: int
    change: float


def displaced_charge(charge: NDArray[np.float32], kernel: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the charge that was pushed out of each pixel, less what was pushed in.

    Parameters
    ----------
    charge : ndarray of float32, shape (ny, nx)
        Collected charge, electrons; finite.
    kernel : ndarray of float32, shape (k, k)
        Kernel, k odd, per electron.

    Returns
    -------
    ndarray of float32, shape (ny, nx)
        Electrons; zero within half the kernel and one pixel of the border. Its sum is zero but for what crosses the
        border of the inner part.
    """
    half = kernel.shape[0] // 2 + 1
    result = np.zeros_like(charge)
    if min(charge.shape) <= 2 * half:
        return result
    potential = _convolved(charge, kernel)
    inner = slice(half, -half)
    for axis in (0, 1):
        q, p = (np.moveaxis(plane, axis, 0) for plane in (charge, potential))
        flux = q[1:] + q[:-1]
        flux *= 0.25 * (p[1:] - p[:-1])
        np.moveaxis(result, axis, 0)[1:-1] += flux[1:] - flux[:-1]
    border = np.ones(charge.shape, bool)
    border[inner, inner] = False
    result[border] = 0.0
    return result


def _convolved(image: NDArray[np.float32], kernel: NDArray[np.float32]) -> NDArray[np.float32]:
    """Convolve; zeros lie outside of the image."""
    half = kernel.shape[0] // 2
    height, width = image.shape
    shape = [next_fast_len(size + 2 * half, real=True) for size in image.shape]
    transform = rfft2(image, shape)
    transform *= rfft2(kernel, shape)
    return np.asarray(irfft2(transform, shape, overwrite_x=True)[half : half + height, half : half + width], np.float32)


def correct_brighter_fatter(
    image: NDArray[np.float32], kernel: NDArray[np.float32], *, maximum_iterations: int = 10, threshold: float = 1000.0
) -> BrighterFatter:
    """Return what must be added to an image to have every charge where it was bound for.

    Parameters
    ----------
    image : ndarray of float32, shape (ny, nx)
        Collected charge, in the units that the kernel is for, as a rule electrons; not a number counts as zero.
    kernel : ndarray of float32, shape (k, k)
        Kernel, k odd, per unit of charge.
    maximum_iterations : int, optional
        Iterations at most.
    threshold : float, optional
        Sum of absolute changes below which the iteration has converged, units of the image.

    Returns
    -------
    BrighterFatter

    Raises
    ------
    FileFormatError
        If the kernel is not square with an odd number of pixels, or not finite.
    """
    if kernel.ndim != 2 or kernel.shape[0] != kernel.shape[1] or kernel.shape[0] % 2 == 0:
        raise FileFormatError(f"a brighter-fatter kernel is square with an odd number of pixels, got {kernel.shape}")
    if not np.isfinite(kernel).all():
        raise FileFormatError("the brighter-fatter kernel holds values that are no numbers")
    collected = np.nan_to_num(image, nan=0.0, posinf=0.0, neginf=0.0)
    kernel = kernel.astype(np.float32)
    correction = np.zeros_like(collected)
    change, n_iteration = float("inf"), 0
    while n_iteration < maximum_iterations and not change < threshold:
        latest = displaced_charge(collected + correction, kernel)
        change = float(np.abs(latest - correction).sum(dtype=np.float64))
        correction, n_iteration = latest, n_iteration + 1
    return BrighterFatter(correction, n_iteration, change)
