"""What each HDU of a foreign image file holds: pixels, mask, uncertainty, or something else."""

import re
from collections.abc import Sequence
from enum import StrEnum
from typing import NamedTuple

from astropy.io import fits

from obs.errors import FileFormatError

__all__ = [
    "HduChoice",
    "Planes",
    "Role",
    "choose_planes",
    "find_hdu_role",
    "has_colors_in_pixels",
    "image_shape",
    "name_hdu",
]


class Role(StrEnum):
    """What an image HDU holds."""

    IMAGE = "image"
    MASK = "mask"
    GOOD_MASK = "mask of good pixels"
    SIGMA = "standard deviation"
    VARIANCE = "variance"
    INVERSE_VARIANCE = "inverse variance"
    WEIGHT = "relative weight"
    OTHER = "other"


#: How programs name the extensions; digits, and what separates them from the name, do not count.
_NAMES = {
    Role.MASK: "MASK MSK DQ DQA DQF FLG BPM BADPIX BPIX BADPIXEL BADMASK FLAG FLAGS QUAL QUALITY DATAQUALITY BAD",
    Role.GOOD_MASK: "GOODMASK GPM GOODPIX GOOD VALID",
    Role.SIGMA: "ERR ERROR ERRORS ERRDATA SIGMA SIG STD STDDEV STDEV UNC UNCERT UNCERTAINTY RMS RMSE NOISE ERRORMAP",
    Role.VARIANCE: "VAR VARIANCE MSE VARMAP",
    Role.INVERSE_VARIANCE: "IVAR INVVAR INVVARIANCE INVERSEVARIANCE IVM INVMSE",
    Role.WEIGHT: "WEIGHT WEIGHTS WEIGHTMAP WHT WT WGT",
    Role.OTHER: "BKG BACKGROUND SKY MODEL EXP EXPTIME EXPMAP EXPOSURE TIME COVERAGE COV NPIX CON CTX AREA SAMP SEG "
    "SEGMAP SEGMENTATION OBJMASK CRMASK VARPOISSON VARRNOISE VARFLAT THUMB THUMBNAIL PREVIEW DIMARR WCSDVARR RESIDUAL",
}
_ROLES = {name: role for role, names in _NAMES.items() for name in names.split()}
_SCIENCE = ("SCI", "SCIENCE", "SCIDATA", "IMAGE", "DATA")
_PRODUCTS = {
    "dqmask": Role.MASK,
    "maskbits": Role.MASK,
    "wtmap": Role.WEIGHT,
    "invvar": Role.INVERSE_VARIANCE,
    "expmap": Role.OTHER,
}
#: Of ESO's convention for data, errors and quality.
_ESO = {"DATA": Role.IMAGE, "QUALITY": Role.MASK, "ERROR": Role.SIGMA}
_ESO_ERRORS = {"MSE": Role.VARIANCE, "RMSE": Role.SIGMA, "INVMSE": Role.INVERSE_VARIANCE}
_LEAST_SIDE = 16  # pixels of an image whose colors are the first axis
_LIKELY = 0.25  # of the largest image's pixels; what is smaller is a thumbnail
_UNCERTAINTIES = (Role.VARIANCE, Role.SIGMA, Role.INVERSE_VARIANCE, Role.WEIGHT)


class HduChoice(NamedTuple):
    """HDUs that the user names, by number or EXTNAME, with EXTVER after a comma; None is found by its name.

    Parameters
    ----------
    image, mask, uncertainty : int, str or None
        For mask and uncertainty, ``none`` uses no HDU.
    plane : int or None
        Plane of a cube, from 0.
    """

    image: int | str | None = None
    mask: int | str | None = None
    uncertainty: int | str | None = None
    plane: int | None = None


class Planes(NamedTuple):
    """Numbers of the HDUs that belong to one image.

    Parameters
    ----------
    image : int
        HDU of the image, from 0.
    mask : int or None
        HDU of the mask.
    mask_role : Role
        Whether the mask marks bad or good pixels.
    uncertainty : int or None
        HDU of the uncertainty.
    uncertainty_role : Role
        Kind of uncertainty, for example a variance.
    other_images : tuple of int
        HDUs with other images, which are not read.
    unused : tuple of int
        Other HDUs with data that are not used, tables among them.
    """

    image: int
    mask: int | None
    mask_role: Role
    uncertainty: int | None
    uncertainty_role: Role
    other_images: tuple[int, ...]
    unused: tuple[int, ...]


