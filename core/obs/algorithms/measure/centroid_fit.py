"""Centroid: a step of least squares to where the PSF fits best.

The maximum of the PSF-smoothed image is interpolated between pixels, which for narrow PSFs is not exact. The rendered
PSF is, and its least squares are the maximum of the smoothed image without that interpolation.
"""

import numpy as np
from numpy.typing import NDArray

from obs.algorithms.pixels.window import windows

__all__ = ["correct_centroid"]

LARGEST_STEP = 0.3
"""Pixels. What lies further off is no error of an interpolation."""


def correct_centroid(
    stamps: NDArray[np.float32],
    psf: NDArray[np.float32],
    row: NDArray[np.int64],
    column: NDArray[np.int64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return steps from the places at which PSFs were rendered to better ones.

    Parameters
    ----------
    stamps : ndarray of float32, shape (n, size, size)
        Background-subtracted pixels.
    psf : ndarray of float32, shape (n, k, k)
        PSF rendered at the sub-pixel place of each source.
    row, column : ndarray of int64, shape (n,)
        Pixel of the stamp that the middle of the PSF belongs to.

    Returns
    -------
    dx, dy : ndarray of float64, shape (n,)
        Steps, pixels; zero where the fit has no answer within `LARGEST_STEP`.
    """
    data = windows(stamps, row, column, psf.shape[1] // 2)
    across, along = _derivative(psf), _derivative(psf.transpose(0, 2, 1)).transpose(0, 2, 1)

    def product(a: NDArray[np.float32], b: NDArray[np.float32]) -> NDArray[np.float64]:
        return np.asarray(np.einsum("nij,nij->n", a, b, dtype=np.float64))

    with np.errstate(divide="ignore", invalid="ignore"):
        light = product(psf, data) / product(psf, psf)
        xx, yy, xy = product(across, across), product(along, along), product(across, along)
        x, y = (product(d, data) / light - product(d, psf) for d in (across, along))
        determinant = xx * yy - xy**2
        # light moves toward larger x where the slope of the PSF, as x grows, is too positive
        dx, dy = (xy * y - yy * x) / determinant, (xy * x - xx * y) / determinant
    trusted = (light > 0) & (determinant > 0) & (np.abs(dx) < LARGEST_STEP) & (np.abs(dy) < LARGEST_STEP)
    return np.where(trusted, dx, 0.0), np.where(trusted, dy, 0.0)


def _derivative(images: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the slope of images in x, from four neighbors; zero at the border, beyond which the image is not known."""
    slope = np.zeros_like(images)
    near, far = images[:, :, 3:-1] - images[:, :, 1:-3], images[:, :, 4:] - images[:, :, :-4]
    slope[:, :, 2:-2] = (8 * near - far) / 12
    return slope
