"""`obs calibs build`: calibration frames from raw frames."""

from pathlib import Path

import click

from obs.cli.arguments import ManyWordsCommand
from obs.cli.commands.calls import calls
from obs.cli.commands.choices import CALIBRATION_TYPES
from obs.cli.commands.options import config_options, id_option, run_options, words_option

__all__ = ["build"]

_EXAMPLE = """\b
Examples:
  obs calibs build bias DATA --id dataType=BIAS
  obs calibs build flat DATA --id dataType=DOMEFLAT filter=HSC-R --validity 90 -j 2
  obs calibs build dark DATA --calib-id calibDate=2020-09-04 -c combine.clip=4
"""


@click.command("build", cls=ManyWordsCommand, epilog=_EXAMPLE)
@click.argument("name", metavar="TYPE", type=click.Choice(CALIBRATION_TYPES))
@click.argument("root", metavar="REPO", type=click.Path(path_type=Path))
@id_option
@words_option(
    "--calib-id", "--calibId", metavar="KEY=VALUE...", text="Set keys of the result, such as calibDate=2020-09-04."
)
@click.option(
    "--validity",
    type=click.IntRange(min=0),
    default=30,
    show_default=True,
    metavar="DAYS",
    help="Valid so long before and after.",
)
@click.option("--no-ingest", is_flag=True, help="Write the frames, and do not register them.")
@click.option("--clobber", is_flag=True, help="Replace calibrations that are there.")
@click.option("--calib", metavar="DIR", type=click.Path(path_type=Path), help="Where the calibration frames are.")
@click.option("--camera", metavar="NAME", help="The camera, where the repository does not say; see obs cameras.")
@click.option("--allow-missing", is_flag=True, help="Go on without a calibration that is missing, and say so.")
@config_options
@words_option("--show", metavar="WHAT...", text="Show data, config[=PATTERN] or history=PATTERN and stop.")
@run_options
@calls("obs.cli.calibs_build:build")
def build() -> None:
    """Combine raw frames of the repository REPO to calibration frames of a TYPE, and register them there.

    TYPE is bias, dark, flat, fringe, sky or defects. Without --id, frames are taken that the registry calls by the
    name of the type; defects are found in darks and flats. One frame is made for each detector (and filter), dated at
    the mean of its inputs. A bias is needed for darks, both for flats, and so on.
    """