def image_shape(hdu: fits.PrimaryHDU | fits.ImageHDU) -> tuple[int, ...]:
    """Return the shape (..., ny, nx) of an image of at least two dimensions; empty for any other HDU.

    Where the first axis of the file has the colors of a pixel, shape (ny, nx, 3), they are the planes.

    Parameters
    ----------
    hdu : fits.PrimaryHDU or fits.ImageHDU
        HDU, whose pixels are not read.
    """
    header = hdu.header
    n_axis = header.get("NAXIS", 0)
    if not hdu.is_image or n_axis < 2:
        return ()
    shape = tuple(int(header[f"NAXIS{i}"]) for i in range(n_axis, 0, -1))
    if has_colors_in_pixels(shape):
        shape = (shape[2], *shape[:2])
    return shape if min(shape[-2:]) > 1 and min(shape) > 0 else ()


def has_colors_in_pixels(shape: tuple[int, ...]) -> bool:
    """Return whether an image has the colors of each pixel one after another, three or four numbers.

    Parameters
    ----------
    shape : tuple of int
        Shape as in the file, slowest axis first.
    """
    return len(shape) == len("RGB") and shape[-1] in (3, 4) and min(shape[:2]) > _LEAST_SIDE


def name_hdu(hdus: fits.HDUList, number: int) -> str:
    """Return number and name of an HDU: ``1 'SCI'``, ``4 'SCI,2'``, ``0``.

    Parameters
    ----------
    hdus : fits.HDUList
        Open file.
    number : int
        Number of the HDU, from 0.
    """
    name, version = _label(hdus[number]), hdus[number].ver
    return f"{number}" if not name else f"{number} '{name}{f',{version}' if version > 1 else ''}'"


def _label(hdu: fits.PrimaryHDU | fits.ImageHDU) -> str:
    """Return the name of an HDU; older LSST files name them by EXTTYPE only."""
    header = hdu.header
    name = header.get("EXTNAME") or header.get("EXTTYPE") or header.get("HDUNAME") or ""
    return "" if name in ("PRIMARY", "COMPRESSED_IMAGE") else str(name).strip()


def find_hdu_role(hdu: fits.PrimaryHDU | fits.ImageHDU) -> Role:
    """Return what an HDU holds, by UTYPE (astropy), HDUCLAS2 (ESO), PRODTYPE or its name.

    Parameters
    ----------
    hdu : fits.PrimaryHDU or fits.ImageHDU
        HDU, whose pixels are not read.
    """
    header = hdu.header
    kind = str(header.get("UTYPE", "")).upper()
    if kind.endswith(("UNCERTAINTY", "VARIANCE")):
        return Role.INVERSE_VARIANCE if "INV" in kind else Role.VARIANCE if "VAR" in kind else Role.SIGMA
    eso = _ESO.get(str(header.get("HDUCLAS2", "")).upper().strip())
    if eso is not None and str(header.get("HDUCLASS", "")).upper().strip() == "ESO":
        detail = str(header.get("HDUCLAS3", "")).upper().strip()
        if eso is Role.MASK:
            return Role.GOOD_MASK if detail == "MASKONE" else Role.MASK
        return _ESO_ERRORS.get(detail, Role.SIGMA) if eso is Role.SIGMA else eso
    if (product := _find_product(header)) is not None:
        return product
    name = _letters(_label(hdu))
    return Role.OTHER if name.startswith("PSF") else _ROLES.get(name) or _ROLES.get(_split(_label(hdu))[1], Role.IMAGE)


def _letters(name: str) -> str:
    return re.sub(r"[^A-Z]", "", name.upper())


def _split(label: str) -> tuple[str, str]:
    """Split the name of a chip from what follows it, ``CCD3.RMS`` or ``N4_DQ``, if that is a known name."""
    match = re.fullmatch(r"(.+)[.:_\- ]([A-Z]+)", label.upper())
    if match is None or not (match[2] in _ROLES or match[2] in _SCIENCE) or _letters(label) in _ROLES:
        return "", ""
    return match[1], match[2]


