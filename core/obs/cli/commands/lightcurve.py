"""`obs lightcurve`: the light curve of one object."""

from pathlib import Path

import click

from obs.cli.arguments import ManyWordsCommand
from obs.cli.commands.calls import calls
from obs.cli.commands.options import config_options, id_option, words_option

__all__ = ["lightcurve"]

_EXAMPLE = """\b
Examples:
  obs lightcurve DATA/rerun/first --object 150.123,2.205 --plot curve.png
  obs lightcurve DATA/rerun/first --object "RR Lyr" --table stars.csv --output rrlyr.txt --format aavso --observer ABC
  obs lightcurve DATA/rerun/first --object 10:00:29.5,+02:12:18 --id filter=g --output curve.ecsv --format ecsv
"""


@click.command("lightcurve", cls=ManyWordsCommand, epilog=_EXAMPLE)
@click.argument("root", metavar="REPO", type=click.Path(path_type=Path))
@click.option(
    "--object",
    "target",
    metavar="RA,DEC|ID|NAME",
    required=True,
    help="Position in degrees, or id or name of the object in the table.",
)
@click.option(
    "--table", metavar="FILE", type=click.Path(path_type=Path), help="Table with the id or name of the object."
)
@id_option
@click.option("--tract", type=click.IntRange(min=0), help="Tract of the coadd catalog and of the calibration.")
@click.option(
    "--flux",
    metavar="NAME",
    help="Flux to use, such as base_PsfFlux; without it the one with which comparison stars repeat best.",
)
@click.option(
    "--check",
    metavar="RA,DEC|ID|NAME",
    help="Check star; without it a constant star as bright as the object, which is then not a comparison star.",
)
@click.option(
    "-o",
    "--output",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="File to write; without it the light curve is printed.",
)
@click.option(
    "--format",
    "kind",
    type=click.Choice(["ecsv", "csv", "fits", "parquet", "votable", "aavso", "etd"]),
    help="Format of the file. By default that of its ending, else ECSV.",
)
@click.option("--observer", metavar="CODE", default="", help="Code of the observer at the AAVSO, for --format aavso.")
@click.option(
    "--star",
    metavar="NAME",
    default="",
    help="Name of the star at the AAVSO, for --format aavso; without it that in the table.",
)
@click.option(
    "--chart",
    metavar="ID",
    default="",
    help="Chart or sequence of the comparison stars, for --format aavso; without it the name of the reference catalog.",
)
@click.option(
    "--obstype",
    "observation_type",
    type=click.Choice(["", "CCD", "DSLR", "PEP"]),
    default="",
    metavar="[CCD|DSLR|PEP]",
    help="Kind of the camera, for --format aavso; without it CCD.",
)
@click.option("--plot", metavar="FILE", type=click.Path(path_type=Path), help="Plot to write: PNG, PDF or SVG.")
@click.option("--clobber", is_flag=True, help="Replace files that exist already.")
@config_options
@words_option(
    "-L",
    "--log-level",
    "--loglevel",
    metavar="[COMPONENT=]LEVEL...",
    text="Lowest level of messages: debug, info, warning or error.",
)
@click.option("--doraise", is_flag=True, help="Show the traceback of an error.")
@calls("obs.cli.lightcurve:lightcurve")
def lightcurve() -> None:
    """Measure the light curve of one object.

    It is measured on all calibrated images of the repository REPO.

    Fluxes are measured at the object's position on every image, with the calibration of obs calibrate-visits where
    there is one. The zero point of each image is corrected so that an ensemble of stars that do not vary is constant.
    Times are the middle of the exposures, as BJD in TDB and as MJD in UTC.
    """
