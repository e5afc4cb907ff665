"""FITS images from anywhere: pixels, mask, uncertainty and WCS, and a line on what was read."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from astropy.io import fits
from numpy.typing import NDArray

from obs.errors import FileFormatError
from obs.image.exposure import Exposure
from obs.image.mask import Mask
from obs.image.masked_image import MaskedImage
from obs.image.wcs import TanSipWcs
from obs.instrument.filter_wheels import FILTER_CARDS, read_wheels
from obs.instrument.image_unit import parse_image_unit
from obs.repo.fits_exposure import read_exposure
from obs.repo.fits_exposure_header import header_filter, header_photo_calib, merge_headers
from obs.repo.fits_file import is_structural, open_fits
from obs.repo.fits_wcs import read_header_wcs
from obs.repo.hdu_roles import (
    HduChoice,
    Planes,
    Role,
    choose_planes,
    find_hdu_role,
    has_colors_in_pixels,
    image_shape,
    name_hdu,
)
from obs.repo.header_times import infer_visit_info
from obs.repo.mask_conventions import read_foreign_mask
from obs.repo.pixel_scaling import linear_pixels, warn_of_densities

__all__ = ["ImageFile", "read_image_file"]

_BIG = 1e29  # SExtractor pads with 1e30
_NAMED = 8  # HDUs that a line names
_SCALING = ("BSOFTEN", "BOFFSET")
_J2000 = ("2000", "2000.", "2000.0")
#: One card a wheel, where no card has the name of the filter; of HST, VLT and Pan-STARRS among others.
_WHEELS = (*(f"FILTER{n}" for n in (1, 2, 3)), "FILTNAM1", "ESO INS FILT1 NAME", "FPA.FILTER", "FPA.FILTERID")


@dataclass
class ImageFile:
    """An image and how it was read.

    Parameters
    ----------
    exposure : Exposure
        Pixels that have no usable uncertainty are masked BAD; the variance is NaN where the file has no uncertainty.
    weight : ndarray of float32, shape (ny, nx), or None
        Relative inverse variance, where the file has nothing better.
    read : list of str
        What was read, in words.
    warnings : list of str
        What the user should know.
    """

    exposure: Exposure
    weight: NDArray[np.float32] | None = None
    read: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


def read_image_file(
    path: Path, choice: HduChoice | None = None, *, bad_bits: int | None = None, wcs_tolerance: float = np.inf
) -> ImageFile:
    """Read an image, its mask and its uncertainty.

    Files of obs and of LSST are read as `obs.repo.fits_exposure.read_exposure` does.

    Parameters
    ----------
    path : Path
        The file, plain, ``.gz`` or ``.fz``.
    choice : HduChoice, optional
        HDUs that the user names.
    bad_bits : int, optional
        Bits of the mask that make a pixel bad, or-ed.
    wcs_tolerance : float, optional
        Largest error of a WCS that is refitted to TAN-SIP, pixels; with a larger one it is not used.

    Returns
    -------
    ImageFile

    Raises
    ------
    DatasetNotFoundError
        If there is no such file.
    FileFormatError
        If it cannot be read as FITS, or has no such image.
    """
    choice = choice or HduChoice()
    with open_fits(path) as hdus:
        if choice == HduChoice() and any("MP_BAD" in hdu.header for hdu in hdus):
            return ImageFile(read_exposure(path), read=["image, mask and variance as obs and LSST write them"])
        planes = choose_planes(hdus, choice)
        return _read(hdus, planes, choice, bad_bits, wcs_tolerance)


def _read(
    hdus: fits.HDUList, planes: Planes, choice: HduChoice, bad_bits: int | None, wcs_tolerance: float
) -> ImageFile:
    image_hdu = hdus[planes.image]
    header = merge_headers(hdus, image_hdu)
    with np.errstate(over="ignore"):
        image = _pixels(hdus, planes.image, choice.plane).astype(np.float32)
    image, scaling = linear_pixels(image, header)
    image[~(np.abs(image) <= _BIG)] = np.nan
    shape = (image.shape[0], image.shape[1])
    mask = Mask.zeros(shape)
    file = ImageFile(Exposure(MaskedImage(image, mask)))
    file.read.append(f"image HDU {name_hdu(hdus, planes.image)}, {shape[1]} x {shape[0]} pixels")
    file.read.extend(filter(None, [scaling]))
    file.warnings.extend(filter(None, [warn_of_densities(header)]))
    if planes.mask is not None:
        bits = _pixels(hdus, planes.mask, None)
        is_good = planes.mask_role is Role.GOOD_MASK
        own = hdus[planes.mask].header
        found = read_foreign_mask(bits, header, own, is_good=is_good, bad_bits=bad_bits)
        mask = found.mask
        file.read.append(f"mask HDU {name_hdu(hdus, planes.mask)} ({found.description})")
        file.warnings.extend(found.warnings)
    variance = file.exposure.masked_image.variance
    if planes.uncertainty is not None and (known := _read_uncertainty(file, hdus, planes, mask)) is not None:
        variance = known
    wcs = _read_wcs(file, _with_own_frame(header, image_hdu), shape, hdus, wcs_tolerance)
    _name_others(file, hdus, planes)
    file.exposure = Exposure(
        MaskedImage(image, mask, variance),
        wcs=wcs,
        photo_calib=header_photo_calib(header),
        visit_info=infer_visit_info(header),
        detector_name=str(header.get("DETNAME", "")).strip(),
        physical_filter=_find_filter(header),
        metadata={name: value for name, value in header.items() if not is_structural(name) and name not in _SCALING},
    )
    unit = parse_image_unit(str(image_hdu.header.get("BUNIT", "")))
    file.exposure.metadata["BUNIT"] = unit.name
    file.read.append(f"unit {unit.name}" + ("" if unit.kind else ", which is not known"))
    return file


def _find_filter(header: Mapping[str, Any]) -> str:
    """Return the filter: that of FILTER, of another card for its name, or what is in the wheels; empty if unknown."""
    if found := header_filter(header):
        return found
    cards = [name for name in FILTER_CARDS[1:] if name in header][:1] or _WHEELS
    return (read_wheels(header, cards) or "").removesuffix(".00000")  # as Pan-STARRS writes it


def _pixels(hdus: fits.HDUList, number: int, plane: int | None) -> NDArray[Any]:
    """Return the pixels of an HDU, shape (ny, nx), native byte order; of a cube one plane."""
    shape = image_shape(hdus[number])
    count = int(np.prod(shape[:-2]))
    if count > 1 and plane is None:
        raise FileFormatError(
            f"HDU {name_hdu(hdus, number)} is a cube of {count} planes; choose one with -c plane=NUMBER, from 0"
        )
    if plane is not None and plane >= count:
        raise FileFormatError(f"plane={plane}: HDU {name_hdu(hdus, number)} has {count} planes, numbered from 0")
    data = hdus[number].data
    if has_colors_in_pixels(data.shape):
        data = np.moveaxis(data, -1, 0)
    data = data.reshape(count, *shape[-2:])[plane or 0]
    return np.array(data, data.dtype.newbyteorder("="), order="C")


def _read_uncertainty(file: ImageFile, hdus: fits.HDUList, planes: Planes, mask: Mask) -> NDArray[np.float32] | None:
    """Return the variance, or note a weight; pixels without are masked."""
    number, role = planes.uncertainty or 0, planes.uncertainty_role
    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
        values: NDArray[np.float32] = _pixels(hdus, number, None).astype(np.float32)
        usable = np.isfinite(values) & (values > 0)
        if role is Role.SIGMA:
            values = np.square(values)
        elif role is Role.INVERSE_VARIANCE:
            values = np.reciprocal(values)
        usable &= np.isfinite(values) & (values > 0)
    what = f"HDU {name_hdu(hdus, number)} ({role})"
    if not usable.any():
        file.warnings.append(f"uncertainty {what} is nowhere above 0: it is not used")
        return None
    mask.set(~usable, "BAD")
    lost = float((~usable).mean())
    file.read.append(f"uncertainty {what}" + (f", {100 * lost:.2g} % without" if lost else ""))
    typical = np.median(values[usable][:: max(1, int(usable.sum()) // 1_000_000)])
    values[~usable] = 0 if role is Role.WEIGHT else typical
    if role is Role.WEIGHT:
        file.weight = values
        return None
    return values


def _with_own_frame(header: dict[str, Any], image_hdu: fits.ImageHDU) -> dict[str, Any]:
    """Leave out an equinox of 2000 that the primary HDU has for its pointing: the WCS of an extension is ICRS."""
    own = image_hdu.header
    inherited = [name for name in ("EQUINOX", "EPOCH") if name in header and name not in own]
    if "CTYPE1" not in own or not inherited or any(name in header for name in ("RADESYS", "RADECSYS")):
        return header
    cards = {name: value for name, value in header.items() if name not in inherited}
    return header if any(str(header[name]).strip(" J") not in _J2000 for name in inherited) else cards


def _read_wcs(
    file: ImageFile, header: Mapping[str, Any], shape: tuple[int, int], hdus: fits.HDUList, tolerance: float
) -> TanSipWcs | None:
    try:
        found = read_header_wcs(header, shape, hdus)
    except FileFormatError as error:
        file.warnings.append(f"the WCS of the header is not used: {error}")
        return None
    if found is None:
        file.read.append("no WCS")
        return None
    left = found.error / (1e3 * found.wcs.pixel_scale)
    if left > tolerance:
        file.read.append(f"WCS {found.kind}, not used")
        file.warnings.append(
            f"the WCS of the header is not used, so that the catalog has no sky positions: {found.warning}, "
            f"{left:.2g} pixels; accept this with -c wcs_tolerance={math.ceil(100 * left) / 100:g}"
        )
        return None
    file.read.append(f"WCS {found.kind}")
    if found.warning:
        file.warnings.append(found.warning)
    return found.wcs


def _name_others(file: ImageFile, hdus: fits.HDUList, planes: Planes) -> None:
    """Say which HDUs were not read."""
    if planes.other_images:
        file.read.append(f"other images, not read: HDU {_list(hdus, planes.other_images)} (choose with -c hdu=NUMBER)")
    shape = image_shape(hdus[planes.image])[-2:]
    for number in planes.unused:
        role, other = find_hdu_role(hdus[number]), image_shape(hdus[number])[-2:]
        if role is not Role.OTHER and other and other != shape:
            file.warnings.append(
                f"HDU {name_hdu(hdus, number)} ({role}) is not used: its shape {other} is not the shape {shape} of the "
                "image"
            )
    if planes.unused:
        file.read.append(f"not used: HDU {_list(hdus, planes.unused)}")


def _list(hdus: fits.HDUList, numbers: tuple[int, ...]) -> str:
    names = [name_hdu(hdus, number) + ("" if hdus[number].is_image else " (table)") for number in numbers[:_NAMED]]
    return ", ".join(names) + (f" and {len(numbers) - _NAMED} more" if len(numbers) > _NAMED else "")
