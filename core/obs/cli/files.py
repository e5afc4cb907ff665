"""The files that words on the command line name: files, patterns, and folders with all FITS files below them."""

import gzip
import os
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from glob import glob, has_magic
from pathlib import Path

import click

from obs.errors import RepositoryError
from obs.plural import count_of

__all__ = ["find_files"]

_GZIP = b"\x1f\x8b"
_FITS = b"SIMPLE  ="
_REGISTRY = "registry.sqlite3"
_NAMED = 3
"""Endings of other files that are listed."""


def find_files(words: Sequence[str]) -> list[Path]:
    """Return the files that words on the command line name; a pattern without match is reported and skipped.

    A folder stands for all FITS files in it and in the folders below, whatever their names end with. What else is in it
    is counted in a line.

    Raises
    ------
    RepositoryError
        If there is no file at all.
    """
    found = dict.fromkeys(path for word in words for path in _matches(word))
    if all(path.is_dir() for path in found):
        raise RepositoryError(f"no file matches {' '.join(words)}")
    return list(found)


def _matches(word: str) -> Iterator[Path]:
    path = Path(word).expanduser()
    if path.is_dir():
        yield from _in_folder(path)
        return
    if path.exists() or not has_magic(word):
        yield path  # one that does not exist is reported where it is read
        return
    names = sorted(glob(str(path), recursive=True))
    if not names:
        click.echo(f"WARNING no file matches {word}", err=True)
    for name in map(Path, names):
        yield from _in_folder(name) if name.is_dir() else (name,)


def _in_folder(folder: Path) -> Iterator[Path]:
    """Yield the FITS files of a folder and those below it in the order of their names; count the others in a line.

    A folder without any is yielded itself, as if it were a file.
    """
    others: Counter[str] = Counter()
    is_empty = True
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not _is_left_out(Path(place, name)))
        for name in sorted(name for name in names if not name.startswith(".")):
            path = Path(place, name)
            if _is_fits(path):
                is_empty = False
                yield path
            elif path.is_file():
                others[path.suffix or "without an ending"] += 1
    if is_empty:
        yield folder  # what cannot be read is reported where it is read
    if others:
        kinds = ", ".join(f"{count} {ending}" for ending, count in others.most_common(_NAMED))
        more = ", ..." if len(others) > _NAMED else ""
        click.echo(f"{folder}: {count_of(others.total(), 'file')} ignored, not FITS: {kinds}{more}", err=True)


def _is_left_out(folder: Path) -> bool:
    """Return whether a folder is hidden, or a repository, whose files have been ingested."""
    return folder.name.startswith(".") or (folder / _REGISTRY).exists()


def _is_fits(path: Path) -> bool:
    """Return whether a file begins as a FITS file does, be it packed by gzip; not if it cannot be read."""
    try:
        if not path.is_file():
            return False
        with path.open("rb") as file:
            begin = file.read(len(_FITS))
        if begin.startswith(_GZIP):
            with gzip.open(path) as unpacked:
                begin = unpacked.read(len(_FITS))
    except (OSError, EOFError, zlib.error):
        return False
    return begin == _FITS
