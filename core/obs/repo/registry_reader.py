"""What is asked of a registry: the data IDs that exist.

Questions are put as text that SQLite and other databases understand alike. A registry in a file is asked through the
standard library, which takes no time to import. Names of tables and columns are compared with those of the database
before they are used, and values are bound parameters.
"""

import re
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

from obs.errors import DataIdError, RepositoryError, suggest
from obs.repo.sqlite_file import FAILURES, begin, describe_failure

__all__ = [
    "ORIGIN_TABLE",
    "ROW_NUMBER",
    "SCHEMA_VERSION",
    "VERSION_TABLE",
    "Question",
    "RegistryFile",
    "RegistryReader",
    "check_registry_file",
    "check_version",
    "pick_column",
]

#: Version of the tables that is written, and the highest that is read; see `obs.repo.registry_schema`.
SCHEMA_VERSION = 2
#: Names of the tables of the version and of the places that files came from, which are not those of data IDs.
VERSION_TABLE, ORIGIN_TABLE = "obs_schema", "obs_origin"
#: Column that numbers the rows of a table, and is not part of a data ID.
ROW_NUMBER = "id"

#: So many words of the rows of an answer are kept once: those of keys such as a filter or a date are few.
_KEPT_WORDS = 4096

#: A statement with places such as ``:p0``, and what is to stand there.
Question = tuple[str, dict[str, Any]]
Schema = dict[str, dict[str, type]]

_REAL = re.compile("REAL|FLOA|DOUB|NUMERIC|DECIMAL")
_TEXT = re.compile("CHAR|CLOB|TEXT|DATE|TIME|BLOB|BOOL|JSON|^$")


class RegistryReader(ABC):
    """Tables of data IDs that can be asked.

    Attributes
    ----------
    place : str
        File, or URL of the database.
    schema_version : int or None
        Version of its tables; None if it records none.
    advice : str
        What to do about a key that it does not have.
    """

    place: str
    schema_version: int | None = None
    advice = "give it in the data ID"

    @abstractmethod
    def _read_schema(self) -> Schema:
        """Return the columns of each table and their Python types, and set the version of the schema."""

    @abstractmethod
    def _answer(self, question: Question) -> list[tuple[Any, ...]]:
        """Return the rows that a statement gives."""

    @cached_property
    def _schema(self) -> Schema:
        return self._read_schema()

    def has_table(self, table: str) -> bool:
        """Return whether there is such a table; SQL does not distinguish capitals."""
        return table in self._schema or table.lower() in map(str.lower, self._schema)

    def tables(self) -> list[str]:
        """Return the names of the tables."""
        return list(self._schema)

    def columns(self, tables: Sequence[str]) -> dict[str, type]:
        """Return the columns of the joined tables and their types (int, float or str), without the row number.

        Parameters
        ----------
        tables : sequence of str
            Tables, joined on their row number.

        Raises
        ------
        RepositoryError
            If there is no such table.
        """
        return {
            name: kind for table in tables for name, kind in self._table_columns(table).items() if name != ROW_NUMBER
        }

    def lookup(
        self,
        columns: Sequence[str],
        where: Mapping[str, Any],
        tables: Sequence[str],
        *,
        between: tuple[Any, str, str] | None = None,
    ) -> list[tuple[Any, ...]]:
        """Return the distinct rows of ``columns``, sorted by them in the order given.

        Parameters
        ----------
        columns : sequence of str
            Names of the columns wanted.
        where : mapping
            Columns and the values that they must have.
        tables : sequence of str
            Tables, joined on the columns that they share.
        between : tuple, optional
            A value, and the two columns between which, inclusive, it must be.

        Raises
        ------
        RepositoryError
            If there is no such table, or the database fails.
        DataIdError
            If no table has such a column.
        """
        return self._answer(self._question(columns, where, tables, between))

    def count(self, table: str) -> int:
        """Return the number of rows of a table."""
        self._table_columns(table)
        text = f"SELECT count(*) FROM {_quoted(table)}"  # noqa: S608 - a name that the database has
        return int(self._answer((text, {}))[0][0])

    def _question(
        self,
        columns: Sequence[str],
        where: Mapping[str, Any],
        tables: Sequence[str],
        between: tuple[Any, str, str] | None = None,
    ) -> Question:
        """Return the statement of `lookup`."""
        source, found = self._join(tables)
        wanted = ", ".join(pick_column(found, name, tables) for name in columns)
        values: dict[str, Any] = {}
        conditions = []
        for number, (name, value) in enumerate(where.items()):
            column = pick_column(found, name, tables)
            if value is None:
                conditions.append(f"{column} IS NULL")
            else:
                conditions.append(f"{column} = :p{number}")
                values[f"p{number}"] = value
        if between is not None:
            values["between"], low, high = between
            low, high = (pick_column(found, name, tables) for name in (low, high))
            conditions += [f"{low} <= :between", f"{high} >= :between"]
        condition = f" WHERE {' AND '.join(conditions)}" if conditions else ""
        text = f"SELECT DISTINCT {wanted} FROM {source}{condition} ORDER BY {wanted}"  # noqa: S608 - as above
        return text, values

    def _join(self, tables: Sequence[str]) -> tuple[str, dict[str, str]]:
        """Return the natural join, and for each column name the first column of that name.

        A table that adds no column is left out: rows of another that it contradicts, such as the frame of a detector
        whose header names another target than that of the exposure's first detector, would vanish.
        """
        source = ""
        found: dict[str, str] = {}
        for table in dict.fromkeys(tables):
            columns = {name: f"{_quoted(table)}.{_quoted(name)}" for name in self._table_columns(table)}
            if found.keys() >= columns.keys():
                continue
            shared = " AND ".join(f"{found[name]} = {columns[name]}" for name in columns if name in found)
            source = f"{source} JOIN {_quoted(table)} ON {shared or '1 = 1'}" if source else _quoted(table)
            found = columns | found
        if not source:
            raise DataIdError("no registry table to look a key up in; give all keys in the data ID")
        return source, found

    def _table_columns(self, table: str) -> dict[str, type]:
        if table in self._schema:
            return self._schema[table]
        # SQL does not say raw_skytile from raw_skyTile, and policies rely on it.
        for name, columns in self._schema.items():
            if name.lower() == table.lower():
                return columns
        raise RepositoryError(
            f"the registry {self.place} has no table '{table}'{suggest(table, self._schema)}; "
            f"tables: {', '.join(self._schema) or 'none'}",
            path=self.place,
        )

    def _fault(self, message: str, error: Exception) -> RepositoryError:
        return RepositoryError(f"{message} {self.place}: {describe_failure(error)}", path=self.place)


