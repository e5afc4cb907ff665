"""What makes catalogs and records."""

import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from obs.compat.lsst.afw.table.keys import Point2DKey, QuadrupoleKey
from obs.compat.lsst.afw.table.record import SourceRecord
from obs.compat.lsst.afw.table.schema import Field, Schema
from obs.compat.lsst.daf.base import PropertyList
from obs.frozen import frozen

__all__ = ["Slot", "SourceTable"]

_SLOT_METHOD = re.compile(r"get(?P<slot>[A-Z]\w*?)(?P<what>Slot|ErrKey|FlagKey|Key)")


#: Slots by the stack's words for them, the columns of each: of its value, its error and its flag.
_FLUX, _POINT, _MOMENTS = ("_instFlux", "_instFluxErr", "_flag"), ("", "_xErr", "_flag"), ("", "_xxErr", "_flag")
_SLOTS = {
    "Centroid": ("slot_Centroid", _POINT),
    "Shape": ("slot_Shape", _MOMENTS),
    **{
        f"{kind}{word}": (f"slot_{kind}Flux", _FLUX)
        for kind in ("Psf", "Ap", "Model", "Calib", "Gaussian")
        for word in ("Flux", "InstFlux")
    },
    "InstFlux": ("slot_InstFlux", _FLUX),
}


@frozen
class Slot:
    """The columns of a slot, such as that of PSF fluxes.

    Parameters
    ----------
    name : str
        Its name, ``slot_PsfFlux``.
    parts : tuple of str
        How the names of the columns of value, error and flag end.
    schema : Schema
        The columns of the catalog.
    """

    name: str
    parts: tuple[str, str, str]
    schema: Schema

    def getMeasKey(self) -> str:
        """Return the key of the value, as in the LSST stack."""
        return self._key(0)

    def getErrKey(self) -> str:
        """Return the key of the error; of positions and moments that in x."""
        return self._key(1)

    def getFlagKey(self) -> str:
        """Return the key of the flag, as in the LSST stack."""
        return self._key(2)

    def isValid(self) -> bool:
        """Return whether the catalog has the columns of the slot."""
        try:
            self.getMeasKey()
        except KeyError:
            return False
        return True

    def _key(self, part: int) -> str:
        name = f"{self.name}{self.parts[part]}"
        if self.parts[part]:
            return str(self.schema.find(name).key)
        return str((QuadrupoleKey if self.parts is _MOMENTS else Point2DKey)(self.schema, name))


class SourceTable:
    """Columns for catalogs that are to be filled.

    Parameters
    ----------
    schema : Schema
        The columns.
    metadata : mapping, optional
        Facts about the whole catalog.
    """

    def __init__(self, schema: Schema, metadata: Mapping[str, Any] | None = None) -> None:
        self.schema = schema
        self._metadata = dict(metadata or {})

    def getMetadata(self) -> PropertyList:
        """Return facts about the whole catalog."""
        return PropertyList(self._metadata)

    def setMetadata(self, metadata: Mapping[str, Any]) -> None:
        """Set facts about the whole catalog."""
        self._metadata = dict(metadata)

    @classmethod
    def make(cls, schema: Schema, idFactory: Any = None) -> "SourceTable":  # noqa: ANN401 - as in the stack
        """Return a table of columns.

        Parameters
        ----------
        schema : Schema
            The columns.
        idFactory : object, optional
            Has no effect: numbers of sources are those that are set.
        """
        return cls(schema)

    def makeRecord(self) -> SourceRecord:
        """Return a source that is in no catalog yet."""
        from obs.compat.lsst.afw.table.catalog import SourceCatalog  # noqa: PLC0415 - a circle otherwise

        return SourceCatalog(self).addNew()

    @staticmethod
    def makeMinimalSchema() -> Schema:
        """Return the columns that every source has."""
        fields = (
            Field("id", np.dtype(np.int64), "unique ID"),
            Field("coord_ra", np.dtype(np.float64), "position in ra/dec", "rad"),
            Field("coord_dec", np.dtype(np.float64), "position in ra/dec", "rad"),
            Field("parent", np.dtype(np.int64), "unique ID of parent source"),
        )
        return Schema({field.name: field for field in fields})

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - a method
        """Return the methods of slots: ``getPsfFluxSlot``, ``getCentroidKey``, ``getPsfInstFluxErrKey`` and others."""
        match = _SLOT_METHOD.fullmatch(name)
        if match is None or match["slot"] not in _SLOTS:
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}", name=name, obj=self)
        slot = Slot(*_SLOTS[match["slot"]], self.schema)
        keys = {"Slot": lambda: slot, "Key": slot.getMeasKey, "ErrKey": slot.getErrKey, "FlagKey": slot.getFlagKey}
        return keys[match["what"]]

    def getSchema(self) -> Schema:
        """Return the columns, as in the LSST stack."""
        return self.schema
