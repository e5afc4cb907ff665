"""Spread: how much wider than the PSF a source is, for all sources alike and with an error.

The estimator compares the source with the PSF and with the PSF slightly widened, as SPREAD_MODEL of SExtractor does
(Desai et al. 2012, ApJ 757, 83; Mohr et al. 2012, SPIE 8451). There the PSF is convolved with an exponential disk whose
scale is a sixteenth of its width. So narrow a disk adds its second moment times half of the Laplacian of the PSF, which
costs two sums over pixels instead of a fit.
"""

import numpy as np
from numpy.typing import NDArray

from obs.algorithms.measure.fluxes import add_products, add_up
from obs.algorithms.pixels.window import windows

__all__ = ["measure_spread"]

DISK_SCALE = 1.0 / 16.0
"""Scale length of the exponential disk in units of the PSF's full width at half maximum."""

SECOND_MOMENT = 3.0
"""Variance of an exponential disk along an axis in units of the square of its scale length."""


def measure_spread(
    stamps: NDArray[np.float32],
    variance: NDArray[np.float32],
    psf: NDArray[np.float32],
    row: NDArray[np.int64],
    column: NDArray[np.int64],
    fwhm: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Measure the spread of sources.

    Parameters
    ----------
    stamps, variance : ndarray of float32, shape (n, size, size)
        Pixels and variance.
    psf : ndarray of float32, shape (n, k, k)
        PSF rendered at the sub-pixel place of each source.
    row, column : ndarray of int64, shape (n,)
        Pixel of the stamp that the middle of the PSF belongs to.
    fwhm : ndarray of float64, shape (n,)
        Full width at half maximum of the PSF, pixels.

    Returns
    -------
    spread, error : ndarray of float64, shape (n,)
        Zero within the error for point sources, positive for wider ones, on the scale of SPREAD_MODEL; NaN where the
        source has no light under the PSF.
    """
    half = psf.shape[1] // 2
    data, noise = windows(stamps, row, column, half), windows(variance, row, column, half)
    padded = np.pad(psf, ((0, 0), (1, 1), (1, 1)))
    laplacian = padded[:, 2:, 1:-1] + padded[:, :-2, 1:-1] + padded[:, 1:-1, 2:] + padded[:, 1:-1, :-2] - 4 * psf
    narrow, _ = add_up(psf, data, noise)
    wide = add_products(laplacian, data)
    of_point = add_products(laplacian, psf)
    norm = add_products(psf, psf)
    with np.errstate(divide="ignore", invalid="ignore"):
        light = np.where(narrow > 0, narrow, np.nan)
        ratio = wide / light
        _, error = add_up(laplacian - ratio[:, None, None].astype(np.float32) * psf, data, noise)
        moment = 0.5 * SECOND_MOMENT * (DISK_SCALE * fwhm) ** 2
        return moment * (ratio - of_point / norm), moment * error / light
