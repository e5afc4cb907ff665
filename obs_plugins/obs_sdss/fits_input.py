"""Open SDSS files so that every fault in them names the file."""

import gzip
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

from astropy.io import fits

from obs.errors import FileFormatError

__all__ = ["open_fits", "position"]


_GZIP = b"\x1f\x8b"


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


def position(header: fits.Header, keyword: str, word: str, path: Path) -> int:
    """Return the place of a word in a keyword such as ``FILTERS = 'u g r i z'``, from 0.

    Raises
    ------
    FileFormatError
        If the word is not in the list.
    """
    words = str(header[keyword]).split()
    if word not in words:
        raise FileFormatError(f"holds nothing for '{word}': {keyword} is '{' '.join(words)}'", path=path)
    return words.index(word)
