"""Smooth profiles that a noisy PSF image is compared with."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["moffat", "smooth_profile", "stamp_radius"]

Float = NDArray[np.float32]

_MOFFAT_BETA = 3.0


def stamp_radius(shape: tuple[int, int], step: float = 1.0) -> NDArray[np.float64]:
    """Return the distance of each pixel from the middle one, in units of ``step`` pixels."""
    return np.asarray(
        np.hypot(np.arange(shape[0])[:, None] - shape[0] // 2, np.arange(shape[1])[None, :] - shape[1] // 2) * step
    )


def smooth_profile(image: Float) -> Float:
    """Return a PSF image with its own shape but less noise: a Moffat profile, corrected along ellipses.

    Parameters
    ----------
    image : ndarray of float32, shape (my, mx)
        The image, its middle pixel near the center.

    Returns
    -------
    ndarray of float32, shape (my, mx)
        The profile.
    """
    height, width = image.shape
    y, x = np.mgrid[:height, :width] - np.array([height // 2, width // 2])[:, None, None]
    bright = np.where(image > 0.1 * image.max(), image, 0.0).astype(np.float64)
    bright /= bright.sum()
    x, y = x - np.sum(bright * x), y - np.sum(bright * y)
    xx, xy, yy = np.sum(bright * x * x), np.sum(bright * x * y), np.sum(bright * y * y)
    area = np.sqrt(max(xx * yy - xy**2, 1e-6))
    radius = np.sqrt(np.maximum(yy * x**2 - 2.0 * xy * x * y + xx * y**2, 0.0) / area)
    profile = moffat(radius, 2.0 * np.sqrt(np.sum(image > 0.5 * image.max()) / np.pi))
    # rings get wider further out, where little light is left; what is averaged there is the ratio, which is flat
    ring = (4.0 * np.log1p(radius / 4.0)).ravel()
    low = ring.astype(np.int64)
    part, n_ring = ring - low, low.max() + 2

    def along_rings(values: NDArray[Any]) -> NDArray[np.float64]:
        inner = np.bincount(low, (1.0 - part) * values.ravel(), n_ring)
        return np.asarray(inner + np.bincount(low + 1, part * values.ravel(), n_ring))

    ratio = along_rings(image) / np.maximum(along_rings(profile), 1e-30)
    smooth = profile.ravel() * ((1.0 - part) * ratio[low] + part * ratio[low + 1])
    return np.asarray(smooth.reshape(image.shape), np.float32)


def moffat(radius: NDArray[np.float64], fwhm: float) -> NDArray[np.float64]:
    """Return a Moffat profile with the wings of seeing, one in the middle.

    Parameters
    ----------
    radius : ndarray of float64
        Distance from the center.
    fwhm : float
        Full width at half maximum, unit of ``radius``.

    Returns
    -------
    ndarray of float64, shape of ``radius``
        Surface brightness.
    """
    scale = 0.5 * fwhm / np.sqrt(2.0 ** (1.0 / _MOFFAT_BETA) - 1.0)
    return np.asarray((1.0 + (radius / scale) ** 2) ** -_MOFFAT_BETA)
