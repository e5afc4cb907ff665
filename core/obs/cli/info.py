"""`obs info`: what a repository is, and how much is in it."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import click

from obs.cli.table import format_table
from obs.instrument.discovery import load_instrument
from obs.plural import count_of
from obs.repo.butler import Butler
from obs.repo.summary import Summary, summarize_repository

__all__ = ["info"]

_STEPS = ("B", "kB", "MB", "GB", "TB", "PB")
_THOUSAND = 1000.0


def info(root: Path, camera: str | None, doraise: bool) -> int:
    """Do what the command says; see obs.cli.commands.info."""
    butler = Butler(root, instrument=None if camera is None else load_instrument(camera))
    summary = summarize_repository(butler)
    for name, value in _facts(summary):
        click.echo(f"{name + ':':13} {value}")
    if summary.datasets:
        rows = [
            (name, str(count.number), format_size(count.size), format_time(count.changed))
            for name, count in sorted(summary.datasets.items())
        ]
        click.echo("\n" + format_table(("dataset type", "number", "size", "last change"), rows, right="lrr"))
    if summary.reruns:
        reruns = [(run.name, str(run.n_done), str(run.n_failed), format_time(run.changed)) for run in summary.reruns]
        click.echo("\n" + format_table(("rerun", "done", "failed", "last change"), reruns, right="lrr"))
    return 0


def _facts(summary: Summary) -> Iterator[tuple[str, str]]:
    yield "repository", str(summary.root)
    yield "kind", summary.kind
    yield "camera", summary.camera
    if summary.parents:
        yield "parents", ", ".join(map(str, summary.parents))
    for name, registry in (("registry", summary.registry), ("calibrations", summary.calib_registry)):
        if registry is not None:
            rows = ", ".join(f"{number} in {table}" for table, number in registry.rows.items()) or "no rows"
            yield name, f"{registry.place} ({registry.schema}; {rows})"
    if summary.reference_catalogs:
        yield "references", ", ".join(summary.reference_catalogs)
    yield "size", f"{format_size(summary.size)} in {count_of(summary.n_file, 'file')}"
    if summary.changed is not None:
        yield "last change", format_time(summary.changed)


def format_size(size: float) -> str:
    """Return a number of bytes with a unit, such as ``16.2 MB``."""
    step = 0
    while size >= _THOUSAND and step < len(_STEPS) - 1:
        size, step = size / _THOUSAND, step + 1
    return f"{size:.0f} {_STEPS[step]}" if step == 0 else f"{size:.1f} {_STEPS[step]}"


def format_time(seconds: float | None) -> str:
    """Return the local time of a file."""
    if seconds is None:
        return "-"
    return datetime.fromtimestamp(seconds).astimezone().strftime("%Y-%m-%d %H:%M:%S")
