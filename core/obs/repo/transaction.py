"""Changes to a registry that are kept together or not at all."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.schema import CreateTable, DropTable

from obs.repo.database import UNWRITABLE, as_statement
from obs.repo.origin_table import write_origins
from obs.repo.registry_reader import ROW_NUMBER, SCHEMA_VERSION
from obs.repo.registry_schema import COLUMN_TYPES, migrate, read_schema, read_version

if TYPE_CHECKING:
    from obs.repo.registry import Registry

__all__ = ["Transaction"]

#: Keys looked up in one statement; SQLite takes 32,766 values.
_KEYS_AT_ONCE = 500


class Transaction:
    """Changes to a registry, which are kept together or not at all; made by `Registry.transaction`.

    Parameters
    ----------
    registry : Registry
        The registry.
    connection : Connection
        A connection that has begun to write.
    """

    def __init__(self, registry: "Registry", connection: sa.Connection) -> None:
        self._registry, self._connection = registry, connection

    def lookup(self, columns: Sequence[str], where: Mapping[str, Any], tables: Sequence[str]) -> list[tuple[Any, ...]]:
        """Return the distinct rows of ``columns``; see `Registry.lookup`.

        Parameters
        ----------
        columns : sequence of str
            Columns to return.
        where : mapping
            Columns and the values that they must have.
        tables : sequence of str
            Tables, joined on their row number.
        """
        return [tuple(row) for row in self._execute(as_statement(self._registry._question(columns, where, tables)))]

    def find_present(self, table: str, columns: Sequence[str], keys: Collection[tuple[Any, ...]]) -> set[Any]:
        """Return those of ``keys`` that a row of the table has in ``columns``.

        Parameters
        ----------
        table : str
            Name of the table.
        columns : sequence of str
            Columns that make up a key.
        keys : collection of tuple
            Values of these columns. None stands for an empty value (NULL).
        """
        definition = self._registry._definition(table, columns)
        wanted = [definition.c[name] for name in columns]
        found: set[Any] = set()
        rows = [key for key in keys if None not in key]
        for key in keys:
            if None in key:  # NULL equals nothing
                found.update(self.lookup(columns, dict(zip(columns, key, strict=True)), [table]))
        for start in range(0, len(rows), _KEYS_AT_ONCE):
            some = rows[start : start + _KEYS_AT_ONCE]
            statement = sa.select(*wanted).where(sa.tuple_(*wanted).in_(some))
            found.update(tuple(row) for row in self._execute(statement))
        return found

    def insert(self, table: str, rows: Iterable[Mapping[str, Any]]) -> None:
        """Add rows, all or none of them; a refusal leaves the transaction as it was.

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
        values = [dict(row) for row in rows]
        if not values:
            return
        statement = sa.insert(self._registry._definition(table, {key for row in values for key in row}))
        try:
            with self._connection.begin_nested():
                self._connection.execute(statement, values)
        except UNWRITABLE as error:
            raise self._registry.refusal(error) from error

    def delete(self, table: str, where: Mapping[str, Any]) -> None:
        """Remove the rows that have these values.

        Parameters
        ----------
        table : str
            Name of the table.
        where : mapping
            Columns and the values that they must have. Without any, all rows are removed.

        Raises
        ------
        OutputError
            If the database refuses.
        """
        definition = self._registry._definition(table, where)
        conditions = [definition.c[name] == value for name, value in where.items()]
        self._execute(sa.delete(definition).where(sa.and_(sa.true(), *conditions)))

    def keep_origins(self, rows: Sequence[tuple[str, str, str]]) -> None:
        """Keep of files their place relative to the repository, the file they came from, and how.

        Parameters
        ----------
        rows : sequence of tuple of str
            File (relative to the repository), its source, and how it came from there.

        Raises
        ------
        OutputError
            If the database refuses.
        """
        try:
            write_origins(self._connection, rows)
        except UNWRITABLE as error:
            raise self._registry.refusal(error) from error

    def create_table(
        self, table: str, columns: Mapping[str, str], unique: Sequence[str], *, numbered: bool = True
    ) -> None:
        """Make a table if it is not there.

        Parameters
        ----------
        table : str
            Its name.
        columns : mapping of str to str
            Column names and their types: ``int``, ``double`` or ``text``.
        unique : sequence of str
            Columns that together name one row.
        numbered : bool, default: True
            Whether it has the row number ``id``, on which it is then joined with others that have it.

        Raises
        ------
        OutputError
            If the database refuses.
        """
        number = sa.Column(ROW_NUMBER, sa.Integer, primary_key=True, autoincrement=True)
        definition = sa.Table(
            table,
            sa.MetaData(),
            *([number] if numbered else []),
            *(sa.Column(name, COLUMN_TYPES[kind]) for name, kind in columns.items()),
            sa.UniqueConstraint(*unique),
        )
        self._execute(CreateTable(definition, if_not_exists=True))
        self._registry.__dict__["_schema"] = read_schema(self._connection)

    def drop_table(self, table: str) -> None:
        """Remove a table with all that it holds, if it is there.

        Raises
        ------
        OutputError
            If the database refuses.
        """
        self._execute(DropTable(sa.Table(table, sa.MetaData()), if_exists=True))
        self._registry.__dict__["_schema"] = read_schema(self._connection)

    def migrate(self) -> int | None:
        """Bring the tables to the current version; see `obs.repo.registry_schema`.

        Returns
        -------
        int or None
            The version before; None if there were no tables, or another process has just brought them there.

        Raises
        ------
        OutputError
            If the database refuses.
        """
        try:
            version = read_version(self._connection, self._registry.place)
            had_tables = bool(read_schema(self._connection))
            if version != SCHEMA_VERSION:
                migrate(self._connection)
        except UNWRITABLE as error:
            raise self._registry.refusal(error) from error
        self._registry.schema_version = SCHEMA_VERSION
        return (version or 1) if had_tables and version != SCHEMA_VERSION else None

    def _execute(self, statement: sa.Executable) -> list[Any]:
        try:
            result = self._connection.execute(statement)
            return list(result) if result.returns_rows else []
        except UNWRITABLE as error:
            raise self._registry.refusal(error) from error
