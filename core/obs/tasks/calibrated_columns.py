"""Columns that say what fluxes mean outside their image: magnitudes, and when the light was recorded."""

import math
import re
from typing import Any

import numpy as np
from numpy.typing import NDArray

from obs.image.catalog import Catalog
from obs.image.photo_calib import PhotoCalib, describe_magnitude
from obs.image.visit_info import VisitInfo
from obs.instrument.barycenter import barycentric_julian_date, mid_exposure_mjd

__all__ = ["add_magnitudes", "add_times"]

#: Fluxes of today's catalogs, and those of the LSST stack before 2019.
_FLUX = re.compile(r"(?P<name>.+_)(instFlux|flux)")
_ERRORS = ("Err", "Sigma")
_MAGNITUDES_PER_FRACTION = 2.5 / math.log(10.0)


def add_magnitudes(catalog: Catalog, calib: PhotoCalib | None) -> None:
    """Add ``NAME_mag`` and ``NAME_magErr`` for each flux ``NAME_instFlux``, in place.

    Parameters
    ----------
    catalog : Catalog
        Fluxes in the unit of the image.
    calib : PhotoCalib or None
        Zero point of the image; all magnitudes are NaN if there is none. One that varies over the image is taken at the
        positions of the sources, or its mean where they have none.
    """
    place, kind = _positions(catalog), describe_magnitude("" if calib is None else calib.system)
    if calib is not None and place is None:
        calib = calib.mean
    for flux_name in [name for name in catalog.columns if _FLUX.fullmatch(name)]:
        match = _FLUX.fullmatch(flux_name)
        name = match["name"] if match else ""
        flux = np.asarray(catalog[flux_name], np.float64)
        magnitude = np.full(flux.shape, np.nan) if calib is None else calib.magnitude(flux, **(place or {}))
        catalog.add(f"{name}mag", magnitude.astype(np.float32), "mag", f"{kind} of {flux_name}")
        error_name = next((flux_name + ending for ending in _ERRORS if flux_name + ending in catalog), None)
        if error_name is not None:
            error = _magnitude_error(magnitude, flux, catalog[error_name])
            text = f"standard error of {name}mag, without that of the zero point"
            catalog.add(f"{name}magErr", error.astype(np.float32), "mag", text)


def _positions(catalog: Catalog) -> dict[str, NDArray[Any]] | None:
    """Return x and y of the sources, pixels, or None if the catalog has neither."""
    for name in ("slot_Centroid", "base_SdssCentroid"):
        try:
            return {axis: catalog[f"{name}_{axis}"] for axis in "xy"}
        except KeyError:
            continue
    return None


def _magnitude_error(
    magnitude: NDArray[np.float64], flux: NDArray[np.float64], error: NDArray[np.floating]
) -> NDArray[np.float64]:
    known = np.isfinite(magnitude)
    return np.asarray(_MAGNITUDES_PER_FRACTION * np.where(known, error, np.nan) / np.where(known, flux, 1.0))


def add_times(catalog: Catalog, info: VisitInfo | None) -> None:
    """Add ``mjd_mid`` and ``bjd_tdb``, the middle of the exposure at the observatory and at the barycenter, in place.

    Parameters
    ----------
    catalog : Catalog
        With ``coord_ra`` and ``coord_dec``, in radians if their unit is ``rad``, else in degrees.
    info : VisitInfo or None
        Time of the exposure, and place of the observatory.
    """
    mjd = mid_exposure_mjd(info)
    catalog.add("mjd_mid", np.full(len(catalog), mjd), "d", "middle of the exposure, modified Julian day, UTC")
    if "coord_ra" not in catalog or "coord_dec" not in catalog:
        return
    sky = [catalog.columns[name] for name in ("coord_ra", "coord_dec")]
    ra, dec = (np.degrees(column.data) if column.unit == "rad" else column.data for column in sky)
    is_placed = info is not None and math.isfinite(info.longitude) and math.isfinite(info.latitude)
    where = "" if is_placed else ", for the middle of the Earth (the place of the observatory is not known)"
    text = f"middle of the exposure, barycentric Julian date, TDB{where}"
    catalog.add("bjd_tdb", barycentric_julian_date(mjd, ra, dec, info), "d", text)
