"""`obs forced`: fluxes at given positions on every image."""

from pathlib import Path

import click

from obs.cli.arguments import ManyWordsCommand
from obs.cli.commands.calls import calls
from obs.cli.commands.options import config_options, id_option, run_options, words_option

__all__ = ["forced"]

_EXAMPLE = """\b
Examples:
  obs forced DATA --rerun first --table positions.csv
  obs forced DATA/rerun/first --table variables.fits --name "RR Lyr" --name "SS Cyg" --id filter=g
  obs forced DATA/rerun/first --tract 0
"""


@click.command("forced", cls=ManyWordsCommand, epilog=_EXAMPLE)
@click.argument("root", metavar="REPO", type=click.Path(path_type=Path))
@id_option
@click.option(
    "-o", "--output", metavar="DIR", type=click.Path(path_type=Path), help="Repository that obs process wrote."
)
@click.option("--rerun", metavar="[IN:]OUT", help="Rerun of REPO that obs process wrote; results go there, too.")
@click.option(
    "--table",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Table with positions: FITS, CSV, ECSV, VOTable or Parquet; else the coadd catalog.",
)
@click.option("--name", "names", metavar="NAME", multiple=True, help="Name of an object of the table. Repeatable.")
@click.option("--tract", type=click.IntRange(min=0), help="Tract of the coadd catalog and of the calibration.")
@click.option("--dry-run", is_flag=True, help="Print the images that would be measured, and stop.")
@config_options
@words_option("--show", metavar="WHAT...", text="Show config[=PATTERN] or history=PATTERN, and stop.")
@run_options
@calls("obs.cli.forced:forced")
def forced() -> None:
    """Measure fluxes at given positions on every image.

    A flux is measured whether or not anything was detected at the position.

    PSF and aperture fluxes, magnitudes and upper limits are written as forced_src, one table an image. Positions come
    from a table, or from the coadd catalog, and follow proper motions where they are known. Detected neighbors are
    subtracted. Images have the common calibration of obs calibrate-visits where there is one.
    """
