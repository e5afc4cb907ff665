"""`obs provenance`: what a result was made from."""

from pathlib import Path

import click

from obs.cli.arguments import ManyWordsCommand
from obs.cli.commands.calls import calls
from obs.cli.commands.options import id_option

__all__ = ["provenance"]

_EXAMPLE = """\b
Examples:
  obs provenance DATA/rerun/test calexp visit=903334 ccd=23
  obs provenance DATA/rerun/test deepCoadd tract=0 patch=0,0 filter=HSC-I
"""


@click.command("provenance", cls=ManyWordsCommand, epilog=_EXAMPLE)
@click.argument("root", metavar="REPO", type=click.Path(path_type=Path))
@click.argument("dataset_type", metavar="DATASET")
@click.argument("words", metavar="KEY=VALUE...", nargs=-1)
@id_option
@click.option("--camera", metavar="NAME", help="Camera, if the repository does not record it; see obs cameras.")
@calls("obs.cli.provenance:provenance")
def provenance() -> None:
    """Print the inputs of a dataset, back to the raw files.

    It prints what the dataset DATASET of one data ID was made from. The data ID may come behind --id, too.

    DATASET is a result of obs process, coadd, coadd-catalog, calibrate-visits, forced or difference. Inputs of inputs
    are indented. The exit status is 1 if an input is gone or is not what it was; all of each input is read to find out.
    """
