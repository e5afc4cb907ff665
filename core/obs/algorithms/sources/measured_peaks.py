"""Whether peaks rest on pixels that were measured, not on what defects and cosmic rays were filled with."""

import numpy as np
from numpy.typing import NDArray

from obs.algorithms.pixels.grow import grow
from obs.algorithms.pixels.smoothing import gaussian_kernel
from obs.algorithms.pixels.window import plane_windows
from obs.algorithms.sources.detection import Peaks

__all__ = ["survives_without_filled_pixels"]

LEAST_PART = 0.5
"""Part of the threshold that measured pixels must reach. A source that a cosmic ray hit has lost part of its signal;
what rays leave beside the pixels they were recognized in has far less."""


def survives_without_filled_pixels(
    image: NDArray[np.float32],
    filled: NDArray[np.bool_],
    peaks: Peaks,
    *,
    sigma: float,
    n_sigma: float,
    threshold: float,
) -> NDArray[np.bool_]:
    """Whether the signal of peaks is there too with the filled pixels left out of the smoothing kernel.

    Parameters
    ----------
    image : ndarray of float32, shape (ny, nx)
        Background-subtracted pixels, not smoothed; must be finite.
    filled : ndarray of bool, shape (ny, nx)
        Pixels whose value was not measured. Their four neighbors are left out with them.
    peaks : Peaks
        The peaks.
    sigma, n_sigma : float
        Width of the Gaussian that the image was smoothed with, pixels, and the kernel's full size in sigma.
    threshold : float
        Threshold in the smoothed image.

    Returns
    -------
    ndarray of bool, shape (n,)
    """
    result = np.ones(len(peaks), bool)
    kernel = gaussian_kernel(sigma, n_sigma)
    kernel = np.outer(kernel, kernel).astype(np.float32)
    half = len(kernel) // 2
    out = plane_windows(grow(filled, 1), peaks.y, peaks.x, half)
    rows = np.flatnonzero(out.any((1, 2)))
    light = np.where(out[rows], np.float32(0.0), plane_windows(image, peaks.y[rows], peaks.x[rows], half))
    signal = np.einsum("nij,ij->n", light, kernel)
    # noise of the sum over the pixels that are left, relative to that over all
    noise = np.sqrt(np.einsum("nij,ij->n", ~out[rows], kernel**2) / np.sum(kernel**2))
    result[rows] = signal > LEAST_PART * threshold * noise
    return result
