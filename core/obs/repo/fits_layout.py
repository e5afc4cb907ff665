"""Sizes that the headers of a FITS file promise, checked before anything is allocated or unpacked for them.

A header of a few kilobytes can promise an image of any size, and a gzip or tile-compressed file of two megabytes can
hold one of two gigabytes. No image may have more pixels than `pixel_limit`.
"""

import gzip
import os
import re
import tempfile
from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO, cast

from obs.errors import ConfigError, FileFormatError
from obs.frozen import frozen

__all__ = [
    "LONG_HEADER",
    "MOST_HEADER_CARDS",
    "Hdu",
    "check_layout",
    "data_size",
    "header_integer",
    "pixel_limit",
    "unpack",
    "walk_hdus",
]

#: The environment variable that sets the limit, and what it is without: 15,800 x 15,800 pixels, 1 GB as float32.
_SETTING, _PIXELS = "OBS_MAX_PIXELS", 250_000_000
_BYTES_PER_PIXEL = 8
_BLOCK, _CARD = 2880, 80
_MOST_AXES, _MOST_HDUS = 999, 10_000
#: A longer header is refused; those of large mosaics have some thousand cards.
MOST_HEADER_CARDS = 36_000
LONG_HEADER = f"has a header of more than {MOST_HEADER_CARDS} cards, or one without END"
_BITPIX = (8, 16, 32, 64, -32, -64)
_LARGEST = 2**62
#: An unpacked file larger than this goes to a temporary file, bytes.
_IN_MEMORY = 256 << 20
_CHUNK = 1 << 20
_LAYOUT = re.compile(rb"XTENSION|Z?BITPIX|Z?NAXIS\d*|[PG]COUNT|ZIMAGE|ZTILE\d+|TFIELDS|DATASUM")


def pixel_limit() -> int:
    """Return how many pixels an image may have.

    Raises
    ------
    ConfigError
        If the environment variable is not a positive integer.
    """
    text = os.environ.get(_SETTING, "")
    if text and not (text.isdecimal() and int(text)):
        raise ConfigError(f"the environment variable {_SETTING} = '{text}' must be a number of pixels", field=_SETTING)
    return int(text) if text else _PIXELS


def header_integer(header: Mapping[str, Any], name: str, low: int, high: int, default: int | None = None) -> int:
    """Return the value of a card as an integer.

    Parameters
    ----------
    header : mapping
        Cards.
    name : str
        Keyword.
    low, high : int
        Smallest and largest allowed value.
    default : int, optional
        Value of a missing card.

    Raises
    ------
    FileFormatError
        If the card is missing and there is no default, or its value is not an integer in the range.
    """
    value = header.get(name, default)
    if value is None:
        raise FileFormatError(f"is not a FITS file: {name} is missing")
    whole = int(value) if isinstance(value, int | float) and -_LARGEST <= value <= _LARGEST else None
    if isinstance(value, bool) or whole is None or whole != value:
        raise FileFormatError(f"is not a FITS file: {name} = {value} is not an integer")
    if not low <= whole <= high:
        raise FileFormatError(f"is not a FITS file: {name} = {value} is not between {low} and {high}")
    return whole


def data_size(header: Mapping[str, Any]) -> int:
    """Return the bytes of an HDU's data, without padding.

    Parameters
    ----------
    header : mapping
        Its cards, of a compressed image those of the table that it is stored as.

    Raises
    ------
    FileFormatError
        If the cards cannot be those of an HDU, or promise an image larger than the limit.
    """
    bits = header_integer(header, "BITPIX", -64, 64)
    if bits not in _BITPIX:
        raise FileFormatError(f"is not a FITS file: BITPIX = {bits}")
    axes = _axes(header, "")
    extra = header_integer(header, "PCOUNT", 0, _LARGEST, 0)
    groups = header_integer(header, "GCOUNT", 0, _LARGEST, 1)
    size = abs(bits) // 8 * groups * (extra + _product(axes)) if axes else 0
    kind = str(header.get("XTENSION", "IMAGE")).strip() or "IMAGE"
    pixels = _product(axes) if axes and kind == "IMAGE" else 0
    header_integer(header, "TFIELDS", 0, MOST_HEADER_CARDS, 0)  # readers go through all columns
    if header.get("ZIMAGE") is True:
        packed = _axes(header, "Z")
        tiles = [header_integer(header, f"ZTILE{axis}", 1, _LARGEST, 1) for axis in range(1, len(packed) + 1)]
        pixels = max(pixels, _product(packed), _product(tiles))
    limit = pixel_limit()
    if pixels > limit or size > limit * _BYTES_PER_PIXEL:
        what = f"an image of {pixels} pixels" if pixels > limit else f"{size} bytes in one HDU"
        raise FileFormatError(f"promises {what}, and the limit is {limit} pixels; {_SETTING}=NUMBER raises it")
    return size


