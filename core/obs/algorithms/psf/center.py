"""Centers of PSF images."""

import numpy as np
from numpy.typing import NDArray

__all__ = ["windowed_centers"]

ITERATIONS = 12
"""Each halves the error at least."""


def windowed_centers(images: NDArray[np.float32], fwhm: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Measure where the light of images is centered, under a round Gaussian window that follows the center.

    This is the windowed centroid of SExtractor (Bertin & Arnouts 1996), which for point sources is as precise as a fit.

    Parameters
    ----------
    images : ndarray of float32, shape (n, my, mx)
        Images with their source near the middle.
    fwhm : float
        Full width at half maximum of the window, steps of the images.

    Returns
    -------
    x, y : ndarray of float64, shape (n,)
        Centers relative to the middle pixels, steps of the images; NaN for images without light there.
    """
    n, height, width = images.shape
    across, along = np.arange(width) - width // 2, np.arange(height) - height // 2
    x, y = np.zeros(n), np.zeros(n)
    narrowness = 4.0 * np.log(2.0) / fwhm**2
    for _ in range(ITERATIONS):
        dx, dy = across - x[:, None], along - y[:, None]
        window_x, window_y = np.exp(-narrowness * dx**2), np.exp(-narrowness * dy**2)
        light = np.einsum("nij,ni,nj->n", images, window_y, window_x)
        light = np.where(light > 0, light, np.nan)
        # the product of a Gaussian and its window is displaced by half of what the Gaussian is
        x += 2.0 * np.einsum("nij,ni,nj->n", images, window_y, window_x * dx) / light
        y += 2.0 * np.einsum("nij,ni,nj->n", images, window_y * dy, window_x) / light
    return x, y
