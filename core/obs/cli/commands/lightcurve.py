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
@click.option("--object", "target", metavar="RA,DEC|ID|NAME", required=True, help="Position, or id or name of it.")
@click.option("--table", metavar="FILE", type=click.Path(path_type=Path), help="Table that has the id or name.")
@id_option
@click.option("--tract", type=click.IntRange(min=0), help="Tract of the coadd catalog and of the calibration.")
@click.option("--flux", metavar="NAME", default="base_PsfFlux", show_default=True, help="Flux that is taken.")
@click.option("--output", metavar="FILE", type=click.Path(path_type=Path), help="File; else a table on the terminal.")
@click.option(
    "--format",
    "kind",
    type=click.Choice(["ecsv", "fits", "parquet", "votable", "aavso", "etd"]),
    default="ecsv",
    show_default=True,
    help="Format of the file.",
)
@click.option("--observer", metavar="CODE", default="", help="Observer's code of the AAVSO.")
@click.option("--plot", metavar="FILE", type=click.Path(path_type=Path), help="Plot: PNG, PDF or SVG.")
@click.option("--clobber", is_flag=True, help="Replace files that exist already.")
@config_options
@words_option("-L", "--log-level", "--loglevel", metavar="[COMPONENT=]LEVEL...", text="debug, info, warning, error.")
@click.option("--doraise", is_flag=True, help="Show the traceback of an error.")
@calls("obs.cli.lightcurve:lightcurve")
def lightcurve() -> None:
    """Measure the light curve of one object on all images of the repository REPO.

    Fluxes are measured at the object's position on every image, with the calibration of obs calibrate-visits where
    there is one. The zero point of each image is corrected so that an ensemble of stars that do not vary is constant.
    Times are the middle of the exposures, as BJD in TDB and as MJD in UTC.
    """
