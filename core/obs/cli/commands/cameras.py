"""`obs cameras`: which cameras are installed."""

import click

from obs.cli.commands.calls import calls

__all__ = ["cameras"]

_EXAMPLE = """\b
Example:
  obs cameras
"""


@click.command("cameras", epilog=_EXAMPLE)
@calls("obs.cli.cameras:cameras", reads_images=False)
def cameras() -> None:
    """List the installed cameras.

    It prints package, version, number of detectors and filters of each.

    A camera whose plugin is broken is listed with the cause.
    """
