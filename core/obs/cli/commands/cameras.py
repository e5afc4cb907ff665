"""`obs cameras`: which cameras are installed."""

import click

from obs.cli.commands.calls import calls

__all__ = ["cameras"]

_EXAMPLE = """\b
Example:
  obs cameras
"""


@click.command("cameras", epilog=_EXAMPLE)
@calls("obs.cli.cameras:cameras")
def cameras() -> None:
    """List the cameras that are installed: package, version, number of detectors, filters.

    A camera whose plugin is broken is listed with the cause.
    """
