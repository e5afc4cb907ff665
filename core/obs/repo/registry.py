"""The registry: tables that say which data IDs exist.

How it is asked is in `obs.repo.registry_reader`. Everything is written in a `Transaction`, which one process has at a
time: what it reads first still holds when it writes.
"""

import logging
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from obs.errors import OutputError
from obs.repo.database import UNWRITABLE, as_statement, begin_read, begin_write, has_lost_connection, open_engine
from obs.repo.origin_table import find_origin, read_origins
from obs.repo.registry_reader import SCHEMA_VERSION, Question, RegistryReader, pick_column
from obs.repo.registry_schema import read_schema, read_version
from obs.repo.sqlite_file import BUSY_SECONDS, describe_failure
from obs.repo.transaction import Transaction
from obs.url_secrets import hide_passwords

__all__ = ["Registry"]

_T = TypeVar("_T")

logger = logging.getLogger(__name__)


class Registry(RegistryReader):
    """Tables of data IDs in a SQLite file or another database, which can be changed.

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
        self.place = hide_passwords(str(self._engine.url)) if "://" in str(place) else str(place)
        _ = self._schema
        if not read_only and self.schema_version != SCHEMA_VERSION:
            self._migrate()

    def _migrate(self) -> None:
        """Bring the tables to the current version, and say so if there were any."""
        before = self.apply(Transaction.migrate)
        if before is not None:
            logger.warning(
                "the registry %s was brought from schema %d to %d; older versions of obs still read it",
                self.place,
                before,
                SCHEMA_VERSION,
            )

    def _read_schema(self) -> dict[str, dict[str, type]]:
        def read(connection: sa.Connection) -> dict[str, dict[str, type]]:
            self.schema_version = read_version(connection, self.place)
            return read_schema(connection)

        return self._read(read)

    def origins(self) -> list[tuple[str, str, str]]:
        """Return of ingested files their place relative to the repository, source and mode, as far as it is known.

        Raises
        ------
        RepositoryError
            If the database fails.
        """
        return self._read(read_origins)

    def origin(self, source: Path) -> dict[str, list[str]]:
        """Return the places, relative to the repository, of what was made from a file, each with all its sources.

        Parameters
        ----------
        source : Path
            The file that was named, which may be gone since.

        Raises
        ------
        RepositoryError
            If the database fails.
        """
        return self._read(lambda connection: find_origin(connection, source))

    def _answer(self, question: Question) -> list[tuple[Any, ...]]:
        """Return the rows of a statement."""
        statement = as_statement(question)
        return self._read(lambda connection: [tuple(row) for row in connection.execute(statement)])

    def _read(self, read: Callable[[sa.Connection], _T]) -> _T:
        """Return what a function reads; it is called again if the database was restarted in the middle."""
        end = time.monotonic() + BUSY_SECONDS
        while True:
            try:
                with begin_read(self._engine) as connection:
                    return read(connection)
            except UNWRITABLE as error:
                # a server may be restarted again before it has answered
                if time.monotonic() > end or not has_lost_connection(error):
                    raise self._fault("cannot read the registry", error) from error

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

    def apply(self, change: Callable[[Transaction], _T]) -> _T:
        """Do something in a transaction, once more if the server was restarted in the middle; return what it returns.

        Parameters
        ----------
        change : callable
            What is to be done; it must give the same if it was done before.

        Raises
        ------
        OutputError
            If the database refuses, or another process holds it for too long.
        """
        end = time.monotonic() + BUSY_SECONDS
        while True:
            try:
                with self.transaction() as changes:
                    return change(changes)
            except OutputError as error:
                if time.monotonic() > end or not has_lost_connection(error):
                    raise

    def refusal(self, error: BaseException) -> OutputError:
        """Return the error that says why the database cannot be written."""
        return OutputError(f"cannot write the registry {self.place}: {describe_failure(error)}", path=self.place)

    def create_table(
        self, table: str, columns: Mapping[str, str], unique: Sequence[str], *, numbered: bool = True
    ) -> None:
        """Make a table if it is not there; see `Transaction.create_table`.

        Parameters
        ----------
        table : str
            Name of the table.
        columns : mapping of str to str
            Column names and their types: ``int``, ``double`` or ``text``.
        unique : sequence of str
            Columns that together name one row.
        numbered : bool, default: True
            Whether it has the row number ``id``.

        Raises
        ------
        OutputError
            If the database refuses.
        """
        with self.transaction() as changes:
            changes.create_table(table, columns, unique, numbered=numbered)

    def insert(self, table: str, rows: Iterable[Mapping[str, Any]]) -> None:
        """Add rows, all or none of them.

        Parameters
        ----------
        table : str
            Name of the table.
        rows : iterable of mapping
            Column to value for each row.

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
        insert : mapping of str to iterable of mapping
            Table to the rows that it gains.
        delete : iterable of tuple, optional
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
            pick_column(definition.c, name, [table])
        return definition
