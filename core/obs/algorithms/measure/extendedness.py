"""Star or galaxy: whether a fitted Gaussian holds more light than the PSF does."""

import numpy as np
from numpy.typing import NDArray

__all__ = ["classify_extendedness"]


def classify_extendedness(
    psf_flux: NDArray[np.float64], model_flux: NDArray[np.float64], ratio: float = 0.925
) -> NDArray[np.float64]:
    """Classify sources as point-like or extended by their fluxes.

    Parameters
    ----------
    psf_flux, model_flux : ndarray of float64, shape (n,)
        Fluxes after aperture correction.
    ratio : float, optional
        A source is extended where ``ratio`` times the model flux reaches the PSF flux (Bosch et al. 2018, section
        4.9.10).

    Returns
    -------
    ndarray of float64, shape (n,)
        0 for point sources, 1 for extended ones, NaN where a flux is not known.
    """
    known = np.isfinite(psf_flux) & np.isfinite(model_flux)
    return np.where(known, (ratio * model_flux >= psf_flux).astype(float), np.nan)
