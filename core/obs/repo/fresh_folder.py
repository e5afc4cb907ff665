"""A folder that is to become a repository, as in the LSST stack: there is only ``_mapper``, which names its camera."""

import logging
from pathlib import Path

from obs.repo.description import write_description
from obs.repo.layout import open_repository

__all__ = ["adopt"]

_LOG = logging.getLogger(__name__)

#: What may be there before the first file is ingested.
_BEFORE = {"_mapper", "CALIB", "ref_cats", "rerun"}


def adopt(root: Path, camera: str, *, dry_run: bool = False) -> bool:
    """Return whether a repository may be written to; one in which only ``_mapper`` is there is made ours.

    Parameters
    ----------
    root : Path
        Repository.
    camera : str
        Name of the camera that its mapper is of.
    dry_run : bool, default: False
        Write nothing.

    Raises
    ------
    OutputError
        If it cannot be written to.
    """
    if open_repository(root).is_own:
        return True
    there = {path.name for path in root.iterdir() if not path.name.startswith(".")}
    if "_mapper" not in there or not there <= _BEFORE:
        return False
    if not dry_run and write_description(root, camera=camera, parents=[]):
        _LOG.warning("%s holds nothing but _mapper: it is a repository of obs now, of the camera '%s'", root, camera)
    return True
