"""Catalogs in the format FITS_LDAC, which SCAMP and PSFEx read."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from astropy.io import fits
from numpy.typing import NDArray

from obs.image.catalog import Catalog
from obs.image.photo_calib import NANOJANSKY_ZERO_POINT
from obs.repo.fits_file import set_cards, table_bytes, write_hdus

__all__ = ["reference_columns", "source_columns", "write_ldac"]

Columns = dict[str, tuple[NDArray[Any], str]]

_FORMATS = {"f4": "E", "f8": "D", "i2": "I", "i4": "J"}
_UNKNOWN_ERROR = 0.02  # arcsec; of reference positions whose catalog does not list it


def write_ldac(path: Path, columns: Mapping[str, tuple[NDArray[Any], str]], cards: Mapping[str, Any]) -> None:
    """Write a catalog as FITS_LDAC.

    Parameters
    ----------
    path : Path
        The file.
    columns : mapping of str to (ndarray, str)
        Values, shape (n,), and unit, by name.
    cards : mapping
        Header of the image that the catalog is of.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    header = fits.Header()
    set_cards(header, {"SIMPLE": True, "BITPIX": -32, **cards})
    # As one string of bytes, because astropy's own tables strip the spaces at its end.
    text = header.tostring(sep="", endcard=True, padding=True).encode("ascii")
    image = np.array([(text,)], dtype=[("card", f"S{len(text)}")])
    shape = fits.Card("TDIM1", f"(80, {len(text) // 80})")
    head = [fits.Card("TTYPE1", "Field Header Card"), fits.Card("TFORM1", f"{len(text)}A"), shape]
    rows = np.empty(
        len(next(iter(columns.values()))[0]),
        dtype=[(name, data.dtype.newbyteorder(">")) for name, (data, _) in columns.items()],
    )
    described = []
    for number, (name, (data, unit)) in enumerate(columns.items(), start=1):
        rows[name] = data
        described.append(fits.Card(f"TTYPE{number}", name))
        described.append(fits.Card(f"TFORM{number}", f"1{_FORMATS[data.dtype.str[1:]]}"))
        if unit:
            described.append(fits.Card(f"TUNIT{number}", unit))
    tables = table_bytes(image, head, "LDAC_IMHEAD") + table_bytes(rows, described, "LDAC_OBJECTS")
    write_hdus(path, [fits.PrimaryHDU()], tables)


def source_columns(catalog: Catalog, flux: str = "base_PsfFlux") -> Columns:
    """Return the columns that SCAMP needs, of sources of a catalog ``src``; positions are 1-based.

    Parameters
    ----------
    catalog : Catalog
        Sources, deblended, in the pixels of the image.
    flux : str, optional
        Beginning of the name of the flux.
    """
    good = catalog["detect_isPrimary"] & (catalog[f"{flux}_instFlux"] > 0) & ~catalog["base_SdssCentroid_flag"]
    good = good & np.isfinite(catalog["base_SdssCentroid_xErr"] + catalog["base_SdssCentroid_yErr"])
    found = catalog.select(good)
    flags = np.zeros(len(found), np.int16)
    # SExtractor's flags: 1 neighbors, 2 blended, 4 saturated, 8 at the border of the image
    flags[np.asarray(found["parent"]) != 0] |= 2
    flags[np.asarray(found["base_PixelFlags_flag_saturated"])] |= 4
    flags[np.asarray(found["base_PixelFlags_flag_edge"])] |= 8
    errors = [np.asarray(found[f"base_SdssCentroid_{axis}Err"], np.float64) for axis in "xy"]
    xx, yy, xy = (np.asarray(found[f"base_SdssShape_{name}"], np.float64) for name in ("xx", "yy", "xy"))
    mean, half = 0.5 * (xx + yy), np.hypot(0.5 * (xx - yy), xy)
    longer, shorter = np.maximum(mean + half, 0.01), np.maximum(mean - half, 0.01)
    brightness, error = (np.asarray(found[f"{flux}_instFlux{end}"], np.float64) for end in ("", "Err"))
    return {
        "NUMBER": (np.arange(1, len(found) + 1, dtype=np.int32), ""),
        "XWIN_IMAGE": (np.asarray(found["base_SdssCentroid_x"], np.float64) + 1.0, "pixel"),
        "YWIN_IMAGE": (np.asarray(found["base_SdssCentroid_y"], np.float64) + 1.0, "pixel"),
        "ERRAWIN_IMAGE": (np.maximum(*errors), "pixel"),
        "ERRBWIN_IMAGE": (np.minimum(*errors), "pixel"),
        "ERRTHETAWIN_IMAGE": (np.where(errors[1] > errors[0], 90.0, 0.0), "deg"),
        "FLUX_AUTO": (brightness, "count"),
        "FLUXERR_AUTO": (error, "count"),
        "FLUX_RADIUS": (1.1774 * np.sqrt(np.nan_to_num(mean, nan=1.0)), "pixel"),
        "ELONGATION": (np.nan_to_num(np.sqrt(longer / shorter), nan=1.0), ""),
        "SNR_WIN": (brightness / error, ""),
        "FLAGS": (flags, ""),
    }


def reference_columns(reference: Catalog, flux_name: str | None) -> Columns:
    """Return the columns of an astrometric reference catalog for SCAMP.

    Parameters
    ----------
    reference : Catalog
        Reference stars, degrees and nanojansky.
    flux_name : str or None
        Flux that becomes the magnitude.
    """
    n = len(reference)
    flux = np.full(n, np.nan) if flux_name is None else np.asarray(reference[flux_name], np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        magnitude = np.where(flux > 0, NANOJANSKY_ZERO_POINT - 2.5 * np.log10(flux), 99.0)
    error = np.full(n, _UNKNOWN_ERROR / 3600.0)
    for name in ("coord_raErr",):
        if name in reference:
            listed = np.degrees(reference[name]) if reference.columns[name].unit == "rad" else reference[name]
            error = np.where(np.isfinite(listed) & (listed > 0), listed, error)
    return {
        "X_WORLD": (np.asarray(reference["coord_ra"], np.float64), "deg"),
        "Y_WORLD": (np.asarray(reference["coord_dec"], np.float64), "deg"),
        "ERRA_WORLD": (error, "deg"),
        "ERRB_WORLD": (error, "deg"),
        "ERRTHETA_WORLD": (np.zeros(n), "deg"),
        "MAG": (magnitude, "mag"),
        "MAGERR": (np.full(n, 0.02), "mag"),
    }
