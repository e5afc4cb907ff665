"""Exposure files: image, mask and variance, with WCS, PSF and calibration."""

import math
import mmap
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from astropy.io import fits
from numpy.typing import NDArray

from obs.errors import FileFormatError, OutputError
from obs.geom import Box
from obs.image.exposure import Exposure
from obs.image.flux_correction import FluxCorrection, is_correction
from obs.image.mask import Mask
from obs.image.masked_image import MaskedImage
from obs.image.photo_calib import SYSTEM_KEY
from obs.image.psf import PixelPsf
from obs.image.visit_info import VISIT_INFO_CARDS
from obs.image.wcs_cards import is_wcs_card
from obs.instrument.image_unit import ImageUnit, parse_image_unit
from obs.repo.exposure_parts import exposure_parts
from obs.repo.fits_exposure_header import (
    find_image,
    header_text,
    header_visit_info,
    merge_headers,
    origin_cards,
)
from obs.repo.fits_file import header_to_dict, is_structural, open_fits, set_cards, write_hdus
from obs.repo.fits_psf import psf_bytes
from obs.repo.lsst_objects.attached import AttachedObjects
from obs.repo.lsst_objects.kept import archive_bytes, kept_cards

__all__ = [
    "read_exposure",
    "read_image",
    "write_exposure",
    "write_image",
]

_PHOTOMETRY = {
    "MAGZERO": "[mag] zero point",
    "MAGZERO_RMS": "[mag] scatter of the zero point",
    "MAGZERO_NOBJ": "number of stars in the zero point",
    "COLORTERM1": "color term",
    "COLORTERM2": "color term",
    "COLORTERM3": "color term",
}
_LEVELS = {
    "PSFLIGHT": "part of the PSF that fluxes count as all",
    "GAIN": "electrons of one unit, mean of amplifiers",
    "SATURATE": "before sky subtraction, lowest of amplifiers",
}
_FLUX_MAG0 = {"FLUXMAG0": "[adu] counts of magnitude 0", "FLUXMAG0ERR": "[adu] error of FLUXMAG0"}
# What LSST files say of their own layout: planes, place in the parent image, index of attached objects.
_LAYOUT = re.compile(
    r"MP_.+|LT[VM]\d(_\d)?|AR_HDU|EXPINFO_V|ARCHIVE_ID_.+|(PSF|SKYWCS|WCS|DETECTOR|PHOTOCALIB|COADD_INPUTS|AP_CORR_MAP|FILTER"
    r"|VALID_POLYGON|TRANSMISSION_CURVE)_ID"
)


def write_exposure(exposure: Exposure, path: Path | str) -> None:
    """Write an exposure to a FITS file.

    HDU 0 holds metadata; `IMAGE`, `MASK` and `VARIANCE` the pixels, each with the WCS; `BADPIX` is 1 where a
    pixel is not a measurement, for programs that take any bit of a mask as bad; `PSF_DATA` the PSF. What the LSST
    stack attached to the file that the exposure was read from follows as it is there.

    Parameters
    ----------
    exposure : Exposure
        Its pixels are counts.
    path : Path or str
        The file; gzipped if its name ends in ``.gz``.

    Raises
    ------
    OutputError
        If the file cannot be written, or the PSF is not a `PixelPsf`.
    """
    psf = exposure.psf
    if psf is not None and not isinstance(psf, PixelPsf):
        raise OutputError(f"cannot write {path}: no file format for a PSF of type {type(psf).__name__}", path=path)
    wcs = fits.Header()
    if exposure.wcs is not None:
        set_cards(wcs, exposure.wcs.to_header())
    set_cards(wcs, origin_cards(exposure.origin))
    facts = _facts(exposure)
    skip = _PHOTOMETRY.keys() | _FLUX_MAG0.keys() | {SYSTEM_KEY}
    primary = fits.Header()
    set_cards(primary, {k: v for k, v in exposure.metadata.items() if k not in skip and not _is_layout(k)})
    set_cards(primary, exposure.visit_info.to_header() if exposure.visit_info else {})
    set_cards(primary, facts)
    primary.extend(wcs)
    pixels = exposure.masked_image
    planes = {f"MP_{name}": bit for name, bit in pixels.mask.planes.items()}
    seconds = {"EXPTIME": primary["EXPTIME"]} if "EXPTIME" in primary else {}
    unit = parse_image_unit(str(exposure.metadata.get("BUNIT", "")))
    hdus = [
        fits.PrimaryHDU(header=primary),
        _plane("IMAGE", pixels.image, wcs, {"BUNIT": unit.name} | seconds | facts),
        _plane("MASK", pixels.mask.array, wcs, planes),
        _plane("VARIANCE", pixels.variance, wcs, {"BUNIT": unit.squared, "UTYPE": "VarianceUncertainty"}),
        fits.ImageHDU(pixels.mask.unusable().view(np.uint8), name="BADPIX"),
    ]
    tail = b"" if psf is None else psf_bytes(psf)
    if isinstance(exposure.attached, AttachedObjects) and (archive := archive_bytes(exposure.attached.path)):
        set_cards(hdus[0].header, kept_cards(exposure.attached, len(hdus) + (psf is not None) + 1))
        tail += archive
    write_hdus(path, hdus, tail)


