"""`obs ingest-refcat`: published catalogs as a reference catalog."""

from pathlib import Path

import click

from obs.cli.arguments import ManyWordsCommand
from obs.cli.ingest import find_files
from obs.cli.options import add_overrides, config_options
from obs.config.layers import ConfigLayers
from obs.ingest.reference_catalogs import ingest_reference_catalog
from obs.ingest.reference_columns import ReferenceColumnsConfig
from obs.repo.layout import open_repository

__all__ = ["ingest_refcat"]

#: LSST's names of settings that are called otherwise here.
_LSST_NAMES = {
    "mag_err_column_map": "mag_err_columns",
    "extra_col_names": "extra_columns",
}

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
def ingest_refcat(
    root: Path,
    name: str,
    files: tuple[str, ...],
    show_config: bool,
    clobber: bool,
    doraise: bool,
    overrides: list[tuple[str, str]],
) -> int:
    """Make the reference catalog NAME in the repository REPO from tables FILES in FITS, CSV or Parquet.

    Columns are found by their usual names, or named with -c; --show-config lists all settings. Magnitudes are taken as
    they are: from a catalog in Vega magnitudes, such as Johnson V, zero points come out in Vega magnitudes too.
    """
    layers = ConfigLayers(ReferenceColumnsConfig, _LSST_NAMES)
    add_overrides(layers, overrides)
    if show_config:
        click.echo(layers.show(), nl=False)
        return 0
    folder = open_repository(root).root
    done = ingest_reference_catalog(folder, name, find_files(files), layers.build(), clobber=clobber)
    if done.n_dropped:
        click.echo(f"WARNING {done.n_dropped} rows have no position and are left out", err=True)
    click.echo("bands: " + ", ".join(f"{band} from {column}" for band, column in done.bands.items()))
    click.echo(f"{done.folder}: {done.n_row} objects in {done.n_shard} files, with {', '.join(done.columns)}")
    return 0
