"""Headers of exposure files: WCS, zero point, visit and filter."""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from astropy.io import fits

from obs.errors import FileFormatError
from obs.geom import Box
from obs.image.flux_correction import FluxCorrection, is_correction
from obs.image.photo_calib import SYSTEM_KEY, PhotoCalib
from obs.image.visit_info import VISIT_INFO_CARDS, VisitInfo
from obs.image.wcs import TanSipWcs
from obs.image.wcs_cards import is_wcs_card
from obs.repo.fits_file import header_to_dict, open_fits
from obs.repo.fits_wcs import read_header_wcs

__all__ = [
    "find_image",
    "header_box",
    "header_filter",
    "header_origin",
    "header_photo_calib",
    "header_text",
    "header_visit_info",
    "header_wcs",
    "image_or_empty",
    "merge_headers",
    "origin_cards",
    "read_exposure_header",
]

_LOG = logging.getLogger(__name__)

_FRAME = ("RADESYS", "RADECSYS", "EQUINOX")
#: What the LSST stack writes for a filter that it does not know.
_NO_FILTER = ("_unknown_", "UNKNOWN_FILTER")


def read_exposure_header(path: Path | str, hdu: int | None = None) -> dict[str, Any]:
    """Read the cards of the primary HDU and the image, without the pixels.

    Parameters
    ----------
    path : Path or str
        The file, plain, ``.gz`` or ``.fz``.
    hdu : int, optional
        The HDU of a plain image, or 0 for the primary one, with or without pixels; the first image if absent, and the
        primary HDU alone if there is no image.

    Returns
    -------
    dict
        Card name to value; blank values are NaN.

    Raises
    ------
    DatasetNotFoundError
        If there is no such file.
    FileFormatError
        If it is not a FITS file or is truncated.
    """
    with open_fits(path) as hdus:
        if hdu == 0 and not _is_image(hdus[0]):  # asked for by number, as what all images have in common
            return header_to_dict(hdus[0].header)
        image = image_or_empty(hdus) if hdu is None else find_image(hdus, hdu)
        return header_to_dict(hdus[0].header) if image is None else merge_headers(hdus, image)


def merge_headers(hdus: fits.HDUList, image_hdu: fits.ImageHDU) -> dict[str, Any]:
    """Return the cards of the primary HDU with those of an image on top; the cards of two WCS are not mixed.

    Parameters
    ----------
    hdus : fits.HDUList
        Open file.
    image_hdu : fits.ImageHDU
        HDU of the image. Its cards win over those of the primary HDU.
    """
    header = header_to_dict(image_hdu.header)
    if image_hdu is hdus[0]:
        return header
    primary = header_to_dict(hdus[0].header)
    if "CTYPE1" in header:
        primary = {name: value for name, value in primary.items() if not is_wcs_card(name) or name in _FRAME}
    return primary | header


def _is_image(hdu: fits.PrimaryHDU | fits.ImageHDU) -> bool:
    header = hdu.header
    return bool(hdu.is_image and header.get("NAXIS") == 2 and header["NAXIS1"] * header["NAXIS2"] > 0)


def image_or_empty(hdus: fits.HDUList) -> fits.ImageHDU | None:
    """Return the first image, or else the first without pixels, as the LSST stack has it beside a WCS or a zero point.

    None if there is neither.

    Parameters
    ----------
    hdus : fits.HDUList
        Open file.
    """
    empty = (other for other in hdus if other.is_image and other.header.get("NAXIS") == 2)
    return next(filter(_is_image, hdus), None) or next(empty, None)


def find_image(hdus: fits.HDUList, hdu: int | None) -> fits.ImageHDU:
    """Return an image by its number, or the first one.

    Parameters
    ----------
    hdus : fits.HDUList
        Open file.
    hdu : int or None
        Number of the HDU, from 0; the first image if None.

    Raises
    ------
    FileFormatError
        If there is no such HDU, or it is not a two-dimensional image.
    """
    if hdu is None:
        found = next(filter(_is_image, hdus), None)
        if found is None:
            raise FileFormatError("no two-dimensional image in it")
        return found
    try:
        found = hdus[hdu]
    except IndexError:
        raise FileFormatError(f"has {len(hdus)} HDUs, no number {hdu}") from None
    if not _is_image(found):
        raise FileFormatError(f"HDU {hdu} is not a two-dimensional image")
    return found


def header_box(header: Mapping[str, Any]) -> Box:
    """Return the box of an image from its header.

    Parameters
    ----------
    header : mapping
        Cards of the image.

    Returns
    -------
    Box
        Box of its own 0-based pixels, so that it begins at (0, 0).

    Raises
    ------
    FileFormatError
        If the header is not that of a two-dimensional image.
    """
    try:
        return Box(0, 0, int(header["NAXIS1"]), int(header["NAXIS2"]))
    except KeyError:
        raise FileFormatError("no two-dimensional image: NAXIS1 or NAXIS2 is missing") from None


