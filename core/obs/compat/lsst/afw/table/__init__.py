"""Catalogs of sources, by columns and by records."""

from obs.compat.lsst.absent import refuse
from obs.compat.lsst.afw.table.catalog import SourceCatalog
from obs.compat.lsst.afw.table.keys import CoordKey, Point2DKey, QuadrupoleKey
from obs.compat.lsst.afw.table.match import (
    Match,
    MatchControl,
    MatchList,
    matchRaDec,
    matchXy,
    packMatches,
    unpackMatches,
)
from obs.compat.lsst.afw.table.record import SourceRecord
from obs.compat.lsst.afw.table.schema import Field, Schema, SchemaItem, SubSchema
from obs.compat.lsst.afw.table.schema_mapper import SchemaMapper
from obs.compat.lsst.afw.table.table import SourceTable

__all__ = [
    "SOURCE_IO_NO_FOOTPRINTS",
    "SOURCE_IO_NO_HEAVY_FOOTPRINTS",
    "BaseCatalog",
    "BaseRecord",
    "CoordKey",
    "Field",
    "Match",
    "MatchControl",
    "MatchList",
    "Point2DKey",
    "QuadrupoleKey",
    "Schema",
    "SchemaItem",
    "SchemaMapper",
    "SimpleCatalog",
    "SimpleRecord",
    "SimpleTable",
    "SourceCatalog",
    "SourceRecord",
    "SourceTable",
    "SubSchema",
    "matchRaDec",
    "matchXy",
    "packMatches",
    "unpackMatches",
]

BaseCatalog = SimpleCatalog = SourceCatalog
BaseRecord = SimpleRecord = SourceRecord
SimpleTable = SourceTable
#: Flags of reading: footprints are read when they are asked for, whatever is given.
SOURCE_IO_NO_FOOTPRINTS, SOURCE_IO_NO_HEAVY_FOOTPRINTS = 1, 2

__getattr__ = refuse(__name__)
