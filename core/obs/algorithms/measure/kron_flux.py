"""Kron flux: light within an ellipse scaled to the source's own first radial moment (Kron 1980, ApJS 43, 305)."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from obs.algorithms.measure.aperture_flux import measure_ellipse_flux

__all__ = ["KronFluxes", "measure_kron_flux"]


class KronFluxes(NamedTuple):
    """Kron radii (pixels) and fluxes (image units), float64, shape (n,); NaN where ``failed``."""

    radius: NDArray[np.float64]
    flux: NDArray[np.float64]
    flux_err: NDArray[np.float64]
    failed: NDArray[np.bool_]


def measure_kron_flux(
    stamps: NDArray[np.float32],
    variance: NDArray[np.float32],
    dx: NDArray[np.float64],
    dy: NDArray[np.float64],
    moments: NDArray[np.float64],
    *,
    minimum_radius: NDArray[np.float64],
    n_sigma: float = 6.0,
    n_radius: float = 2.5,
) -> KronFluxes:
    """Measure the first radial moment and the flux within a multiple of it.

    Parameters
    ----------
    stamps, variance : ndarray of float32, shape (n, size, size)
        Background-subtracted pixels and variance.
    dx, dy : ndarray of float64, shape (n,)
        Centre relative to the middle pixel.
    moments : ndarray of float64, shape (n, 3)
        Second moments xx, yy, xy that give the ellipse its shape, pixels squared; NaN where not known.
    minimum_radius : ndarray of float64, shape (n,)
        Radius of a point source, below which noise may not take it, pixels.
    n_sigma : float, optional
        The moment is taken within this many times the size of the ellipse.
    n_radius : float, optional
        The flux is taken within this many Kron radii.

    Returns
    -------
    KronFluxes
    """
    half = stamps.shape[1] // 2
    known = np.asarray(np.isfinite(moments).all(1) & np.isfinite(minimum_radius))
    xx, yy, xy = np.where(known[:, None], moments, [1.0, 1.0, 0.0]).T
    determinant = xx * yy - xy**2
    size = determinant**0.25
    offset = np.arange(-half, half + 1, dtype=np.float32)
    x, y = offset - dx[:, None].astype(np.float32), offset - dy[:, None].astype(np.float32)
    # radius in units in which the ellipse is a circle of the same area
    a, b, c = ((m / np.sqrt(determinant)).astype(np.float32) for m in (yy, xx, -xy))
    radius = (b[:, None] * y**2)[:, :, None] + (a[:, None] * x**2)[:, None, :]
    radius += (2 * c[:, None] * y)[:, :, None] * x[:, None, :]
    np.sqrt(np.maximum(radius, 0.0, out=radius), out=radius)
    light = np.where(radius < (n_sigma * size)[:, None, None].astype(np.float32), stamps, np.float32(0.0))
    total = light.sum((1, 2), dtype=np.float64)
    first = np.einsum("nij,nij->n", light, radius, dtype=np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        kron = np.where(total > 0, first / total, np.nan)
    failed = ~known | ~(kron > 0)
    kron = np.clip(np.where(failed, minimum_radius, kron), minimum_radius, np.maximum(n_sigma * size, minimum_radius))
    spread = np.hypot(0.5 * (xx - yy), xy)
    mean = 0.5 * (xx + yy)
    major, minor = np.sqrt(mean + spread), np.sqrt(np.maximum(mean - spread, 1e-6))
    theta = np.clip(0.5 * np.arctan2(2 * xy, xx - yy), -np.pi / 2, np.pi / 2)
    scale = n_radius * kron / size
    flux, flux_err = measure_ellipse_flux(stamps, variance, dx, dy, scale * major, scale * minor, theta)
    kron, flux, flux_err = (np.where(failed, np.nan, value) for value in (kron, flux, flux_err))
    return KronFluxes(kron, flux, flux_err, failed)
