"""Flux of a point source: the amplitude of the PSF that fits best, at a given center, all pixels weighted alike.

Equal weights make the flux of bright and faint stars respond alike to errors of the PSF model; the cost in noise is
small where the sky dominates.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from obs.algorithms.pixels.window import windows

__all__ = ["Fluxes", "measure_psf_flux"]


class Fluxes(NamedTuple):
    """Fluxes and their standard errors, float64, shape (n,), image units, and bool flags of the same shape."""

    flux: NDArray[np.float64]
    flux_err: NDArray[np.float64]
    failed: NDArray[np.bool_]
    edge: NDArray[np.bool_]


def measure_psf_flux(
    stamps: NDArray[np.float32],
    variance: NDArray[np.float32],
    inside: NDArray[np.bool_],
    psf: NDArray[np.float32],
    row: NDArray[np.int64],
    column: NDArray[np.int64],
) -> Fluxes:
    """Fit the amplitude of rendered PSFs.

    Parameters
    ----------
    stamps, variance : ndarray of float32, shape (n, size, size)
        Pixels and variance.
    inside : ndarray of bool, shape (n, size, size)
        Pixels that lie in the image; others do not count.
    psf : ndarray of float32, shape (n, k, k)
        PSF rendered at the sub-pixel place of each source.
    row, column : ndarray of int64, shape (n,)
        Pixel of the stamp that the middle of the PSF belongs to.

    Returns
    -------
    Fluxes
        NaN and ``failed`` where no pixel is usable, ``failed`` too where a pixel has no variance and the error is not
        known; ``edge`` where the PSF leaves the image.
    """
    half = psf.shape[1] // 2
    data, noise = windows(stamps, row, column, half), windows(variance, row, column, half)
    use = windows(inside, row, column, half)
    edge = np.asarray(~use.all((1, 2)))
    model = np.where(use, psf, np.float32(0.0)) if edge.any() else psf
    norm = np.einsum("nij,nij->n", model, model, dtype=np.float64)
    failed = ~(norm > 0)
    norm = np.where(failed, np.nan, norm)
    flux = np.einsum("nij,nij->n", model, data, dtype=np.float64) / norm
    flux_err = np.sqrt(np.einsum("nij,nij,nij->n", model, model, noise, dtype=np.float64)) / norm
    return Fluxes(flux, flux_err, failed | ~np.isfinite(flux_err), edge)
