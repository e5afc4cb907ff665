"""What columns a catalog has."""

import re
from collections.abc import Callable, Iterator
from fnmatch import fnmatchcase
from typing import Any

import numpy as np

from obs.compat.lsst.afw.table.names import find_column, find_columns, missing
from obs.frozen import frozen
from obs.image.catalog import Catalog, Column

__all__ = ["Field", "Schema", "SchemaItem", "SubSchema"]

#: The stack's words for types of columns.
_TYPES: dict[str, Any] = {
    "Flag": np.bool_,
    "B": np.uint8,
    "I": np.int32,
    "L": np.int64,
    "F": np.float32,
    "D": np.float64,
    "Angle": np.float64,
    "String": np.str_,
}

#: How the names of columns end that are one value together.
_COMPOUNDS = (("x", "y"), ("xx", "yy", "xy"), ("ra", "dec"))


@frozen
class Field:
    """One column, as in the LSST stack.

    Parameters
    ----------
    name : str
        Name.
    dtype : dtype
        Type of one value.
    doc : str
        What it is.
    unit : str
        Unit.
    shape : tuple of int
        Shape of one value; empty for a number.
    """

    name: str
    dtype: Any
    doc: str = ""
    unit: str = ""
    shape: tuple[int, ...] = ()

    @classmethod
    def __class_getitem__(cls, kind: str) -> Callable[..., "Field"]:
        """Return what makes a column of a type by its word, as ``Field["F"]("flux", "a flux", "count")``."""
        dtype = np.dtype(_TYPES[kind])
        return lambda name, doc="", units="", size=0: cls(
            name, dtype, doc, units or ("rad" if kind == "Angle" else ""), (size,) if size else ()
        )

    def getName(self) -> str:
        """Return the name, as in the LSST stack."""
        return self.name

    def getDoc(self) -> str:
        """Return what it is, as in the LSST stack."""
        return self.doc

    def getUnits(self) -> str:
        """Return the unit, as in the LSST stack."""
        return self.unit

    def getTypeString(self) -> str:
        """Return the stack's word for the type."""
        if self.unit in ("deg", "rad") and np.dtype(self.dtype).kind == "f":
            return "Angle"
        kind = np.dtype(self.dtype)
        other = "String" if kind.kind in "US" else str(kind)
        word = next((word for word, known in _TYPES.items() if kind == known), other)
        return f"Array{word}" if self.shape else word

    def __str__(self) -> str:
        unit = f', units="{self.unit}"' if self.unit else ""
        return f'Field[{self.getTypeString()}](name="{self.name}", doc="{self.doc}"{unit})'


@frozen
class SchemaItem:
    """One column of a schema, and the key to its values."""

    key: str
    field: Field

    def getField(self) -> Field:
        """Return the column, as in the LSST stack."""
        return self.field

    def getKey(self) -> str:
        """Return the key, as in the LSST stack."""
        return self.key

    def asKey(self) -> str:
        """Return the key, as the stack has it since 2014."""
        return self.key

    def asField(self) -> Field:
        """Return the column, as the stack has it since 2014."""
        return self.field

    def __str__(self) -> str:
        return f"(field={self.field}, key={self.key})"


class Schema:
    """The columns of a catalog.

    Parameters
    ----------
    fields : dict of str to Field, optional
        The columns, in order.
    aliases : dict of str to str, optional
        Other names of columns, or how they begin, such as slots.
    """

    def __init__(self, fields: dict[str, Field] | None = None, aliases: dict[str, str] | None = None) -> None:
        self.fields = dict(fields or {})
        self.aliases = dict(aliases or {})

    @classmethod
    def of_catalog(cls, catalog: Catalog) -> "Schema":
        """Return the schema of a catalog of `obs`."""
        return cls(
            {
                name: Field(name, column.data.dtype, column.description, column.unit, column.data.shape[1:])
                for name, column in catalog.columns.items()
            },
            catalog.aliases,
        )

    def empty_catalog(self) -> Catalog:
        """Return a catalog of `obs` with these columns and no rows."""
        columns = {
            name: Column(np.empty((0, *field.shape), field.dtype), field.unit, field.doc)
            for name, field in self.fields.items()
        }
        return Catalog(columns, aliases=self.aliases)

    def addField(
        self,
        name: "str | Field",
        type: Any = "D",  # noqa: ANN401 - the stack's name; its word, or a type
        doc: str = "",
        units: str = "",
        size: int = 0,
    ) -> str:
        """Add a column, given by its parts or as a `Field`, and return the key to it."""
        if isinstance(name, Field):
            self.fields[name.name] = name
            return name.name
        dtype = _TYPES.get(type, type) if isinstance(type, str) else type
        unit = units or ("rad" if type == "Angle" else "")
        self.fields[name] = Field(name, np.dtype(dtype), doc, unit, (size,) if size else ())
        return name

    def find(self, name: str) -> SchemaItem:
        """Return the column of a name, which may be that of an older stack.

        Raises
        ------
        KeyError
            If there is none.
        """
        found = find_column(name, self.fields, self.aliases)
        if found is None:
            raise missing(name, list(self.fields))
        return SchemaItem(found, self.fields[found])

    def __getitem__(self, name: str) -> "SchemaItem | SubSchema":
        is_compound = any(find_columns(name, self.fields, parts, self.aliases) for parts in _COMPOUNDS)
        if is_compound and name not in self:
            return SubSchema(self, name)
        return self.find(name)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and find_column(name, self.fields, self.aliases) is not None

    def __iter__(self) -> Iterator[SchemaItem]:
        return (SchemaItem(name, field) for name, field in self.fields.items())

    def __len__(self) -> int:
        return len(self.fields)

    def getAliasMap(self) -> dict[str, str]:
        """Return the other names of columns; what is set there counts."""
        return self.aliases

    def getFieldCount(self) -> int:
        """Return how many columns there are."""
        return len(self)

    def getNames(self) -> list[str]:
        """Return the names of all columns."""
        return list(self.fields)

    def getOrderedNames(self) -> list[str]:
        """Return the names of all columns, in order."""
        return list(self.fields)

    def extract(self, *patterns: str, regex: str = "") -> dict[str, SchemaItem]:
        """Return the columns whose names match a pattern such as ``base_PsfFlux*``, or a regular expression."""
        return {
            item.key: item
            for item in self
            if any(fnmatchcase(item.key, pattern) for pattern in patterns) or (regex and re.match(regex, item.key))
        }

    def join(self, *names: str) -> str:
        """Return the name of a column of its parts."""
        return "_".join(names)

    def __str__(self) -> str:
        return "Schema(\n" + "".join(f"    {item},\n" for item in self) + ")\n"

    __repr__ = __str__


@frozen
class SubSchema:
    """Columns whose names begin alike, such as those of a centroid.

    Parameters
    ----------
    schema : Schema
        All columns.
    prefix : str
        What the names begin with.
    """

    schema: Schema
    prefix: str

    def find(self, name: str) -> SchemaItem:
        """Return the column with the rest of its name.

        Raises
        ------
        KeyError
            If there is none.
        """
        return self.schema.find(f"{self.prefix}_{name}")

    def __getitem__(self, name: str) -> SchemaItem:
        return self.find(name)

    def getPrefix(self) -> str:
        """Return what the names begin with."""
        return self.prefix
