"""`obs calibrate-visits`: positions and magnitudes of all visits of a field together."""

from pathlib import Path

import click

from obs.cli.arguments import ManyWordsCommand
from obs.cli.commands.calls import calls
from obs.cli.commands.options import config_options, id_option, words_option

__all__ = ["calibrate_visits"]

_EXAMPLE = """\b
Examples:
  obs calibrate-visits DATA --rerun first --id field=M67 filter=g^r
  obs calibrate-visits DATA/rerun/first -c photometry.flat_order=2
"""


@click.command("calibrate-visits", cls=ManyWordsCommand, epilog=_EXAMPLE)
@click.argument("root", metavar="REPO", type=click.Path(path_type=Path))
@id_option
@click.option(
    "-o", "--output", metavar="DIR", type=click.Path(path_type=Path), help="Repository that obs process wrote."
)
@click.option("--rerun", metavar="[IN:]OUT", help="Rerun of REPO that obs process wrote; results go there, too.")
@click.option("--tract", type=click.IntRange(min=0), help="Number of the tract; 0 if not given.")
@click.option("--dry-run", is_flag=True, help="Print the images that would be calibrated, and stop.")
@config_options
@words_option("--show", metavar="WHAT...", text="Show config[=PATTERN] or history=PATTERN, and stop.")
@words_option(
    "-L",
    "--log-level",
    "--loglevel",
    metavar="[COMPONENT=]LEVEL...",
    text="Lowest level of messages: debug, info, warning or error.",
)
@click.option("--doraise", is_flag=True, help="Show the traceback of an error.")
@calls("obs.cli.calibrate_visits:calibrate_visits")
def calibrate_visits() -> None:
    """Calibrate all visits of a field together.

    Positions and magnitudes of all visits are fitted at once, so that they agree with each other.

    One least-squares fit over the stars of all catalogs src finds the map of each visit, displacements of detectors,
    zero points, and a smooth flat-field correction that the visits share. Stars that vary and positions that do not
    repeat are left out. Each image gets jointcal_wcs and jointcal_photoCalib, and the same as wcs and fcr. Commands
    that follow use them. Without --id, all processed images are calibrated, each filter by itself.
    """
