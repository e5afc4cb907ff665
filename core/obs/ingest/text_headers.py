"""Headers as text, ``.hdr`` files: a card a line, or cards of 80 characters one after another, without pixels."""

import gzip
import zlib
from collections.abc import Iterator
from pathlib import Path

from obs.errors import FileFormatError
from obs.ingest.headers import FileHeader, parse_header, unpack_header

__all__ = ["is_text_header", "read_text_headers"]

_BLOCK, _CARD = 2880, 80
_GZIP = b"\x1f\x8b"
_BEGINS = (b"SIMPLE  =", b"XTENSION=")


def is_text_header(path: Path) -> bool:
    """Return whether a file is the text of a header, not a FITS file; False where it cannot be read."""
    try:
        content = _read(path)
    except FileFormatError:
        return False
    if not content.startswith(_BEGINS):
        return False
    # A FITS file comes in whole blocks and has no line breaks; END is where a header ends.
    is_stream = len(content) % _BLOCK != 0 and b"END     " not in content[: len(content) // 2]
    return b"\n" in content[: 2 * _CARD] or is_stream


def read_text_headers(path: Path) -> Iterator[tuple[int, FileHeader]]:
    """Read the headers of a text file; more than one begin with SIMPLE or XTENSION each.

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
    content = _read(path)
    if not content.startswith(_BEGINS):
        what = "is empty" if not content else "is neither a FITS file nor the text of a header"
        raise FileFormatError(what, path=path)
    text = content.decode("latin-1")
    lines = text.splitlines() if "\n" in text else [text[at : at + _CARD] for at in range(0, len(text), _CARD)]
    number = 1 if lines[0].startswith("XTENSION") else 0
    block: list[str] = []
    for line in lines:
        if line.startswith(("XTENSION=", "SIMPLE  =")) and block:
            yield number, unpack_header(parse_header("".join(block)))
            block, number = [], number + 1
        block.append(line.rstrip("\r")[:_CARD].ljust(_CARD))
    yield number, unpack_header(parse_header("".join(block)))


def _read(path: Path) -> bytes:
    try:
        content = path.read_bytes()
        return gzip.decompress(content) if content.startswith(_GZIP) else content
    except FileNotFoundError:
        raise FileFormatError("does not exist", path=path) from None
    except IsADirectoryError:
        raise FileFormatError("is a folder; name the files in it", path=path) from None
    except (OSError, EOFError, zlib.error) as error:
        raise FileFormatError(f"cannot be read: {error}", path=path) from error
