"""Quality metrics of what is in a repository: one row a detector image, a visit, or a calibration frame.

They are kept in a SQLite file of the repository, one table for each kind, one column for each metric. A value that was
not measured is NULL, and the column ``reasons`` says why. Several processes may write at the same time: each row is
replaced in a transaction of its own. The standard library alone does this: SQLAlchemy takes longer to import than a
frame to read, and a process that is given complete data IDs needs no registry.
"""

import json
import math
import os
import sqlite3
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from numbers import Integral
from pathlib import Path
from typing import Any

from obs.errors import OutputError, RepositoryError
from obs.repo.links_out import check_inside
from obs.repo.metric_query import parse_condition
from obs.repo.sqlite_file import FAILURES, begin, connect, describe_failure

__all__ = ["KINDS", "METRIC_FILE", "MetricTable"]

#: Name of the file in a repository.
METRIC_FILE = "metrics.sqlite3"
#: What a row may be of; the names of the tables.
KINDS = ("detector", "visit", "master")
#: Columns that every table has, beside the keys of data IDs, facts of the exposure and metrics.
_COMMON = {"data_id": "text", "status": "text", "error": "text", "changed": "double", "details": "text"}
#: What people said of a detector image; rows that are measured again keep it.
_OWN = ("own_verdict", "own_comment")
_SAFE = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_"
#: Names of types in the file, and what is read from their columns.
_TYPE_NAMES = {"int": "BIGINT", "double": "FLOAT", "text": "TEXT"}
_PYTHON_TYPES = {"BIGINT": int, "FLOAT": float}


