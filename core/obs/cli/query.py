"""`obs query`: quality metrics of the frames that fulfill a condition."""

import csv
import json
import re
import sys
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import click

from obs.cli.options import output_under
from obs.cli.table import format_table
from obs.errors import DataIdError, OutputError, suggest
from obs.expression import Condition, parse_expression
from obs.expression.condition import expression_names
from obs.expression.nodes import Term
from obs.image.catalog import Catalog
from obs.metrics.as_catalog import as_catalog
from obs.metrics.definitions import CONTEXT, MASTER_METRICS, METRICS, Metric, find_metric
from obs.metrics.derive import DERIVED
from obs.repo.butler import Butler
from obs.repo.metric_rows import MetricRows, query_metric_table
from obs.repo.metric_table import MetricTable
from obs.report.night import collect_night

__all__ = ["query"]

#: Beginnings of formulas: calls, and pipes to programs behind a sign, but not names such as "+30 3639".
_FORMULA = re.compile(r"[=@\t\r]|[+-].*[(|!]", re.DOTALL)
_JUDGED = {
    **DERIVED,
    "verdict": Metric("verdict", "verdict", "", "Verdict of the gates, or yours: good, look, bad, failed.", "gates"),
    "reason": Metric(
        "reason", "reason", "", "Causes of the verdict in words, the worst first; empty if good.", "gates"
    ),
}
"""What follows from comparing a frame with the others: it is computed when it is asked for."""
_USUAL = {
    "detector": ("data_id", "status", "seeing", "star_e", "sky", "zero_point", "zp_scatter", "depth", "n_stars"),
    "visit": ("data_id", "n_done", "n_expected", "seeing", "star_e", "sky", "zero_point", "depth", "n_stars"),
    "master": ("data_id", "type", "made", "n_used", "n_dropped", "level", "noise_expected"),
}


def query(
    root: Path,
    condition: str,
    rerun: str | None,
    kind: str,
    columns: str | None,
    form: str,
    list_names: bool,
    doraise: bool,
) -> int:
    """Do what the command says; see obs.cli.commands.query."""
    if list_names:
        metrics = {**MASTER_METRICS, **METRICS, **CONTEXT} if kind == "master" else {**METRICS, **_JUDGED, **CONTEXT}
        rows = [(metric.name, metric.unit, metric.definition, metric.estimator) for metric in metrics.values()]
        click.echo(format_table(("name", "unit", "definition", "estimator"), rows))
        return 0
    folder = output_under(root, rerun)
    if kind == "master":
        folder = _calibrations_of(folder)
    MetricTable(folder).check_numbers(kind, MASTER_METRICS if kind == "master" else METRICS)
    asked = {*(columns or "").replace(" ", "").split(","), *map(_name, expression_names(parse_expression(condition)))}
    _check_age(asked, folder, kind)
    if kind != "master" and not asked.isdisjoint(_JUDGED):
        found = _judged_rows(folder, condition, kind)
    else:
        found = query_metric_table(folder, condition, kind)
    names = _columns(columns, found, folder, kind)
    if form == "json":
        document = {"expected": found.n_expected, "done": found.n_done, "failed": found.n_failed, "rows": list(found)}
        if columns is not None:
            document["rows"] = [{name: row.get(name) for name in names} for row in found]
        click.echo(json.dumps(document, default=str))
        return 0
    if form == "csv":
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(names)
        writer.writerows([[_csv_cell(row.get(name)) for name in names] for row in found])
        click.echo(found.summary, err=True)
        return 0
    if form == "parquet":
        types = MetricTable(folder).columns(kind) | dict.fromkeys(DERIVED, float) | {"verdict": str, "reason": str}
        if columns in (None, "all"):  # measured or not: a file of each night then has the same columns
            names = [name for name in MetricTable(folder).columns(kind) if name != "details"]
        _print_parquet(as_catalog(found.rows, {name: types[name] for name in names}))
        click.echo(found.summary, err=True)
        return 0
    if len(found):
        sides = "".join("l" if isinstance(_first(found, name), str) else "r" for name in names)
        cells = [[_cell(name, row.get(name)) for name in names] for row in found]
        click.echo(format_table([_heading(name) for name in names], cells, right=sides))
    click.echo(found.summary)
    return 0


