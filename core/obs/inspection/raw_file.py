"""A raw file as it is on disk: its headers, and its images when they are asked for.

Takes FITS, plain, gzipped and tile-compressed, and headers as text (``.hdr``), which have no pixels.
"""

import mmap
import warnings
from collections.abc import Iterator
from dataclasses import field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from obs.errors import FileFormatError
from obs.frozen import frozen
from obs.ingest.text_headers import header_lines, read_content, split_headers
from obs.inspection.cards import Card, Cards, parse_cards
from obs.inspection.sections import amplifier_labels, find_section
from obs.instrument.header import name_cards
from obs.repo.fits_file import open_fits
from obs.repo.fits_layout import LONG_HEADER, MOST_HEADER_CARDS
from obs.repo.fits_raw import append_overscan
from obs.repo.normalized_pixels import are_normalized, to_counts

__all__ = ["RawFile", "RawImage", "read_raw_file"]

_BLOCK, _CARD = 2880, 80
#: Larger numbers are not sizes.
_LARGEST = 2**40


@frozen
class RawImage:
    """One HDU with an image.

    Parameters
    ----------
    path : Path
        The file.
    hdu : int
        Number of the HDU, from 0.
    own : Cards
        Cards of this HDU.
    cards : Cards
        The same, above those of the primary HDU.
    shape : tuple of int
        ``(ny, nx)``, or ``(n, ny, nx)`` of a cube.
    has_pixels : bool
        Whether there is more than a header.
    overscan_hdu : int
        HDU of the overscan, where it has one of its own, which is then behind the columns (or rows) of the image; 0
        elsewhere.
    """

    path: Path
    hdu: int
    own: Cards
    cards: Cards
    shape: tuple[int, ...]
    has_pixels: bool = True
    overscan_hdu: int = 0

    @property
    def name(self) -> str:
        """The EXTNAME, or an empty text."""
        return str(self.own.get("EXTNAME", "")).strip()

    @cached_property
    def pixels(self) -> NDArray[np.float32] | None:
        """The image (of a cube the first plane), shape (ny, nx), ADU; None where it cannot be read."""
        plane = self._plane()
        return None if plane is None else np.asarray(to_counts(plane), np.float32)

    @cached_property
    def is_normalized(self) -> bool:
        """Whether its pixels are parts of the full scale, from 0 to 1."""
        plane = self._plane() if int(self.cards.get("BITPIX", 16)) < 0 else None
        return plane is not None and are_normalized(plane)

    def _plane(self) -> NDArray[Any] | None:
        if not self.has_pixels:
            return None
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # headers are judged by `obs.inspection.cards`
                with open_fits(self.path) as hdus:
                    data = hdus[self.hdu].data
                    if self.overscan_hdu:
                        data = append_overscan(data, hdus[self.overscan_hdu].data)
        except Exception:  # noqa: BLE001 - a damaged file fails in any way, and its headers count all the same
            return None
        if data is None or data.ndim < 2:
            return None
        return np.array(data.reshape(-1, *data.shape[-2:])[0])

    def release(self) -> None:
        """Let go of the pixels; they are read again when they are asked for."""
        self.__dict__.pop("pixels", None)


@frozen
class RawFile:
    """A raw file with its header and images.

    Parameters
    ----------
    path : Path
        The file.
    primary : Cards
        Cards of the primary HDU.
    images : tuple of RawImage
        The HDUs with pixels.
    problems : tuple of str
        What is wrong with the file.
    extensions : int
        Number of its extensions, with pixels or without.
    """

    path: Path
    primary: Cards
    images: tuple[RawImage, ...]
    problems: tuple[str, ...] = field(default_factory=tuple)
    extensions: int = 0

    @property
    def cards(self) -> Cards:
        """The cards that ingest sees: of the first image, above those of the primary HDU."""
        return self.images[0].cards

    @property
    def shapes(self) -> tuple[tuple[int, ...], ...]:
        """Shapes of all images of the file."""
        return tuple(image.shape for image in self.images)


