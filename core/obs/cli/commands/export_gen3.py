"""`obs export-gen3`: a third-generation LSST repository."""

from pathlib import Path

import click

from obs.cli.commands.calls import calls

__all__ = ["export_gen3"]

_EXAMPLE = """\b
Examples:
  obs export-gen3 DATA gen3
  obs export-gen3 DATA/rerun/first gen3 --transfer direct
"""


@click.command("export-gen3", epilog=_EXAMPLE)
@click.argument("root", metavar="REPO", type=click.Path(path_type=Path))
@click.argument("out", metavar="OUT", type=click.Path(path_type=Path))
@click.option(
    "--transfer",
    type=click.Choice(["copy", "symlink", "hardlink", "direct"]),
    default="copy",
    show_default=True,
    help="Placement of files in OUT; direct leaves them where they are.",
)
@click.option("--doraise", is_flag=True, help="Show the traceback of an error.")
@calls("obs.cli.export_gen3:export_gen3")
def export_gen3() -> None:
    """Write a third-generation LSST repository.

    The repository REPO is written as a repository OUT of that stack.

    It gets the camera, its detectors and filters, exposures and visits with their regions on the sky, raw frames, and
    calibration frames with their validity. If REPO is an output, such as DATA/rerun/first, its results go along, those
    of coadds with their sky map, catalogs as Parquet. Repeating it adds what is new. This needs lsst-daf-butler: pip
    install 'obs-toolkit[gen3]'.
    """
