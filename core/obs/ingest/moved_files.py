"""Files that are gone from where they were named, because another process has moved them into the repository."""

import os
from pathlib import Path

from obs.ingest.report import ALREADY, FileReport
from obs.repo.registry import Registry

__all__ = ["moved_by_another"]


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
