"""`obs where`: the files of datasets."""

from pathlib import Path

import click

from obs.cli.arguments import ManyWordsCommand
from obs.cli.commands.calls import calls
from obs.cli.commands.options import id_option

__all__ = ["where"]

_EXAMPLE = """\b
Examples:
  obs where DATA/rerun/test src --id visit=903334 ccd=23
  ds9 $(obs where DATA/rerun/test calexp --id visit=903334)
"""


@click.command("where", cls=ManyWordsCommand, epilog=_EXAMPLE)
@click.argument("root", metavar="REPO", type=click.Path(path_type=Path))
@click.argument("dataset_type", metavar="DATASET")
@click.option("--camera", metavar="NAME", help="Camera, if the repository does not record it; see obs cameras.")
@id_option
@calls("obs.cli.where:where")
def where() -> None:
    """Print the files of the dataset type DATASET in the repository REPO, one a line.

    A file that the repository has from its parents counts, too. The exit status is 1 if there is none.
    """
