"""`obs get`: one dataset, or a part of it, out of a repository."""

from pathlib import Path

import click

from obs.cli.arguments import ManyWordsCommand
from obs.cli.commands.calls import calls
from obs.cli.commands.options import id_option

__all__ = ["get"]

_EXAMPLE = """\b
Examples:
  obs get DATA/rerun/first src --id visit=903334 ccd=23 -o stars.ecsv
  obs get DATA/rerun/first calexp --id visit=903334 ccd=23 -o image.fits
  obs get DATA/rerun/first processCcd_metadata --id visit=903334 ccd=23
  obs get DATA/rerun/first calexp_visitInfo --id visit=903334 ccd=23
"""


@click.command("get", cls=ManyWordsCommand, epilog=_EXAMPLE)
@click.argument("root", metavar="REPO", type=click.Path(path_type=Path))
@click.argument("dataset_type", metavar="DATASET")
@id_option
@click.option("-o", "--output", metavar="FILE", type=click.Path(path_type=Path), help="File to write the dataset to.")
@click.option("--clobber", is_flag=True, help="Replace the file if it exists already.")
@click.option("--camera", metavar="NAME", help="Camera, if the repository does not record it; see obs cameras.")
@calls("obs.cli.get:get")
def get() -> None:
    """Print a dataset, or write it to a file.

    It reads the dataset DATASET of one data ID from the repository REPO.

    Without -o it is printed: metadata as YAML, images and catalogs as a summary. With -o it is written to FILE: a
    catalog in the format that the ending of FILE asks for (.fits, .parquet, .vot, .ecsv, .csv), everything else as it
    is. A suffix such as _wcs, _visitInfo, _photoCalib, _md or _len asks for a part of the dataset.
    """
