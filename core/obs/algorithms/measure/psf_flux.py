"""Flux of a point source: the amplitude of the PSF that fits best, at a given center, all pixels weighted alike.

Equal weights make the flux of bright and faint stars respond alike to errors of the PSF model; the cost in noise is
small where the sky dominates.
"""

import numpy as np
from numpy.typing import NDArray

from obs.algorithms.measure.fluxes import Fluxes, add_products, add_up
from obs.algorithms.pixels.window import windows

__all__ = ["measure_psf_flux"]


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
        Pixels in the image; others do not count.
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
    norm = add_products(model, model)
    norm = np.where(norm > 0, norm, np.nan)
    total, error = add_up(model, data, noise)
    return Fluxes.checked(total / norm, error / norm, edge)
