"""`obs ingest-refcat`: published catalogs as a reference catalog."""

from pathlib import Path

import click

from obs.cli.files import find_files
from obs.cli.options import add_overrides
from obs.config.layers import ConfigLayers
from obs.ingest.reference_catalogs import IngestedCatalog, ingest_reference_catalog
from obs.ingest.reference_columns import ReferenceColumnsConfig
from obs.plural import count_of
from obs.repo.layout import open_repository

__all__ = ["ingest_refcat", "report_ingested"]

#: LSST's names of settings that are called otherwise here.
_LSST_NAMES = {
    "mag_err_column_map": "mag_err_columns",
    "extra_col_names": "extra_columns",
}


def ingest_refcat(
    root: Path,
    name: str,
    files: tuple[str, ...],
    show_config: bool,
    clobber: bool,
    doraise: bool,
    overrides: list[tuple[str, str]],
) -> int:
    """Do what the command says; see obs.cli.commands.ingest_refcat."""
    layers = ConfigLayers(ReferenceColumnsConfig, _LSST_NAMES)
    add_overrides(layers, overrides)
    if show_config:
        click.echo(layers.show(), nl=False)
        return 0
    folder = open_repository(root).root
    done = ingest_reference_catalog(folder, name, find_files(files), layers.build(), clobber=clobber)
    report_ingested(done)
    return 0


def report_ingested(done: IngestedCatalog) -> None:
    """Print what a reference catalog has, and what it lacks."""
    if done.n_dropped:
        click.echo(f"WARNING {done.n_dropped} rows have no position and are left out", err=True)
    if "pm_ra" in done.columns and "epoch" not in done.columns:
        click.echo(
            "WARNING proper motions are not used, because the epoch of the positions is not known; for Gaia DR3, add "
            "-c epoch=2016.0 --clobber",
            err=True,
        )
    click.echo("bands: " + ", ".join(f"{band} from {column}" for band, column in done.bands.items()))
    if done.estimated:
        click.echo(f"estimated from G, BP and RP, to 0.03 to 0.07 mag: {', '.join(done.estimated)}")
    size = f"{count_of(done.n_row, 'object')} in {count_of(done.n_shard, 'file')}"
    click.echo(f"{done.folder}: {size}, with {', '.join(done.columns)}")
