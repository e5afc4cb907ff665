"""Files that arrive in a folder, each given out once it is whole: on network disks, too, where nothing tells of them.

A file is whole when its size and time have not changed for a while, and its headers promise no more bytes than there
are. What a program at the telescope is still writing fails one of both.
"""

import gzip
import os
import time
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

from obs.errors import FileFormatError
from obs.regular_file import open_regular
from obs.repo.fits_layout import unpack, walk_hdus

__all__ = ["Arrivals", "is_whole"]

_FITS = b"SIMPLE  ="
_GZIP = b"\x1f\x8b"
#: Names that programs give to files which they have not finished.
_UNFINISHED = (".part", ".partial", ".tmp", ".temp", ".crdownload", ".filepart", "~")

#: Endings of FITS files.
_NAMES = tuple(f".{kind}{packed}" for kind in ("fits", "fit", "fts") for packed in ("", ".gz", ".fz"))
_NOT_WHOLE = "is not whole, and has stopped growing"


class Arrivals:
    """The FITS files of a folder and those below it, as they arrive.

    Parameters
    ----------
    folder : Path
        The folder; it may not be there yet.
    settle : float, optional
        A file is looked at when it has not changed for this long, s.
    clock : callable, optional
        Returns the time, s.
    """

    def __init__(self, folder: Path, settle: float = 2.0, clock: Callable[[], float] = time.monotonic) -> None:
        self.folder, self.settle, self.clock = folder, settle, clock
        self._seen: dict[Path, tuple[tuple[int, int], float]] = {}
        self._given: dict[Path, tuple[int, int]] = {}
        self._stopped: dict[Path, tuple[int, int]] = {}
        #: Why a file cannot be read, or a folder not be looked into.
        self._closed: dict[Path, str] = {}

    def poll(self) -> list[Path]:
        """Return files that have become whole since the last call, in the order of their names.

        A file that changes after it was given out is given out again.
        """
        now, found = self.clock(), []
        self._closed = {}
        for path in self._files():
            try:
                state = path.lstat() if path in self._closed else path.stat()
            except OSError:
                continue  # gone meanwhile
            stamp = (state.st_size, state.st_mtime_ns)
            before = self._seen.get(path)
            if before is None or before[0] != stamp:
                self._seen[path] = (stamp, now)
                if self.settle > 0:
                    continue
            elif now - before[1] < self.settle:
                continue
            if path not in self._closed and self._given.get(path) != stamp and is_whole(path):
                self._given[path] = stamp
                found.append(path)
        return found

    def unfinished(self) -> list[Path]:
        """Return files that have been seen and are not whole."""
        given = self._given
        return [path for path, (stamp, _) in self._seen.items() if given.get(path) != stamp and os.path.lexists(path)]

    def stopped(self, patience: float) -> dict[Path, str]:
        """Return unfinished files that have not changed for so many seconds, each once unless it changes again.

        Parameters
        ----------
        patience : float
            Least time without a change, seconds.

        Returns
        -------
        dict of Path to str
            Files, and folders that cannot be looked into, with the reason.
        """
        now = self.clock()
        found = [
            path
            for path in self.unfinished()
            if now - self._seen[path][1] >= patience and self._stopped.get(path) != self._seen[path][0]
        ]
        self._stopped |= {path: self._seen[path][0] for path in found}
        return {path: self._closed.get(path, _NOT_WHOLE) for path in found}

    def _files(self) -> Iterator[Path]:
        # A link to a folder above leads round in circles; what is above the watched folder is not of this night.
        walked = {str(above) for above in Path(os.path.realpath(self.folder)).parents}
        shut: list[OSError] = []
        for folder, folders, names in os.walk(self.folder, followlinks=True, onerror=shut.append):
            real = os.path.realpath(folder)
            if real in walked:
                folders.clear()
                continue
            walked.add(real)
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            for name in sorted(names):
                path = Path(folder, name)
                if name.startswith(".") or name.lower().endswith(_UNFINISHED):
                    continue
                is_fits, reason = _look_at(path)
                if reason:
                    self._closed[path] = reason
                if is_fits or reason:
                    yield path
        for error in shut:
            if not isinstance(error, FileNotFoundError):  # gone meanwhile, or not there yet
                path = Path(error.filename)
                self._closed[path] = f"cannot be looked into: {error.strerror or error}"
                yield path


def _look_at(path: Path) -> tuple[bool, str]:
    """Return whether a file begins like a FITS file, perhaps gzipped; or why that cannot be told."""
    try:
        with open_regular(path) as file:
            start = file.read(len(_FITS))
    except OSError as error:
        if path.is_symlink() and not path.exists():
            return False, "is a link that leads nowhere"
        is_gone = not os.path.lexists(path)
        named = path.name.lower().endswith(_NAMES)  # others may be anything
        return False, f"cannot be read: {error.strerror or error}" if named and not is_gone else ""
    return start.startswith((_FITS, _GZIP)), ""


def is_whole(path: Path) -> bool:
    """Return whether a FITS file has all bytes that its headers promise.

    Parameters
    ----------
    path : Path
        The file, perhaps gzipped.
    """
    try:
        with path.open("rb") as file:
            if file.read(2) == _GZIP:
                file.seek(0)
                with unpack(file) as plain:
                    return _has_all(plain)
            return _has_all(file)
    except (OSError, EOFError, zlib.error, gzip.BadGzipFile, FileFormatError):
        return False


def _has_all(file: BinaryIO) -> bool:
    size = file.seek(0, os.SEEK_END)
    end = None
    for hdu in walk_hdus(file):
        end = hdu.start + len(hdu.text) + hdu.size
    return end is not None and end <= size