def header_origin(header: Mapping[str, Any]) -> tuple[int, int]:
    """Return the number of the first column and row of an image in the image that it is a part of.

    The LSST stack writes it as an alternate linear WCS, and as LTV cards. Those count in its files only: other programs
    use them for trimmed and binned frames too.

    Parameters
    ----------
    header : mapping
        Cards of the image.

    Returns
    -------
    x, y : int
        Origin of the image, (0, 0) for a whole one.
    """
    linear = [header.get(f"{name}{axis}A") for name in ("CRVAL", "CRPIX") for axis in (1, 2)]
    if [header_text(header, f"CTYPE{axis}A") for axis in (1, 2)] == ["LINEAR", "LINEAR"] and linear[2:] == [1, 1]:
        places = linear[:2]
    else:
        shifts = [header.get(f"LTV{axis}", 0) for axis in (1, 2)] if "AR_HDU" in header else []
        places = [-shift for shift in shifts if isinstance(shift, int | float)]
    found = [round(place) for place in places if isinstance(place, int | float) and np.isfinite(place)]
    return (found[0], found[1]) if len(found) == 2 else (0, 0)


def origin_cards(origin: tuple[int, int]) -> dict[str, Any]:
    """Return the cards that `header_origin` reads, of which DS9 reads some too; none for a whole image.

    Parameters
    ----------
    origin : tuple of int
        Number (x, y) of the first column and row.
    """
    if origin == (0, 0):
        return {}
    cards: dict[str, Any] = {}
    for axis, first in enumerate(origin, start=1):
        linear = {"CTYPE": "LINEAR", "CRPIX": 1.0, "CRVAL": float(first), "CUNIT": "PIXEL"}
        cards |= {f"{name}{axis}A": value for name, value in linear.items()}
        cards[f"LTV{axis}"] = float(-first)
    return cards


def header_wcs(
    header: Mapping[str, Any], path: Path | str | None = None, hdus: fits.HDUList | None = None
) -> TanSipWcs | None:
    """Return the WCS of a header, or None if there is none that can be read; the reason for that is logged.

    Parameters
    ----------
    header : mapping
        Cards of the image.
    path : Path or str, optional
        File, for the log.
    hdus : fits.HDUList, optional
        Open file, for distortions that are stored as images or tables.

    Returns
    -------
    TanSipWcs or None
        For 0-based pixels of the image.
    """
    shape = int(header.get("NAXIS2", 0)), int(header.get("NAXIS1", 0))
    try:
        found = read_header_wcs(header, shape, hdus)
    except FileFormatError as error:
        _LOG.warning("%s: its WCS is not used: %s", path or "header", error)
        return None
    if found is not None and found.warning:
        _LOG.warning("%s: %s", path or "header", found.warning)
    return found.wcs if found is not None else None


def header_photo_calib(header: Mapping[str, Any]) -> PhotoCalib | None:
    """Return the photometric calibration of a header, or None if it gives no positive FLUXMAG0.

    Parameters
    ----------
    header : mapping
        Cards; FLUXMAG0 is the flux of magnitude 0 in the unit of the image.
    """
    flux, error = header.get("FLUXMAG0"), header.get("FLUXMAG0ERR", float("nan"))
    if isinstance(flux, (int, float)) and 0 < flux < np.inf:
        correction = FluxCorrection.from_header(header) if is_correction(header) else None
        return PhotoCalib(float(flux), float(error), correction, str(header.get(SYSTEM_KEY) or "").strip())
    return None


def header_visit_info(header: Mapping[str, Any]) -> VisitInfo | None:
    """Return the visit information of a header, or None if it has not one of its cards."""
    return VisitInfo.from_header(header) if not VISIT_INFO_CARDS.isdisjoint(header) else None


def header_filter(header: Mapping[str, Any]) -> str:
    """Return the physical filter of a header, empty if not known.

    Parameters
    ----------
    header : mapping
        Cards. Names such as those that the stack writes for no filter count as unknown.
    """
    name = header_text(header, "FILTER")
    return "" if name in _NO_FILTER else name


def header_text(header: Mapping[str, Any], name: str) -> str:
    """Return a card as text without spaces around it, empty if there is none.

    Parameters
    ----------
    header : mapping
        Cards.
    name : str
        Keyword. A value that is not a string counts as missing.
    """
    value = header.get(name, "")
    return value.strip() if isinstance(value, str) else ""
