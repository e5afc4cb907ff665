"""The headers of the images of a file, each above the cards of the primary header."""

import math
from collections.abc import Iterator, Sequence
from pathlib import Path

from obs.errors import FileFormatError
from obs.ingest.headers import FileHeader, read_headers
from obs.ingest.report import HOLDS_TABLE
from obs.ingest.text_headers import read_text_headers
from obs.instrument.header import merge_headers

__all__ = ["NoImageError", "extension_headers", "first_image", "image_headers", "known_cards", "text_image_headers"]


class NoImageError(FileFormatError):
    """A file holds tables alone."""


def text_image_headers(path: Path) -> Iterator[tuple[int, FileHeader]]:
    """Yield the headers of a text, those of extensions with the primary's cards beneath.

    Parameters
    ----------
    path : Path
        Text of the headers of a file (``.hdr``).

    Yields
    ------
    number, header : int, dict
        Number of the HDU, and its cards.
    """
    primary: FileHeader = {}
    count = 0
    for number, header in read_text_headers(path):
        if number == 0:
            primary = header
            continue
        count += 1
        yield number, known_cards(merge_headers(primary, header))
    if not count:
        yield 0, known_cards(primary)


def image_headers(path: Path) -> Iterator[tuple[int, FileHeader]]:
    """Yield the primary header if it has pixels, else that of every image, with the primary's cards beneath.

    Parameters
    ----------
    path : Path
        FITS file.

    Yields
    ------
    number, header : int, dict
        Number of the HDU, and its cards. A file without any data gives its primary header.

    Raises
    ------
    NoImageError
        If it holds tables alone.
    FileFormatError
        If it cannot be read, or holds cubes alone.
    """
    primary: FileHeader = {}
    count = 0
    kinds = set()
    cubes: list[str] = []
    for number, header in read_headers(path):
        if number == 0:
            primary = header
        kind = header.get("XTENSION", "IMAGE").strip() or "IMAGE"
        if header.get("NAXIS", 0) > 0:
            kinds.add(kind)
        if kind == "IMAGE" and _planes(header) > 1:
            cubes.append(f"HDU {number} is a cube of {_planes(header)} planes")
        if not _is_plane(header) or kind != "IMAGE":
            continue
        count += 1
        yield number, known_cards(merge_headers(primary, header)) if number else known_cards(header)
        if number == 0:
            return
    if kinds and "IMAGE" not in kinds:
        raise NoImageError(HOLDS_TABLE, path=path)
    if cubes and not count:
        advice = (
            "an exposure is one image: set planes = 'each' (an exposure each), 'mean' or 'colors' in translator.py, or "
        )
        advice += "describe the camera by obs new --planes"
        raise FileFormatError(f"{cubes[0]}; {advice}", path=path)
    if not count:
        yield 0, known_cards(primary)


def _planes(header: FileHeader) -> int:
    """Return the number of images in an HDU."""
    axes = [header.get(f"NAXIS{axis}", 1) for axis in range(3, header.get("NAXIS", 0) + 1)]
    return math.prod(axes) if all(isinstance(length, int) for length in axes) else 1


def _is_plane(header: FileHeader) -> bool:
    """Whether an HDU holds one image, be it as a cube of one plane."""
    axes = header.get("NAXIS", 0)
    return axes >= 2 and all(header.get(f"NAXIS{axis}") == 1 for axis in range(3, axes + 1))


def known_cards(header: FileHeader) -> FileHeader:
    """Return the cards of a header that have a value.

    Parameters
    ----------
    header : dict
        Cards; NaN where there is no value.
    """
    return {keyword: value for keyword, value in header.items() if value == value}


def first_image(path: Path) -> FileHeader:
    """Return the primary header's cards; where that has no data, with those of the first HDU that has on top.

    Parameters
    ----------
    path : Path
        FITS file.

    Raises
    ------
    FileFormatError
        If it is not a FITS file, or ends early.
    """
    primary: FileHeader = {}
    for number, header in read_headers(path):
        if number == 0:
            primary = header
        if header.get("NAXIS", 0) > 0:
            return known_cards(merge_headers(primary, header)) if number else known_cards(header)
    return known_cards(primary)


def extension_headers(path: Path, wanted: Sequence[str]) -> Iterator[tuple[int, FileHeader]]:
    """Yield the extensions that hold a detector each, with the primary header's cards beneath their own.

    Parameters
    ----------
    path : Path
        FITS file.
    wanted : sequence of str
        Names of the extensions.

    Yields
    ------
    number, header : int, dict
        Number of the HDU, and its cards.

    Raises
    ------
    FileFormatError
        If one of the extensions is missing.
    """
    primary: FileHeader = {}
    missing = {name.upper(): name for name in wanted}
    for number, header in read_headers(path):
        primary = primary or header
        name = str(header.get("EXTNAME", "")).strip().upper()
        if name in missing:
            del missing[name]
            yield number, known_cards(merge_headers(primary, header))
            if not missing:
                return
    if len(missing) == len(wanted):
        raise FileFormatError(f"has none of the extensions {', '.join(missing.values())}", path=path)
    raise FileFormatError(f"does not have the extensions {', '.join(missing.values())}", path=path)