class MetricTable:
    """The metrics of a repository.

    Parameters
    ----------
    root : Path
        Folder of the repository.
    """

    def __init__(self, root: Path) -> None:
        self.path = root / METRIC_FILE

    def exists(self) -> bool:
        """Return whether the repository has metrics."""
        return self.path.is_file()

    def write(self, kind: str, rows: Sequence[Mapping[str, Any]]) -> None:
        """Write rows, each in place of an earlier one of the same data ID.

        Parameters
        ----------
        kind : {"detector", "visit", "master"}
            What the rows are of.
        rows : sequence of mapping
            Column to value; ``data_id`` is text and names the row. Mappings and lists are kept as JSON, values that
            are not finite as NULL.

        Raises
        ------
        OutputError
            If the file cannot be written.
        """
        values: list[dict[str, Any]] = [
            {"changed": time.time()} | {key: _plain(value) for key, value in row.items()} for row in rows
        ]
        if not values:
            return
        check_inside(self.path)
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)  # the first rows of a run are written before its images
            with begin(self.path, read_only=False, is_writing=True) as connection:
                _prepare(connection, kind, values)
                if kind == "detector":
                    _keep_own(connection, values)
                names = list(dict.fromkeys(name for row in values for name in row))
                places = ", ".join("?" * len(names))
                statement = f"INSERT OR REPLACE INTO {kind} ({_quoted(names)}) VALUES ({places})"  # noqa: S608 - names that were checked; values are bound
                connection.executemany(statement, [[row.get(name) for name in names] for row in values])
        except (*FAILURES, OSError) as error:
            raise OutputError(f"cannot write {self.path}: {describe_failure(error)}", path=self.path) from error

    def update(self, kind: str, data_id: str, values: Mapping[str, Any]) -> None:
        """Change some columns of one row, which is there.

        Parameters
        ----------
        kind : str
            Table, for example "detector".
        data_id : str
            Data ID of the row as text.
        values : mapping
            Column to value. New columns are added; other values of the row stay.

        Raises
        ------
        OutputError
            If the file cannot be written.
        """
        check_inside(self.path)
        row: dict[str, Any] = {"changed": time.time()} | {key: _plain(value) for key, value in values.items()}
        try:
            with begin(self.path, read_only=False, is_writing=True) as connection:
                _prepare(connection, kind, [row])
                changes = ", ".join(f"{_quoted([name])} = ?" for name in row)
                statement = f"UPDATE {kind} SET {changes} WHERE data_id = ?"  # noqa: S608 - names that were checked; values are bound
                connection.execute(statement, [*row.values(), data_id])
        except FAILURES as error:
            raise OutputError(f"cannot write {self.path}: {describe_failure(error)}", path=self.path) from error

    def columns(self, kind: str = "detector") -> dict[str, type]:
        """Return the columns of a table and their types (int, float or str); nothing if there is no table.

        Parameters
        ----------
        kind : str, default: "detector"
            Table.
        """
        if kind not in KINDS or not self.exists():
            return {}
        with self._reading() as connection:
            types = _types(connection, kind)
        return {name: _PYTHON_TYPES.get(type_name, str) for name, type_name in types.items()}

    def read(self, kind: str = "detector", condition: str = "") -> list[dict[str, Any]]:
        """Return rows that a condition holds for, in the order of their data IDs; see `obs.repo.metric_query`.

        Parameters
        ----------
        kind : str, default: "detector"
            Table.
        condition : str, default: ""
            Condition such as ``seeing > 1.2 and filter = 'r'``; empty for all rows.

        Returns
        -------
        list of dict
            Column to value for each row; empty if there are no metrics.

        Raises
        ------
        RepositoryError
            If the file cannot be read.
        DataIdError
            If the condition cannot be understood.
        """
        columns = self.columns(kind)
        clause = parse_condition(condition, {name: kind for name, kind in columns.items() if name != "details"})
        if not columns:
            return []
        statement = f"SELECT {_quoted(columns)} FROM {kind} WHERE {clause.sql} ORDER BY data_id"  # noqa: S608 - names that were checked; values are bound
        with self._reading() as connection:
            rows = connection.execute(statement, clause.values)
            return [self._restored(dict(zip(columns, row, strict=True))) for row in rows]

    def check_numbers(self, kind: str, names: Iterable[str]) -> None:
        """Raise an error if columns of numbers have anything else, which is never written.

        Parameters
        ----------
        kind : {"detector", "visit", "master"}
            What the rows are of.
        names : iterable of str
            Columns whose values are numbers; those that are not there are passed over.

        Raises
        ------
        RepositoryError
            If a value is a text or infinite, so that the file is damaged, or it cannot be read.
        """
        there = self.columns(kind)
        numbers = [name for name in names if name in there]
        if not numbers:
            return
        tests = [f"typeof({_quoted([name])}) IN ('text', 'blob') OR abs({_quoted([name])}) = 9e999" for name in numbers]
        question = f"SELECT data_id, {_quoted(numbers)} FROM {kind} WHERE {' OR '.join(tests)} LIMIT 1"  # noqa: S608 - names that were checked
        with self._reading() as connection:
            row = connection.execute(question).fetchone()
        if row is None:
            return
        name, value = next(
            (name, value)
            for name, value in zip(numbers, row[1:], strict=True)
            if isinstance(value, str | bytes) or (value is not None and math.isinf(value))
        )
        raise self._damage(f"{name} of {row[0]} is {value!r}, expected a number")

    def _restored(self, row: dict[str, Any]) -> dict[str, Any]:
        """Return a row with its details unpacked."""
        details = row.pop("details", None)
        try:
            row["details"] = json.loads(details) if details else {}
        except ValueError as error:
            raise self._damage(f"the details of {row['data_id']} are not JSON: {error}") from None
        return row

    def _damage(self, text: str) -> RepositoryError:
        advice = "take the file from a copy, or remove it and process again"
        return RepositoryError(f"{self.path} is damaged: {text}; {advice}", path=self.path)

    def count(self, kind: str = "detector") -> dict[str, int]:
        """Return the number of rows of each status: ``waiting``, ``done``, ``failed``.

        Parameters
        ----------
        kind : str, default: "detector"
            Table.
        """
        if not self.columns(kind):
            return {}
        with self._reading() as connection:
            statement = f"SELECT status, COUNT(*) FROM {kind} GROUP BY status"  # noqa: S608 - names that were checked; values are bound
            rows = connection.execute(statement)
            return {str(status): int(number) for status, number in rows}

    def _is_empty(self, may_write: bool) -> bool:
        """Return whether the file has no content, and no process is about to give it some."""
        if self.path.stat().st_size == 0 and may_write:
            with closing(connect(self.path, read_only=False)) as connection:
                connection.execute("BEGIN IMMEDIATE")  # a process that writes its first rows is waited for
        return self.path.stat().st_size == 0

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        # only who may write can take back what a killed process has begun to write
        is_left = self.path.with_name(f"{METRIC_FILE}-journal").exists()
        may_write = os.access(self.path, os.W_OK)
        try:
            if self._is_empty(may_write):
                raise self._damage("it has 0 bytes")
            with begin(self.path, read_only=not (is_left and may_write), is_writing=False) as connection:
                yield connection
        except (*FAILURES, OSError) as error:
            raise RepositoryError(f"cannot read {self.path}: {describe_failure(error)}", path=self.path) from error


