"""Text files that people write: settings, descriptions, tables of a camera. They are small, and they are text."""

import os
from pathlib import Path
from typing import Protocol

from obs.errors import ObsError
from obs.regular_file import open_regular

__all__ = ["read_small_file", "read_small_text"]

#: Bytes; a table with a row for each amplifier of the largest camera has a few hundred thousand.
_LARGEST = 64 << 20


class _ErrorClass(Protocol):
    """A class of `obs.errors` that takes a file."""

    def __call__(self, message: str, *, path: Path | str | None = ...) -> ObsError: ...


def read_small_file(path: Path | str, *, error: _ErrorClass) -> bytes:
    """Return the bytes of a file that somebody wrote.

    Parameters
    ----------
    path : Path or str
        The file.
    error : type
        Class of the exception to raise, for example `obs.errors.ConfigError`.

    Raises
    ------
    ObsError
        ``error``, if it cannot be read, is not a regular file, or is far too large.
    """
    try:
        with open_regular(path) as file:
            size = os.fstat(file.fileno()).st_size
            if size > _LARGEST:
                raise error(f"this file has {size} bytes, too many for one that people write", path=path)
            return file.read(_LARGEST)
    except ObsError:
        raise
    except (OSError, ValueError) as problem:
        raise error(f"cannot read this file: {getattr(problem, 'strerror', None) or problem}", path=path) from None


def read_small_text(path: Path | str, *, error: _ErrorClass, encoding: str = "utf-8") -> str:
    """Return the text of a file that somebody wrote; see `read_small_file`.

    Parameters
    ----------
    path : Path or str
        The file.
    error : type
        Class of the exception to raise, for example `obs.errors.ConfigError`.
    encoding : str, default: "utf-8"
        Encoding of the text.

    Raises
    ------
    ObsError
        ``error``, if it cannot be read or is not text.
    """
    try:
        return read_small_file(path, error=error).decode(encoding)
    except UnicodeDecodeError as problem:
        raise error(f"cannot read this file: it is not UTF-8 text (byte {problem.start})", path=path) from None
