"""The columns of a catalog: names, units, meanings."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from obs.facts_text import rows_html

__all__ = ["Field", "Schema"]


class Field(NamedTuple):
    """A column without its values.

    Parameters
    ----------
    name : str
        Name.
    type : str
        Type of a value, as numpy names it; with the shape of arrays.
    unit : str
        Unit as astropy writes it; empty for a pure number.
    description : str
        What the values are.
    """

    name: str
    type: str
    unit: str
    description: str


class Schema:
    """The columns of a catalog, in order; prints as a table.

    Parameters
    ----------
    columns : mapping of str to Column
        The columns.
    """

    def __init__(self, columns: Mapping[str, Any]) -> None:
        self._fields = {
            name: Field(name, _type(column.data), column.unit, column.description) for name, column in columns.items()
        }

    @property
    def names(self) -> list[str]:
        """The names of the columns."""
        return list(self._fields)

    def __len__(self) -> int:
        return len(self._fields)

    def __iter__(self) -> Iterator[Field]:
        return iter(self._fields.values())

    def __contains__(self, name: object) -> bool:
        return name in self._fields

    def __getitem__(self, name: str) -> Field:
        return self._fields[name]

    def __repr__(self) -> str:
        widths = [max((len(field[part]) for field in self), default=0) for part in range(3)]
        return "\n".join(
            "  ".join([*(f"{field[part]:<{widths[part]}}" for part in range(3)), field.description]).rstrip()
            for field in self
        )

    def _repr_html_(self) -> str:
        return rows_html(("name", "type", "unit", "description"), self)


def _type(data: Any) -> str:  # noqa: ANN401 - an array
    shape = data.shape[1:]
    return str(data.dtype) + (f" {shape}" if shape else "")