def _keep_own(connection: sqlite3.Connection, rows: Sequence[dict[str, Any]]) -> None:
    """Let rows that replace others keep what people said of them; texts are empty where nothing was said."""
    columns = _quoted(("data_id", *_OWN))
    statement = f"SELECT {columns} FROM detector WHERE own_verdict <> ''"  # noqa: S608 - names of ours
    said = {row[0]: row[1:] for row in connection.execute(statement)}
    for row in rows:
        for name, value in zip(_OWN, said.get(row.get("data_id"), ("", "")), strict=True):
            row.setdefault(name, value or "")


def _prepare(connection: sqlite3.Connection, kind: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """Make the table of a kind, and a column for each value, where they are not there."""
    if kind not in KINDS:
        raise ValueError(f"metrics are of {', '.join(KINDS)}, not of '{kind}'")
    wanted = dict(_COMMON) | (dict.fromkeys(_OWN, "text") if kind == "detector" else {})
    for row in rows:
        wanted.update({name: _column_type(value) for name, value in row.items() if value is not None})
        wanted.update({name: "double" for name, value in row.items() if value is None and name not in wanted})
    unsafe = [name for name in wanted if not name or set(name) - set(_SAFE)]
    if unsafe:
        raise ValueError(f"'{unsafe[0]}' cannot be the name of a column")
    there = _types(connection, kind)
    columns = {name: f"{_quoted([name])} {_TYPE_NAMES[column]}" for name, column in wanted.items() if name not in there}
    # of rows that were written before there was such a column nobody said anything
    columns |= {name: f"{columns[name]} DEFAULT ''" for name in _OWN if name in columns}
    if there:
        for definition in columns.values():
            connection.execute(f"ALTER TABLE {kind} ADD COLUMN {definition}")
    else:
        columns["data_id"] += " NOT NULL PRIMARY KEY"
        connection.execute(f"CREATE TABLE {kind} ({', '.join(columns.values())})")


def _types(connection: sqlite3.Connection, kind: str) -> dict[str, str]:
    """Return the names of the columns of a table, and of their types; nothing if there is no table."""
    rows = connection.execute("SELECT name, type FROM pragma_table_info(?)", [kind])
    return {str(name): str(type_name) for name, type_name in rows}


def _quoted(names: Iterable[str]) -> str:
    """Return names of columns for SQL, which are letters, digits and underscores, but may be words of SQL."""
    return ", ".join(f'"{name}"' for name in names)


def _column_type(value: object) -> str:
    if isinstance(value, str | Mapping | list | tuple):
        return "text"
    return "int" if isinstance(value, Integral) else "double"  # a column of integers keeps fractions, too


def _plain(value: object) -> str | float | int | None:
    """Return a value as the database keeps it."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, Mapping | list | tuple):
        return json.dumps(value, default=str, ensure_ascii=False)
    if isinstance(value, Integral):
        return int(value)
    number = float(value)  # type: ignore[arg-type]  # a number of numpy or of Python
    return number if math.isfinite(number) else None
