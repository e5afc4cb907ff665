"""`obs info`: what a repository is, and how much is in it."""

from pathlib import Path

import click

from obs.cli.commands.calls import calls

__all__ = ["info"]

_EXAMPLE = """\b
Example:
  obs info DATA
"""


@click.command("info", epilog=_EXAMPLE)
@click.argument("root", metavar="REPO", type=click.Path(path_type=Path))
@click.option("--camera", metavar="NAME", help="Camera, if the repository does not record it; see obs cameras.")
@click.option("--doraise", is_flag=True, help="Show the traceback of an error.")
@calls("obs.cli.info:info")
def info() -> None:
    """Print the contents of a repository.

    It prints camera, parents, registry, datasets with their sizes, and reruns of the repository REPO.

    Sizes are those of the files in REPO itself. A link counts as the file that it leads to.
    """
