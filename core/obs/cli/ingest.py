"""`obs ingest`: raw frames into a repository."""

from collections.abc import Iterator, Sequence
from glob import glob, has_magic
from pathlib import Path
from typing import cast

import click

from obs.cli.ingest_gen3 import ingest_from_butler
from obs.cli.ingest_report import print_report
from obs.cli.logs import configure_logging
from obs.cli.progress import show_count
from obs.errors import RepositoryError
from obs.ingest.raws import ALREADY, IngestOptions, ingest_raws
from obs.ingest.transfer import Mode
from obs.ingest.translation import load_translator, registry_columns
from obs.instrument.discovery import load_instrument
from obs.policy.data_id import parse_ids
from obs.repo.butler import Butler

__all__ = ["find_files", "ingest"]


def ingest(
    root: Path,
    files: tuple[str, ...],
    from_butler: Path | None,
    collections: str,
    mode: str,
    dry_run: bool,
    ignore_ingested: bool,
    clobber: bool,
    create: bool,
    processes: int,
    doraise: bool,
    camera: str | None,
    bad_files: list[str],
    bad_ids: list[list[str]],
    log_levels: list[str],
) -> int:
    """Do what the command says; see obs.cli.commands.ingest."""
    configure_logging(log_levels)
    butler = Butler(root, instrument=None if camera is None else load_instrument(camera))
    keys = registry_columns(load_translator(butler.instrument))
    if (from_butler is None) == (not files):
        raise click.UsageError("give FILES or --from-butler DIR, one of them")
    options = IngestOptions(
        mode=cast(Mode, mode),
        dry_run=dry_run,
        ignore_ingested=ignore_ingested,
        bad_files=bad_files,
        bad_ids=[data_id for words in bad_ids for data_id in parse_ids(words, keys)],
        clobber=clobber,
        create=create,
        processes=processes,
    )
    if from_butler is not None:
        return ingest_from_butler(butler, from_butler, collections, options)
    paths = find_files(files)
    with show_count(len(paths), "reading") as advance:
        report = ingest_raws(butler, paths, options, on_done=lambda _: advance())
    return print_report(report, mode, silent=[ALREADY] if ignore_ingested else [])


def find_files(words: Sequence[str]) -> list[Path]:
    """Return the files that words on the command line name; a pattern without match is told and passed over.

    Raises
    ------
    RepositoryError
        If there is no file at all.
    """
    found = dict.fromkeys(path for word in words for path in _matches(word))
    if not found:
        raise RepositoryError(f"no file matches {' '.join(words)}")
    return list(found)


def _matches(word: str) -> Iterator[Path]:
    path = Path(word).expanduser()
    if path.exists() or not has_magic(word):
        yield path  # one that does not exist is told where it is read
        return
    names = sorted(glob(str(path), recursive=True))
    if not names:
        click.echo(f"WARNING no file matches {word}", err=True)
    yield from map(Path, names)
