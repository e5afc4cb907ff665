"""A Gaussian as a PSF: what is known of stars before their image is."""

import numpy as np

from obs.image.psf import PixelPsf

__all__ = ["gaussian_psf"]

FINE, COARSE = 3, 1
"""Samples a pixel, where the Gaussian is too narrow to be moved on whole pixels, and elsewhere."""

NARROW = 1.1
"""Variance, pixels squared, below which it is."""

PARTS = 5
"""The light that a pixel sees is the mean over this many places in x and in y."""


def gaussian_psf(xx: float, yy: float, xy: float, size: int) -> PixelPsf:
    """Return a PSF that is the same everywhere.

    Parameters
    ----------
    xx, yy, xy : float
        Second moments of the image that pixels see, pixels squared.
    size : int
        Size of the stamps, pixels, odd.

    Returns
    -------
    PixelPsf
    """
    samples = FINE if min(xx, yy) < NARROW else COARSE
    half = size // 2 * samples
    # what pixels add is put back by the mean over each of them
    a, b = max(xx - 1.0 / 12.0, 0.05), max(yy - 1.0 / 12.0, 0.05)
    determinant = max(a * b - xy**2, 0.05 * a * b)
    place = np.arange(-half, half + 1) / samples
    part = (np.arange(PARTS) + 0.5) / PARTS - 0.5
    fine = (place[:, None] + part).ravel()
    x, y = fine[None, :], fine[:, None]
    image = np.exp(-0.5 * (b * x**2 - 2.0 * xy * x * y + a * y**2) / determinant)
    n = len(place)
    image = image.reshape(n, PARTS, n, PARTS).mean((1, 3))
    fwhm = 2.0 * np.sqrt(2.0 * np.log(2.0)) * (xx * yy - min(xy**2, 0.95 * xx * yy)) ** 0.25
    return PixelPsf(
        image[None].astype(np.float32),
        0,
        sampling=1.0 / samples,
        stamp_shape=(size, size),
        fwhm=float(fwhm),
        interpolation="star",
    )
