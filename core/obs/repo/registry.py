"""The registry: tables that say which data IDs exist.

An input repository's registry is opened read-only, so that SQLite writes no file beside it. Names of tables and columns
are compared with those of the database before they are used, and values are bound parameters. Everything is written in
a `Transaction`, which one process has at a time: what it reads first still holds when it writes.
"""

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from obs.errors import DataIdError, OutputError, RepositoryError, suggest
from obs.repo.database import UNWRITABLE, begin_read, begin_write, has_lost_connection, open_engine
from obs.repo.origin_table import read_origins
from obs.repo.registry_schema import SCHEMA_VERSION, read_schema, read_version
from obs.repo.sqlite_file import describe_failure
from obs.repo.transaction import ROW_NUMBER, Transaction

__all__ = ["Registry"]

logger = logging.getLogger(__name__)


class Registry:
    """Tables of data IDs in a SQLite file or another database.

    Parameters
    ----------
    place : Path or str
        SQLite file, or a database URL such as ``postgresql+psycopg://host/name``.
    read_only : bool
        Open it so that nothing can be written.

    Raises
    ------
    RepositoryError
        If there is no such file, it is not a database, or a newer version of obs made it.
    OutputError
        If it is of an older version, is to be written, and cannot be brought to the current one.
    """

    def __init__(self, place: Path | str, *, read_only: bool = True) -> None:
        self._engine = open_engine(str(place), read_only=read_only)
        # without a password that the URL may have
        self.place = str(self._engine.url) if "://" in str(place) else str(place)
        #: Version of its tables; None if it records none.
        self.schema_version: int | None = None
        _ = self._schema
        if not read_only and self.schema_version != SCHEMA_VERSION:
            self._migrate()

    def _migrate(self) -> None:
        """Bring the tables to the current version, and say so if there were any."""
        with self.transaction() as changes:
            before = changes.migrate()
        if before is not None:
            logger.warning(
                "the registry %s was brought from schema %d to %d; older versions of obs still read it",
                self.place,
                before,
                SCHEMA_VERSION,
            )

    @cached_property
    def _schema(self) -> dict[str, dict[str, type]]:
        """Columns of each table and their Python types."""
        try:
            with begin_read(self._engine) as connection:
                self.schema_version = read_version(connection, self.place)
                return read_schema(connection)
        except UNWRITABLE as error:
            raise self._fault("cannot read the registry", error) from error

    def has_table(self, table: str) -> bool:
        """Return whether there is such a table."""
        return table in self._schema

    def tables(self) -> list[str]:
        """Return the names of the tables."""
        return list(self._schema)

    def columns(self, tables: Sequence[str]) -> dict[str, type]:
        """Return the columns of the joined tables and their types (int, float or str), without the row number.

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
        columns
            Names of the columns wanted.
        where
            Columns and the values that they must have.
        tables
            Tables, joined on the columns that they share.
        between
            A value, and the two columns between which, inclusive, it must lie.

        Raises
        ------
        RepositoryError
            If there is no such table, or the database fails.
        DataIdError
            If no table has such a column.
        """
        statement = self._select(columns, where, tables, between)
        return self._read(statement)

    def count(self, table: str) -> int:
        """Return the number of rows of a table."""
        return int(self._read(sa.select(sa.func.count()).select_from(self._definition(table, [])))[0][0])

    def origins(self) -> list[tuple[str, str, str]]:
        """Return of ingested files their place relative to the repository, source and mode, as far as it is known.

        Raises
        ------
        RepositoryError
            If the database fails.
        """
        try:
            with begin_read(self._engine) as connection:
                return read_origins(connection)
        except UNWRITABLE as error:
            raise self._fault("cannot read the registry", error) from error

    def _read(self, statement: sa.Select[Any]) -> list[tuple[Any, ...]]:
        """Return the rows of a statement; it is asked once more if the database was restarted in the middle."""
        is_last = False
        while True:
            try:
                with begin_read(self._engine) as connection:
                    return [tuple(row) for row in connection.execute(statement)]
            except UNWRITABLE as error:
                if is_last or not has_lost_connection(error):
                    raise self._fault("cannot read the registry", error) from error
                is_last = True

    def _select(
        self,
        columns: Sequence[str],
        where: Mapping[str, Any],
        tables: Sequence[str],
        between: tuple[Any, str, str] | None = None,
    ) -> sa.Select[Any]:
        source, found = self._join(tables)
        wanted = [_pick(found, name, tables) for name in columns]
        statement = sa.select(*wanted).distinct().select_from(source).order_by(*wanted)
        for name, value in where.items():
            statement = statement.where(_pick(found, name, tables) == value)
        if between is not None:
            value, low, high = between
            statement = statement.where(
                sa.literal(value).between(_pick(found, low, tables), _pick(found, high, tables))
            )
        return statement

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """Begin a transaction that no other process has at the same time; an exception takes all of it back.

        Raises
        ------
        OutputError
            If the database refuses, or another process holds it for too long.
        """
        try:
            with begin_write(self._engine) as connection:
                yield Transaction(self, connection)
        except SQLAlchemyError as error:
            raise self.refusal(error) from error

    def refusal(self, error: BaseException) -> OutputError:
        """Return the error that says why the database cannot be written."""
        return OutputError(f"cannot write the registry {self.place}: {describe_failure(error)}", path=self.place)

    def create_table(
        self, table: str, columns: Mapping[str, str], unique: Sequence[str], *, numbered: bool = True
    ) -> None:
        """Make a table if it is not there; see `Transaction.create_table`."""
        with self.transaction() as changes:
            changes.create_table(table, columns, unique, numbered=numbered)

    def insert(self, table: str, rows: Iterable[Mapping[str, Any]]) -> None:
        """Add rows, all or none of them.

        Raises
        ------
        OutputError
            If the database refuses, for example because a row is there already.
        """
        self.change({table: rows})

    def change(
        self,
        insert: Mapping[str, Iterable[Mapping[str, Any]]],
        *,
        delete: Iterable[tuple[str, Mapping[str, Any]]] = (),
    ) -> None:
        """Remove rows and add others, in one transaction.

        Parameters
        ----------
        insert
            Table to the rows that it gains.
        delete
            Tables, each with the values that the rows to be removed have; these go first.

        Raises
        ------
        OutputError
            If the database refuses, for example because a row is there already; nothing is changed then.
        """
        with self.transaction() as changes:
            for table, where in delete:
                changes.delete(table, where)
            for table, rows in insert.items():
                changes.insert(table, rows)

    def _definition(self, table: str, names: Iterable[str]) -> sa.TableClause:
        """Return a table that has columns of these names, spelled as the database does."""
        definition = sa.table(table, *(sa.column(name) for name in self._table_columns(table)))
        for name in names:
            _pick(definition.c, name, [table])
        return definition

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

    def _join(self, tables: Sequence[str]) -> tuple[Any, dict[str, Any]]:
        """Return the natural join, and for each column name the first column of that name."""
        source: Any = None
        found: dict[str, Any] = {}
        for table in dict.fromkeys(tables):
            clause = sa.table(table, *(sa.column(name) for name in self._table_columns(table)))
            shared = [column.name for column in clause.c if column.name in found]
            on = sa.and_(sa.true(), *(found[name] == clause.c[name] for name in shared))
            source = clause if source is None else source.join(clause, on)
            for column in clause.c:
                found.setdefault(column.name, column)
        if source is None:
            raise DataIdError("no registry table to look a key up in; give all keys in the data ID")
        return source, found

    def _fault(self, message: str, error: Exception) -> RepositoryError:
        return RepositoryError(f"{message} {self.place}: {describe_failure(error)}", path=self.place)


def _pick(found: Any, name: str, tables: Sequence[str]) -> Any:  # noqa: ANN401 - SQLAlchemy's collections
    """Return the column of a name."""
    if name not in found:
        names = [key for key in found.keys() if key != ROW_NUMBER]  # noqa: SIM118 - iterates columns otherwise
        message = f"no column '{name}' in {', '.join(tables)}{suggest(name, names)}; columns: {', '.join(names)}"
        raise DataIdError(message, key=name)
    return found[name]
