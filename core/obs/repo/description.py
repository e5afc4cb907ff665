"""The file in which a repository says what it is, written."""

import os
from collections.abc import Sequence
from pathlib import Path

import yaml

from obs.repo.atomic import atomic_write
from obs.repo.layout import DESCRIPTION, LAYOUT

__all__ = ["write_description"]


def write_description(folder: Path, *, camera: str, parents: Sequence[Path]) -> bool:
    """Write ``obs.yaml``; parents that share a tree with the folder are written relative to it.

    Parameters
    ----------
    folder : Path
        Repository.
    camera : str
        Name of the camera.
    parents : sequence of Path
        Repositories whose datasets are read where this one has none.

    Returns
    -------
    bool
        False if there is one already, perhaps of another process; it stays.

    Raises
    ------
    OutputError
        If it cannot be written.
    """
    root = folder.resolve()
    data = {"layout": LAYOUT, "camera": camera, "parents": [_relative(parent.resolve(), root) for parent in parents]}
    try:
        with atomic_write(root / DESCRIPTION, replace=False) as file:
            file.write(yaml.safe_dump(data, sort_keys=False).encode())
    except FileExistsError:
        return False
    return True


def _relative(parent: Path, root: Path) -> str:
    """Return the parent as seen from the root, unless the two have no more in common than the disk."""
    together = len(Path(os.path.commonpath([parent, root])).parts) > 1
    return os.path.relpath(parent, root) if together else str(parent)
