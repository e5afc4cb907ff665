"""CHECKSUM and DATASUM: written into every FITS file, and compared when all data of a file are read.

References
----------
Seaman, Pence & Rots, "FITS Checksum Proposal" (2002), adopted by the FITS standard 4.0, section 4.4.2.7 and appendix J.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, BinaryIO

import numpy as np

from obs.errors import FileFormatError
from obs.kernels.library import Kernel
from obs.repo.fits_layout import Hdu, walk_hdus

__all__ = [
    "CHECKSUM_CARDS",
    "add_sums",
    "checksums_compared",
    "compare_datasums",
    "find_edited",
    "is_comparing",
    "is_edited",
    "seal",
    "sum_words",
]

#: Cards that `seal` fills in, as they are in a header before.
CHECKSUM_CARDS = {
    "CHECKSUM": ("0" * 16, "HDU checksum"),
    "DATASUM": ("0" * 10, "data unit checksum"),
}
_CARD, _VALUE = 80, 11
_CHUNK = 1 << 20
_ALL_ONES = 0xFFFFFFFF
#: Signs between digits, capital and small letters, which an encoded checksum has not.
_SIGNS = frozenset((*range(0x3A, 0x41), *range(0x5B, 0x61)))

_COMPILED = Kernel("sum_words", "uint8", "int")

_comparing: ContextVar[bool | None] = ContextVar("comparing", default=None)


@contextmanager
def checksums_compared(is_on: bool) -> Iterator[None]:
    """Compare the data of every FITS file that is read in the block with its DATASUM, where it has one, or of none.

    Outside of such a block files are compared of which all data are wanted: catalogs and whole exposures.

    Parameters
    ----------
    is_on : bool
        Whether the data of files are compared within the block.
    """
    token = _comparing.set(is_on)
    try:
        yield
    finally:
        _comparing.reset(token)


def is_comparing(*, is_whole: bool) -> bool:
    """Return whether a file that is read now is to be compared with its DATASUM.

    Parameters
    ----------
    is_whole : bool
        Whether all data of the file are wanted. If no block says otherwise, only then the time is spent.
    """
    said = _comparing.get()
    return is_whole if said is None else said


def compare_datasums(file: BinaryIO) -> list[int]:
    """Compare the data of each HDU with its DATASUM.

    A CHECKSUM of the whole HDU that does not agree is not an error, because archives edit headers without renewing it.

    Parameters
    ----------
    file : binary file
        Open FITS file. HDUs without DATASUM are skipped.

    Returns
    -------
    list of int
        Numbers of the HDUs whose header does not agree with CHECKSUM; see `is_edited`.

    Raises
    ------
    FileFormatError
        If they differ: the data have changed since the file was written.
    """
    edited = []
    for hdu in walk_hdus(file):
        written = str(hdu.cards.get("DATASUM", "")).strip()
        if written.isdecimal() and int(written) <= _ALL_ONES and int(written) != _sum_data(file, hdu):
            raise FileFormatError(
                f"HDU {hdu.number}: its data do not agree with DATASUM; they have changed since the file was written: "
                "copy the file again, or make it again; raw files and calibrations are read all the same with "
                "isr.compare_checksums=false"
            )
        if _is_edited(hdu):
            edited.append(hdu.number)
    return edited


def find_edited(file: BinaryIO) -> list[int]:
    """Return the numbers of the HDUs whose header does not agree with CHECKSUM; their data are not read.

    Parameters
    ----------
    file : binary file
        Open FITS file.
    """
    return [hdu.number for hdu in walk_hdus(file) if _is_edited(hdu)]


def _is_edited(hdu: Hdu) -> bool:
    place = hdu.find_card("CHECKSUM")
    sealed = "" if place is None else hdu.text[place + _VALUE : place + _VALUE + 16].decode("latin1").strip(" '")
    return is_edited(hdu.text, {"CHECKSUM": sealed, "DATASUM": hdu.cards.get("DATASUM", "")})


def is_edited(text: bytes, cards: Mapping[str, Any]) -> bool:
    """Return whether the cards of an HDU have changed since its CHECKSUM was written; data are taken to fit DATASUM.

    Parameters
    ----------
    text : bytes
        The header, in whole blocks.
    cards : mapping
        Its cards. Without CHECKSUM and DATASUM among them nothing is known, and the header counts as whole.
    """
    data_sum = str(cards.get("DATASUM", "")).strip()
    if not str(cards.get("CHECKSUM", "")).strip() or not data_sum.isdecimal() or int(data_sum) > _ALL_ONES:
        return False
    return add_sums(sum_words(text), int(data_sum)) != _ALL_ONES


def seal(file: BinaryIO, sums: Mapping[int, int] | None = None) -> None:
    """Fill in CHECKSUM and DATASUM of the HDUs that have these cards.

    Parameters
    ----------
    file : BinaryIO
        A whole FITS file, open for reading and writing.
    sums : mapping of int to int, optional
        Sums of the data of HDUs, by number, as of `sum_words`; the data of the others are read again.
    """
    for hdu in walk_hdus(file):
        places = [hdu.find_card(name) for name in CHECKSUM_CARDS]
        if None in places:
            continue
        known = None if sums is None else sums.get(hdu.number)
        total = _sum_data(file, hdu) if known is None else known
        text = bytearray(hdu.text)
        _set(text, places[0], "0" * 16)
        _set(text, places[1], f"{total:010d}")
        _set(text, places[0], _encode(_ALL_ONES - add_sums(sum_words(text), total)))
        file.seek(hdu.start)
        file.write(text)
    file.seek(0, 2)


def _set(text: bytearray, place: int | None, value: str) -> None:
    if place is not None:
        text[place + _VALUE : place + _VALUE + len(value)] = value.encode()


def _sum_data(file: BinaryIO, hdu: Hdu) -> int:
    """Return the sum of the data of an HDU, with their padding."""
    file.seek(hdu.start + len(hdu.text))
    left, total = hdu.padded_size, 0
    while left and (chunk := file.read(min(left, _CHUNK))):
        left -= len(chunk)
        total = add_sums(total, sum_words(chunk))
    if left:
        raise FileFormatError(f"HDU {hdu.number}: the file was truncated: {left} bytes of its data are missing")
    return total


def sum_words(data: bytes | bytearray | memoryview) -> int:
    """Return the ones' complement sum of the 32-bit big-endian words in the data; zeros fill up the last one.

    Parameters
    ----------
    data : bytes, bytearray or memoryview
        Bytes of any number.
    """
    if _COMPILED:
        return _COMPILED(np.frombuffer(data, np.uint8), len(data))
    whole = len(data) // 4 * 4
    # In the machine's byte order numpy adds ten times faster.
    words = np.frombuffer(data[:whole], ">u4").astype(np.uint32)
    rest = int.from_bytes(bytes(data[whole:]).ljust(4, b"\0"), "big")
    return add_sums(int(words.sum(dtype=np.uint64)), rest)


def add_sums(first: int, second: int) -> int:
    """Return the sum with every carry added at the other end.

    Parameters
    ----------
    first, second : int
        Ones' complement sums of 32 bits, as of `sum_words`.
    """
    total = first + second
    while total > _ALL_ONES:
        total = (total >> 32) + (total & _ALL_ONES)
    return total


def _encode(value: int) -> str:
    """Return 32 bits as 16 letters and digits."""
    letters = [0] * 16
    for number, byte in enumerate(value.to_bytes(4, "big")):
        quotient, remainder = divmod(byte, 4)
        four = [quotient + remainder + 48, quotient + 48, quotient + 48, quotient + 48]
        while _SIGNS.intersection(four):
            for pair in (0, 2):
                if _SIGNS.intersection(four[pair : pair + 2]):
                    four[pair] += 1
                    four[pair + 1] -= 1
        for place in range(4):
            letters[4 * place + number] = four[place]
    return bytes([letters[-1], *letters[:-1]]).decode()
