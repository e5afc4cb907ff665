"""`obs ingest`: raw frames into a repository."""

from collections.abc import Iterator, Sequence
from glob import glob, has_magic
from pathlib import Path
from typing import cast

import click

from obs.cli.logs import configure_logging
from obs.cli.progress import show_count
from obs.errors import RepositoryError
from obs.ingest.raws import ALREADY, IngestOptions, ingest_raws
from obs.ingest.report import FileReport, IngestReport
from obs.ingest.transfer import Mode
from obs.ingest.translation import load_translator, registry_columns
from obs.instrument.discovery import load_instrument
from obs.policy.data_id import format_data_id, parse_ids
from obs.repo.butler import Butler

__all__ = ["find_files", "ingest", "print_report"]


def ingest(
    root: Path,
    files: tuple[str, ...],
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
    paths = find_files(files)
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


def print_report(report: IngestReport, mode: str, *, silent: Sequence[str] = ()) -> int:
    """Print what was not ingested and why, on stderr, and the numbers; return the exit status."""
    if report.dry_run:
        for file in report.files:
            if file.status == "ingested":
                click.echo(_plan(file, mode))
    *lines, numbers = report.lines(silent=silent)
    for line in lines:
        click.echo(line, err=True)
    click.echo(numbers)
    return 0 if report.ok else 1


def _plan(file: FileReport, mode: str) -> str:
    data_ids = "; ".join(map(format_data_id, file.data_ids))
    verb = "register" if mode == "skip" else mode
    return f"would {verb} {file.path} as {', '.join(map(str, file.targets))}: {data_ids}"
