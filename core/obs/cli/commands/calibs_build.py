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
    "--calib-id", "--calibId", metavar="KEY=VALUE...", text="Keys of the result, such as calibDate=2020-09-04."
)
@click.option(
    "--validity",
    type=click.IntRange(min=0),
    default=30,
    show_default=True,
    metavar="DAYS",
    help="Days before and after its date for which a frame is valid.",
)
@click.option("--no-ingest", is_flag=True, help="Write the frames, and do not register them.")
@click.option("--clobber", is_flag=True, help="Replace calibrations that exist already.")
@click.option(
    "--calib",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="Folder of the calibration frames, here or in the repository, if it is not CALIB of the repository.",
)
@click.option("--camera", metavar="NAME", help="Camera, if the repository does not record it; see obs cameras.")
@click.option("--allow-missing", is_flag=True, help="Continue without a calibration that is missing, with a warning.")
@config_options
@words_option("--show", metavar="WHAT...", text="Show data, config[=PATTERN] or history=PATTERN and stop.")
@run_options
@calls("obs.cli.calibs_build:build")
def build() -> None:
    """Combine raw files to calibration frames of one type.

    Raw files of the repository REPO are combined to frames of the TYPE, which are registered there.

    TYPE is bias, dark, flat, fringe, sky or defects. Without --id, frames are taken that the registry calls by the name
    of the type; defects are found in darks and flats. Of those that --id selects, frames of other types are left out,
    unless it names their type, or there are no others. One frame is made for each detector (and filter), dated at the
    mean of its inputs. A bias is needed for darks, both for flats, and so on.
    """
