"""Quality metrics of what is in a repository: one row a detector image, a visit, or a calibration frame.

They are kept in a SQLite file of the repository, one table for each kind, one column for each metric. A value that was
not measured is NULL, and the column ``reasons`` says why. Several processes may write at the same time: each row is
replaced in a transaction of its own.
"""

import json
import math
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from numbers import Integral
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from obs.errors import OutputError, RepositoryError
from obs.repo.database import UNWRITABLE, begin_read, begin_write, describe_failure, open_engine
from obs.repo.metric_query import parse_condition
from obs.repo.registry_schema import COLUMN_TYPES, read_schema

__all__ = ["KINDS", "METRIC_FILE", "MetricTable"]

#: Name of the file in a repository.
METRIC_FILE = "metrics.sqlite3"
#: What a row may be of; the names of the tables.
KINDS = ("detector", "visit", "master")
#: Columns that every table has, beside the keys of data IDs, facts of the exposure and metrics.
_COMMON = {"data_id": "text", "status": "text", "error": "text", "changed": "double", "details": "text"}
_SAFE = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_"
#: Values that one statement binds at most; SQLite takes 32,766.
_MOST_VALUES = 30_000


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
        try:
            with begin_write(self._writer) as connection:
                table = self._prepared(connection, kind, values)
                names = [row["data_id"] for row in values]
                for start in range(0, len(names), _MOST_VALUES):
                    some = names[start : start + _MOST_VALUES]
                    connection.execute(sa.delete(table).where(table.c.data_id.in_(some)))
                whole = dict.fromkeys(table.c.keys())
                connection.execute(sa.insert(table), [whole | row for row in values])
        except UNWRITABLE as error:
            raise OutputError(f"cannot write {self.path}: {describe_failure(error)}", path=self.path) from error

    def update(self, kind: str, data_id: str, values: Mapping[str, Any]) -> None:
        """Change some columns of one row, which is there.

        Raises
        ------
        OutputError
            If the file cannot be written.
        """
        row: dict[str, Any] = {"changed": time.time()} | {key: _plain(value) for key, value in values.items()}
        try:
            with begin_write(self._writer) as connection:
                table = self._prepared(connection, kind, [{"data_id": data_id, **row}])
                connection.execute(sa.update(table).where(table.c.data_id == data_id).values(**row))
        except UNWRITABLE as error:
            raise OutputError(f"cannot write {self.path}: {describe_failure(error)}", path=self.path) from error

    def columns(self, kind: str = "detector") -> dict[str, type]:
        """Return the columns of a table and their types (int, float or str); nothing if there is no table."""
        if not self.exists():
            return {}
        with self._reading() as connection:
            return read_schema(connection).get(kind, {})

    def read(self, kind: str = "detector", condition: str = "") -> list[dict[str, Any]]:
        """Return rows that a condition holds for, in the order of their data IDs; see `obs.repo.metric_query`.

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
        table = sa.table(kind, *(sa.column(name) for name in columns))
        with self._reading() as connection:
            statement = sa.select(table).where(clause).order_by(table.c.data_id)
            return [_restored(dict(row._mapping)) for row in connection.execute(statement)]

    def count(self, kind: str = "detector") -> dict[str, int]:
        """Return the number of rows of each status: ``waiting``, ``done``, ``failed``."""
        if kind not in (self._tables() if self.exists() else ()):
            return {}
        table = sa.table(kind, sa.column("status"))
        with self._reading() as connection:
            rows = connection.execute(sa.select(table.c.status, sa.func.count()).group_by(table.c.status))
            return {str(status): int(number) for status, number in rows}

    def _tables(self) -> list[str]:
        with self._reading() as connection:
            return list(read_schema(connection))

    @cached_property
    def _writer(self) -> sa.Engine:
        return open_engine(str(self.path), read_only=False)

    @contextmanager
    def _reading(self) -> Iterator[sa.Connection]:
        # only who may write can take back what a killed process has begun to write
        is_left = self.path.with_name(f"{METRIC_FILE}-journal").exists()
        try:
            engine = (
                self._writer
                if is_left and os.access(self.path, os.W_OK)
                else open_engine(str(self.path), read_only=True)
            )
            with begin_read(engine) as connection:
                yield connection
        except UNWRITABLE as error:
            raise RepositoryError(f"cannot read {self.path}: {describe_failure(error)}", path=self.path) from error

    def _prepared(self, connection: sa.Connection, kind: str, rows: Sequence[Mapping[str, Any]]) -> sa.Table:
        """Return the table of a kind with a column for each value, made where it is not there."""
        if kind not in KINDS:
            raise ValueError(f"metrics are of {', '.join(KINDS)}, not of '{kind}'")
        wanted = dict(_COMMON)
        for row in rows:
            wanted.update({name: _column_type(value) for name, value in row.items() if value is not None})
            wanted.update({name: "double" for name, value in row.items() if value is None and name not in wanted})
        unsafe = [name for name in wanted if not name or set(name) - set(_SAFE)]
        if unsafe:
            raise ValueError(f"'{unsafe[0]}' cannot be the name of a column")
        there = read_schema(connection).get(kind)
        columns = {name: kind for name, kind in wanted.items() if there is None or name not in there}
        if there is None:
            definition = sa.Table(kind, sa.MetaData(), *(_column(name, columns[name]) for name in columns))
            connection.execute(sa.schema.CreateTable(definition, if_not_exists=True))
            there = {}
        else:
            quote = connection.dialect.identifier_preparer.quote
            for name, column in columns.items():
                type_name = COLUMN_TYPES[column]().compile(connection.dialect)
                connection.exec_driver_sql(f"ALTER TABLE {quote(kind)} ADD COLUMN {quote(name)} {type_name}")
        return sa.Table(kind, sa.MetaData(), *(sa.Column(name) for name in {**there, **columns}))


def _column(name: str, kind: str) -> sa.Column[Any]:
    return sa.Column(name, COLUMN_TYPES[kind], primary_key=name == "data_id")


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


def _restored(row: dict[str, Any]) -> dict[str, Any]:
    """Return a row with its details unpacked."""
    details = row.pop("details", None)
    row["details"] = json.loads(details) if details else {}
    return row
