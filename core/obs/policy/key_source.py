"""What knows which data IDs exist."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

__all__ = ["KeySource", "present_tables"]


class KeySource(Protocol):
    """Something that knows which data IDs exist: a registry, or the files themselves."""

    #: What to do about a key that it does not know.
    advice: str

    def columns(self, tables: Sequence[str]) -> Mapping[str, type]:
        """Return the columns of the joined tables and their types (int, float or str).

        Parameters
        ----------
        tables : sequence of str
            Names of the tables.
        """
        ...

    def has_table(self, table: str) -> bool:
        """Return whether there is such a table."""
        ...

    def lookup(
        self,
        columns: Sequence[str],
        where: Mapping[str, Any],
        tables: Sequence[str],
        *,
        between: tuple[Any, str, str] | None = None,
    ) -> list[tuple[Any, ...]]:
        """Return the distinct rows of ``columns``, sorted.

        Parameters
        ----------
        columns : sequence of str
            Names of the columns wanted.
        where : mapping
            Columns and the values that they must have.
        tables : sequence of str
            Tables to be joined on the columns that they share.
        between : tuple, optional
            A value, and the two columns between which, inclusive, it must be.
        """
        ...


def present_tables(source: KeySource, tables: tuple[str, ...]) -> tuple[str, ...]:
    """Return those of the tables of a dataset type that a registry has; all if it has none.

    Policies name tables, such as ``raw_skyTile``, that only some programs of the stack make.

    Parameters
    ----------
    source : KeySource
        Registry, or files that replace it.
    tables : tuple of str
        Tables that the policy names.
    """
    return tuple(table for table in tables if source.has_table(table)) or tables
