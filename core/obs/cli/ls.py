"""`obs ls`: what a repository holds."""

from pathlib import Path

import click

from obs.cli.table import format_table
from obs.instrument.discovery import load_instrument
from obs.policy.data_id import parse_ids
from obs.repo.butler import Butler
from obs.repo.find_datasets import find_datasets
from obs.runs.selection import check_filters

__all__ = ["list_datasets"]


def list_datasets(root: Path, dataset_type: str | None, camera: str | None, ids: list[list[str]]) -> int:
    """Do what the command says; see obs.cli.commands.ls."""
    butler = Butler(root, instrument=None if camera is None else load_instrument(camera))
    mapper = butler.mapper
    types = [mapper.dataset_type(dataset_type)] if dataset_type else list(mapper.policy.dataset_types.values())
    keys = mapper.key_types(dataset_type)
    wanted = [data_id for words in ids for data_id in parse_ids(words, keys)]
    for data_id in wanted:
        check_filters(butler.instrument, data_id)
    found = find_datasets([*butler.roots, butler.calib_root], types, wanted)
    if not found:
        click.echo(f"nothing found in {root}", err=True)
    elif dataset_type:
        datasets = next(iter(found.values()))
        rows = sorted((text, str(path)) for text, path in datasets.items())
        click.echo(format_table(("data ID", "file"), rows))
    else:
        rows = [(name, str(len(datasets))) for name, datasets in sorted(found.items())]
        click.echo(format_table(("dataset type", "number"), rows, right="lr"))
    return 1 if wanted and not found else 0
