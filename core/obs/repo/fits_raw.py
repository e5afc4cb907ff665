"""Raw frames as they were read."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from astropy.io import fits
from numpy.typing import NDArray

from obs.camera.color_plane import ColorPlane
from obs.errors import FileFormatError
from obs.image.raw import Raw
from obs.instrument.header import MOSAIC_CARDS, merge_headers
from obs.repo.fits_file import header_to_dict, open_fits
from obs.repo.normalized_pixels import to_counts

__all__ = ["append_overscan", "extract_color", "image_hdus", "read_raw"]

Pixels = np.ndarray[tuple[int, ...], np.dtype[np.generic]]


def read_raw(
    path: Path | str,
    *,
    hdu: int | None = None,
    amplifier_hdus: Sequence[int] = (0,),
    overscan_hdus: Mapping[int, int] | None = None,
    shape: tuple[int, int] | None = None,
    choose: Callable[[Mapping[str, Any]], bool] | None = None,
) -> Raw:
    """Read the raw frame of one detector, pixels in the file's own type; those from 0 to 1 become counts.

    Parameters
    ----------
    path : Path or str
        The file: plain, gzipped, or tile-compressed.
    hdu : int, optional
        HDU of the detector, where a file holds several.
    amplifier_hdus : sequence of int, optional
        HDUs of the amplifiers, where each has its own.
    overscan_hdus : mapping of int to int, optional
        HDU of the overscan of an image, where it has one of its own, by that of the image (0 for the only one).
    shape : tuple of int, optional
        Shape (ny, nx) of an image with its overscan; one that has it already gets none.
    choose : callable, optional
        Told the cards of an image, says whether it is that of the detector; asked where there are several images and no
        ``hdu`` is given. Else the first image is taken.

    Returns
    -------
    Raw
        Its metadata are the primary header's cards with those of the image on top; of amplifiers in HDUs of their own
        those that all of them share.

    Raises
    ------
    DatasetNotFoundError
        If there is no such file.
    FileFormatError
        If it is not a FITS file, is truncated, or has no such image.
    """
    with open_fits(path) as hdus:
        primary = header_to_dict(hdus[0].header)
        behind = dict(overscan_hdus or {})

        def whole(image: fits.ImageHDU, number: int) -> Pixels:
            pixels = _pixels(image)
            if number not in behind or pixels.shape == shape:
                return pixels
            return append_overscan(pixels, _pixels(_numbered(hdus, behind[number])))

        if any(amplifier_hdus):
            images = {number: _numbered(hdus, number) for number in amplifier_hdus}
            shared = _shared([header_to_dict(image.header) for image in images.values()])
            return Raw({n: whole(image, n) for n, image in images.items()}, merge_headers(primary, shared))
        if hdu is not None:
            image = _numbered(hdus, hdu)
        else:
            images_there = [other for other in hdus if _is_image(other)]
            if not images_there:
                raise FileFormatError("no two-dimensional image in it")
            image = images_there[0]
            if choose is not None and len(images_there) > 1:
                merged = ((other, merge_headers(primary, header_to_dict(other.header))) for other in images_there)
                image = next((other for other, cards in merged if choose(cards)), image)
        return Raw(whole(image, 0), merge_headers(primary, header_to_dict(image.header)))


def image_hdus(path: Path | str) -> list[int]:
    """Return the numbers of the HDUs that have two-dimensional images, such as amplifiers.

    Parameters
    ----------
    path : Path or str
        The file.

    Raises
    ------
    FileFormatError
        If it is not a FITS file, or is truncated.
    """
    with open_fits(path) as hdus:
        return [number for number, hdu in enumerate(hdus) if _is_image(hdu)]


def append_overscan(pixels: NDArray[Any], overscan: NDArray[Any]) -> NDArray[Any]:
    """Return an image with its overscan behind its columns, or behind its rows.

    Parameters
    ----------
    pixels : ndarray of any type, shape (ny, nx)
        The image.
    overscan : ndarray of any type, shape (ny, n) or (n, nx)
        The overscan.

    Raises
    ------
    FileFormatError
        If it is neither as high nor as wide as the image.
    """
    if overscan.shape[0] == pixels.shape[0]:
        return np.hstack([pixels, overscan])
    if overscan.shape[1] == pixels.shape[1]:
        return np.vstack([pixels, overscan])
    sizes = " and ".join(f"{image.shape[1]} x {image.shape[0]}" for image in (pixels, overscan))
    raise FileFormatError(f"image and overscan of {sizes} pixels are not beside each other")


def extract_color(raw: Raw, plane: ColorPlane, saturation: float) -> Raw:
    """Return one color of a raw frame of a color camera, without the cards of the mosaic.

    Parameters
    ----------
    raw : Raw
        The whole frame.
    plane : ColorPlane
        The color.
    saturation : float
        Level of saturated pixels, ADU; NaN where only the highest number of the file's type is known.
    """
    kinds = [image.dtype for image in raw.images.values()]
    numbers = [float(np.iinfo(kind).max) for kind in kinds if np.issubdtype(kind, np.integer)]
    highest = max(numbers, default=float("nan"))
    level = float(np.fmin(saturation, highest))
    planes = {hdu: plane.extract(image, level) for hdu, image in raw.images.items()}
    cards = {name: value for name, value in raw.metadata.items() if name not in MOSAIC_CARDS}
    return Raw(planes, cards, highest=highest)


def _shared(headers: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the cards that are the same in all headers, without a WCS whose reference pixel is not."""
    first, *others = headers
    shared = {key: value for key, value in first.items() if all(other.get(key) == value for other in others)}
    if not {"CRPIX1", "CRPIX2"} <= shared.keys():
        shared = {key: value for key, value in shared.items() if not key.startswith("CTYPE")}
    return shared


def _is_image(hdu: fits.ImageHDU) -> bool:
    """Whether an HDU holds one plane of pixels, be it as a cube of one."""
    shape = hdu.shape if hdu.is_image else ()
    return len(shape) >= 2 and all(length == 1 for length in shape[:-2])


def _numbered(hdus: fits.HDUList, number: int) -> fits.ImageHDU:
    try:
        found = hdus[number]
    except IndexError:
        advice = (
            ": the camera's amplifiers have HDUs of their own; files of one amplifier each are not put together, "
            "so write them as the HDUs of one file"
            if len(hdus) == 1
            else ""
        )
        raise FileFormatError(f"has {len(hdus)} HDUs, no number {number}{advice}") from None
    if not _is_image(found):
        raise FileFormatError(f"HDU {number} is not a two-dimensional image")
    return found


def _pixels(hdu: fits.ImageHDU) -> Pixels:
    data = hdu.data.reshape(hdu.data.shape[-2:])
    # A map of the file must not outlive it; in the machine's byte order everything after is faster.
    return to_counts(np.array(data, data.dtype.newbyteorder("="), order="C"))
