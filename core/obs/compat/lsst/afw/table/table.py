"""What makes catalogs and records."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from obs.compat.lsst.afw.table.schema import Field, Schema
from obs.compat.lsst.daf.base import PropertyList

__all__ = ["SourceTable"]


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

    @classmethod
    def make(cls, schema: Schema) -> "SourceTable":
        """Return a table of columns."""
        return cls(schema)

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

    def getSchema(self) -> Schema:
        """Return the columns, as in the LSST stack."""
        return self.schema
