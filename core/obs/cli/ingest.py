"""`obs ingest`: raw frames into a repository."""

from pathlib import Path
from typing import cast

import click

from obs.cli.files import find_files
from obs.cli.ingest_gen3 import ingest_from_butler
from obs.cli.ingest_report import print_report
from obs.cli.logs import configure_logging
from obs.cli.progress import show_count
from obs.ingest.raws import ALREADY, IngestOptions, ingest_raws
from obs.ingest.transfer import Mode
from obs.ingest.translation import load_translator, registry_columns
from obs.instrument.discovery import load_instrument
from obs.policy.data_id import parse_ids
from obs.repo.butler import Butler

__all__ = ["ingest"]


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
    given: list[str],
    log_levels: list[str],
) -> int:
    """Do what the command says; see obs.cli.commands.ingest."""
    configure_logging(log_levels)
    butler = Butler(root, instrument=None if camera is None else load_instrument(camera))
    is_named = bool(given or bad_ids or from_butler is None)
    keys = registry_columns(load_translator(butler.instrument)) if is_named else {}
    if (from_butler is None) == (not files):
        raise click.UsageError("give FILES or --from-butler DIR, one of them")
    options = IngestOptions(
        mode=cast(Mode, mode),
        dry_run=dry_run,
        ignore_ingested=ignore_ingested,
        bad_files=bad_files,
        bad_ids=[data_id for words in bad_ids for data_id in parse_ids(words, keys)],
        given=parse_ids(given, keys)[0] if given else {},
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
