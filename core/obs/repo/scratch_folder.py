"""Folders for a while in the system's place for temporary files; those of killed processes are removed."""

import contextlib
import functools
import logging
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from obs.errors import OutputError
from obs.os_advice import write_advice
from obs.repo.atomic import is_leftover, temporary_path

__all__ = ["make_scratch_folder", "scratch_folder"]

logger = logging.getLogger(__name__)

#: How names begin, after the dot: other programs use the same place.
_OURS = "obs-"


def make_scratch_folder(kind: str) -> Path:
    """Make a folder that the caller removes; if it is killed before, the next one that makes such a folder does.

    Parameters
    ----------
    kind : str
        What it is for, a part of its name.

    Raises
    ------
    OutputError
        If there is no place for it.
    """
    try:
        place = Path(tempfile.gettempdir())
    except FileNotFoundError as error:  # no folder of the system's can be written to
        raise OutputError(f"{error.strerror}; free some space there, or set TMPDIR to a folder with space") from error
    _remove_forsaken(place)
    folder = temporary_path(place / f"{_OURS}{kind}")
    try:
        folder.mkdir(mode=0o700)
    except OSError as error:
        raise OutputError(f"cannot write to {place}: {write_advice(error)} (TMPDIR)", path=place) from error
    return folder


@contextlib.contextmanager
def scratch_folder(kind: str) -> Iterator[Path]:
    """Make a folder for as long as the block lasts.

    Parameters
    ----------
    kind : str
        What it is for, a part of its name.

    Yields
    ------
    Path
        The folder.

    Raises
    ------
    OutputError
        If there is no place for it.
    """
    folder = make_scratch_folder(kind)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@functools.lru_cache(maxsize=16)
def _remove_forsaken(place: Path) -> None:
    """Remove folders of this user's processes that have ended; looked for once by each process."""
    with contextlib.suppress(OSError), os.scandir(place) as entries:
        for entry in entries:
            if entry.name.startswith(f".{_OURS}") and is_leftover(entry) and _is_own_folder(entry):
                logger.info("removed %s, which a killed run left behind", entry.path)
                shutil.rmtree(entry.path, ignore_errors=True)


def _is_own_folder(entry: os.DirEntry[str]) -> bool:
    """Return whether this user made it: anybody may write to the place, links that lead out of it included."""
    try:
        return entry.is_dir(follow_symlinks=False) and entry.stat(follow_symlinks=False).st_uid == os.geteuid()
    except OSError:
        return False
