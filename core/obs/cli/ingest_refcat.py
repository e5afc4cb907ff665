"""`obs ingest-refcat`: published catalogs as a reference catalog."""

from pathlib import Path

import click

from obs.cli.files import find_files
from obs.cli.options import add_overrides
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
    if done.n_dropped:
        click.echo(f"WARNING {done.n_dropped} rows have no position and are left out", err=True)
    click.echo("bands: " + ", ".join(f"{band} from {column}" for band, column in done.bands.items()))
    click.echo(f"{done.folder}: {done.n_row} objects in {done.n_shard} files, with {', '.join(done.columns)}")
    return 0