class RegistryFile(RegistryReader):
    """A registry in a SQLite file, which is only read: no other database, and nothing beside the file.

    Parameters
    ----------
    path : Path or str
        The file.

    Raises
    ------
    RepositoryError
        If there is no such file, it is not a database, or a newer version of obs made it.
    """

    def __init__(self, path: Path | str) -> None:
        self.place = str(path)
        check_registry_file(Path(path))
        _ = self._schema

    def _read_schema(self) -> Schema:
        names = self._answer(("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name", {}))
        others = {VERSION_TABLE, ORIGIN_TABLE}
        tables = [name for (name,) in names if name not in others and not name.startswith("sqlite_")]
        if (VERSION_TABLE,) in names:
            version = self._answer(("SELECT max(version) FROM obs_schema", {}))[0][0]
            self.schema_version = check_version(version, self.place)
        rows = {table: self._answer((f"PRAGMA table_info({_quoted(table)})", {})) for table in tables}
        return {table: {name: _python_type(kind) for _, name, kind, *_ in rows[table]} for table in tables}

    def _answer(self, question: Question) -> list[tuple[Any, ...]]:
        try:
            with begin(Path(self.place), read_only=True, is_writing=False) as connection:
                connection.text_factory = lru_cache(_KEPT_WORDS)(
                    bytes.decode
                )  # rows share words: a third of the memory
                return connection.execute(*question).fetchall()
        except FAILURES as error:
            raise self._fault("cannot read the registry", error) from error


def check_registry_file(path: Path) -> None:
    """Refuse a place at which there is no regular file.

    Raises
    ------
    RepositoryError
        If there is none, or it is a pipe or a device.
    """
    if not path.is_file():
        problem = "the registry is not a regular file:" if path.exists() else "there is no registry"
        raise RepositoryError(f"{problem} {path}", path=path)


def check_version(version: int | None, place: str) -> int | None:
    """Return the version of a registry that this version of obs can read.

    Parameters
    ----------
    version : int or None
        Version that the registry records.
    place : str
        File or URL of the registry, for the error.

    Returns
    -------
    int or None
        None for a registry without a version.

    Raises
    ------
    RepositoryError
        If it is newer.
    """
    if version is not None and int(version) > SCHEMA_VERSION:
        raise RepositoryError(
            f"the registry {place} has schema {version}, and this version of obs reads up to {SCHEMA_VERSION}; a newer "
            "version of obs made it: update obs",
            path=place,
        )
    return None if version is None else int(version)


def pick_column(found: Any, name: str, tables: Sequence[str]) -> Any:  # noqa: ANN401 - also SQLAlchemy's collections
    """Return the column of a name.

    Parameters
    ----------
    found : mapping
        Columns by name.
    name : str
        Name of the column.
    tables : sequence of str
        Names of the tables, for the error.

    Raises
    ------
    DataIdError
        If there is none.
    """
    if name not in found:
        names = [key for key in found.keys() if key != ROW_NUMBER]  # noqa: SIM118 - iterates columns otherwise
        message = f"no column '{name}' in {', '.join(tables)}{suggest(name, names)}; columns: {', '.join(names)}"
        raise DataIdError(message, key=name)
    return found[name]


def _quoted(name: str) -> str:
    """Return a name as it stands in a statement."""
    return '"' + name.replace('"', '""') + '"'


def _python_type(kind: str) -> type:
    """Return the type of the values of a column, of which SQLite knows what it was declared as."""
    kind = kind.upper()
    if "INT" in kind:
        return int
    if _REAL.search(kind):
        return float
    return str if _TEXT.search(kind) else float