def read_raw_file(path: Path) -> RawFile:
    """Read the headers of a raw file.

    Raises
    ------
    FileFormatError
        If it cannot be read, is not a FITS file and no header, or has no image.
    """
    content = read_content(path)
    lines = header_lines(content)
    if not lines and content[:9] not in (b"SIMPLE  =", b"XTENSION="):
        what = "is empty" if not content else "is neither a FITS file nor the text of a header"
        raise FileFormatError(what, path=path)
    problems: list[str] = []
    headers = (
        [parse_cards(block) for block in split_headers(lines)]
        if lines
        else list(_binary_headers(content, problems, path))
    )
    primary = headers[0] if "XTENSION" not in headers[0] else Cards()
    images = []
    first = 1 if "XTENSION" in headers[0] else 0
    for number, own in enumerate(headers, first):
        shape = _shape(own)
        if shape is not None:
            cards = _named(own if own is primary else own.over(primary), path)
            images.append(RawImage(path, number, own, cards, shape, not lines))
    if not images and lines and not any("NAXIS" in own for own in headers):
        shape = _shape_of_sections(headers[-1])
        if shape is not None:
            own = headers[-1]
            cards = _named(own if own is primary else own.over(primary), path)
            images.append(RawImage(path, 0, own, cards, shape, has_pixels=False))
            problems.append(f"NAXIS1 and NAXIS2 are missing: taken as {shape[1]} x {shape[0]}, where the sections end")
    if not images:
        raise FileFormatError("has no image", path=path)
    problems += [problem for header in headers for problem in header.problems]
    return RawFile(
        path, primary, tuple(images), tuple(dict.fromkeys(problems)), sum("XTENSION" in own for own in headers)
    )


def _named(cards: Cards, path: Path) -> Cards:
    """Return cards with those that hold the names of the file and its folders, as ingest has them."""
    return Cards([*cards.cards, *(Card(*pair) for pair in name_cards(path).items())], cards.problems, cards.history)


def _binary_headers(content: bytes | mmap.mmap, problems: list[str], path: Path) -> Iterator[Cards]:
    at = 0
    while content[at : at + 8].strip(b"\0 ") in (b"SIMPLE", b"XTENSION"):
        lines: list[str] = []
        while at < len(content):
            line = content[at : at + _CARD].decode("latin-1")
            at += _CARD
            if line[:8].rstrip("\0 ") == "END":
                break
            if len(lines) == MOST_HEADER_CARDS:
                raise FileFormatError(LONG_HEADER, path=path)
            lines.append(line)
        else:
            problems.append("the header has no END card")
        cards = parse_cards(lines)
        yield cards
        start = -(-at // _BLOCK) * _BLOCK
        length = _data_size(cards)
        if start + length > len(content):
            problems.append(f"the file is cut short: {len(content)} bytes of {start + length}")
            return
        at = start + -(-length // _BLOCK) * _BLOCK


def _shape_of_sections(cards: Cards) -> tuple[int, int] | None:
    """Return the least shape (ny, nx) that holds all sections of the image; None if there are none."""
    labels = ("", *amplifier_labels(cards))
    kinds = ("data", "trim", "bias", "prescan", "postscan", "whole")
    found = [find_section(cards, kind, label) for kind in kinds for label in labels]
    boxes = [section.box for section in found if section is not None]
    return (max(box.y_max for box in boxes), max(box.x_max for box in boxes)) if boxes else None


def _whole(cards: Cards, keyword: str, default: int = 0) -> int:
    value: Any = cards.get(keyword, default)
    try:
        return min(max(int(value), -_LARGEST), _LARGEST)
    except (TypeError, ValueError, OverflowError):
        return default


def _axes(cards: Cards, prefix: str = "") -> list[int]:
    number = min(max(_whole(cards, f"{prefix}NAXIS"), 0), 99)
    return [_whole(cards, f"{prefix}NAXIS{axis}") for axis in range(1, number + 1)]


def _data_size(cards: Cards) -> int:
    axes = _axes(cards)
    if not axes:
        return 0
    pixels = 1
    for length in axes:
        pixels *= length
    return abs(_whole(cards, "BITPIX", 8)) // 8 * _whole(cards, "GCOUNT", 1) * (_whole(cards, "PCOUNT") + pixels)


def _shape(cards: Cards) -> tuple[int, ...] | None:
    """Return the shape of an HDU's image without leading ones; None if it has none."""
    packed = cards.get("ZIMAGE") is True
    kind = str(cards.get("XTENSION", "IMAGE")).strip()
    if not packed and kind != "IMAGE":
        return None
    shape = tuple(reversed(_axes(cards, "Z" if packed else "")))
    while len(shape) > 2 and shape[0] == 1:
        shape = shape[1:]
    return shape if len(shape) >= 2 and all(length > 1 for length in shape[-2:]) else None