def _is_layout(name: str) -> bool:
    return is_structural(name) or is_wcs_card(name) or _LAYOUT.fullmatch(name) is not None


def _facts(exposure: Exposure) -> dict[str, Any]:
    """Cards that a reader looks for beside the pixels too."""
    cards: dict[str, Any] = {}
    if exposure.physical_filter:
        cards["FILTER"] = (exposure.physical_filter, "physical filter")
    if exposure.detector_name:
        cards["DETNAME"] = (exposure.detector_name, "detector")
    cards |= {name: (exposure.metadata[name], text) for name, text in _LEVELS.items() if name in exposure.metadata}
    calib = exposure.photo_calib
    if calib is not None:
        values = calib.flux_mag0, calib.flux_mag0_err
        cards |= {name: (value, _FLUX_MAG0[name]) for name, value in zip(_FLUX_MAG0, values, strict=True)}
        cards |= {SYSTEM_KEY: (calib.system, "magnitude system")} if calib.system else {}
        cards |= {} if calib.correction is None else calib.correction.to_header()
    if calib is not None or any(name in exposure.metadata for name in _PHOTOMETRY):
        cards |= {name: (exposure.metadata.get(name), comment) for name, comment in _PHOTOMETRY.items()}
    return cards


def _plane(name: str, pixels: NDArray[Any], wcs: fits.Header, cards: Mapping[str, Any]) -> fits.ImageHDU:
    header = fits.Header()
    set_cards(header, {"EXTTYPE": name, "INHERIT": True} | dict(cards))
    header.extend(wcs)
    return fits.ImageHDU(pixels, header, name=name)


def read_exposure(path: Path | str, box: Box | None = None, hdu: int | None = None) -> Exposure:
    """Read an exposure: our own, LSST's, or any image.

    Of the objects that LSST attaches, PSFs, WCSs and zero points are read; a line in the log says what is not. Of a
    plain image the whole header becomes metadata, the mask is empty and the variance NaN.

    Parameters
    ----------
    path : Path or str
        The file, plain, ``.gz`` or ``.fz``.
    box : Box, optional
        Read these pixels only; WCS and PSF then belong to the cutout's own pixels.
    hdu : int, optional
        The HDU of a plain image; the first image if absent.

    Returns
    -------
    Exposure

    Raises
    ------
    DatasetNotFoundError
        If there is no such file.
    FileFormatError
        If it is not a FITS file, is truncated, has changed since it was written (known of whole files that have
        DATASUM), or has no such image or pixels.

    Examples
    --------
    >>> from obs import Box, read_exposure
    >>> read_exposure("DATA/rerun/first/calexp/visit-21.fits", Box(0, 0, 100, 50)).shape
    (50, 100)
    """
    with open_fits(path, is_whole=box is None, is_own=True) as hdus:
        image_hdu = find_image(hdus, hdu)
        planes = {} if hdu is not None else _other_planes(hdus, image_hdu)
        header = merge_headers(hdus, image_hdu)
        image = _pixels(image_hdu, box, np.float32)
        mask = variance = None
        if "MASK" in planes:
            bits = {str(k)[3:]: int(v) for k, v in header_to_dict(planes["MASK"].header).items() if k.startswith("MP_")}
            mask = Mask(_mask_pixels(planes["MASK"], box), bits)
        if "VARIANCE" in planes:
            variance = _pixels(planes["VARIANCE"], box, np.float32)
        parts = exposure_parts(hdus, header, path)
        pixels = MaskedImage(image, mask, variance)
    exposure = Exposure(
        pixels,
        wcs=parts.wcs,
        psf=parts.psf,
        photo_calib=parts.photo_calib,
        visit_info=header_visit_info(header),
        detector_name=header_text(header, "DETNAME"),
        physical_filter=parts.physical_filter,
        metadata=_metadata(header, own=bool(planes)),
        origin=parts.origin,
        attached=parts.attached,
    )
    return exposure if box is None else exposure.moved(x=box.x_min, y=box.y_min)


