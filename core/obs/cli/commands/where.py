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
  obs where out 351.64,0.104
  obs where out 23:26:33.6,+00:06:14
"""


@click.command("where", cls=ManyWordsCommand, epilog=_EXAMPLE)
@click.argument("root", metavar="REPO", type=click.Path(path_type=Path))
@click.argument("dataset_type", metavar="DATASET|RA,DEC")
@click.option("--camera", metavar="NAME", help="Camera, if the repository does not record it; see obs cameras.")
@id_option
@calls("obs.cli.where:where")
def where() -> None:
    """Print files of datasets, or what is at a position.

    It prints the files of the type DATASET in the repository REPO, one a line, or tract, patch and images at a
    position.

    A position is RA,DEC in degrees, or in hours and degrees with colons: tracts and patches that hold it are printed,
    and all calibrated exposures that do. A file that the repository has from its parents counts, too. The exit status
    is 1 if there is none.
    """
