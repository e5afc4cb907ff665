"""`obs ingest`: raw frames into a repository."""

from pathlib import Path

import click

from obs.cli.arguments import ManyWordsCommand
from obs.cli.commands.calls import calls
from obs.cli.commands.choices import MODES
from obs.cli.commands.options import words_option

__all__ = ["ingest"]

_EXAMPLE = """\b
Examples:
  obs ingest DATA raw/*.fits
  obs ingest DATA nights/
  obs ingest DATA 'night1/*.fits.fz' --mode copy -j 2 --bad-file '*focus*' --bad-id ccd=9
"""


@click.command("ingest", cls=ManyWordsCommand, epilog=_EXAMPLE)
@click.argument("root", metavar="REPO", type=click.Path(path_type=Path))
@click.argument("files", metavar="FILES...", nargs=-1)
@click.option(
    "--from-butler",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="Take raw frames, calibrations and results of a third-generation LSST repository, instead of FILES.",
)
@click.option("--collections", metavar="PATTERN", default="*", help="Collections of that repository to take from.")
@click.option(
    "--mode",
    type=click.Choice(MODES),
    default="link",
    show_default=True,
    help="Placement of the files: links, copies, moved, or left where they are.",
)
@click.option("-n", "--dry-run", is_flag=True, help="Print what would be done, and do nothing.")
@click.option("--ignore-ingested", is_flag=True, help="Skip data IDs that are ingested already.")
@words_option("--bad-file", "--badFile", metavar="PATTERN...", text="Names or patterns of files to leave out.")
@words_option("--bad-id", "--badId", metavar="KEY=VALUE...", text="Data IDs to leave out. Repeatable.")
@words_option(
    "--set", metavar="KEY=VALUE...", text="Values of keys that neither header nor path contains, such as rerun=40."
)
@click.option("--clobber", is_flag=True, help="Replace files of the same name that exist already.")
@click.option("--create", is_flag=True, help="Empty the registry first, and start anew.")
@click.option(
    "-j", "--processes", type=click.IntRange(min=1), default=1, help="Number of processes; each uses one core."
)
@words_option(
    "-L",
    "--log-level",
    "--loglevel",
    metavar="[COMPONENT=]LEVEL...",
    text="Lowest level of messages: debug, info, warning or error.",
)
@click.option("--doraise", is_flag=True, help="Show the traceback of an error.")
@click.option("--camera", metavar="NAME", help="Camera, if the repository does not record it; see obs cameras.")
@calls("obs.cli.ingest:ingest")
def ingest() -> None:
    """Register raw files in a repository.

    FILES are raw files, or folders of them, and REPO is a repository that obs init has made.

    Only headers are read. FILES may be patterns, in quotes. A folder stands for all FITS files in it and in the folders
    below, whatever their names end with. Files of other cameras are left out, in one line. A file that cannot be taken
    is reported at the end, and stops nothing.
    """
