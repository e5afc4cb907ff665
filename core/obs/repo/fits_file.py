"""What all FITS files have in common: opening, writing, and headers as plain dictionaries."""

import contextlib
import gzip
import io
import logging
import math
import numbers
import re
import warnings
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import takewhile
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from astropy.io import fits
from astropy.utils.exceptions import AstropyUserWarning, AstropyWarning
from numpy.typing import NDArray

from obs.errors import DatasetNotFoundError, FileFormatError, ObsError, OutputError
from obs.filtered_warnings import filtered_warnings
from obs.image.wcs_cards import is_wcs_card
from obs.regular_file import open_regular
from obs.repo.atomic import atomic_write
from obs.repo.fits_checksum import CHECKSUM_CARDS, compare_datasums, find_edited, is_comparing, seal
from obs.repo.fits_layout import check_layout, unpack
from obs.repo.fits_pixels import has_plain_pixels, write_image_hdu

__all__ = [
    "card_text",
    "card_value",
    "header_to_dict",
    "is_structural",
    "open_fits",
    "set_cards",
    "stored_cards",
    "table_bytes",
    "write_hdus",
    "write_table_parts",
]

_BLOCK, _CARD = 2880, 80
_NAME, _TEXT = 8, 68  # letters of a name, and of a text that one card holds
logger = logging.getLogger(__name__)

_GZIP = b"\x1f\x8b"
_STANDARD_NAME = re.compile(r"[A-Z0-9_-]{1,8}")
_STRUCTURAL = re.compile(
    r"SIMPLE|XTENSION|BITPIX|NAXIS\d*|EXTEND|[PG]COUNT|GROUPS|EXT(NAME|VER|LEVEL|TYPE)|INHERIT|BSCALE|BZERO|BUNIT|BLANK"
    r"|CHECKSUM|DATASUM|THEAP|TFIELDS|T(TYPE|FORM|UNIT|COMM|DIM|NULL|SCAL|ZERO|DISP)\d+"
    r"|Z(IMAGE|TENSION|SIMPLE|BITPIX|NAXIS\d*|TILE\d+|CMPTYPE|NAME\d+|VAL\d+|QUANTIZ|DITHER0|[PG]COUNT|EXTEND|BLANK)"
)
# a name, then a text without quotes in it, an integer, a fraction or a logical value, and a comment
_USUAL = re.compile(
    r"(?=.{8}= )([A-Z0-9_-]{1,8}) *= *"
    r"(?:'([^']*)'|([+-]?[0-9]+)|([+-]?[0-9]+\.[0-9]*(?:E[+-]?[0-9]+)?)|([TF])) *(?:/.*)?"
)
# a field and its number, which astropy makes a part of the name
_RECORD = re.compile(r": *[+-.0-9]")
_UNREADABLE = (
    OSError,
    EOFError,
    zlib.error,
    AstropyUserWarning,
    fits.VerifyError,
    TypeError,
    ValueError,
    KeyError,
    IndexError,
)


def _ignore_small_sins() -> None:
    """Let a foreign header's small sins not matter, and that the file ends early be an error."""
    warnings.simplefilter("ignore", AstropyWarning)
    warnings.filterwarnings("error", message=".*truncated", category=AstropyUserWarning)


@contextlib.contextmanager
def open_fits(path: Path | str, *, is_whole: bool = False, is_own: bool = False) -> Iterator[fits.HDUList]:
    """Open a FITS file, plain, gzipped or tile-compressed; the block should only read from it.

    Parameters
    ----------
    path : Path or str
        The file.
    is_whole : bool, optional
        Whether all of its data are wanted, so that they are compared with DATASUM; see
        `obs.repo.fits_checksum.checksums_compared`.
    is_own : bool, optional
        Whether it is a file as `obs` writes them, so that headers alone are compared with CHECKSUM where the data are
        not; that takes no time.

    Yields
    ------
    HDUList
        Read as its parts are asked for.

    Raises
    ------
    DatasetNotFoundError
        If there is no such file.
    FileFormatError
        If the file is not a FITS file, is truncated, or what the block reads is not there.
    """
    with filtered_warnings(_ignore_small_sins):
        try:
            with open_regular(path) as file, contextlib.ExitStack() as unpacked:
                # astropy takes a gzip file that ends early for one with fewer HDUs; so unpack it here.
                packed = file.read(2) == _GZIP
                file.seek(0)
                source = unpacked.enter_context(unpack(file)) if packed else file
                edited: list[int] = []
                if is_comparing(is_whole=is_whole):
                    edited = compare_datasums(source)
                elif is_own:
                    edited = find_edited(source)
                else:
                    check_layout(source)
                if (is_whole or is_own) and edited:  # of raw files obs ingest has said it
                    _warn_of_edit(str(path), edited[0])
                source.seek(0)
                with fits.open(source) as hdus:
                    _check_end(hdus, source)
                    yield hdus
        except FileFormatError as error:
            raise (error if error.path else FileFormatError(str(error), path=path)) from None
        except ObsError:
            raise
        except FileNotFoundError as error:
            raise DatasetNotFoundError(f"{path} does not exist", paths=(path,)) from error
        except Exception as error:
            kind = "" if isinstance(error, _UNREADABLE) else f"{type(error).__name__}: "
            raise FileFormatError(f"cannot be read as FITS: {kind}{_reason(error)}", path=path) from error


