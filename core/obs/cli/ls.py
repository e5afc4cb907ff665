"""`obs ls`: what a repository holds."""

import logging
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import click

from obs.cli.table import format_table
from obs.gen3_repository.library import import_butler
from obs.instrument.discovery import load_instrument
from obs.policy.data_id import format_data_id
from obs.repo.butler import Butler
from obs.repo.layout import is_repository, is_third_generation
from obs.repo.origins import Origin, find_origins
from obs.runs.results import Result, count_results, find_results, warn_of_unmatched
from obs.unmatched import note_unmatched

__all__ = ["list_datasets"]

_LOG = logging.getLogger(__name__)


def list_datasets(root: Path, dataset_type: str | None, camera: str | None, ids: list[list[str]]) -> int:
    """Do what the command says; see obs.cli.commands.ls."""
    if is_third_generation(root) and not is_repository(root):
        return _list_third_generation(root)
    butler = Butler(root, instrument=None if camera is None else load_instrument(camera))
    if dataset_type is None:
        counts = count_results(butler, ids)
        if counts:
            rows = [(name, str(number)) for name, number in counts.items()]
            click.echo(format_table(("dataset type", "number"), rows, right="lr"))
        is_empty = not counts
        for words in ids if counts and len(ids) > 1 else ():
            if not count_results(butler, [words]):
                _LOG.warning("Nothing found for %s", " ".join(words))
                note_unmatched([words])
        butler.mapper.id_keys(butler.instrument.raw_dataset_type)  # files are found even if the registry cannot be read
    else:
        found = find_results(butler, dataset_type, ids)
        warn_of_unmatched(butler, [dataset_type], ids, [result.data_id for result in found])
        is_raw = dataset_type == butler.instrument.raw_dataset_type
        if found:
            _print_files(found, find_origins(butler.roots, butler.policy) if is_raw else {})
        is_empty = not found
    if is_empty:
        click.echo(f"nothing found in {root}", err=True)
    return 1 if ids and is_empty else 0


def _list_third_generation(root: Path) -> int:
    """List what a repository of the third-generation stack holds."""
    import_butler()
    from obs.gen3_repository.read import count_datasets  # noqa: PLC0415 - needs a library that is an extra

    cameras, counts = count_datasets(root)
    click.echo(f"{root} is a repository of the third-generation LSST stack; cameras: {', '.join(cameras) or 'none'}")
    click.echo(format_table(("dataset type", "number"), [(name, str(n)) for name, n in counts.items()], right="lr"))
    return 0


def _print_files(datasets: Sequence[Result], origins: Mapping[Path, Origin]) -> None:
    """Print data IDs with their files; beside a file that was ingested, where it came from and how."""
    rows = sorted(
        (format_data_id(found.data_id), str(found.path), *_origin(found.path, origins.get(found.path)))
        for found in datasets
    )
    columns = 2 + any(row[2] for row in rows) + any(row[3] not in ("", "link") for row in rows)
    names = ("data ID", "file", "ingested from", "by")
    click.echo(format_table(names[:columns], [row[:columns] for row in rows]))


def _origin(path: Path, known: Origin | None) -> tuple[str, str]:
    """Return where a file came from and how; a link says it itself."""
    if path.is_symlink():
        return os.path.realpath(path), "link"
    return ("", "") if known is None or known.mode == "skip" else (known.source, known.mode)
