"""Temporary files and folders that killed runs have left below a folder."""

import contextlib
import os
import shutil
from collections.abc import Iterable
from pathlib import Path

from obs.repo.atomic import is_leftover
from obs.repo.folder_exchange import restore_folder

__all__ = ["find_leftovers", "remove_all"]


def find_leftovers(root: Path) -> list[Path]:
    """Return the temporary files and folders of processes that have ended, everywhere below a folder.

    Parameters
    ----------
    root : Path
        Folder, of which all folders below are searched. Links are not followed.
    """
    found: list[Path] = []
    for place, folders, files in os.walk(root):
        for name in [name for name in folders if is_leftover(Path(place, name))]:
            folders.remove(name)
            found.append(Path(place, name))
        found += [Path(place, name) for name in files if is_leftover(Path(place, name))]
    return sorted(found)


def remove_all(paths: Iterable[Path]) -> None:
    """Remove files and folders that killed runs left."""
    for path in paths:
        with contextlib.suppress(OSError):
            if path.is_dir() and not path.is_symlink():
                restore_folder(path)
                shutil.rmtree(path)
            else:
                path.unlink()
