"""Crosstalk and linearity that change with time: tables of a detector, each of which counts from a day on.

A camera package keeps them in its folder ``curated``, by kind and name of the detector::

    curated/crosstalk/ccd0/2024-03-01.csv
    curated/linearity/ccd0/2024-03-01.csv

A table counts until the next one. A table of crosstalk has a row for each amplifier whose signal appears in others: the
column ``source`` with its name, and a column for each amplifier with the part that appears there. A table of linearity
has the columns ``amplifier``, ``linearity_type`` and ``linearity_c0`` and so on, as ``amplifiers.csv`` has them.
"""

import re
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from obs.camera.columns import LINEARITY
from obs.camera.detector import Detector
from obs.camera.table import Row, check_unique, read_table
from obs.errors import FileFormatError, suggest
from obs.frozen import frozen

__all__ = [
    "TABLE_KINDS",
    "DatedTable",
    "TableKind",
    "find_dated_tables",
    "read_crosstalk",
    "read_linearity",
    "table_of",
]

TableKind = Literal["crosstalk", "linearity"]
TABLE_KINDS: tuple[TableKind, ...] = ("crosstalk", "linearity")
_COEFFICIENTS = {"None": 0, "Squared": 1, "Polynomial": 1, "Spline": 4}
"""Types of linearity that a table may have, and how many coefficients each needs."""
_LARGEST = 0.1
"""Crosstalk above this is a mistake, of units for example."""


@frozen
class DatedTable:
    """A table, and the day from which it counts.

    Parameters
    ----------
    path : Path
        File of the table.
    first_day : date
        First day on which it counts.
    """

    path: Path
    first_day: date


def find_dated_tables(curated: Path, kind: TableKind, detector: Detector) -> list[DatedTable]:
    """Return the tables of a detector, by date; an empty list without their folder.

    Parameters
    ----------
    curated : Path
        The folder ``curated`` of a camera package.
    kind : {"crosstalk", "linearity"}
        What is in them.
    detector : Detector
        The detector.

    Raises
    ------
    FileFormatError
        If the name of a table is not a date.
    """
    return [DatedTable(path, _date_of(path)) for path in sorted((curated / kind / detector.name).glob("*.csv"))]


def _date_of(path: Path) -> date:
    try:
        if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", path.stem):
            raise ValueError
        return date.fromisoformat(path.stem)
    except ValueError:
        raise FileFormatError(
            f"'{path.stem}' is not a date: name the table after the first day on which it counts, such as "
            "2024-03-01.csv",
            path=path,
        ) from None


def table_of(tables: Sequence[DatedTable], day: date) -> DatedTable | None:
    """Return the table that counts on a day; None before the first one.

    Parameters
    ----------
    tables : sequence of DatedTable
        Tables, each with its first day, in any order.
    day : date
        Day of the exposure.
    """
    begun = [table for table in tables if table.first_day <= day]
    return max(begun, key=lambda table: table.first_day, default=None)


def read_crosstalk(path: Path, detector: Detector) -> NDArray[np.float64]:
    """Read a matrix of crosstalk.

    Parameters
    ----------
    path : Path
        Table with the column ``source`` and one column for each amplifier.
    detector : Detector
        Detector whose amplifiers the table names.

    Returns
    -------
    ndarray of float64, shape (n, n)
        Row j, column i: the part of amplifier j that appears in amplifier i, in the order of the camera's tables.

    Raises
    ------
    FileFormatError
        If the table cannot be read, names another amplifier, or a coefficient cannot be; names the line.
    """
    names = tuple(amp.name for amp in detector.amplifiers)
    matrix = np.zeros((len(names), len(names)))
    rows = read_table(path, ("source", *names), ())
    for row in rows:
        source = _amplifier_of(row, "source", names)
        for index, name in enumerate(names):
            value = row.number(name)
            if abs(value) > _LARGEST or (value and index == source):
                reason = "an amplifier has no crosstalk with itself" if index == source else f"above {_LARGEST:g}"
                row.fault(name, f"{value:g} cannot be: {reason}")
            matrix[source, index] = value
    check_unique(rows, "source")
    return matrix


def read_linearity(path: Path, detector: Detector) -> dict[str, tuple[str, tuple[float, ...]]]:
    """Read the linearity of amplifiers: type and coefficients, by name.

    Parameters
    ----------
    path : Path
        Table with the columns ``amplifier`` and ``linearity_type`` and the coefficients.
    detector : Detector
        Detector whose amplifiers the table names.

    Raises
    ------
    FileFormatError
        If the table cannot be read, names another amplifier, or lacks coefficients; names the line.
    """
    names = tuple(amp.name for amp in detector.amplifiers)
    rows = read_table(path, ("amplifier", "linearity_type"), (*LINEARITY, "note"))
    found = {}
    for row in rows:
        name = names[_amplifier_of(row, "amplifier", names)]
        kind = row.choice("linearity_type", tuple(_COEFFICIENTS))
        cells = [column for column in LINEARITY if row.cells.get(column, "")]
        if cells != list(LINEARITY[: len(cells)]):
            row.fault(cells[-1], "a coefficient before it is missing")
        if len(cells) < _COEFFICIENTS[kind]:
            row.fault(LINEARITY[len(cells)], f"{kind} needs {_COEFFICIENTS[kind]} coefficients or more")
        found[name] = kind, tuple(row.number(column) for column in cells)
    check_unique(rows, "amplifier")
    return found


def _amplifier_of(row: Row, column: str, names: tuple[str, ...]) -> int:
    name = row.text(column)
    if name not in names:
        hint = suggest(name, names) or f"; it has {', '.join(names)}"
        row.fault(column, f"'{name}' is not an amplifier of the detector{hint}")
    return names.index(name)
