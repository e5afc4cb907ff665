"""Files of single amplifiers put together to one file with an extension for each."""

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from astropy.io import fits

from obs.errors import FileFormatError
from obs.repo.atomic import atomic_write
from obs.repo.fits_file import header_to_dict, is_structural, open_fits

__all__ = ["holds_part", "join_files"]

#: Cards that belong to an image although they describe the layout.
_OF_THE_IMAGE = ("EXTNAME", "BUNIT")
#: Values that are pixels of an image: those of a primary header would say nothing of the images behind it.
_SECTION = re.compile(r"\s*\[\s*\d+:\d+\s*,\s*\d+:\d+\s*\]\s*")


def join_files(parts: Sequence[Path], target: Path, names: Sequence[str] = ()) -> None:
    """Put files of one image each together; the same parts give the same bytes.

    Cards that all parts share are in the primary header; the others, and sections of pixels, are with their image.

    Parameters
    ----------
    parts : sequence of Path
        The files.
    target : Path
        The file to write.
    names : sequence of str, optional
        EXTNAMEs for parts that have none of their own.

    Raises
    ------
    FileFormatError
        If a part cannot be read, or does not hold one image.
    OutputError
        If the file cannot be written.
    """
    images = [_read_part(path) for path in parts]
    values = [header_to_dict(image.header) for image in images]
    first = {card.keyword: card for card in _cards(images[0].header)}
    shared = {key for key in first if all(repr(other.get(key)) == repr(values[0].get(key)) for other in values)}
    shared -= {*_OF_THE_IMAGE, *(key for key in shared if _SECTION.fullmatch(str(values[0].get(key))))}
    hdus = [fits.PrimaryHDU(header=fits.Header([first[key] for key in first if key in shared]))]
    for number, image in enumerate(images):
        own = fits.Header([card for card in _cards(image.header) if card.keyword not in shared])
        if "EXTNAME" not in own and number < len(names):
            own["EXTNAME"] = names[number]
        hdus.append(fits.ImageHDU(image.data, own))
    with atomic_write(target) as file:
        fits.HDUList(hdus).writeto(file, output_verify="ignore")


def holds_part(whole: Path, part: Path) -> bool:
    """Return whether a file that was put together holds the pixels of a part.

    Parameters
    ----------
    whole : Path
        File of `join_files`.
    part : Path
        File of one image.

    Raises
    ------
    FileFormatError
        If a file cannot be read, or the part does not hold one image.
    """
    pixels = _read_part(part).data
    with open_fits(whole) as hdus:
        return any(hdu.is_image and hdu.data is not None and np.array_equal(hdu.data, pixels) for hdu in hdus)


def _cards(header: fits.Header) -> list[fits.Card]:
    """Return the cards that tell something of the image, not of how it lies in its file."""
    own_cards = header_to_dict(header)
    kept = {key for key in own_cards if not is_structural(key) or key in _OF_THE_IMAGE}
    return [card for card in header.cards if card.keyword in kept]


def _read_part(path: Path) -> fits.ImageHDU:
    """Return the one image of a file in memory, with the cards of the primary header below its own."""
    with open_fits(path) as hdus:
        images = [hdu for hdu in hdus if hdu.is_image and len(hdu.shape) >= 2]
        if len(images) != 1:
            raise FileFormatError(f"has {len(images)} images, expected that of one amplifier", path=path)
        header = images[0].header.copy()
        if images[0] is not hdus[0]:
            header.extend(_cards(hdus[0].header), unique=True)
        data = images[0].data
        return fits.ImageHDU(data.reshape(data.shape[-2:]).copy(), header)