def choose_planes(hdus: fits.HDUList, choice: HduChoice) -> Planes:
    """Choose the image of a file, and the mask and the uncertainty that belong to it.

    The image is the first that is called SCI, IMAGE or the like, else the first that is not far smaller than the
    largest. Mask and uncertainty have its shape and, where there are several, its version or number.

    Parameters
    ----------
    hdus : HDUList
        The file.
    choice : HduChoice
        What the user named.

    Returns
    -------
    Planes

    Raises
    ------
    FileFormatError
        If there is no image, or no HDU as it is named.
    """
    shapes = [image_shape(hdu) for hdu in hdus]
    roles = [find_hdu_role(hdu) if shape else Role.OTHER for hdu, shape in zip(hdus, shapes, strict=True)]
    product = _find_product(hdus[0].header) or Role.IMAGE
    roles = [product if role is Role.IMAGE else role for role in roles]
    images = [n for n, role in enumerate(roles) if role is Role.IMAGE]
    image = _find_image(hdus, shapes, roles) if choice.image is None else _named(hdus, choice.image, "hdu")
    if not shapes[image]:
        raise FileFormatError(f"HDU {name_hdu(hdus, image)} is not a two-dimensional image")

    def partner(wanted: int | str | None, setting: str, allowed: Sequence[Role]) -> int | None:
        if wanted is not None:
            return None if str(wanted).lower() == "none" else _named(hdus, wanted, setting)
        same = [n for n, role in enumerate(roles) if role in allowed and shapes[n][-2:] == shapes[image][-2:]]
        return _closest(hdus, image, [n for n in same if n != image], images)

    mask = partner(choice.mask, "mask_hdu", (Role.MASK, Role.GOOD_MASK))
    uncertainty = None
    for role in _UNCERTAINTIES if choice.uncertainty is None else (Role.OTHER,):
        uncertainty = (
            uncertainty if uncertainty is not None else partner(choice.uncertainty, "uncertainty_hdu", (role,))
        )
    for name, number in (("mask", mask), ("uncertainty", uncertainty)):
        if number is not None and shapes[number][-2:] != shapes[image][-2:]:
            raise FileFormatError(
                f"{name} HDU {name_hdu(hdus, number)} has shape {shapes[number]}, "
                f"image HDU {name_hdu(hdus, image)} has shape {shapes[image]}"
            )
    used = {image, mask, uncertainty}
    kind = Role.SIGMA if uncertainty is None else roles[uncertainty]
    return Planes(
        image,
        mask,
        Role.MASK if mask is None or roles[mask] is not Role.GOOD_MASK else Role.GOOD_MASK,
        uncertainty,
        kind if kind in _UNCERTAINTIES else Role.SIGMA,
        tuple(n for n in images if n not in used),
        tuple(n for n, hdu in enumerate(hdus) if hdu.header.get("NAXIS") and n not in used and n not in images),
    )


def _find_product(header: fits.Header) -> Role | None:
    """Return what a whole file or an HDU holds, by the cards of the NOIRLab and Legacy Surveys pipelines."""
    words = (str(header.get(name, "")).strip().lower() for name in ("PRODTYPE", "IMTYPE"))
    return next((_PRODUCTS[word] for word in words if word in _PRODUCTS), None)


def _find_image(hdus: fits.HDUList, shapes: Sequence[tuple[int, ...]], roles: Sequence[Role]) -> int:
    images = [n for n, role in enumerate(roles) if role is Role.IMAGE]
    others = [n for n, shape in enumerate(shapes) if shape]
    if not images and others:
        raise FileFormatError(
            f"no image in it: by its name or cards HDU {name_hdu(hdus, others[0])} is something else "
            f"({roles[others[0]]}); give the file with the image, or measure it all the same (process-file: "
            f"-c hdu={others[0]})"
        )
    if not images:
        raise FileFormatError("no two-dimensional image in it")
    science = [n for n in images if {_letters(_label(hdus[n])), _split(_label(hdus[n]))[1]} & set(_SCIENCE)]
    sizes = {n: shapes[n][-1] * shapes[n][-2] for n in science or images}
    return next(n for n, size in sizes.items() if size >= _LIKELY * max(sizes.values()))


def _named(hdus: fits.HDUList, wanted: int | str, setting: str) -> int:
    """Return the number of an HDU that a setting names."""
    name, _, version = str(wanted).partition(",")
    if name.strip().isdigit():
        if int(name) < len(hdus):
            return int(name)
        raise FileFormatError(f"{setting}={wanted}: the file has {len(hdus)} HDUs, numbered from 0")
    for number, hdu in enumerate(hdus):
        if _label(hdu).upper() == name.strip().upper() and (not version or hdu.ver == int(version)):
            return number
    known = ", ".join(name_hdu(hdus, number) for number in range(len(hdus)))
    raise FileFormatError(f"{setting}={wanted}: no such HDU; the file has {known}")


def _closest(hdus: fits.HDUList, image: int, candidates: Sequence[int], images: Sequence[int]) -> int | None:
    """Return the candidate with the image's version or number; the one before the next image if none is numbered."""
    label = _label(hdus[image]).upper()
    chip = (
        _split(label)[0] or re.split(r"[.:_\- ](?=[^.:_\- ]*$)", label)[0]
    )  # CAMERA.CCD 1.1 cal: the last word is new
    candidates = [n for n in candidates if _split(_label(hdus[n]))[0] in ("", label, chip)]
    if not candidates:
        return None
    tags = [n for n in candidates if _tag(hdus[n]) == _tag(hdus[image])]
    if tags and len({_tag(hdus[n]) for n in images}) == len(images):
        return tags[0]
    if len(images) == 1:
        return candidates[0]
    following = min((n for n in images if n > image), default=len(hdus))
    return next((n for n in candidates if image < n < following), None)


def _tag(hdu: fits.PrimaryHDU | fits.ImageHDU) -> str:
    """Return the name of the chip, the digits of a name, or the version."""
    chip = _split(_label(hdu))[0]
    if chip:
        return chip
    digits = re.search(r"\d+", _label(hdu))
    return digits[0] if digits else str(hdu.ver)
