"""What an ingest tells at its end."""

from collections.abc import Sequence

import click

from obs.ingest.report import FileReport, IngestReport
from obs.policy.data_id import format_data_id

__all__ = ["print_report"]


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
