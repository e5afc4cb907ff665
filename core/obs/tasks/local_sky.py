"""Subtract the sky about each source from its fluxes, for images whose background changes over a few stars' widths."""

import re

import numpy as np
from numpy.typing import NDArray

from obs.algorithms.sky.local_sky import measure_local_sky
from obs.image.catalog import Catalog
from obs.image.psf import Psf

__all__ = ["subtract_local_sky"]

INNER, OUTER = 3.0, 6.5
"""Radii of the annulus in full widths at half maximum of the PSF: 7 and 15 sigma, as in the LSST stack."""

NAME = "base_LocalBackground"
KRON = "ext_photometryKron_KronFlux"
KRON_RADII = 2.5
"""Size of Kron ellipses in Kron radii."""

BATCH = 800


def subtract_local_sky(
    catalog: Catalog, image: NDArray[np.float32], blank: NDArray[np.bool_], psf: Psf, fwhm: float
) -> None:
    """Measure the sky in an annulus about each source and subtract it from the source's fluxes, in place.

    Fluxes are sums over pixels with weights, so the sky changes each by its level times an area. Errors gain that of
    the sky. Shapes and positions stay as they are. Where the annulus shows no sky, fluxes stay, and a flag is set.

    Parameters
    ----------
    catalog : Catalog
        Measured sources, before aperture corrections.
    image : ndarray of float32, shape (ny, nx)
        Background-subtracted pixels.
    blank : ndarray of bool, shape (ny, nx)
        Pixels without source and defect.
    psf : Psf
        Point-spread function.
    fwhm : float
        Its full width at half maximum, pixels.
    """
    x, y = catalog["base_SdssCentroid_x"], catalog["base_SdssCentroid_y"]
    sky = measure_local_sky(image, blank, x, y, inner=INNER * fwhm, outer=OUTER * fwhm)
    known = np.isfinite(sky.level)
    level, error = np.where(known, sky.level, 0.0), np.where(known, sky.error, 0.0)
    for name, area in _areas(catalog, psf).items():
        for column, values in (
            (f"{name}_instFlux", catalog[f"{name}_instFlux"] - level * area),
            (f"{name}_instFluxErr", np.hypot(catalog[f"{name}_instFluxErr"], error * area)),
        ):
            old = catalog.columns[column]
            catalog.add(column, values.astype(old.data.dtype), old.unit, old.description)
    catalog.add(f"{NAME}_instFlux", sky.level, "ct", "sky of a pixel in an annulus, subtracted from fluxes")
    catalog.add(f"{NAME}_instFluxErr", sky.error, "ct", "sky of a pixel in an annulus, standard error")
    catalog.add(f"{NAME}_flag", ~known, "", "the annulus shows too little sky; nothing is subtracted from fluxes")


def _areas(catalog: Catalog, psf: Psf) -> dict[str, NDArray[np.float64]]:
    """Return what a sky of one adds to each flux, pixels, by its name."""
    x, y = catalog["base_SdssCentroid_x"], catalog["base_SdssCentroid_y"]
    stamps = (psf.evaluate(x=x[k : k + BATCH], y=y[k : k + BATCH]) for k in range(0, len(x), BATCH))
    square = [np.einsum("nij,nij->n", stamp, stamp, dtype=np.float64) for stamp in stamps]
    xx, yy, xy = (catalog[f"base_SdssShape_{name}"].astype(np.float64) for name in ("xx", "yy", "xy"))
    areas = {
        "base_PsfFlux": 1.0 / np.concatenate(square) if square else np.zeros(0),
        # twice the area of a Gaussian of given size, because the sky also widens the adaptive moments
        "base_GaussianFlux": 8.0 * np.pi * np.sqrt(np.maximum(xx * yy - xy**2, 0.0)),
    }
    for column in catalog.columns:
        circle = re.fullmatch(r"(base_CircularApertureFlux_(\d+)_(\d+))_instFlux", column)
        if circle:
            areas[circle[1]] = np.full(len(x), np.pi * float(f"{circle[2]}.{circle[3]}") ** 2)
    if f"{KRON}_radius" in catalog:
        areas[KRON] = np.pi * (KRON_RADII * catalog[f"{KRON}_radius"].astype(np.float64)) ** 2
    return areas
