"""Open SDSS files so that every fault in them names the file."""

import gzip
import re
import warnings
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from astropy.io import fits
from numpy.typing import NDArray

from obs.errors import FileFormatError

__all__ = ["columns", "open_fits", "position"]


_GZIP = b"\x1f\x8b"
_CARD = 80
_COLUMN = re.compile(r"(TTYPE|TFORM|TDIM|TSCAL|TZERO|TNULL)([0-9]+) *= *'?([^'/]*)")
_FORM = re.compile(r"([1-9][0-9]*)?([BIJKED])")
_TYPES = {"B": "u1", "I": ">i2", "J": ">i4", "K": ">i8", "E": ">f4", "D": ">f8"}


def _content(path: Path) -> bytes:
    """Return a file's bytes, unpacked; a packed file is read to its end, where its checksum is."""
    content = path.read_bytes()
    return gzip.decompress(content) if content.startswith(_GZIP) else content


@contextmanager
def open_fits(path: Path, kind: str) -> Iterator[fits.HDUList]:
    """Open a FITS file, gzipped or not, to be read within the context.

    Parameters
    ----------
    path : Path
        The file.
    kind : str
        What it should be, for messages: ``fpC``, ``psField`` and so on.

    Yields
    ------
    astropy.io.fits.HDUList
        The file's parts, each read when it is used.

    Raises
    ------
    FileFormatError
        If the file, or what is asked of it within the context, is not there or cannot be read.
    """
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("error", message=".*may have been truncated")
            with fits.open(BytesIO(_content(path))) as hdus:
                yield hdus
    except FileFormatError:
        raise
    except (OSError, EOFError, zlib.error) as error:
        raise FileFormatError(f"cannot be read as {kind} file ({error}); get it again", path=path) from error
    except UserWarning as error:
        raise FileFormatError(f"{kind} file is cut short; get it again", path=path) from error
    except (KeyError, IndexError) as error:
        raise FileFormatError(f"{kind} file does not have something: {error}".replace('"', ""), path=path) from error
    except (TypeError, ValueError) as error:
        raise FileFormatError(f"{kind} file is damaged: {error}", path=path) from error


def columns(table: fits.BinTableHDU) -> Mapping[str, NDArray[Any]]:
    """Return the columns of a table by their names; those of numbers only are read without astropy's objects for each.

    Parameters
    ----------
    table : BinTableHDU
        Part of a file that is open.
    """
    return _plain_columns(table) or {name: table.data[name] for name in table.columns.names}


def _plain_columns(table: fits.BinTableHDU) -> dict[str, NDArray[Any]] | None:
    """Return the columns of a table of plain numbers; None for any other, or where the file ends within it."""
    place = table.fileinfo()
    place["file"].seek(place["hdrLoc"])
    header = place["file"].read(place["datLoc"] - place["hdrLoc"]).decode("ascii", "replace")
    found = [match for at in range(0, len(header), _CARD) if (match := _COLUMN.match(header[at : at + _CARD]))]
    cards = {match[1] + match[2]: match[3].strip() for match in found}
    if any(name.startswith(("TSCAL", "TZERO", "TNULL")) for name in cards):
        return None
    kinds: list[tuple[str, str, tuple[int, ...]]] = []
    for number in range(1, int(table.header["TFIELDS"]) + 1):
        form, name = _FORM.fullmatch(cards.get(f"TFORM{number}", "")), cards.get(f"TTYPE{number}")
        if form is None or not name:
            return None
        shape = tuple(map(int, re.findall("[0-9]+", cards.get(f"TDIM{number}", form[1] or ""))))[::-1]
        kinds.append((name, _TYPES[form[2]], () if shape == (1,) else shape))
    width, n = int(table.header["NAXIS1"]), int(table.header["NAXIS2"])
    content = place["file"].read(width * n)
    if len({name for name, *_ in kinds}) < len(kinds) or np.dtype(kinds).itemsize != width or len(content) < width * n:
        return None
    rows = np.frombuffer(content, kinds)
    return {name: rows[name] for name, *_ in kinds}


def position(header: fits.Header, keyword: str, word: str, path: Path) -> int:
    """Return the place of a word in a keyword such as ``FILTERS = 'u g r i z'``, from 0.

    Parameters
    ----------
    header : Header
        Header of the file.
    keyword : str
        Its card with a list of words.
    word : str
        One of them.
    path : Path
        The file, for messages.

    Raises
    ------
    FileFormatError
        If the word is not in the list.
    """
    words = str(header[keyword]).split()
    if word not in words:
        raise FileFormatError(f"holds nothing for '{word}': {keyword} is '{' '.join(words)}'", path=path)
    return words.index(word)
