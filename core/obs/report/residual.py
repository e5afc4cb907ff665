"""What is left of an image when its stars are subtracted, in units of the noise."""

import numpy as np
from numpy.typing import NDArray

from obs.image.catalog import Catalog
from obs.image.exposure import Exposure

__all__ = ["subtract_stars"]

#: Stars whose models are rendered at once.
_CHUNK = 200
#: Sources at most, the brightest: those beyond are lost in the noise of a small picture.
_MOST = 3000


def subtract_stars(exposure: Exposure, catalog: Catalog) -> NDArray[np.float32] | None:
    """Return an image minus the PSF models of its sources, over the noise of each pixel.

    Parameters
    ----------
    exposure : Exposure
        The calibrated image.
    catalog : Catalog
        Its sources, with PSF fluxes.

    Returns
    -------
    ndarray of float32, shape (ny, nx)
        NaN where the noise is not known; None without a PSF or sources.
    """
    names = ("base_SdssCentroid_x", "base_SdssCentroid_y", "base_PsfFlux_instFlux")
    if exposure.psf is None or not len(catalog) or any(name not in catalog for name in names):
        return None
    x, y, flux = (np.asarray(catalog[name], float) for name in names)
    single = np.asarray(catalog["deblend_nChild"], int) == 0 if "deblend_nChild" in catalog else np.ones(len(x), bool)
    chosen = np.flatnonzero(single & np.isfinite(x + y + flux) & (flux > 0))
    chosen = chosen[np.argsort(-flux[chosen], kind="stable")[:_MOST]]
    corrections = _aperture_corrections(catalog)
    left = exposure.masked_image.image.copy()
    for start in range(0, len(chosen), _CHUNK):
        rows = chosen[start : start + _CHUNK]
        stamps = exposure.psf.render(x=x[rows], y=y[rows])
        for row, stamp in zip(rows, stamps, strict=True):
            _subtract(left, stamp * np.float32(flux[row] / corrections[row]), round(x[row]), round(y[row]))
    with np.errstate(invalid="ignore", divide="ignore"):
        left /= np.sqrt(exposure.masked_image.variance)
    return left


def _aperture_corrections(catalog: Catalog) -> NDArray[np.float64]:
    """Return by what PSF fluxes were multiplied to have all light; the model has that of its stamp."""
    name = "base_PsfFlux_apCorr"
    known = np.asarray(catalog[name], float) if name in catalog else np.ones(len(catalog))
    return np.where(np.isfinite(known) & (known > 0), known, 1.0)


def _subtract(image: NDArray[np.float32], stamp: NDArray[np.float32], x: int, y: int) -> None:
    """Subtract a stamp from the pixels around (x, y), as far as it is inside of the image."""
    bottom, left = y - stamp.shape[0] // 2, x - stamp.shape[1] // 2
    rows = slice(max(bottom, 0), min(bottom + stamp.shape[0], image.shape[0]))
    columns = slice(max(left, 0), min(left + stamp.shape[1], image.shape[1]))
    if rows.start < rows.stop and columns.start < columns.stop:
        place = slice(rows.start - bottom, rows.stop - bottom), slice(columns.start - left, columns.stop - left)
        image[rows, columns] -= stamp[place]
