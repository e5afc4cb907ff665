"""Open the repository that a command continues: an output of `obs process`."""

from pathlib import Path

import click

from obs.repo.butler import Butler
from obs.repo.layout import open_repository

__all__ = ["open_output"]


def open_output(root: Path, output: Path | None, rerun: str | None) -> Butler:
    """Return the Butler that reads and writes an output.

    Parameters
    ----------
    root : Path
        The output, or with one of the other two the repository that it was made from.
    output : Path or None
        The output.
    rerun : str or None
        Name of the output below the root.

    Raises
    ------
    UsageError
        If no output is named, or two are.
    """
    if output is not None and rerun is not None:
        raise click.UsageError("--output and --rerun exclude each other; give one of them")
    if output is not None or rerun is not None:
        return Butler(root, output=output, rerun=rerun)
    if not open_repository(root).parents:
        raise click.UsageError(
            f"{root} is not an output of obs process, and results are not written into inputs; add --rerun NAME or "
            "--output DIR"
        )
    return Butler(outputs=str(root))
