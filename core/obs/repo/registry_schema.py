"""Tables and columns of a registry, and the version of their layout.

Version 1 is that of obs 0.1.0, which recorded no version; registries of other programs have none either. Version 2
records it in a table of its own, and keeps integers of 64 bits in every database.
"""

from typing import Any

import sqlalchemy as sa

from obs.errors import RepositoryError
from obs.repo.origin_table import ORIGIN_TABLE

__all__ = ["COLUMN_TYPES", "SCHEMA_VERSION", "migrate", "read_schema", "read_version"]

#: Version that is written, and the highest that is read.
SCHEMA_VERSION = 2

COLUMN_TYPES: dict[str, Any] = {"int": sa.BigInteger, "double": sa.Float, "text": sa.Text}
#: Name of the table of the version, which is not one of data IDs.
_TABLE = "obs_schema"
_VERSION = sa.Table(_TABLE, sa.MetaData(), sa.Column("version", sa.Integer, primary_key=True))


def read_schema(connection: sa.Connection) -> dict[str, dict[str, type]]:
    """Return the columns of each table, and their Python types."""
    inspector = sa.inspect(connection)
    return {
        table: {column["name"]: _python_type(column["type"]) for column in inspector.get_columns(table)}
        for table in inspector.get_table_names()
        if table not in (_TABLE, ORIGIN_TABLE)
    }


def _python_type(kind: object) -> type:
    if isinstance(kind, sa.Integer):
        return int
    return float if isinstance(kind, sa.Numeric | sa.Float) else str


def read_version(connection: sa.Connection, place: str) -> int | None:
    """Return the version of a registry; None if it records none.

    Raises
    ------
    RepositoryError
        If it is newer than this version of obs knows.
    """
    if not sa.inspect(connection).has_table(_TABLE):
        return None
    version = connection.execute(sa.select(sa.func.max(_VERSION.c.version))).scalar()
    if version is not None and int(version) > SCHEMA_VERSION:
        raise RepositoryError(
            f"the registry {place} has schema {version}, and this version of obs reads up to {SCHEMA_VERSION}; a newer "
            "version of obs made it: update obs",
            path=place,
        )
    return None if version is None else int(version)


def migrate(connection: sa.Connection) -> None:
    """Bring a registry of an older version to `SCHEMA_VERSION`, within a transaction that has begun to write."""
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
