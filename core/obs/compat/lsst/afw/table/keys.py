"""Keys to values that several columns hold: positions, moments, places on the sky.

A key is the text in front of the names of its columns, so that ``record.get(key)`` takes it as any other.
"""

from typing import Any, ClassVar, Self

from obs.compat.lsst.afw.coord import Coord, IcrsCoord
from obs.compat.lsst.afw.table.record import SourceRecord
from obs.compat.lsst.afw.table.schema import Schema, SubSchema

__all__ = ["CoordKey", "Point2DKey", "QuadrupoleKey"]


class _CompoundKey(str):
    """A key to several columns.

    Parameters
    ----------
    schema : Schema or SubSchema
        The columns of a catalog, or those of one name: ``schema["slot_Centroid"]``.
    name : str, optional
        What the names of the columns begin with, for a whole schema.
    """

    __slots__ = ()
    _parts: ClassVar[tuple[str, ...]]

    def __new__(cls, schema: Schema | SubSchema, name: str = "") -> Self:
        found = schema if isinstance(schema, SubSchema) else SubSchema(schema, name)
        for part in cls._parts:
            found.find(part)
        return super().__new__(cls, found.prefix)

    @classmethod
    def addFields(cls, schema: Schema, name: str, doc: str, unit: str = "") -> Self:
        """Add the columns to a schema, and return the key to them."""
        for part in cls._parts:
            schema.addField(f"{name}_{part}", doc=f"{doc}, {part}", units=unit)
        return cls(schema, name)

    def get(self, record: SourceRecord) -> Any:  # noqa: ANN401 - of the kind of the key
        """Return the value of a record."""
        return record.get(self)

    def set(self, record: SourceRecord, value: Any) -> None:  # noqa: ANN401 - of the kind of the key
        """Set the value of a record."""
        record.set(self, value)


class Point2DKey(_CompoundKey):
    """A key to a position."""

    __slots__ = ()
    _parts = ("x", "y")


class QuadrupoleKey(_CompoundKey):
    """A key to second moments."""

    __slots__ = ()
    _parts = ("xx", "yy", "xy")


class CoordKey(_CompoundKey):
    """A key to a place on the sky."""

    __slots__ = ()
    _parts = ("ra", "dec")

    def get(self, record: SourceRecord) -> IcrsCoord:
        """Return the place of a record."""
        return IcrsCoord(*(record.get(f"{self}_{part}") for part in self._parts))

    def set(self, record: SourceRecord, value: Coord) -> None:
        """Set the place of a record."""
        icrs = value.toIcrs()
        record.set(f"{self}_ra", icrs.getRa())
        record.set(f"{self}_dec", icrs.getDec())
