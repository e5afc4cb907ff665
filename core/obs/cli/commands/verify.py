"""`obs verify`: whether the files of a repository are there."""

from pathlib import Path

import click

from obs.cli.arguments import ManyWordsCommand
from obs.cli.commands.calls import calls

__all__ = ["verify"]

_EXAMPLE = """\b
Examples:
  obs verify DATA
  obs verify DATA --relink /disk2/night1
  obs verify DATA --fix
"""


@click.command("verify", cls=ManyWordsCommand, epilog=_EXAMPLE)
@click.argument("root", metavar="REPO", type=click.Path(path_type=Path))
@click.option(
    "--relink", "folder", metavar="DIR", type=click.Path(path_type=Path), help="Folder that the raw files are in now."
)
@click.option("--remove-leftovers", is_flag=True, help="Remove temporary files that killed runs left behind.")
@click.option("--fix", "--mend", is_flag=True, help="Fix what can be fixed, and print each thing that is done.")
@click.option("--yes", is_flag=True, help="With --fix: forget rows and remove damaged results without being asked.")
@click.option(
    "--validity",
    type=click.IntRange(min=0),
    metavar="DAYS",
    help="With --fix: days before and after its date for which an orphaned calibration is valid.",
)
@click.option("--camera", metavar="NAME", help="Camera, if the repository does not record it; see obs cameras.")
@click.option("--doraise", is_flag=True, help="Show the traceback of an error.")
@calls("obs.cli.verify:verify")
def verify() -> None:
    """Check the files of a repository.

    Files of the repository REPO that are missing, damaged or not registered are listed, and those that killed runs
    left.

    A registered raw file or calibration without a file is MISSING, a file in such a place that is not registered is
    ORPHANED, a FITS file that ends too early is TRUNCATED, one whose data do not fit its DATASUM has CHANGED. If REPO
    is an output of obs process, each file that its results were made from is compared with what it was, too. The exit
    status is 1 if anything is wrong.

    Raw files that were ingested by link and then moved are found again with --relink: a file of the same name below DIR
    is linked if its header has the registered data ID.

    --fix removes what killed runs left behind, and registers orphaned files whose headers agree with their places.
    After a question, it forgets registered files that are gone, and removes damaged results of an output, so that
    obs process --skip-existing makes them again. Raw files and calibrations are never removed.
    """
