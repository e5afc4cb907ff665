"""`obs calibs`: build, ingest and list calibration frames."""

from pathlib import Path

import click

from obs.cli.arguments import ManyWordsCommand
from obs.cli.commands.calibs_build import build
from obs.cli.commands.calls import calls
from obs.cli.commands.choices import MODES

__all__ = ["calibs", "defects", "ingest", "list_calibs"]

_EXAMPLE = """\b
Examples:
  obs calibs build bias DATA --id dataType=BIAS
  obs calibs build flat DATA --id dataType=DOMEFLAT filter=HSC-R --validity 90
  obs calibs ingest DATA BIAS-*.fits --validity 30
  obs calibs list DATA flat
"""

_INGEST_EXAMPLE = """\b
Example:
  obs calibs ingest DATA masters/*.fits --validity 30 --mode copy
"""

_DEFECTS_EXAMPLE = """\b
Example:
  obs calibs defects DATA obs_mycam/obs_mycam/curated/defects
"""

_LIST_EXAMPLE = """\b
Example:
  obs calibs list DATA flat
"""


@click.group("calibs", epilog=_EXAMPLE)
def calibs() -> None:
    """Build, ingest and list calibration frames."""


calibs.add_command(build)


@calibs.command("ingest", cls=ManyWordsCommand, epilog=_INGEST_EXAMPLE)
@click.argument("root", metavar="REPO", type=click.Path(path_type=Path))
@click.argument("files", metavar="FILES...", nargs=-1, required=True)
@click.option(
    "--validity",
    type=click.IntRange(min=0),
    required=True,
    metavar="DAYS",
    help="Days before and after its date for which a frame is valid.",
)
@click.option(
    "--mode",
    type=click.Choice(MODES),
    default="move",
    show_default=True,
    help="Placement of the files: links, copies, moved, or left where they are.",
)
@click.option(
    "--calib",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="Folder of the calibration frames, here or in the repository, if it is not CALIB of the repository.",
)
@click.option("-n", "--dry-run", is_flag=True, help="Print what would be done, and do nothing.")
@click.option("--ignore-ingested", is_flag=True, help="Skip calibrations that are ingested already.")
@click.option("--clobber", is_flag=True, help="Replace calibrations that exist already.")
@click.option("--create", is_flag=True, help="Empty the registry of calibrations first.")
@click.option("--camera", metavar="NAME", help="Camera, if the repository does not record it; see obs cameras.")
@click.option("--doraise", is_flag=True, help="Show the traceback of an error.")
@calls("obs.cli.calibs:ingest")
def ingest() -> None:
    """Take the calibration frames FILES into the repository REPO.

    Headers tell what they are (OBSTYPE) and of what (CALIB_ID). Each is valid for some days before and after its date,
    at most to the middle between its neighbors; defects are valid until the next ones.
    """


@calibs.command("defects", epilog=_DEFECTS_EXAMPLE)
@click.argument("root", metavar="REPO", type=click.Path(path_type=Path))
@click.argument("folder", metavar="[FOLDER]", required=False, type=click.Path(path_type=Path))
@click.option(
    "--calib",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="Folder of the calibration frames, here or in the repository, if it is not CALIB of the repository.",
)
@click.option("-n", "--dry-run", is_flag=True, help="Read the tables, and change nothing.")
@click.option("--camera", metavar="NAME", help="Camera, if the repository does not record it; see obs cameras.")
@click.option("--doraise", is_flag=True, help="Show the traceback of an error.")
@calls("obs.cli.calibs:defects")
def defects() -> None:
    """Register tables of defects that people wrote.

    The tables are put into the repository REPO.

    FOLDER has a folder for each detector, with a table for each day from which it counts: ccd0/2024-03-01.csv, with the
    columns x_min, y_min, width, height in pixels of the assembled detector, counted from 0. A table counts until the
    next one. Curated defects of the LSST stack (ccd0/20240301T000000.ecsv) are read as they are. Without FOLDER,
    curated/defects of the camera's package is taken.
    """


@calibs.command("list", cls=ManyWordsCommand, epilog=_LIST_EXAMPLE)
@click.argument("root", metavar="REPO", type=click.Path(path_type=Path))
@click.argument("dataset_type", metavar="[TYPE]", required=False)
@click.option(
    "--calib",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="Folder of the calibration frames, here or in the repository, if it is not CALIB of the repository.",
)
@click.option("--camera", metavar="NAME", help="Camera, if the repository does not record it; see obs cameras.")
@click.option("--doraise", is_flag=True, help="Show the traceback of an error.")
@calls("obs.cli.calibs:list_calibs")
def list_calibs() -> None:
    """List calibration frames and the days they are valid.

    It lists those of the repository REPO, of one TYPE or of all.
    """
