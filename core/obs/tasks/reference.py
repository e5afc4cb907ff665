"""What calibration asks of a reference catalog."""

import numpy as np
from numpy.typing import NDArray

from obs.config.base import TaskConfig, setting
from obs.image.catalog import Catalog
from obs.image.photo_calib import NANOJANSKY_ZERO_POINT, SYSTEM_KEY
from obs.image.wcs import TanSipWcs
from obs.sky_vectors import sky_vectors

__all__ = [
    "NAME_KEY",
    "NO_REFERENCE",
    "ReferenceConfig",
    "any_reference_flux",
    "field_circle",
    "magnitude_system",
    "reference_flux_name",
    "reference_magnitude",
    "usable_sources",
]


#: Entry of a reference catalog's metadata with its name.
NAME_KEY = "REFERENCE_NAME"

NO_REFERENCE = "there is no reference catalog of this part of the sky"


class ReferenceConfig(TaskConfig):
    """Settings of the reference catalog and its fluxes."""

    name: str | None = setting(
        None, "Name of the folder under ``ref_cats``; null takes the only one there is, if there is only one."
    )
    flux_names: dict[str, str] = setting(
        {}, "Band of the exposure to name of the flux in the catalog; a band that is absent is called as it is."
    )
    margin: float = setting(
        30.0,
        "Distance beyond the frame to which reference sources are loaded. Raise it if the pointing is poor.",
        unit="arcsec",
        ge=0,
    )


def field_circle(wcs: TanSipWcs, shape: tuple[int, int], margin: float) -> tuple[float, float, float]:
    """Return center (degrees) and radius (arcsec) of a circle that holds a frame and ``margin`` arcsec beyond it.

    Parameters
    ----------
    wcs : TanSipWcs
        WCS of the frame.
    shape : tuple of int
        Shape (ny, nx) of the frame.
    margin : float
        Added to the radius, arcsec.

    Returns
    -------
    ra, dec : float
        Position of the middle of the frame, degrees.
    radius : float
        Radius, arcsec.
    """
    height, width = shape
    ra, dec = wcs.pixel_to_sky(x=0.5 * (width - 1), y=0.5 * (height - 1))
    corner_ra, corner_dec = wcs.pixel_to_sky(x=[0, width, 0, width], y=[0, 0, height, height])
    chord = np.linalg.norm(sky_vectors(corner_ra, corner_dec) - sky_vectors(ra, dec), axis=1).max()
    return float(np.ravel(ra)[0]), float(np.ravel(dec)[0]), float(np.degrees(2 * np.arcsin(chord / 2)) * 3600 + margin)


def usable_sources(catalog: Catalog, minimum_signal_to_noise: float) -> NDArray[np.bool_]:
    """Return which sources are good enough to calibrate with: whole, measured, bright, and nowhere damaged.

    Parameters
    ----------
    catalog : Catalog
        Sources with the flags and PSF fluxes of `src`.
    minimum_signal_to_noise : float
        Least PSF flux in units of its standard error.

    Returns
    -------
    ndarray of bool, shape (n,)
        True also requires ``detect_isPrimary``, so that parts of a blend do not count twice.
    """
    flux, flux_err = catalog["base_PsfFlux_instFlux"], catalog["base_PsfFlux_instFluxErr"]
    good = catalog["detect_isPrimary"] & ~catalog["base_SdssCentroid_flag"] & ~catalog["base_PsfFlux_flag"]
    for name in ("edge", "saturated", "interpolatedCenter", "crCenter", "bad"):
        good = good & ~catalog[f"base_PixelFlags_flag_{name}"]
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(good & (flux > minimum_signal_to_noise * flux_err))


def reference_flux_name(reference: Catalog, band: str, config: ReferenceConfig) -> str | None:
    """Return the flux column of a band, in upper or lower case if there is only one of them, or None.

    Parameters
    ----------
    reference : Catalog
        Reference catalog.
    band : str
        Band of the exposure, for example "r". ``flux_names`` of the settings may map it to another one.
    config : ReferenceConfig
        Settings.
    """
    name = f"{config.flux_names.get(band, band)}_flux"
    if name in reference:
        return name
    other_case = [column for column in reference.columns if column.lower() == name.lower()]
    return other_case[0] if len(other_case) == 1 and band not in config.flux_names else None


def magnitude_system(reference: Catalog, name: str | None) -> str:
    """Return the magnitude system of a flux column, "AB" or "Vega"; empty where the catalog does not give it.

    Parameters
    ----------
    reference : Catalog
        Reference catalog; its metadata names the system of each flux.
    name : str or None
        Flux column, for example "r_flux".
    """
    systems = dict(word.partition("=")[::2] for word in str(reference.metadata.get(SYSTEM_KEY, "")).split())
    return systems.get((name or "").removesuffix("_flux"), "")


def any_reference_flux(reference: Catalog, band: str, config: ReferenceConfig) -> NDArray[np.float64]:
    """Return the flux of reference sources in a band, or in any if the catalog has not that: bright in one is bright.

    Shape (n,), nanojansky; NaN if the catalog has no flux.

    Parameters
    ----------
    reference : Catalog
        Reference catalog.
    band : str
        Band of the exposure.
    config : ReferenceConfig
        Settings.
    """
    name = reference_flux_name(reference, band, config)
    if name is None:
        name = next((name for name in reference.columns if name.endswith("_flux")), None)
    return np.full(len(reference), np.nan) if name is None else np.asarray(reference[name], np.float64)


def reference_magnitude(reference: Catalog, name: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return magnitudes of reference sources and their errors, in the system of their band.

    Parameters
    ----------
    reference : Catalog
        Reference sources, fluxes in nanojansky.
    name : str
        Flux column.

    Returns
    -------
    magnitude, error : ndarray of float64, shape (n,)
        NaN where not known.
    """
    flux = np.asarray(reference[name], np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        magnitude = np.where(flux > 0, NANOJANSKY_ZERO_POINT - 2.5 * np.log10(flux), np.nan)
        if f"{name}Err" not in reference:
            return magnitude, np.full(len(flux), np.nan)
        return magnitude, 2.5 / np.log(10) * np.asarray(reference[f"{name}Err"], np.float64) / flux
