"""Kron flux: light within an ellipse scaled to the source's own first radial moment (Kron 1980, ApJS 43, 305)."""

import numpy as np
from numpy.typing import NDArray

from obs.kernels.library import Kernel

__all__ = ["kron_ellipse", "measure_kron_radius"]

_COMPILED = Kernel(
    "radial_moments",
    *("float32", "int", "int", "float64", "float64"),
    *("float32", "float32", "float64", "float64"),
)


def measure_kron_radius(
    stamps: NDArray[np.float32],
    dx: NDArray[np.float64],
    dy: NDArray[np.float64],
    moments: NDArray[np.float64],
    *,
    minimum_radius: NDArray[np.float64],
    n_sigma: float = 6.0,
) -> NDArray[np.float64]:
    """Measure the first radial moment of the light.

    Parameters
    ----------
    stamps : ndarray of float32, shape (n, size, size)
        Background-subtracted pixels.
    dx, dy : ndarray of float64, shape (n,)
        Center relative to the middle pixel.
    moments : ndarray of float64, shape (n, 3)
        Second moments xx, yy, xy that give the ellipse its shape, pixels squared; NaN where not known.
    minimum_radius : ndarray of float64, shape (n,)
        Radius of a point source, below which noise may not take it, pixels.
    n_sigma : float, optional
        The moment is taken within this many times the size of the ellipse.

    Returns
    -------
    ndarray of float64, shape (n,)
        Kron radii, of circles of the ellipses' area, pixels; NaN where the light has no positive moment.
    """
    half = stamps.shape[1] // 2
    known = np.asarray(np.isfinite(moments).all(1))
    xx, yy, xy = np.where(known[:, None], moments, [1.0, 1.0, 0.0]).T
    determinant = xx * yy - xy**2
    size = determinant**0.25
    # radius in units in which the ellipse is a circle of the same area
    shape = (np.stack([yy, xx, -xy], axis=1) / np.sqrt(determinant)[:, None]).astype(np.float32)
    reach = (n_sigma * size).astype(np.float32)
    if _COMPILED:
        total, first = np.empty(len(stamps)), np.empty(len(stamps))
        centers = (np.ascontiguousarray(center, np.float64) for center in (dx, dy))
        _COMPILED(np.ascontiguousarray(stamps), len(stamps), half, *centers, shape, reach, total, first)
    else:
        total, first = _radial_moments(stamps, dx, dy, shape, reach)
    with np.errstate(divide="ignore", invalid="ignore"):
        kron = np.where(known & (total > 0), first / total, np.nan)
    kron = np.where(kron > 0, kron, np.nan)
    return np.asarray(np.clip(kron, minimum_radius, np.maximum(n_sigma * size, minimum_radius)))


def _radial_moments(
    stamps: NDArray[np.float32],
    dx: NDArray[np.float64],
    dy: NDArray[np.float64],
    shape: NDArray[np.float32],
    reach: NDArray[np.float32],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the light within reach of each center, and the sum of light times radius."""
    half = stamps.shape[1] // 2
    offset = np.arange(-half, half + 1, dtype=np.float32)
    x, y = offset - dx[:, None].astype(np.float32), offset - dy[:, None].astype(np.float32)
    a, b, c = shape.T
    radius = (b[:, None] * y**2)[:, :, None] + (a[:, None] * x**2)[:, None, :]
    radius += (2 * c[:, None] * y)[:, :, None] * x[:, None, :]
    np.sqrt(np.maximum(radius, 0.0, out=radius), out=radius)
    light = np.where(radius < reach[:, None, None], stamps, np.float32(0.0))
    return light.sum((1, 2), dtype=np.float64), np.einsum("nij,nij->n", light, radius, dtype=np.float64)


def kron_ellipse(
    radius: NDArray[np.float64], moments: NDArray[np.float64], n_radius: float = 2.5
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return the ellipses in which Kron fluxes are summed.

    Parameters
    ----------
    radius : ndarray of float64, shape (n,)
        Kron radii, pixels; finite.
    moments : ndarray of float64, shape (n, 3)
        Second moments xx, yy, xy, pixels squared; finite.
    n_radius : float, optional
        Size of the ellipses in Kron radii.

    Returns
    -------
    a, b, theta : ndarray of float64, shape (n,)
        Semi-axes, pixels, and angle of the major one from x to y, radian.
    """
    xx, yy, xy = moments.T
    spread, mean = np.hypot(0.5 * (xx - yy), xy), 0.5 * (xx + yy)
    scale = n_radius * radius / (xx * yy - xy**2) ** 0.25
    theta = np.clip(0.5 * np.arctan2(2 * xy, xx - yy), -np.pi / 2, np.pi / 2)
    return scale * np.sqrt(mean + spread), scale * np.sqrt(np.maximum(mean - spread, 1e-6)), theta