@lru_cache(maxsize=1024)
def _warn_of_edit(path: str, number: int) -> None:
    """Warn of a header that does not agree with CHECKSUM; once, although a file may be read part by part."""
    logger.warning(
        "%s: the header of HDU %d does not agree with CHECKSUM: it was edited or damaged after the file was written; "
        "if nobody edited it, make or copy the file again",
        path,
        number,
    )


def _check_end(hdus: fits.HDUList, source: BinaryIO) -> None:
    """Raise an error if after the last HDU the header of one more is cut short; astropy overlooks that."""
    place = hdus[-1].fileinfo()
    source.seek(place["datLoc"] + place["datSpan"])
    if source.read(8) == b"XTENSION":
        raise EOFError("the file ends within a header")


def _reason(error: BaseException) -> str:
    """Return the first sentence of what a library says."""
    text = (error.strerror if isinstance(error, OSError) else None) or str(error) or type(error).__name__
    return re.split(r"[.,;]\s|\n", text.strip())[0].rstrip(".")


def write_hdus(
    path: Path | str, hdus: Sequence[fits.PrimaryHDU | fits.ImageHDU | fits.BinTableHDU], tail: bytes = b""
) -> None:
    """Write a FITS file in one go with its checksums, gzipped if its name ends in ``.gz``.

    Parameters
    ----------
    path : Path or str
        The file, replaced if there is one.
    hdus : sequence of HDU
        The primary one first.
    tail : bytes, optional
        Further HDUs as they stand in the file.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    for hdu in hdus:
        # astropy takes those of a compressed image for those of the image before its compression.
        if not isinstance(hdu, fits.CompImageHDU):
            hdu.header.update(CHECKSUM_CARDS)
    with atomic_write(path) as file:
        if not str(path).endswith(".gz"):
            _write_sealed(file, hdus, tail)
            return
        plain = io.BytesIO()
        _write_sealed(plain, hdus, tail)
        with gzip.GzipFile(filename="", fileobj=file, mode="wb", compresslevel=1, mtime=0) as packed:
            packed.write(plain.getbuffer())


def _write_sealed(
    file: BinaryIO, hdus: Sequence[fits.PrimaryHDU | fits.ImageHDU | fits.BinTableHDU], tail: bytes
) -> None:
    before = fits.HDUList(list(takewhile(lambda hdu: not isinstance(hdu, fits.CompImageHDU), hdus)))
    sums: dict[int, int] = {}
    if all(map(has_plain_pixels, before)):
        before.update_extend()
        sums = {number: write_image_hdu(file, hdu) for number, hdu in enumerate(before)}
    else:
        before.writeto(file, output_verify="ignore")
    for hdu in hdus[len(before) :]:
        file.write(_extension_bytes(hdu))
    file.write(tail)
    seal(file, sums)


def _extension_bytes(hdu: fits.ImageHDU | fits.BinTableHDU) -> bytes:
    """Return an extension as it is stored in a file, with cards for its checksums."""
    whole = io.BytesIO()
    fits.HDUList([fits.PrimaryHDU(), hdu]).writeto(whole, output_verify="ignore")
    content = whole.getvalue()[_BLOCK:]
    if not isinstance(hdu, fits.CompImageHDU):
        return content
    end = next(at for at in range(0, len(content), _CARD) if content.startswith(b"END".ljust(8), at))
    cards = "".join(fits.Card(key, *value).image for key, value in CHECKSUM_CARDS.items()).encode("ascii")
    text = content[:end] + cards + b"END".ljust(_CARD)
    return text + b" " * (-len(text) % _BLOCK) + content[end + _CARD + -(end + _CARD) % _BLOCK :]


def write_table_parts(
    path: Path | str,
    kind: np.dtype[Any],
    count: int,
    parts: Iterable[NDArray[Any]],
    cards: Sequence[fits.Card],
    name: str,
    columns: str = "",
) -> None:
    """Write a binary table whose rows come in parts, of which one is in memory at a time.

    Parameters
    ----------
    path : Path or str
        The file, replaced if there is one.
    kind : dtype
        Of the rows, as for `table_bytes`.
    count : int
        Number of all rows.
    parts : iterable of structured ndarray, shape (n,)
        The rows; their texts may be narrower than those of ``kind``.
    cards : sequence of Card
        Cards after the mandatory ones.
    name : str
        EXTNAME.
    columns : str, default: ""
        Cards that describe the columns, as for `table_bytes`.

    Raises
    ------
    OutputError
        If the file cannot be written, or the rows are not as many as promised.
    ValueError
        If the rows are wider than ``kind``.
    """
    left = count
    with atomic_write(path) as file:
        primary = fits.PrimaryHDU()
        primary.header.update(CHECKSUM_CARDS)
        fits.HDUList([primary]).writeto(file, output_verify="ignore")
        file.write(_table_header(kind, count, cards, name, columns))
        for rows in parts:
            if not np.can_cast(rows.dtype, kind, "safe"):
                raise ValueError(f"rows of {rows.dtype} do not fit into a table of {kind}")
            file.write(rows.astype(kind, copy=False).tobytes())
            left -= len(rows)
        if left:
            raise OutputError(
                f"cannot write {path}: {count - left} rows came where {count} were expected, because an input changed "
                "meanwhile; run this again",
                path=path,
            )
        file.write(bytes(-count * kind.itemsize % _BLOCK))
        seal(file)


def table_bytes(rows: NDArray[Any], cards: Sequence[fits.Card], name: str, columns: str = "") -> bytes:
    """Return a binary table as it is stored in a file.

    astropy's own table HDU takes ten times longer for a hundred columns, and imports astropy.table.

    Parameters
    ----------
    rows : structured ndarray, shape (n,)
        Fields in FITS's types and byte order.
    cards : sequence of Card
        Cards after the mandatory ones and those of the columns, if these are given as text.
    name : str
        EXTNAME.
    columns : str, optional
        Cards that describe the columns (TTYPE, TFORM and so on) as they are stored in a file; see `card_text`.

    Returns
    -------
    bytes
        Header and rows, padded.
    """
    header = _table_header(rows.dtype, len(rows), cards, name, columns)
    return header + rows.tobytes() + bytes(-rows.nbytes % _BLOCK)


def _table_header(kind: np.dtype[Any], count: int, cards: Sequence[fits.Card], name: str, columns: str) -> bytes:
    layout = [
        ("XTENSION", "BINTABLE", "binary table"),
        ("BITPIX", 8, ""),
        ("NAXIS", 2, ""),
        ("NAXIS1", kind.itemsize, "bytes a row"),
        ("NAXIS2", count, "rows"),
        ("PCOUNT", 0, ""),
        ("GCOUNT", 1, ""),
        ("TFIELDS", len(kind.names or ()), "columns"),
        ("EXTNAME", name, ""),
    ]
    checksums = [fits.Card(key, *value) for key, value in CHECKSUM_CARDS.items()]
    first = fits.Header([fits.Card(*card) for card in layout]).tostring(endcard=False, padding=False)
    text = first + columns + fits.Header([*cards, *checksums]).tostring(padding=False)
    return bytes((text + " " * (-len(text) % _BLOCK)).encode("ascii"))


def card_text(name: str, value: object) -> str:
    """Return a card as it is stored in a file; longer texts take several.

    astropy looks up its configuration several times for each card, which for the columns of a catalog takes a tenth of
    a second. Short texts are the same without it.

    Parameters
    ----------
    name : str
        Name of up to eight letters.
    value : object
        Its value, as of `set_cards`.
    """
    plain = card_value(value)
    if len(name) <= _NAME and isinstance(plain, str):
        if not plain:
            return f"{name:8}= ''".ljust(_CARD)
        if len(plain) + plain.count("'") <= _TEXT:
            quoted = plain.replace("'", "''")
            return f"{name:8}= '{quoted:8}'".ljust(_CARD)
        return f"{name:8}{_long_text(plain)}"
    return str(fits.Card(name, plain))


@lru_cache(maxsize=1024)
def _long_text(text: str) -> str:
    """Return a text that takes several cards, without the name of the first one."""
    return str(fits.Card("TEXT", text))[_NAME:]


def stored_cards(stored: bytes) -> list[tuple[str, Any]]:
    """Return name and value of each card of a header as it is stored in a file, as `header_to_dict` has them.

    Cards of the usual forms are read here, which takes a tenth of astropy's time, and all others by astropy.

    Parameters
    ----------
    stored : bytes
        The header, from its first card on.
    """
    text = stored.decode("ascii", "replace")
    found: list[tuple[str, Any]] = []
    at = 0
    while at < len(text) and (card := text[at : at + _CARD]).rstrip() != "END":
        at += _CARD
        if text[at : at + _NAME] != "CONTINUE" and (usual := _USUAL.fullmatch(card)):
            name, words, whole, real, logical = usual.groups()
            if words is None:
                found.append((name, int(whole) if whole else float(real) if real else logical == "T"))
                continue
            if not _RECORD.search(words):
                found.append((name, words.rstrip()))
                continue
        while text[at : at + _NAME] == "CONTINUE":
            card += text[at : at + _CARD]
            at += _CARD
        found += header_to_dict(fits.Header([fits.Card.fromstring(card)])).items()
    return found


def header_to_dict(header: fits.Header) -> dict[str, Any]:
    """Return the cards of a header, name to value, without commentary; a blank value is NaN.

    Parameters
    ----------
    header : fits.Header
        Header. Cards that astropy cannot parse are skipped, but for those of a WCS: without ``CD1_1 = NaN`` the others
        would be another WCS. Their value is the text, or the number that it is in Python.
    """
    cards: dict[str, Any] = {}
    for card in header.cards:
        if card.keyword in ("", "COMMENT", "HISTORY"):
            continue
        try:
            value = card.value
        except fits.VerifyError:
            if not is_wcs_card(card.keyword):
                continue
            value = _unparsed(card)
        cards[card.keyword] = float("nan") if isinstance(value, fits.card.Undefined) else value
    return cards


def _unparsed(card: fits.Card) -> float | str:
    """Return the value of a card that does not follow the standard."""
    with filtered_warnings(_ignore_small_sins):  # astropy warns that it makes the value a string
        text = str(card.image)[_NAME:].lstrip("= ").partition("/")[0].strip(" '")
    try:
        return float(text)
    except ValueError:
        return text


def set_cards(header: fits.Header, cards: Mapping[str, Any]) -> None:
    """Add cards to a header.

    Parameters
    ----------
    header : Header
        Changed in place.
    cards : mapping
        Name to value, or to a tuple of value and comment. Names beyond the FITS standard become HIERARCH cards; None
        and numbers that are not finite, which FITS cannot express, become cards without a value; what is neither
        number, bool nor text is written as text.
    """
    for name, entry in cards.items():
        value, comment = entry if isinstance(entry, tuple) and len(entry) == 2 else (entry, "")
        keyword = name if _STANDARD_NAME.fullmatch(name) else f"HIERARCH {name}"
        header[keyword] = (card_value(value), comment)


def card_value(value: object) -> str | bool | int | float | None:
    """Return a value as a FITS card can hold it; see `set_cards`.

    Parameters
    ----------
    value : object
        Value. Numbers that are not finite become None, and letters beyond ASCII are escaped.
    """
    if isinstance(value, (bool, np.bool_)):
        return bool(value)
    if isinstance(value, numbers.Integral):
        return int(value)
    if isinstance(value, numbers.Real):
        return float(value) if math.isfinite(value) else None
    if value is None:
        return None
    text = str(value).encode("ascii", "backslashreplace").decode("ascii")
    if not text.isprintable():
        text = "".join(letter if letter.isprintable() else " " for letter in text)
    return text.rstrip()


def is_structural(name: str) -> bool:
    """Return whether a card describes the layout of its HDU rather than the sky or the instrument."""
    return _STRUCTURAL.fullmatch(name) is not None
