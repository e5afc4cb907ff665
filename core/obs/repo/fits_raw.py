"""Raw frames as they were read."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from astropy.io import fits

from obs.errors import FileFormatError
from obs.image.raw import Raw
from obs.repo.fits_file import header_to_dict, open_fits

__all__ = ["read_raw"]


def read_raw(
    path: Path | str,
    *,
    hdu: int | None = None,
    amplifier_hdus: Sequence[int] = (0,),
    choose: Callable[[Mapping[str, Any]], bool] | None = None,
) -> Raw:
    """Read the raw frame of one detector, pixels in the file's own type.

    Parameters
    ----------
    path : Path or str
        The file: plain, gzipped, or tile-compressed.
    hdu : int, optional
        HDU of the detector, where a file holds several.
    amplifier_hdus : sequence of int, optional
        HDUs of the amplifiers, where each has its own.
    choose : callable, optional
        Told the cards of an image, says whether it is that of the detector; asked where there are several images and no
        ``hdu`` is given. Else the first image is taken.

    Returns
    -------
    Raw
        Its metadata are the primary header's cards with those of the image on top; of amplifiers in HDUs of their own
        only the primary header's.

    Raises
    ------
    DatasetNotFoundError
        If there is no such file.
    FileFormatError
        If it is no FITS file, is truncated, or has no such image.
    """
    with open_fits(path) as hdus:
        primary = header_to_dict(hdus[0].header)
        if any(amplifier_hdus):
            images = {number: _numbered(hdus, number) for number in amplifier_hdus}
            return Raw({number: _pixels(image) for number, image in images.items()}, primary)
        if hdu is not None:
            image = _numbered(hdus, hdu)
        else:
            images_there = [other for other in hdus if _is_image(other)]
            if not images_there:
                raise FileFormatError("no two-dimensional image in it")
            image = images_there[0]
            if choose is not None and len(images_there) > 1:
                chosen = (other for other in images_there if choose(primary | header_to_dict(other.header)))
                image = next(chosen, image)
        return Raw(_pixels(image), primary | header_to_dict(image.header))


def _is_image(hdu: fits.ImageHDU) -> bool:
    return bool(hdu.is_image and hdu.header.get("NAXIS") == 2)


def _numbered(hdus: fits.HDUList, number: int) -> fits.ImageHDU:
    try:
        found = hdus[number]
    except IndexError:
        raise FileFormatError(f"has {len(hdus)} HDUs, no number {number}") from None
    if not _is_image(found):
        raise FileFormatError(f"HDU {number} is no two-dimensional image")
    return found


def _pixels(hdu: fits.ImageHDU) -> np.ndarray[tuple[int, ...], np.dtype[np.generic]]:
    data = hdu.data
    # A map of the file must not outlive it; in the machine's byte order everything after is faster.
    return np.array(data, data.dtype.newbyteorder("="), order="C")
