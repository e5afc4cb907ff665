"""`obs simulate`: raw frames with known truth."""

from pathlib import Path

import click

from obs.cli.arguments import ManyWordsCommand
from obs.cli.commands.calls import calls
from obs.cli.commands.choices import FILE_FORMATS, IMAGE_TYPES
from obs.cli.commands.options import config_options, run_options, words_option

__all__ = ["simulate"]

_EXAMPLE = """\b
Examples:
  obs simulate necam --output raw --visits 5
  obs simulate hsc --output raw --type flat --filter HSC-R --detectors 40..59 --visits 5 -j 2
  obs simulate hsc --output raw --filter HSC-R --detectors 49,50 -c sky.level=2000 sources.density=4e5
"""

_DATE_FORMATS = ("%Y-%m-%d", "%Y-%m-%dT%H:%M:%S")


@click.command("simulate", cls=ManyWordsCommand, epilog=_EXAMPLE)
@click.argument("camera", metavar="CAMERA")
@click.option(
    "-o", "--output", metavar="DIR", required=True, type=click.Path(path_type=Path), help="Folder to write into."
)
@click.option(
    "--type",
    "image_type",
    type=click.Choice(IMAGE_TYPES),
    default="science",
    show_default=True,
    help="Type of the exposures.",
)
@click.option(
    "--visits", metavar="N", type=click.IntRange(min=1), default=1, show_default=True, help="Number of exposures."
)
@click.option(
    "--first-visit", type=click.IntRange(min=1), help="Number of the first exposure; by default the next in the folder."
)
@click.option(
    "--filter", "filters", metavar="NAME", multiple=True, help="Filter; by default the first of the camera. Repeatable."
)
@click.option(
    "--detectors", metavar="LIST", help="Numbers or names of detectors, such as 0..3,49; by default all for science."
)
@click.option(
    "--exposure-time",
    metavar="S",
    type=click.FloatRange(min=0),
    default=30.0,
    show_default=True,
    help="Exposure time, seconds.",
)
@click.option("--ra", type=float, default=150.0, show_default=True, help="Center of the field, degrees.")
@click.option("--dec", type=float, default=2.0, show_default=True, help="Center of the field, degrees.")
@click.option("--rotation", type=float, default=0.0, show_default=True, help="Angle of the rotator, degrees.")
@click.option("--dither", type=float, default=60.0, show_default=True, help="Radius of the dither pattern, arcsec.")
@click.option("--airmass", type=float, default=1.2, show_default=True, help="Airmass of the first science frame.")
@click.option(
    "--date",
    type=click.DateTime(_DATE_FORMATS),
    help="Date and time (UTC) of the exposure --first-visit, or of the first in the folder, by default 2020-09-04.",
)
@click.option(
    "--seed",
    type=click.IntRange(min=0),
    default=1,
    show_default=True,
    help="Random seed; the same seed gives the same files.",
)
@click.option(
    "--format",
    "file_format",
    type=click.Choice(FILE_FORMATS),
    default="fits.fz",
    show_default=True,
    help="Ending of the files: plain, gzip, or Rice compression.",
)
@click.option(
    "--multi-extension", is_flag=True, help="Write one file for each exposure, with an extension for each detector."
)
@click.option(
    "--truth",
    type=click.Choice(["none", "catalog", "images"]),
    default="catalog",
    show_default=True,
    help="Part of the truth that is written beside the files.",
)
@config_options
@words_option("--show", metavar="WHAT...", text="Show config[=PATTERN] or history=PATTERN.")
@run_options
@calls("obs.cli.simulate:simulate")
def simulate() -> None:
    """Simulate raw files of a camera, with known truth.

    The files are those of the camera CAMERA, as obs ingest takes them.

    What they are made from is written beside them, in truth; science frames also come with reference.fits, a catalog
    of the stars in them for obs ingest-refcat. The same seed gives the same stars, detectors and noise.
    """
