"""`obs ls`: what a repository holds."""

from pathlib import Path

import click

from obs.cli.arguments import ManyWordsCommand
from obs.cli.commands.calls import calls
from obs.cli.commands.options import id_option

__all__ = ["list_datasets"]

_EXAMPLE = """\b
Examples:
  obs ls out
  obs ls out src --id run=4192 filter=g^r
"""


@click.command("ls", cls=ManyWordsCommand, epilog=_EXAMPLE)
@click.argument("root", metavar="REPO", type=click.Path(path_type=Path))
@click.argument("dataset_type", metavar="[DATASET]", required=False)
@click.option("--camera", metavar="NAME", help="Camera, if the repository does not record it; see obs cameras.")
@id_option
@calls("obs.cli.ls:list_datasets")
def list_datasets() -> None:
    """List the datasets of a repository.

    Without DATASET it lists the dataset types in the repository REPO with their numbers, else all of this type.

    What is in the repositories that REPO was made from counts as well.
    """
