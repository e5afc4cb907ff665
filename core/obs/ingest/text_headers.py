"""Headers as text, ``.hdr`` files: a card a line, or cards of 80 characters one after another, without pixels."""

import gzip
import mmap
import re
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from obs.errors import FileFormatError
from obs.ingest.headers import FileHeader, parse_header, unpack_header
from obs.regular_file import open_regular
from obs.repo.fits_layout import unpack

__all__ = ["header_lines", "is_text_header", "read_content", "read_text_headers", "split_headers"]

#: Bytes of the longest text.
_LONGEST = 16 << 20
_BLOCK, _CARD = 2880, 80
_GZIP = b"\x1f\x8b"
_BEGINS = (b"SIMPLE  =", b"XTENSION=")
_FIRST = re.compile(r"(?P<indent>[ \t]*)(?:SIMPLE|XTENSION) {0,6}=")
_CARD_LIKE = re.compile(r"(?P<indent>[ \t]*)[A-Z][A-Z0-9_-]{1,7} {0,6}= *(?:'[^']*'|[-+.0-9][^ /]*|[TF])? *(?:/.*)?")
_LEAST_CARDS = 8
"""A text with fewer lines like cards is not a header, unless it begins as one."""
_SQUEEZED = re.compile(r"^([A-Z][A-Z0-9_-]{0,7}) {0,6}= *")
_NEXT = re.compile(r"(?:SIMPLE|XTENSION) {0,6}=")


def header_lines(content: bytes | mmap.mmap) -> list[str]:
    """Return the cards of the text of headers, a line each; empty if this is none, but a FITS file or another text.

    What programs print above the cards, before them in each line, or between HDUs is left out.

    Parameters
    ----------
    content : bytes or mmap
        Content of a file, unpacked. A mapped file counts as too long for a header.
    """
    if isinstance(content, mmap.mmap):
        return []  # too long for a text
    # A FITS file comes in whole blocks and has no line breaks; END is where a header ends.
    is_stream = len(content) % _BLOCK != 0 and b"END     " not in content[: len(content) // 2]
    if not (b"\n" in content[: 2 * _CARD] or (content.startswith(_BEGINS) and is_stream)) or b"\0" in content:
        return []
    text = content.removeprefix(b"\xef\xbb\xbf").decode("latin-1")
    lines = text.splitlines() if "\n" in text else [text[at : at + _CARD] for at in range(0, len(text), _CARD)]
    begin = next((number for number, line in enumerate(lines) if _FIRST.match(line)), None)
    if begin is None:
        like = [number for number, line in enumerate(lines) if _CARD_LIKE.fullmatch(line.rstrip())]
        if len(like) < _LEAST_CARDS:
            return []
        begin = like[0]
    first = _FIRST.match(lines[begin]) or _CARD_LIKE.fullmatch(lines[begin].rstrip())
    indent = first["indent"] if first is not None else ""
    kept = [line.removeprefix(indent).rstrip() for line in lines[begin:]]
    if not kept[0].startswith(("SIMPLE  =", "XTENSION=")):  # the blanks were lost on the way
        kept = [_SQUEEZED.sub(lambda match: f"{match[1]:8}= ", line) for line in kept]
    return [line for line in kept if line and not line.startswith(("#", "---"))]


def split_headers(lines: list[str]) -> Iterator[list[str]]:
    """Yield the lines of each header, which begin with SIMPLE or XTENSION.

    Parameters
    ----------
    lines : list of str
        Cards, as of `header_lines`.
    """
    block: list[str] = []
    for line in lines:
        if _NEXT.match(line) and block:
            yield block
            block = []
        block.append(line)
    if block:
        yield block


def is_text_header(path: Path) -> bool:
    """Return whether a file is the text of a header, not a FITS file; False where it cannot be read."""
    try:
        return bool(header_lines(read_content(path)))
    except FileFormatError:
        return False


def read_text_headers(path: Path) -> Iterator[tuple[int, FileHeader]]:
    """Read the headers of a text file; more than one begin with SIMPLE or XTENSION each.

    Parameters
    ----------
    path : Path
        Text of one header or of several.

    Yields
    ------
    number : int
        Number of the HDU: 0 for a primary header, from 1 for those of extensions.
    header : dict
        Its cards.

    Raises
    ------
    FileFormatError
        If the file cannot be read or holds no header.
    """
    content = read_content(path)
    lines = header_lines(content)
    if not lines:
        what = "is empty" if not content else "is neither a FITS file nor the text of a header"
        raise FileFormatError(what, path=path)
    first = 1 if lines[0].startswith("XTENSION") else 0
    for number, block in enumerate(split_headers(lines), first):
        yield number, unpack_header(parse_header("".join(line[:_CARD].ljust(_CARD) for line in block)))


def _is_large_fits(start: bytes) -> bool:
    """Return whether a file is too large for memory; only a FITS file may be.

    Raises
    ------
    FileFormatError
        If it is another file of such a size.
    """
    if len(start) <= _LONGEST:
        return False
    if not start.startswith(_BEGINS):
        raise FileFormatError("is neither a FITS file nor the text of a header")
    return True


def _map(file: BinaryIO) -> mmap.mmap:
    """Return the bytes of a file, which are read when they are looked at."""
    return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)


def read_content(path: Path) -> bytes | mmap.mmap:
    """Return the bytes of a file, unpacked if it is gzipped; those of a large FITS file stay on the disk.

    Parameters
    ----------
    path : Path
        The file.

    Raises
    ------
    FileFormatError
        If it cannot be read.
    """
    try:
        with open_regular(path) as file:
            start = file.read(len(_GZIP))
            file.seek(0)
            if start != _GZIP:
                content = file.read(_LONGEST + 1)
                return _map(file) if _is_large_fits(content) else content
            with gzip.GzipFile(fileobj=file) as packed:
                text = packed.read(_LONGEST + 1)
            if not _is_large_fits(text):
                return text
            file.seek(0)
            with unpack(file) as whole:
                return _map(whole)
    except FileFormatError as error:
        raise (error if error.path else FileFormatError(str(error), path=path)) from None
    except FileNotFoundError:
        raise FileFormatError("does not exist", path=path) from None
    except IsADirectoryError:
        raise FileFormatError("is a folder without FITS files; name the files", path=path) from None
    except (OSError, EOFError, zlib.error) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise FileFormatError(f"cannot be read: {reason}", path=path) from error
