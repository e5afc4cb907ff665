"""`obs watch`: process a night while it is observed."""

from pathlib import Path

import click

from obs.cli.arguments import ManyWordsCommand
from obs.cli.commands.calls import calls
from obs.cli.commands.options import config_options, id_option, words_option

__all__ = ["watch"]

_EXAMPLE = """\b
Examples:
  obs watch DATA /mnt/tonight --rerun tonight
  obs watch DATA /mnt/tonight --rerun tonight --idle 3600 -j 2
"""


@click.command("watch", cls=ManyWordsCommand, epilog=_EXAMPLE)
@click.argument("root", metavar="REPO", type=click.Path(path_type=Path))
@click.argument("folder", metavar="FOLDER", type=click.Path(path_type=Path))
@click.option("--rerun", metavar="NAME", default="live", show_default=True, help="Name of the rerun to write into.")
@click.option("--camera", metavar="NAME", help="Camera, if the repository does not record it; see obs cameras.")
@id_option
@config_options
@click.option(
    "--settle",
    type=click.FloatRange(min=0),
    default=2.0,
    show_default=True,
    help="Take a file when it has not changed for so many seconds.",
)
@click.option(
    "--idle", type=click.FloatRange(min=0), help="End when no file has arrived for so many seconds; else never."
)
@click.option(
    "--gates",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="YAML file with limits of the metrics.",
)
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
@calls("obs.cli.watch:watch")
def watch() -> None:
    """Process a night while it is observed.

    Raw files are registered in the repository REPO as they arrive in FOLDER, and processed. Then the report is
    renewed.

    A file is taken when it is whole: its size and time have not changed, and it has all bytes that its headers promise.
    It is processed with the calibration frames that there are. After each frame the page REPO/rerun/NAME/report.html is
    renewed, and a line says which metrics have left their gates. End with Ctrl-C. The same command continues later.
    """