def _check_age(asked: Collection[str], folder: Path, kind: str) -> None:
    """Tell a metric that an output does not have from one that there is not.

    Raises
    ------
    DataIdError
        If a row of the output was never given one that `obs` measures.
    """
    there = MetricTable(folder).columns(kind)
    measured = MASTER_METRICS if kind == "master" else {**METRICS, **CONTEXT}
    for name in sorted(asked):
        if there and name in measured and name not in there:
            again = {
                "detector": "process the frames again",
                "visit": "visits may not have it: leave out --kind visit, or process the frames again",
                "master": "make the calibration frames again",
            }[kind]
            text = f"this output was made before '{name}' was measured; {again}, and it is there"
            raise DataIdError(text, key=name)


def _name(term: Term) -> str:
    return str(term.value)


def _judged_rows(folder: Path, condition: str, kind: str) -> MetricRows:
    """Return the frames that a condition holds for, with their verdicts and what comparison with others gives."""
    counts = query_metric_table(folder, "", kind)
    night, chosen = collect_night(Butler(folder)), Condition(condition)
    unknown = dict.fromkeys([*MetricTable(folder).columns(kind), *_JUDGED])
    judged = [
        {**unknown, **frame.row, "verdict": frame.verdict.level, "reason": frame.verdict.text}
        for frame in (night.detectors if kind == "detector" else night.visits)
    ]
    kept = [row for row in judged if chosen.holds(row)]
    return MetricRows(kept, n_expected=counts.n_expected, n_done=counts.n_done, n_failed=counts.n_failed)


def _calibrations_of(folder: Path) -> Path:
    """Return the folder with the calibration frames of a repository, if it has metrics of them."""
    place = Butler(folder).calib_root
    return place if MetricTable(place).exists() else folder


def _print_parquet(catalog: Catalog) -> None:
    """Write a Parquet file to the standard output.

    Raises
    ------
    OutputError
        If that is a terminal.
    """
    from obs.repo.parquet_catalog import write_parquet_to  # noqa: PLC0415 - for this form only

    if sys.stdout.isatty():
        raise OutputError("Parquet is not text: end the command with '> metrics.parquet', or choose --format csv")
    write_parquet_to(catalog, sys.stdout.buffer)


def _columns(text: str | None, found: MetricRows, folder: Path, kind: str) -> list[str]:
    """Return the columns to print: those asked for, or the usual ones that are there.

    Raises
    ------
    DataIdError
        If there is no such column.
    """
    known = [name for name in MetricTable(folder).columns(kind) if name != "details"]
    known += [name for name in _JUDGED if any(name in row for row in found.rows[:1]) and name not in known]
    if text is None:
        return [name for name in _USUAL[kind] if name in known]
    if text == "all":
        return [name for name in known if name in set(found.names())] or known
    names = [name.strip() for name in text.split(",") if name.strip()]
    for name in names:
        if name not in known:
            hint = suggest(name, [*known, *_JUDGED]) or "; obs query REPO --list prints all names"
            raise DataIdError(f"the metrics have no column '{name}'{hint}", key=name)
    return names


def _first(rows: Sequence[dict[str, Any]], name: str) -> object:
    return next((row[name] for row in rows if row.get(name) is not None), None)


def _heading(name: str) -> str:
    metric = _JUDGED.get(name) or find_metric(name)
    return f"{name}/{metric.unit}" if metric is not None and metric.unit else name


def _csv_cell(value: Any) -> Any:  # noqa: ANN401 - numbers and texts
    """Return a value as it is, but a text that a spreadsheet would run behind an apostrophe, which makes it a text."""
    if value is None:
        return ""
    return f"'{value}" if isinstance(value, str) and _FORMULA.match(value) else value


def _cell(name: str, value: Any) -> str:  # noqa: ANN401 - numbers and texts
    if value is None:
        return "-"
    metric = _JUDGED.get(name) or find_metric(name)
    return f"{value:.{metric.digits}f}" if metric is not None and isinstance(value, int | float) else str(value)
