"""`obs init`: a new data repository."""

from pathlib import Path

import click

from obs.cli.commands.calls import calls

__all__ = ["init"]

_EXAMPLE = """\b
Example:
  obs init DATA --camera hsc
"""


@click.command("init", epilog=_EXAMPLE)
@click.argument("root", metavar="REPO", type=click.Path(path_type=Path))
@click.option("--camera", metavar="NAME", required=True, help="Name of the camera; see obs cameras.")
@click.option("--registry", metavar="URL", help="Database for the registry, such as postgresql+psycopg://host/name.")
@click.option("--doraise", is_flag=True, help="Show the traceback of an error.")
@calls("obs.cli.init:init")
def init() -> None:
    """Make a repository for files of one camera."""
