"""`obs ls`: what a repository holds."""

import os
from collections.abc import Mapping
from pathlib import Path

import click

from obs.cli.table import format_table
from obs.gen3_repository.library import import_butler
from obs.instrument.discovery import load_instrument
from obs.policy.data_id import parse_ids
from obs.repo.butler import Butler
from obs.repo.find_datasets import find_datasets
from obs.repo.layout import is_repository, is_third_generation
from obs.runs.selection import check_filters

__all__ = ["list_datasets"]


def list_datasets(root: Path, dataset_type: str | None, camera: str | None, ids: list[list[str]]) -> int:
    """Do what the command says; see obs.cli.commands.ls."""
    if is_third_generation(root) and not is_repository(root):
        return _list_third_generation(root)
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
        _print_files(next(iter(found.values())))
    else:
        rows = [(name, str(len(datasets))) for name, datasets in sorted(found.items())]
        click.echo(format_table(("dataset type", "number"), rows, right="lr"))
    return 1 if wanted and not found else 0


def _list_third_generation(root: Path) -> int:
    """List what a repository of the third-generation stack holds."""
    import_butler()
    from obs.gen3_repository.read import count_datasets  # noqa: PLC0415 - needs a library that is an extra

    cameras, counts = count_datasets(root)
    click.echo(f"{root} is a repository of the third-generation LSST stack; cameras: {', '.join(cameras) or 'none'}")
    click.echo(format_table(("dataset type", "number"), [(name, str(n)) for name, n in counts.items()], right="lr"))
    return 0


def _print_files(datasets: Mapping[str, Path]) -> None:
    """Print data IDs with their files; beside a link, the file that was ingested."""
    rows = sorted(
        (text, str(path), os.path.realpath(path) if path.is_symlink() else "") for text, path in datasets.items()
    )
    if any(source for _, _, source in rows):
        click.echo(format_table(("data ID", "file", "ingested from"), rows))
    else:
        click.echo(format_table(("data ID", "file"), [row[:2] for row in rows]))
