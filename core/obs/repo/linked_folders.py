"""Folders of a repository that are links to elsewhere, where what is written does not stay in the repository."""

import os
from pathlib import Path

__all__ = ["find_linked_folders"]

#: The link by which the LSST stack names the repository that an output comes from.
_PARENT = "_parent"


def find_linked_folders(root: Path) -> list[Path]:
    """Return the links to folders below a repository that lead out of it."""
    top = root.resolve()
    return sorted(
        path
        for place, folders, _ in os.walk(root)
        for path in (Path(place, name) for name in folders if name != _PARENT)
        if path.is_symlink() and not path.resolve().is_relative_to(top)
    )