def _metadata(header: Mapping[str, Any], *, own: bool) -> dict[str, Any]:
    """Cards that no attribute of the exposure tells; of a plain image all but those on the layout."""
    if not own:
        return {name: value for name, value in header.items() if not is_structural(name)}
    read_cards = VISIT_INFO_CARDS | _FLUX_MAG0.keys() | {SYSTEM_KEY, "FILTER", "DETNAME"}
    if is_correction(header):
        read_cards |= FluxCorrection.from_header(header).to_header().keys()
    cards = {name: value for name, value in header.items() if name not in read_cards and not _is_layout(name)}
    unit = parse_image_unit(str(header.get("BUNIT", "")))
    return cards if unit == ImageUnit() else cards | {"BUNIT": unit.name}


def read_image(path: Path | str, box: Box | None = None, hdu: int | None = None) -> NDArray[Any]:
    """Read the pixels of one image, shape (ny, nx), in the file's own type; arguments as of `read_exposure`.

    Parameters
    ----------
    path : Path or str
        The file, plain, ``.gz`` or ``.fz``.
    box : Box, optional
        Region to read, 0-based pixels.
    hdu : int, optional
        Number of the HDU, from 0. By default the first image.

    Raises
    ------
    DatasetNotFoundError
        If the file is missing.
    FileFormatError
        If it is not a FITS file, is truncated, or has no such image or pixels.
    """
    with open_fits(path) as hdus:
        return _pixels(find_image(hdus, hdu), box, None)


def write_image(array: NDArray[Any], path: Path | str, metadata: Mapping[str, Any] | None = None) -> None:
    """Write a bare image, shape (ny, nx), in the primary HDU, with metadata as cards.

    Parameters
    ----------
    array : ndarray of any type, shape (ny, nx)
        Pixels. Logical values are written as 0 and 1 of uint8.
    path : Path or str
        File; it is written whole or not at all.
    metadata : mapping, optional
        Cards. Those that describe the layout of the file are skipped.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    header = fits.Header()
    set_cards(header, {name: value for name, value in (metadata or {}).items() if not is_structural(name)})
    native = array.astype(np.uint8) if array.dtype == bool else array
    write_hdus(path, [fits.PrimaryHDU(native, header)])


def _other_planes(hdus: fits.HDUList, image_hdu: fits.ImageHDU) -> dict[str, Any]:
    """HDUs that go with an image, by EXTTYPE, which LSST files have, or by name."""
    names = ("MASK", "VARIANCE")
    # A compressed image without a name is called COMPRESSED_IMAGE.
    named = {
        str(other.header.get("EXTTYPE") or other.name).strip().upper(): other
        for other in hdus
        if other is not image_hdu
    }
    return {name: named[name] for name in names if name in named}


def _mask_pixels(hdu: fits.ImageHDU, box: Box | None) -> NDArray[np.int32]:
    """Read a mask; one that is empty, as those of calibrations are, takes no memory until it is changed."""
    # whether any bit is set does not depend on the order of bytes
    if box is None and not hdu.data.view(hdu.data.dtype.newbyteorder("=")).any():
        return _untouched_zeros(hdu.shape)
    return _pixels(hdu, box, np.int32)


def _untouched_zeros(shape: tuple[int, ...]) -> NDArray[np.int32]:
    """Return zeros that the system gives page by page as they are written to; numpy clears memory that it has kept."""
    size = math.prod(shape) * np.dtype(np.int32).itemsize
    return np.frombuffer(mmap.mmap(-1, size), np.int32).reshape(shape) if size else np.zeros(shape, np.int32)


def _pixels(hdu: fits.ImageHDU, box: Box | None, dtype: Any) -> NDArray[Any]:  # noqa: ANN401
    """Read pixels into an array of its own, in native byte order."""
    if box is None:
        data = hdu.data
    else:
        whole = Box(0, 0, hdu.header["NAXIS1"], hdu.header["NAXIS2"])
        if not whole.contains(box):
            raise FileFormatError(f"{box} leaves the image of {whole.width} x {whole.height} pixels")
        data = hdu.section[box.slices]
    return np.array(data, dtype or data.dtype.newbyteorder("="), order="C")
