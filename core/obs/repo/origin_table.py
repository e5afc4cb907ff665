"""The table of a registry that keeps where ingested files came from. It is not one of data IDs."""

import os
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

import sqlalchemy as sa

from obs.repo.registry_reader import ORIGIN_TABLE

__all__ = ["find_origin", "origin_text", "read_origins", "write_origins"]

_TABLE = sa.Table(
    ORIGIN_TABLE,
    sa.MetaData(),
    sa.Column("file", sa.Text, primary_key=True),
    sa.Column("source", sa.Text),
    sa.Column("mode", sa.Text),
)

#: Between two sources, which are absolute.
_NEXT = re.compile(" (?=/)")


def origin_text(sources: Iterable[Path]) -> str:
    """Return the files that a file came from as the table keeps them.

    Parameters
    ----------
    sources : iterable of Path
        One, or several where they were put together.
    """
    text = " ".join(sorted(os.path.abspath(source) for source in sources))
    # databases hold text, and names of files any bytes
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def find_origin(connection: sa.Connection, source: Path) -> dict[str, list[str]]:
    """Return the files (relative to the repository) that came from a file, each with all files that it came from."""
    if not sa.inspect(connection).has_table(ORIGIN_TABLE):
        return {}
    text = origin_text([source])
    found = connection.execute(
        sa.select(_TABLE).where(_TABLE.c.source.contains(text, autoescape=True)).order_by(_TABLE.c.file)
    )
    sources = {row.file: [text] if row.source == text else _NEXT.split(row.source) for row in found}
    return {file: names for file, names in sources.items() if text in names}


def read_origins(connection: sa.Connection) -> list[tuple[str, str, str]]:
    """Return file (relative to the repository), source and mode of each file; nothing from a registry without them."""
    if not sa.inspect(connection).has_table(ORIGIN_TABLE):
        return []
    return [(row.file, row.source, row.mode) for row in connection.execute(sa.select(_TABLE))]


def write_origins(connection: sa.Connection, rows: Sequence[tuple[str, str, str]]) -> None:
    """Keep file, source and mode of files, within a transaction that has begun to write; what was said before goes.

    Parameters
    ----------
    connection : sqlalchemy.Connection
        Connection within a transaction.
    rows : sequence of tuple of str
        File (relative to the repository), source and mode, for example "link" or "copy".
    """
    connection.execute(sa.schema.CreateTable(_TABLE, if_not_exists=True))
    for file, source, mode in rows:
        connection.execute(sa.delete(_TABLE).where(_TABLE.c.file == file))
        connection.execute(sa.insert(_TABLE).values(file=file, source=source, mode=mode))
