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
from obs.repo.find_datasets import find_datasets, with_place
from obs.repo.layout import is_repository, is_third_generation
from obs.repo.origins import Origin, find_origins
from obs.runs.selection import check_filters

__all__ = ["list_datasets"]


def list_datasets(root: Path, dataset_type: str | None, camera: str | None, ids: list[list[str]]) -> int:
    """Do what the command says; see obs.cli.commands.ls."""
    if is_third_generation(root) and not is_repository(root):
        return _list_third_generation(root)
    butler = Butler(root, instrument=None if camera is None else load_instrument(camera))
    mapper = butler.mapper
    known = mapper.policy.dataset_types
    chosen = [mapper.dataset_type(dataset_type)] if dataset_type else list(known.values())
    types = [with_place(kind, known) for kind in chosen]
    keys = mapper.key_types(dataset_type)
    wanted = [data_id for words in ids for data_id in parse_ids(words, keys)]
    for data_id in wanted:
        check_filters(butler.instrument, data_id)
    found = find_datasets([*butler.roots, butler.calib_root], types, wanted)
    if not found:
        click.echo(f"nothing found in {root}", err=True)
    elif dataset_type:
        is_raw = dataset_type == butler.instrument.raw_dataset_type
        _print_files(next(iter(found.values())), find_origins(butler.roots, butler.policy) if is_raw else {})
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


def _print_files(datasets: Mapping[str, Path], origins: Mapping[Path, Origin]) -> None:
    """Print data IDs with their files; beside a file that was ingested, where it came from and how."""
    rows = sorted((text, str(path), *_origin(path, origins.get(path))) for text, path in datasets.items())
    columns = 2 + any(row[2] for row in rows) + any(row[3] not in ("", "link") for row in rows)
    names = ("data ID", "file", "ingested from", "by")
    click.echo(format_table(names[:columns], [row[:columns] for row in rows]))


def _origin(path: Path, known: Origin | None) -> tuple[str, str]:
    """Return where a file came from and how; a link says it itself."""
    if path.is_symlink():
        return os.path.realpath(path), "link"
    return ("", "") if known is None or known.mode == "skip" else (known.source, known.mode)
