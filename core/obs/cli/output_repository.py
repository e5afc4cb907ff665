"""The repository that a command about results writes into: one named, or the one that is read."""

from pathlib import Path

from obs.errors import OutputError
from obs.instrument.discovery import load_instrument
from obs.repo.butler import Butler
from obs.repo.layout import open_repository

__all__ = ["open_output"]


def open_output(root: Path, *, output: Path | None, rerun: str | None, camera: str | None) -> Butler:
    """Open a repository of results to be added to.

    Without ``output`` and ``rerun``, a repository that obs made from others is written to itself; others never are.

    Raises
    ------
    OutputError
        If there is nowhere to write, or two places are named.
    """
    instrument = None if camera is None else load_instrument(camera)
    if output is not None and rerun is not None:
        raise OutputError("--output and --rerun exclude each other; give one of them")
    if output is not None or rerun is not None:
        return Butler(root, output=output, rerun=rerun, instrument=instrument)
    repository = open_repository(root)
    if not (repository.is_own and repository.parents):
        raise OutputError(
            f"{root} holds raw data and is only read; name where to write with --output DIR or --rerun NAME", path=root
        )
    return Butler(outputs=str(root), instrument=instrument)
