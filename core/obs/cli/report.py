"""What a run tells at its end: a line of numbers for each data ID, and what failed, grouped by cause."""

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from obs.cli.table import format_table
from obs.executor.outcome import Outcome
from obs.plural import count_of
from obs.policy.data_id import format_data_id

if TYPE_CHECKING:
    from obs.process_summary import ProcessSummary  # slow to import, and only types need it

__all__ = ["count_text", "failure_text", "report_outcomes", "summary_text", "warning_lines"]

#: How many data IDs a shared warning names.
_NAMED = 3
#: Warnings that the last line counts, and the letters of each.
_COMMON, _SHORT = 3, 60
_HEADERS = ("data ID", "seeing/arcsec", "zero point/mag", "scatter/mag", "matched", "sources", "seconds")


def report_outcomes(outcomes: "Sequence[Outcome[ProcessSummary]]") -> int:
    """Print the table on stdout, warnings and failures on stderr; return the exit status."""
    if any(outcome.ok for outcome in outcomes):
        click.echo(summary_text(outcomes))
    for outcome in outcomes:
        if outcome.result is not None and outcome.result.notes:
            click.echo(f"READ {format_data_id(outcome.data_id)}: {'; '.join(outcome.result.notes)}", err=True)
    for line in warning_lines(outcomes):
        click.echo(line, err=True)
    click.echo(count_text(outcomes), err=True)
    if all(outcome.ok for outcome in outcomes):
        return 0
    click.echo(failure_text(outcomes), err=True)
    return 1


def summary_text(outcomes: "Sequence[Outcome[ProcessSummary]]") -> str:
    """Return the table of what was measured."""
    rows = [
        (
            format_data_id(outcome.data_id),
            _number(summary.seeing, 2),
            _number(summary.zero_point, 3),
            _number(summary.zero_point_rms, 3),
            str(summary.n_reference),
            str(summary.n_source),
            _number(outcome.seconds, 1),
        )
        for outcome in outcomes
        if (summary := outcome.result) is not None
    ]
    return format_table(_HEADERS, rows, right="lrrrrrr")


def count_text(outcomes: "Sequence[Outcome[ProcessSummary]]") -> str:
    """Return how many data IDs are done and failed, and the commonest warnings, in one line."""
    done = sum(outcome.ok for outcome in outcomes)
    found = Counter(
        _without_names(warning, outcome.data_id)
        for outcome in outcomes
        for warning in (outcome.result.warnings if outcome.result else ())
    )
    text = f"{done} done, {len(outcomes) - done} failed; {count_of(found.total(), 'warning')}"
    common = "; ".join(f"{number} x {_shorten(name)}" for name, number in found.most_common(_COMMON))
    return f"{text}, commonest: {common}" if common else text


def _shorten(text: str) -> str:
    return text if len(text) <= _SHORT else f"{text[:_SHORT]}..."


def warning_lines(outcomes: "Sequence[Outcome[ProcessSummary]]") -> list[str]:
    """Return a line for each warning. One that several data IDs share, but for numbers, appears once."""
    groups: dict[str, list[tuple[Outcome[Any], str]]] = {}
    for outcome in outcomes:
        for warning in outcome.result.warnings if outcome.result else ():
            groups.setdefault(_without_names(warning, outcome.data_id), []).append((outcome, warning))
    lines = []
    for group in groups.values():
        names = list(dict.fromkeys(format_data_id(outcome.data_id) for outcome, _ in group))
        if len(names) == 1:
            lines += [f"WARNING {names[0]}: {warning}" for _, warning in group]
        else:
            more = "; ..." if len(names) > _NAMED else ""
            where = f"{len(names)} of {len(outcomes)} data IDs: {'; '.join(names[:_NAMED])}{more}"
            lines.append(f"WARNING {group[0][1]} ({where})")
    return lines


def failure_text(outcomes: Sequence[Outcome[Any]]) -> str:
    """Return how many data IDs failed, and which, below each cause; messages that differ in numbers are one cause."""
    groups: dict[tuple[str, str], list[Outcome[Any]]] = {}
    for outcome in outcomes:
        if not outcome.ok:
            key = (outcome.cause, _without_names(outcome.error, outcome.data_id))
            groups.setdefault(key, []).append(outcome)
    count = sum(len(group) for group in groups.values())
    lines = [f"obs: error: {count} of {len(outcomes)} failed:"]
    for (cause, _), group in sorted(groups.items(), key=lambda item: -len(item[1])):
        lines.append(f"  {cause} ({len(group)}): {group[0].error}")
        lines += [f"    {format_data_id(outcome.data_id)}" for outcome in group]
    return "\n".join(lines)


def _without_names(message: str, data_id: Mapping[str, Any]) -> str:
    """Return the message without what only tells one data ID from another: its values, file names, numbers."""
    text = re.sub(r"\S*/\S*", "PATH", message)
    for key, value in data_id.items():
        text = text.replace(f"{key}={value}", f"{key}=")
    return re.sub(r"[\d.]+", "N", text)


def _number(value: float, digits: int) -> str:
    return f"{value:.{digits}f}" if math.isfinite(value) else "-"