@frozen
class Hdu:
    """An HDU as it is stored in a file.

    Parameters
    ----------
    number : int
        From 0.
    start : int
        Where its header begins, bytes.
    text : bytes
        Its header, in whole blocks.
    cards : dict
        The cards that tell its size, and DATASUM.
    size : int
        Bytes of its data, without padding.
    """

    number: int
    start: int
    text: bytes
    cards: Mapping[str, Any]
    size: int

    @property
    def padded_size(self) -> int:
        """Bytes of its data with their padding."""
        return self.size + -self.size % _BLOCK

    def find_card(self, name: str) -> int | None:
        """Return where a card begins in the header.

        Parameters
        ----------
        name : str
            Keyword of up to 8 characters.

        Returns
        -------
        int or None
            Number of its first byte in the header, from 0; None if there is no such card.
        """
        key = f"{name:8}=".encode()
        return next((at for at in range(0, len(self.text), _CARD) if self.text.startswith(key, at)), None)


def walk_hdus(file: BinaryIO) -> Iterator[Hdu]:
    """Yield the HDUs of a FITS file one after another.

    Parameters
    ----------
    file : binary file
        Open FITS file, which is not compressed. Data are not read.

    Raises
    ------
    FileFormatError
        If sizes in a header are impossible, or larger than the limit.
    """
    start = 0
    for number in range(_MOST_HDUS):
        file.seek(start)
        text = _read_header(file, is_first=number == 0)
        if text is None:
            return
        cards = _layout_cards(text)
        hdu = Hdu(number, start, text, cards, data_size(cards))
        yield hdu
        start += len(text) + hdu.padded_size
    raise FileFormatError(f"has more than {_MOST_HDUS} HDUs")


def check_layout(file: BinaryIO) -> None:
    """Check what the headers of a FITS file promise; a file that is damaged otherwise is left to its reader.

    Raises
    ------
    FileFormatError
        If sizes in a header are impossible, or larger than the limit.
    """
    for _ in walk_hdus(file):
        pass


def unpack(packed: BinaryIO) -> BinaryIO:
    """Unpack a gzipped FITS file as far as its headers promise, a large one to a temporary file.

    Parameters
    ----------
    packed : binary file
        Open gzipped file.

    Returns
    -------
    binary file
        At its beginning. The caller closes it.

    Raises
    ------
    FileFormatError
        If sizes in a header are impossible, or larger than the limit.
    EOFError, OSError, zlib.error
        If it ends early or is damaged.
    """
    stream = cast(BinaryIO, gzip.GzipFile(fileobj=packed))
    target = cast(BinaryIO, tempfile.SpooledTemporaryFile(_IN_MEMORY))  # noqa: SIM115 - the caller closes it
    try:
        _copy_promised(stream, target)
    except BaseException:
        target.close()
        raise
    target.seek(0)
    return target


def _copy_promised(stream: BinaryIO, target: BinaryIO) -> None:
    for number in range(_MOST_HDUS):
        text = _read_header(stream, is_first=number == 0)
        if text is None:
            break
        target.write(text)
        size = data_size(_layout_cards(text))
        left = size + -size % _BLOCK
        while left and (chunk := stream.read(min(left, _CHUNK))):
            target.write(chunk)
            left -= len(chunk)
        if left > -size % _BLOCK:
            raise EOFError(f"it ends {left} bytes early")
    else:
        raise FileFormatError(f"has more than {_MOST_HDUS} HDUs")


def _read_header(file: BinaryIO, *, is_first: bool) -> bytes | None:
    """Return the blocks of the header that begins here; None if none does."""
    blocks: list[bytes] = []
    for _ in range(MOST_HEADER_CARDS * _CARD // _BLOCK):
        block = file.read(_BLOCK)
        if not blocks and not block.startswith(b"SIMPLE  =" if is_first else b"XTENSION"):
            return None
        blocks.append(block)
        if len(block) < _BLOCK or any(block.startswith(b"END     ", at) for at in range(0, _BLOCK, _CARD)):
            return b"".join(blocks)
    raise FileFormatError(LONG_HEADER)


def _layout_cards(text: bytes) -> dict[str, Any]:
    """Return the cards that tell the size of an HDU."""
    found: dict[str, Any] = {}
    for at in range(0, len(text), _CARD):
        name = text[at : at + 8].rstrip()
        if _LAYOUT.fullmatch(name) and text[at + 8 : at + 10] == b"= ":
            found.setdefault(name.decode(), _value(text[at + 10 : at + _CARD].decode("latin-1")))
        elif name == b"END":
            break
    return found


def _value(field: str) -> str | bool | int | float:
    if "'" in field:
        return field.split("'")[1].rstrip()
    word = field.partition("/")[0].strip()
    if word in ("T", "F"):
        return word == "T"
    for kind in (int, float):
        try:
            return kind(word.replace("D", "E"))
        except ValueError:
            continue
    return word


def _axes(header: Mapping[str, Any], prefix: str) -> list[int]:
    number = header_integer(header, f"{prefix}NAXIS", 0, _MOST_AXES)
    return [header_integer(header, f"{prefix}NAXIS{axis}", 0, _LARGEST) for axis in range(1, number + 1)]


def _product(lengths: list[int]) -> int:
    product = 1
    for length in lengths:
        product *= length
    return product
