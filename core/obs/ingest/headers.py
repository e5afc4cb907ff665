"""Headers of raw files without their pixels.

astropy opens a file in several milliseconds, most of them spent on what is not asked for here; a night has ten thousand
files. Headers with HIERARCH or CONTINUE cards are left to astropy all the same.
"""

import gzip
import re
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, cast

from astropy.io import fits

from obs.errors import FileFormatError, ObsError, describe_fault
from obs.instrument.comment_units import find_time_unit, unit_card
from obs.instrument.header import EDITED
from obs.regular_file import open_regular
from obs.repo.fits_checksum import is_edited
from obs.repo.fits_file import header_to_dict
from obs.repo.fits_layout import LONG_HEADER, MOST_HEADER_CARDS, data_size, header_integer

__all__ = ["FileHeader", "parse_header", "read_headers", "unpack_header"]

_BLOCK, _CARD = 2880, 80
_GZIP = b"\x1f\x8b"
_CARD_PATTERN = re.compile(
    r"[A-Z0-9_-]+ *= *"
    r"(?:'(?P<text>(?:[^']|'')*)'|(?P<bool>[TF])(?=[ /]|$)|(?P<number>[+-]?[\d.][^ /]*)|(?=/|$)) *(?:/(?P<comment>.*))?"
)
_COMPRESSION = re.compile(
    r"Z(IMAGE|TENSION|SIMPLE|EXTEND|BITPIX|NAXIS\d*|TILE\d+|CMPTYPE|NAME\d+|VAL\d+|QUANTIZ|DITHER0|[PG]COUNT|BLANK)"
    r"|T(FIELDS|TYPE\d+|FORM\d+|UNIT\d+|DIM\d+|HEAP)|XTENSION|BITPIX|NAXIS\d*|[PG]COUNT|THEAP"
)

FileHeader = dict[str, Any]
"""Cards of one HDU: keyword to bool, int, float or text; a card without a value is NaN.

Units of time that comments name are there too, by `obs.instrument.comment_units.unit_card`."""


def read_headers(path: Path) -> Iterator[tuple[int, FileHeader]]:
    """Read the headers of a FITS file one after another, as far as they are asked for.

    Parameters
    ----------
    path : Path
        The file: plain, gzipped, or tile-compressed; the cards of a compressed image are those of the image.

    Yields
    ------
    number : int
        Number of the HDU, from 0.
    header : dict
        Its cards.

    Raises
    ------
    FileFormatError
        If there is no such file, it is not a FITS file, or it ends early.
    """
    try:
        with open_regular(path) as plain:
            packed = plain.read(2) == _GZIP
            plain.seek(0)
            file = cast(BinaryIO, gzip.GzipFile(fileobj=plain)) if packed else plain
            size = None if packed else path.stat().st_size
            yield from _read(file, size)
    except FileFormatError as error:
        raise FileFormatError(str(error), path=path) from None
    except FileNotFoundError:
        raise FileFormatError("does not exist", path=path) from None
    except IsADirectoryError:
        raise FileFormatError("is a folder without FITS files; name the files", path=path) from None
    except (OSError, EOFError, zlib.error) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise FileFormatError(f"cannot be read: {reason}", path=path) from error
    except ObsError:
        raise
    except Exception as error:
        raise FileFormatError(describe_fault(error), path=path) from error


