"""Files that are gone from where they were named, because another process has moved them into the repository."""

import os
from pathlib import Path

from obs.errors import ObsError
from obs.ingest.report import ALREADY, FileReport
from obs.repo.joined_file import holds_part
from obs.repo.registry import Registry

__all__ = ["moved_by_another", "rest_of_move"]


def moved_by_another(path: Path, registry: Registry | None, root: Path) -> FileReport | None:
    """Return the report of a file that is gone because it was ingested in the meantime; None of all others.

    Parameters
    ----------
    path : Path
        The file that was named.
    registry : Registry or None
        Where origins of files are kept; None if there is none yet.
    root : Path
        Folder to which their places are relative.
    """
    if registry is None or os.path.lexists(path):
        return None
    targets = tuple(root / place for place in registry.origin(path))
    if not targets or not all(target.is_file() for target in targets):
        return None
    return FileReport(path, "skipped", ALREADY, targets)


def rest_of_move(path: Path, registry: Registry | None, root: Path) -> FileReport | None:
    """Return the report of a part whose whole is ingested and whose other parts are gone; None of all others.

    A move that was killed, or has not ended yet, leaves it: sources are removed one after another.

    Parameters
    ----------
    path : Path
        File of a single amplifier.
    registry : Registry or None
        Where origins of files are kept; None if there is none yet.
    root : Path
        Folder to which their places are relative.
    """
    places = {} if registry is None else registry.origin(path)
    if not places or all(os.path.lexists(source) for sources in places.values() for source in sources):
        return None
    targets = tuple(root / place for place in places)
    try:
        is_in = all(target.is_file() and holds_part(target, path) for target in targets)
    except ObsError:
        return None
    return FileReport(path, "skipped", ALREADY, targets) if is_in else None
