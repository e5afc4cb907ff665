"""How columns of one catalog become those of another, in the stack's words."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from obs.compat.lsst.afw.table.schema import Field, Schema

__all__ = ["SchemaMapper"]


class SchemaMapper:
    """Columns of one catalog, and what they are called in another, as in the LSST stack.

    Parameters
    ----------
    input : Schema
        The columns that there are.
    output : Schema or bool, optional
        Columns of the new catalog to begin with. The stack's switch for aliases, which are always shared, is none.
    """

    def __init__(self, input: Schema, output: Any = None, *_: Any) -> None:  # noqa: ANN401 - as the docstring says
        self._input = input
        self._output = output if isinstance(output, Schema) else Schema(aliases=dict(input.aliases))
        self._names: dict[str, str] = {}

    @property
    def names(self) -> Mapping[str, str]:
        """Columns of the input, and what they are called in the output."""
        return MappingProxyType(self._names)

    def getInputSchema(self) -> Schema:
        """Return the columns that there are, as in the LSST stack."""
        return self._input

    def getOutputSchema(self) -> Schema:
        """Return the columns of the new catalog, as in the LSST stack."""
        return self._output

    editOutputSchema = getOutputSchema

    def addMinimalSchema(self, minimal: Schema, doMap: bool = True) -> None:
        """Add the columns that every catalog has; with ``doMap`` those that the input has are copied, too."""
        for item in minimal:
            self._output.fields.setdefault(item.key, item.field)
            if doMap and item.key in self._input.fields:
                self._names[item.key] = item.key

    def addMapping(self, key: Any, field: Any = None, doReplace: bool = False) -> str:  # noqa: ANN401 - as below
        """Copy a column of the input, and return the key to it in the output.

        Parameters
        ----------
        key : str
            Key of the input's column.
        field : str, Field or bool, optional
            Another name, or another description, of the column in the output.
        doReplace : bool, optional
            Whether a column of this name may be there already.

        Raises
        ------
        KeyError
            If the input has no such column.
        ValueError
            If the output has one of this name, which another column is copied to.
        """
        known = self._input.find(str(getattr(key, "key", key)))
        given = field if isinstance(field, Field) else known.field
        name = field if isinstance(field, str) else given.name
        if name in self._names.values() and self._names.get(known.key) != name and not (doReplace or field is True):
            raise ValueError(f"the output has a column '{name}' already; pass doReplace=True, or another name")
        self._output.fields[name] = Field(name, given.dtype, given.doc, given.unit, given.shape)
        self._names[known.key] = name
        return name

    def addOutputField(self, field: Any, *more: Any, **named: Any) -> str:  # noqa: ANN401 - as `Schema.addField`
        """Add a column that the input does not have, and return the key to it."""
        if isinstance(field, Field):
            self._output.fields[field.name] = field
            return field.name
        return self._output.addField(field, *more, **named)

    def isMapped(self, key: str) -> bool:
        """Return whether a column of the input is copied."""
        return key in self._names

    def getMapping(self, key: str) -> str:
        """Return the key in the output of a column of the input.

        Raises
        ------
        KeyError
            If it is not copied.
        """
        return self._names[key]