def _read(file: BinaryIO, size: int | None) -> Iterator[tuple[int, FileHeader]]:
    start, number = 0, 0
    while True:
        file.seek(start)
        block = file.read(_BLOCK)
        if number and len(block.strip(b"\0 ")) == 0:
            return
        if not number and not block:
            raise FileFormatError("is empty")
        if not block.startswith(b"XTENSION" if number else b"SIMPLE  ="):
            if number:
                return  # what follows the last HDU does not concern FITS
            raise FileFormatError("is not a FITS file: it does not begin with SIMPLE")
        text = _read_text(file, block)
        header = parse_header(text)
        start += len(text)
        length = data_size(header)
        if size is not None and start + length > size:
            raise FileFormatError(f"is cut short: it has {size} bytes, its headers promise {start + length}")
        start += -(-length // _BLOCK) * _BLOCK
        if size is not None:
            _check_rest(file, start, size)
        unpacked = unpack_header(header)
        yield number, unpacked | {EDITED: True} if is_edited(text.encode("latin-1"), header) else unpacked
        number += 1


def _check_rest(file: BinaryIO, start: int, size: int) -> None:
    """Refuse blocks behind an HDU that no HDU begins; what is shorter than a block is passed over by all readers."""
    rest = size - start
    if rest <= 0 or rest % _BLOCK:
        return
    file.seek(start)
    begin = file.read(_BLOCK)
    if begin.strip(b"\0 ") and not begin.startswith(b"XTENSION"):
        raise FileFormatError(
            f"has {rest} bytes behind its last HDU that are not FITS, so that its pixels cannot be read: cut them off "
            f"with: head -c {start} FILE > NEW"
        )


def _read_text(file: BinaryIO, block: bytes) -> str:
    """Return a header up to the end of the block that has its END card."""
    blocks = []
    for _ in range(MOST_HEADER_CARDS * _CARD // _BLOCK):
        if len(block) < _BLOCK:
            raise FileFormatError("ends within a header")
        text = block.decode("latin-1")
        blocks.append(text)
        if any(text.startswith("END     ", at) for at in range(0, _BLOCK, _CARD)):
            return "".join(blocks)
        block = file.read(_BLOCK)
    raise FileFormatError(LONG_HEADER)


def parse_header(text: str) -> FileHeader:
    """Return the cards in a text of 80 characters for each; what is not a card is passed over.

    Parameters
    ----------
    text : str
        Header without line breaks, up to END or to the end of the text.
    """
    header: FileHeader = {}
    for at in range(0, len(text), _CARD):
        card = text[at : at + _CARD]
        keyword = card[:8].rstrip()
        if keyword in ("HIERARCH", "CONTINUE"):
            return _parse_with_astropy(text)
        if keyword == "END":
            break
        match = _CARD_PATTERN.fullmatch(card.rstrip()) if card[8:9] == "=" else None
        if match is not None:
            header[keyword] = _value(match)
            if match["number"] and match["comment"] and (unit := find_time_unit(match["comment"])):
                header[unit_card(keyword)] = unit
    return header


def _value(match: re.Match[str]) -> bool | int | float | str:
    if (quoted := match["text"]) is not None:
        return quoted.replace("''", "'").rstrip(" ")
    if match["bool"]:
        return match["bool"] == "T"
    number = match["number"]
    if not number:
        return float("nan")
    try:
        return int(number)
    except ValueError:
        pass
    try:
        return float(number.replace("D", "E").replace("d", "e"))
    except ValueError:
        return number


def _parse_with_astropy(text: str) -> FileHeader:
    header = fits.Header.fromstring(text)
    units = {card.keyword: find_time_unit(card.comment) for card in header.cards if card.comment}
    return header_to_dict(header) | {unit_card(keyword): unit for keyword, unit in units.items() if unit}


def unpack_header(header: FileHeader) -> FileHeader:
    """Return the header of a tile-compressed image as that of the image; another as it is.

    Parameters
    ----------
    header : dict
        Header of the HDU as it is in the file.
    """
    if header.get("ZIMAGE") is not True:
        return header
    image = {name: value for name, value in header.items() if not _COMPRESSION.fullmatch(name)}
    n_axis = header_integer(header, "ZNAXIS", 0, 999, 0)
    axes = ("BITPIX", "NAXIS", *(f"NAXIS{axis}" for axis in range(1, n_axis + 1)))
    return image | {name: header[f"Z{name}"] for name in axes if f"Z{name}" in header}
