"""Smooth profiles that a noisy PSF image is compared with."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["Rings", "cut_into_rings", "moffat", "stamp_radius"]

Float = NDArray[np.float32]

_MOFFAT_BETA = 3.0


def stamp_radius(shape: tuple[int, int], step: float = 1.0) -> NDArray[np.float64]:
    """Return the distance of each pixel from the middle one, in units of ``step`` pixels.

    Parameters
    ----------
    shape : tuple of int
        Shape (h, w) of the stamp. Its middle pixel is (h // 2, w // 2).
    step : float, default: 1.0
        Factor by which the distances, pixels, are multiplied.

    Returns
    -------
    ndarray of float64, shape (h, w)
        Distances.
    """
    return np.asarray(
        np.hypot(np.arange(shape[0])[:, None] - shape[0] // 2, np.arange(shape[1])[None, :] - shape[1] // 2) * step
    )


class Rings(NamedTuple):
    """A smooth PSF image as a sum of elliptical rings.

    Parameters
    ----------
    images : ndarray of float32, shape (n_ring, my, mx)
        A Moffat profile, cut into rings that overlap linearly. Rings get wider further out, where little light is left.
    factors : ndarray of float64, shape (n_ring,)
        Light of the PSF in each ring over that of the Moffat profile.
    """

    images: Float
    factors: NDArray[np.float64]

    def profile(self) -> Float:
        """Return the sum of the rings, float32, shape (my, mx)."""
        return np.asarray(np.tensordot(self.factors.astype(np.float32), self.images, 1), np.float32)


def cut_into_rings(image: Float) -> Rings:
    """Return a PSF image with its own shape but less noise: a Moffat profile, corrected along ellipses.

    Parameters
    ----------
    image : ndarray of float32, shape (my, mx)
        The image, its middle pixel near the center.

    Returns
    -------
    Rings
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
    # what is averaged is the ratio to the Moffat profile, which is flat
    ring = 4.0 * np.log1p(radius / 4.0)
    low = ring.astype(np.int64)
    part, n_ring = ring - low, low.max() + 2
    shares = np.zeros((n_ring, height, width))
    np.put_along_axis(shares, low[None], 1.0 - part[None], axis=0)
    np.put_along_axis(shares, low[None] + 1, part[None], axis=0)
    light, expected = (np.tensordot(shares, values, 2) for values in (image, profile))
    return Rings((shares * profile).astype(np.float32), light / np.maximum(expected, 1e-30))


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
