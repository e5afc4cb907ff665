"""`obs ingest`: raw frames into a repository."""

from collections.abc import Iterator, Sequence
from glob import glob, has_magic
from pathlib import Path
from typing import cast

import click

from obs.cli.arguments import ManyWordsCommand
from obs.cli.logs import configure_logging
from obs.cli.options import words_option
from obs.cli.progress import show_count
from obs.errors import RepositoryError
from obs.ingest.raws import ALREADY, IngestOptions, ingest_raws
from obs.ingest.report import FileReport, IngestReport
from obs.ingest.transfer import MODES, Mode
from obs.ingest.translation import load_translator, registry_columns
from obs.instrument.discovery import load_instrument
from obs.policy.data_id import format_data_id, parse_ids
from obs.repo.butler import Butler

__all__ = ["find_files", "ingest", "print_report"]

_EXAMPLE = """\b
Examples:
  obs ingest DATA raw/*.fits
  obs ingest DATA 'night1/*.fits.fz' --mode copy -j 2 --bad-file '*focus*' --bad-id ccd=9
"""


@click.command("ingest", cls=ManyWordsCommand, epilog=_EXAMPLE)
@click.argument("root", metavar="REPO", type=click.Path(path_type=Path))
@click.argument("files", metavar="FILES...", nargs=-1, required=True)
@click.option("--mode", type=click.Choice(MODES), default="link", show_default=True, help="How files get there.")
@click.option("-n", "--dry-run", is_flag=True, help="Say what would be done, and do nothing.")
@click.option("--ignore-ingested", is_flag=True, help="Pass over data IDs that are ingested already.")
@words_option("--bad-file", "--badFile", metavar="PATTERN...", text="Leave out files of these names.")
@words_option("--bad-id", "--badId", metavar="KEY=VALUE...", text="Leave out these data IDs. Repeatable.")
@click.option("--clobber", is_flag=True, help="Replace files that are in the way.")
@click.option("--create", is_flag=True, help="Empty the registry first.")
@click.option("-j", "--processes", type=click.IntRange(min=1), default=1, help="Number of processes.")
@words_option("-L", "--log-level", "--loglevel", metavar="[COMPONENT=]LEVEL...", text="debug, info, warning, error.")
@click.option("--doraise", is_flag=True, help="Show the traceback of an error.")
@click.option("--camera", metavar="NAME", help="The camera, where the repository does not say; see obs cameras.")
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
    """Take the raw frames FILES into the repository REPO, which obs init has made.

    Only headers are read. FILES may be patterns, in quotes. A file that cannot be taken is reported at the end, and
    stops nothing.
    """
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
