"""Tables and columns of a registry, and the version of their layout.

Version 1 is that of obs 0.1.0, which recorded no version; registries of other programs have none either. Version 2
records it in a table of its own, and keeps integers of 64 bits in every database.
"""

from typing import Any

import sqlalchemy as sa

from obs.repo.registry_reader import ORIGIN_TABLE, SCHEMA_VERSION, VERSION_TABLE, check_version

__all__ = ["COLUMN_TYPES", "migrate", "read_schema", "read_version"]

COLUMN_TYPES: dict[str, Any] = {"int": sa.BigInteger, "double": sa.Float, "text": sa.Text}
_VERSION = sa.Table(VERSION_TABLE, sa.MetaData(), sa.Column("version", sa.Integer, primary_key=True))


def read_schema(connection: sa.Connection) -> dict[str, dict[str, type]]:
    """Return the columns of each table, and their Python types."""
    inspector = sa.inspect(connection)
    return {
        table: {column["name"]: _python_type(column["type"]) for column in inspector.get_columns(table)}
        for table in inspector.get_table_names()
        if table not in (VERSION_TABLE, ORIGIN_TABLE)
    }


def _python_type(kind: object) -> type:
    if isinstance(kind, sa.Integer):
        return int
    return float if isinstance(kind, sa.Numeric | sa.Float) else str


def read_version(connection: sa.Connection, place: str) -> int | None:
    """Return the version of a registry; None if it records none.

    Parameters
    ----------
    connection : sqlalchemy.Connection
        Connection to the registry.
    place : str
        File or URL of the registry, for the error.

    Raises
    ------
    RepositoryError
        If it is newer than this version of obs knows.
    """
    if not sa.inspect(connection).has_table(VERSION_TABLE):
        return None
    version = connection.execute(sa.select(sa.func.max(_VERSION.c.version))).scalar()
    return check_version(version, place)


def migrate(connection: sa.Connection) -> None:
    """Bring a registry of an older version to `SCHEMA_VERSION`, within a transaction that has begun to write.

    Parameters
    ----------
    connection : sqlalchemy.Connection
        Connection within a transaction that has begun to write.
    """
    if connection.dialect.name == "postgresql":
        _widen_integers(connection)
    connection.execute(sa.schema.CreateTable(_VERSION, if_not_exists=True))
    connection.execute(sa.delete(_VERSION))
    connection.execute(sa.insert(_VERSION).values(version=SCHEMA_VERSION))


def _widen_integers(connection: sa.Connection) -> None:
    """Give columns of integers 64 bits; SQLite has them anyway."""
    inspector = sa.inspect(connection)
    quote = connection.dialect.identifier_preparer.quote
    for table in inspector.get_table_names():
        for column in inspector.get_columns(table):
            is_narrow = isinstance(column["type"], sa.Integer) and not isinstance(column["type"], sa.BigInteger)
            if is_narrow and not column.get("autoincrement"):
                name = quote(column["name"])
                connection.exec_driver_sql(f"ALTER TABLE {quote(table)} ALTER COLUMN {name} TYPE BIGINT")
