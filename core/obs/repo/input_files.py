"""Which files a result was made from: noted before they are read, and compared later."""

import hashlib
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import asdict
from functools import lru_cache
from pathlib import Path
from typing import Any

from obs.errors import FileFormatError
from obs.frozen import frozen
from obs.regular_file import open_regular

__all__ = ["InputFile", "inputs_noted", "inputs_noted_apart", "note_input", "take_notes"]

#: How many checksums are kept: those of the calibrations of a process's detectors.
_KEPT = 1024
_NUMBERS = ("size", "mtime_ns", "ctime_ns")


@frozen
class InputFile:
    """A file as it was when it was read.

    Parameters
    ----------
    dataset_type : str
        What it was read as: ``raw``, ``flat``, ``ref_cat``.
    path : str
        Where it was, absolute.
    size : int
        Bytes.
    mtime_ns : int
        Time of its last change, ns since 1970.
    sha256 : str
        Checksum of its bytes.
    ctime_ns : int
        Time at which the system last changed it, ns since 1970; 0 in records of before. Programs that copy files set
        the time of the last change to any value, this one they cannot set.
    """

    dataset_type: str
    path: str
    size: int
    mtime_ns: int
    sha256: str
    ctime_ns: int = 0

    @classmethod
    def describe(cls, path: Path, dataset_type: str) -> "InputFile":
        """Return the record of a file. Checksums are kept, so that a calibration of many frames is read once.

        Parameters
        ----------
        path : Path
            The file.
        dataset_type : str
            Type of the dataset that it has.

        Raises
        ------
        OSError
            If the file cannot be read.
        """
        facts = path.stat()
        checksum = _checksum(str(path), facts.st_size, facts.st_mtime_ns, facts.st_ctime_ns)
        where = os.path.abspath(path)
        return cls(dataset_type, where, facts.st_size, facts.st_mtime_ns, checksum, facts.st_ctime_ns)

    @classmethod
    def from_plain(cls, facts: object) -> "InputFile":
        """Return the record of files that `to_plain` wrote.

        Parameters
        ----------
        facts : object
            Mapping with the fields of a record. ``ctime_ns`` may be missing.

        Raises
        ------
        FileFormatError
            If something is missing or is not what it has to be.
        """
        known = cls.__dataclass_fields__
        whole = {"ctime_ns": 0, **facts} if isinstance(facts, Mapping) else {}
        if not all(isinstance(whole.get(name), int if name in _NUMBERS else str) for name in known):
            raise FileFormatError(f"is not a record of an input file: {facts!r}")
        return cls(**{name: whole[name] for name in known})

    def to_plain(self) -> dict[str, Any]:
        """Return the record as plain data."""
        return asdict(self)

    def has_content_of(self, path: Path) -> bool:
        """Return whether a file has the bytes that were read.

        One at the same place, of the same size and the same times, is taken to have them; of any other the checksum
        decides.

        Parameters
        ----------
        path : Path
            File to compare; one that is missing has other content.
        """
        try:
            facts = path.stat()
        except OSError:
            return False
        if facts.st_size != self.size:
            return False
        times = (facts.st_mtime_ns, facts.st_ctime_ns)
        if times == (self.mtime_ns, self.ctime_ns) and os.path.abspath(path) == self.path:
            return True
        return _checksum(str(path), facts.st_size, *times) == self.sha256

    def is_intact(self, place: Path | None = None) -> bool:
        """Return whether the file, or the one at a place, still has the bytes that were read; all of it is read.

        Parameters
        ----------
        place : Path, optional
            File to read instead of the recorded one.
        """
        try:
            with open(self.path if place is None else place, "rb") as file:
                return hashlib.file_digest(file, "sha256").hexdigest() == self.sha256
        except OSError:
            return False


_noted: ContextVar[dict[Path, InputFile] | None] = ContextVar("_noted", default=None)


@contextmanager
def inputs_noted() -> Iterator[dict[Path, InputFile]]:
    """Collect the records of the files that are read inside, by path, in the order of reading."""
    files: dict[Path, InputFile] = {}
    token = _noted.set(files)
    try:
        yield files
    finally:
        _noted.reset(token)


@contextmanager
def inputs_noted_apart() -> Iterator[dict[Path, InputFile]]:
    """Collect the records of one of several threads, for `take_notes`; nothing outside of `inputs_noted`."""
    if _noted.get() is None:
        yield {}
        return
    with inputs_noted() as files:
        yield files


def take_notes(files: Mapping[Path, InputFile]) -> None:
    """Add records that were collected apart, so that their order is not that of threads."""
    known = _noted.get()
    if known is not None:
        known.update({path: file for path, file in files.items() if path not in known})


def note_input(dataset_type: str, path: Path) -> None:
    """Note that a file is about to be read; nothing happens outside of `inputs_noted`.

    A file that cannot be read is left to its reader, which says more.

    Parameters
    ----------
    dataset_type : str
        Type of the dataset.
    path : Path
        The file.
    """
    files = _noted.get()
    if files is None or path in files or not path.is_file():
        return
    with suppress(OSError):
        files[path] = InputFile.describe(path, dataset_type)


@lru_cache(_KEPT)
def _checksum(path: str, size: int, mtime_ns: int, ctime_ns: int) -> str:
    with open_regular(path) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
