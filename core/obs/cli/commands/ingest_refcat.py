"""`obs ingest-refcat`: published catalogs as a reference catalog."""

from pathlib import Path

import click

from obs.cli.arguments import ManyWordsCommand
from obs.cli.commands.calls import calls
from obs.cli.commands.options import config_options

__all__ = ["ingest_refcat"]

_EXAMPLE = """\b
Examples:
  obs ingest-refcat DATA ps1 ps1_*.csv -c ra_name=raMean dec_name=decMean mag_columns.g=gMeanPSFMag
  obs ingest-refcat DATA gaia gaia.parquet -c mag_columns.G=phot_g_mean_mag
"""


@click.command("ingest-refcat", cls=ManyWordsCommand, epilog=_EXAMPLE)
@click.argument("root", metavar="REPO", type=click.Path(path_type=Path))
@click.argument("name", metavar="NAME")
@click.argument("files", metavar="FILES...", nargs=-1, required=True)
@config_options
@click.option("--show-config", is_flag=True, help="Show the settings and stop.")
@click.option("--clobber", is_flag=True, help="Replace a catalog of that name.")
@click.option("--doraise", is_flag=True, help="Show the traceback of an error.")
@calls("obs.cli.ingest_refcat:ingest_refcat")
def ingest_refcat() -> None:
    """Add a reference catalog to a repository, from tables.

    The tables FILES in FITS, CSV, Parquet, ECSV or VOTable become the reference catalog NAME of the repository REPO.

    Columns are found by their usual names, or named with -c; --show-config lists all settings. Magnitudes are taken as
    they are: from a catalog in Vega magnitudes, such as Johnson V, zero points come out in Vega magnitudes too.
    """
