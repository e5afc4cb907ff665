"""Calibrations that are valid at the time of an observation, and why others are not."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from obs.errors import DatasetNotFoundError
from obs.policy.data_id import format_data_id
from obs.policy.dataset_type import DatasetType
from obs.policy.key_source import KeySource

__all__ = ["find_valid_rows", "none_valid_error"]

#: How many calibrations that do not fit an error names.
_LISTED = 10


def find_valid_rows(
    source: KeySource,
    wanted: Sequence[str],
    where: Mapping[str, Any],
    tables: Sequence[str],
    between: tuple[Any, str, str] | None,
) -> list[tuple[Any, ...]]:
    """Return what calibrations are valid at a time; dates are compared as text, as the stack does it.

    As text, a moment on the last valid day is later than that day; so if nothing is found, its day alone is looked for.
    And a day at which one validity ends and the next begins is in both; then the one that begins counts.

    Parameters
    ----------
    source : KeySource
        Registry of calibrations.
    wanted : sequence of str
        Columns to return.
    where : mapping
        Columns and the values that they must have.
    tables : sequence of str
        Tables of the registry.
    between : tuple, optional
        Time of the observation, and the two columns of the validity; None if calibrations are valid for good.
    """
    if between is None:
        return source.lookup(wanted, where, tables)
    time, start, end = between
    columns = [start, *wanted]
    rows = source.lookup(columns, where, tables, between=between)
    if not rows and isinstance(time, str) and (day := re.match(r"\d{4}-\d\d-\d\d(?=[T ])", time)):
        rows = source.lookup(columns, where, tables, between=(day[0], start, end))
    latest = max((row[0] for row in rows), default=None)
    return [row[1:] for row in rows if row[0] == latest]


def none_valid_error(
    dataset_type: DatasetType,
    source: KeySource,
    given: Mapping[str, Any],
    where: Mapping[str, Any],
    tables: Sequence[str],
    between: tuple[Any, str, str] | None,
) -> DatasetNotFoundError:
    """Return the error that says what was looked for, and of each calibration there is why it was refused.

    Parameters
    ----------
    dataset_type : DatasetType
        The calibration.
    source : KeySource
        Registry of calibrations.
    given : mapping
        What was looked for, in words of a data ID.
    where : mapping
        Columns and the values that they must have.
    tables : sequence of str
        Tables of the registry.
    between : tuple, optional
        Time of the observation, and the two columns of the validity; None if calibrations are valid for good.
    """
    names = [name for name in source.columns(tables) if not name.startswith("valid") or between]
    candidates = [dict(zip(names, row, strict=True)) for row in source.lookup(names, {}, tables)]
    refused = sorted(
        (len(reasons := list(_refusals(candidate, where, between))), format_data_id(_identity(candidate)), reasons)
        for candidate in candidates
    )
    listed = "; ".join(f"{name}: {', '.join(reasons)}" for _, name, reasons in refused[:_LISTED])
    more = f"; and {len(refused) - _LISTED} more that fit no better" if len(refused) > _LISTED else ""
    there = f"refused: {listed}{more}" if refused else f"the table {' and '.join(tables)} is empty"
    wanted = format_data_id(given) or "any key"
    return DatasetNotFoundError(
        f"no {dataset_type.name} for {wanted} among {len(refused)} in the registry of calibrations; {there}",
        dataset_type=dataset_type.name,
        data_id=given,
    )


def _identity(candidate: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in candidate.items() if value is not None and not name.startswith("valid")}


def _refusals(
    candidate: Mapping[str, Any], where: Mapping[str, Any], between: tuple[Any, str, str] | None
) -> Iterator[str]:
    for name, value in where.items():
        if candidate[name] != value:
            yield f"its {name} is {candidate[name]}"
    if between is not None:
        time, start, end = between
        if not (str(candidate[start]) <= str(time) and str(time)[:10] <= str(candidate[end])):
            yield f"it is valid from {candidate[start]} to {candidate[end]}"
