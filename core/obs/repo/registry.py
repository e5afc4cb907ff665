"""The registry: tables that say which data IDs exist.

An input repository's registry is opened read-only, so that SQLite writes no file beside it. Names of tables and columns
are compared with those of the database before they are used, and values are bound parameters.
"""

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import quote

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from obs.errors import DataIdError, OutputError, RepositoryError, suggest

__all__ = ["Registry"]

_COLUMN_TYPES: dict[str, Any] = {"int": sa.BigInteger, "double": sa.Float, "text": sa.Text}
#: Column names that number rows of a table, and are no part of a data ID.
_ROW_NUMBER = "id"


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
        If there is no such file, or it is no database.
    """

    def __init__(self, place: Path | str, *, read_only: bool = True) -> None:
        self._engine = _engine(str(place), read_only)
        # without a password that the URL may have
        self.place = str(self._engine.url) if "://" in str(place) else str(place)
        _ = self._schema

    @cached_property
    def _schema(self) -> dict[str, dict[str, type]]:
        """Columns of each table and their Python types."""
        try:
            inspector = sa.inspect(self._engine)
            return {
                table: {column["name"]: _python_type(column["type"]) for column in inspector.get_columns(table)}
                for table in inspector.get_table_names()
            }
        except (SQLAlchemyError, sqlite3.Error) as error:
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
            name: kind for table in tables for name, kind in self._table_columns(table).items() if name != _ROW_NUMBER
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
        try:
            with self._engine.connect() as connection:
                return [tuple(row) for row in connection.execute(statement)]
        except SQLAlchemyError as error:
            raise self._fault("cannot read the registry", error) from error

    def create_table(
        self, table: str, columns: Mapping[str, str], unique: Sequence[str], *, numbered: bool = True
    ) -> None:
        """Make a table if it is not there.

        Parameters
        ----------
        table
            Its name.
        columns
            Column names and their types: ``int``, ``double`` or ``text``.
        unique
            Columns that together name one row.
        numbered
            Whether it has the row number ``id``, on which it is then joined with others that have it.

        Raises
        ------
        OutputError
            If the database refuses.
        """
        number = sa.Column(_ROW_NUMBER, sa.Integer, primary_key=True, autoincrement=True)
        definition = sa.Table(
            table,
            sa.MetaData(),
            *([number] if numbered else []),
            *(sa.Column(name, _COLUMN_TYPES[kind]) for name, kind in columns.items()),
            sa.UniqueConstraint(*unique),
        )
        try:
            definition.create(self._engine, checkfirst=True)
        except SQLAlchemyError as error:
            raise OutputError(f"cannot write the registry {self.place}: {_reason(error)}", path=self.place) from error
        self.__dict__.pop("_schema", None)

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
        statements: list[tuple[Any, list[dict[str, Any]] | None]] = []
        for table, where in delete:
            definition = self._definition(table, where)
            conditions = [definition.c[name] == value for name, value in where.items()]
            statements.append((sa.delete(definition).where(sa.and_(sa.true(), *conditions)), None))
        for table, rows in insert.items():
            values = [dict(row) for row in rows]
            if values:
                statements.append((sa.insert(self._definition(table, {k for row in values for k in row})), values))
        try:
            with self._engine.begin() as connection:
                for statement, values_or_none in statements:
                    connection.execute(statement, values_or_none)
        except SQLAlchemyError as error:
            raise OutputError(f"cannot write the registry {self.place}: {_reason(error)}", path=self.place) from error

    def drop_table(self, table: str) -> None:
        """Remove a table with all that it holds, if it is there.

        Raises
        ------
        OutputError
            If the database refuses.
        """
        try:
            sa.Table(table, sa.MetaData()).drop(self._engine, checkfirst=True)
        except SQLAlchemyError as error:
            raise OutputError(f"cannot write the registry {self.place}: {_reason(error)}", path=self.place) from error
        self.__dict__.pop("_schema", None)

    def _definition(self, table: str, names: Iterable[str]) -> sa.TableClause:
        """Return a table that has columns of these names, spelled as the database does."""
        definition = sa.table(table, *(sa.column(name) for name in self._table_columns(table)))
        for name in names:
            _pick(definition.c, name, [table])
        return definition

    def _table_columns(self, table: str) -> dict[str, type]:
        if table in self._schema:
            return self._schema[table]
        # SQL does not tell raw_skytile from raw_skyTile, and policies rely on it.
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
        return RepositoryError(f"{message} {self.place}: {_reason(error)}", path=self.place)


def _engine(place: str, read_only: bool) -> sa.Engine:
    if "://" in place:
        try:
            return sa.create_engine(place, poolclass=sa.NullPool)
        except ImportError as error:
            hint = "; install it with pip install 'obs-toolkit[postgres]'" if "psycopg" in str(error) else ""
            scheme = place.partition(":")[0]
            raise RepositoryError(f"cannot open the registry {scheme}://...: {error}{hint}", path=scheme) from error
        except SQLAlchemyError as error:
            raise RepositoryError(
                f"cannot open the registry: {error}; a URL is like postgresql+psycopg://user@host/name"
            ) from error
    path = Path(place)
    if read_only and not path.is_file():
        raise RepositoryError(f"there is no registry {path}", path=path)
    uri = f"file:{quote(str(path.absolute()))}?mode={'ro' if read_only else 'rwc'}"
    if read_only and _is_settled_wal(path):
        uri += "&immutable=1"
    # A connection is made for each use: none is carried over into a forked process.
    return sa.create_engine("sqlite://", creator=lambda: sqlite3.connect(uri, uri=True), poolclass=sa.NullPool)


def _is_settled_wal(path: Path) -> bool:
    """Return whether the file is in write-ahead mode with nothing left to merge; to open it would then make files."""
    with path.open("rb") as file:
        header = file.read(20)
    log = path.with_name(f"{path.name}-wal")
    return header[18:20] == b"\x02\x02" and not (log.exists() and log.stat().st_size)


def _python_type(kind: object) -> type:
    if isinstance(kind, sa.Integer):
        return int
    return float if isinstance(kind, sa.Numeric) else str


def _pick(found: Any, name: str, tables: Sequence[str]) -> Any:  # noqa: ANN401 - SQLAlchemy's collections
    """Return the column of a name."""
    if name not in found:
        names = [key for key in found.keys() if key != _ROW_NUMBER]  # noqa: SIM118 - iterates columns otherwise
        message = f"no column '{name}' in {', '.join(tables)}{suggest(name, names)}; columns: {', '.join(names)}"
        raise DataIdError(message, key=name)
    return found[name]


def _reason(error: Exception) -> str:
    return " ".join(str(getattr(error, "orig", None) or error).split())
