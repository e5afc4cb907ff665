"""`obs demo`: from nothing to measured stars, with the commands that anybody could type."""

from pathlib import Path

import click

from obs.cli.arguments import ManyWordsCommand
from obs.cli.commands.calls import calls

__all__ = ["demo"]

_EXAMPLE = """\b
Examples:
  obs demo
  obs demo hsc --output night --detectors 49,50 --visits 2
  obs demo --coadd --output deep
"""


@click.command("demo", cls=ManyWordsCommand, epilog=_EXAMPLE)
@click.argument("camera", metavar="[CAMERA]", default="necam")
@click.option(
    "-o",
    "--output",
    metavar="DIR",
    type=click.Path(path_type=Path),
    default=Path("obs-demo"),
    show_default=True,
    help="Folder to make for the night and its results.",
)
@click.option(
    "--visits",
    metavar="N",
    type=click.IntRange(min=1),
    help="Number of science exposures; by default 2, with --coadd 4.",
)
@click.option(
    "--detectors",
    metavar="LIST",
    help="Numbers or names of detectors, such as 0..3,49; by default up to two in the middle.",
)
@click.option("--filter", "filter_name", metavar="NAME", help="Filter; by default the first of the camera.")
@click.option(
    "--seed",
    type=click.IntRange(min=0),
    default=1,
    show_default=True,
    help="Random seed; the same seed gives the same night.",
)
@click.option(
    "-j", "--processes", type=click.IntRange(min=1), help="Number of processes; by default one for each core."
)
@click.option("--coadd", is_flag=True, help="Also calibrate exposures together, combine them, make a light curve.")
@click.option("--doraise", is_flag=True, help="Stop at the first failure, with its traceback.")
@calls("obs.cli.demo:demo")
def demo() -> None:
    """Simulate a night, process it, compare with the truth.

    The night is one of the camera CAMERA, or of the teaching camera necam.

    The commands that do it are printed as they are run. In the end there are a table and a picture.

    With --coadd, seeing and transparency change from exposure to exposure, stars vary and a satellite passes. The
    exposures become a coadd and its catalog, and a variable star gets its light curve, all beside the truth.
    """
