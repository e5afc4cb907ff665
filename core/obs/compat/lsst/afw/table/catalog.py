"""Catalogs whose rows are records."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from obs.compat.lsst.afw.table.names import find_column, find_columns, missing
from obs.compat.lsst.afw.table.record import SourceRecord, aperture_columns
from obs.compat.lsst.afw.table.schema import Schema
from obs.compat.lsst.afw.table.schema_mapper import SchemaMapper
from obs.compat.lsst.afw.table.table import SourceTable
from obs.compat.lsst.daf.base import PropertyList
from obs.image.catalog import Catalog, Column
from obs.repo.fits_catalog import read_catalog, write_catalog

if TYPE_CHECKING:
    from astropy.table import Table

__all__ = ["SourceCatalog"]

#: Rows that are made room for at once, at least.
_ROOM = 64


def _slot(name: str, doc: str) -> Callable[["SourceCatalog"], NDArray[Any]]:
    """Return a method that returns the column of a slot."""

    def column(catalog: "SourceCatalog") -> NDArray[Any]:
        return catalog.get(name)

    column.__doc__ = doc
    return column


class SourceCatalog:
    """A table of sources, as in the LSST stack.

    Parameters
    ----------
    source : Catalog, SourceTable, Schema or SourceCatalog
        A catalog of `obs`, kept without a copy; or columns, for an empty catalog.
    """

    def __init__(self, source: "Catalog | SourceTable | Schema | SourceCatalog") -> None:
        if isinstance(source, SourceCatalog):
            source = source.catalog
        if isinstance(source, SourceTable):
            source = source.getSchema()
        catalog = source.empty_catalog() if isinstance(source, Schema) else source
        self.schema = source if isinstance(source, Schema) else Schema.of_catalog(catalog)
        self._metadata = catalog.metadata
        #: The file that the catalog was read from.
        self.path = catalog.path
        self._columns = {name: column.data for name, column in catalog.columns.items()}
        self._count = len(catalog)

    @property
    def catalog(self) -> Catalog:
        """The catalog of `obs`, as in the LSST stack."""
        fields = self.schema.fields
        columns = {name: Column(self.raw_column(name), fields[name].unit, fields[name].doc) for name in self._columns}
        made = Catalog(columns, self._metadata, self.schema.aliases)
        made.path = self.path
        return made

    @property
    def table(self) -> SourceTable:
        """The columns, as in the LSST stack."""
        return SourceTable(self.schema, self._metadata)

    def getTable(self) -> SourceTable:
        """Return the columns, as in the LSST stack."""
        return self.table

    def getSchema(self) -> Schema:
        """Return the columns, as in the LSST stack."""
        return self.schema

    def getMetadata(self) -> PropertyList:
        """Return facts about the whole catalog."""
        return PropertyList(self._metadata)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - a method
        """Return the methods of the columns' slots, which the stack has at catalogs, too; see `SourceTable`."""
        if name.endswith(("Slot", "Key")) and not name.startswith("_"):
            return getattr(self.table, name)
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}", name=name, obj=self)

    # Rows

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[SourceRecord]:
        return (SourceRecord(self, row) for row in range(len(self)))

    def __getitem__(self, key: Any) -> Any:  # noqa: ANN401 - a record, a catalog or a column
        if isinstance(key, str):
            return self.get(key)
        if isinstance(key, int | np.integer):
            row = int(key) + len(self) if key < 0 else int(key)
            if not 0 <= row < len(self):
                raise IndexError(f"row {key} of a catalog of {len(self)}")
            return SourceRecord(self, row)
        return self.subset(key)

    def subset(self, rows: Any) -> "SourceCatalog":  # noqa: ANN401 - a slice, a mask or numbers
        """Return some of the rows: a slice as views, others as copies."""
        return SourceCatalog(self.catalog.select(rows if isinstance(rows, slice) else np.asarray(rows)))

    def find(self, number: int) -> SourceRecord | None:
        """Return the source with a number, or None."""
        rows = np.flatnonzero(self.get("id") == number)
        return SourceRecord(self, int(rows[0])) if len(rows) else None

    def addNew(self) -> SourceRecord:
        """Append a source, whose values are zero, NaN or empty, and return it."""
        for name, data in self._columns.items():
            if self._count == len(data):
                room = max(_ROOM, self._count)
                fill = np.full((room, *data.shape[1:]), np.nan if data.dtype.kind == "f" else data.dtype.type())
                self._columns[name] = np.concatenate([data, fill.astype(data.dtype)])
        self._count += 1
        return SourceRecord(self, self._count - 1)

    def append(self, record: SourceRecord) -> None:
        """Append a copy of a source."""
        new = self.addNew()
        for name in self._columns:
            if name in record.schema.fields:
                new.set(name, record.get(name))

    def extend(
        self, other: Iterable[SourceRecord], deep: bool | SchemaMapper = True, mapper: SchemaMapper | None = None
    ) -> None:
        """Append copies of all sources of another catalog; with a mapper, its columns by their new names."""
        mapper = deep if isinstance(deep, SchemaMapper) else mapper
        for record in other:
            if mapper is None:
                self.append(record)
            else:
                self.addNew().assign(record, mapper)

    def reserve(self, count: int) -> None:
        """Take note of how many sources will come; there is always room."""

    def getChildren(self, parent: int) -> "SourceCatalog":
        """Return the sources that a blend was divided into, or with 0 those that are whole."""
        return self.subset(self.get("parent") == parent)

    def extract(self, *patterns: str, regex: str = "") -> dict[str, NDArray[Any]]:
        """Return the columns whose names match a pattern such as ``base_PsfFlux*``, or a regular expression."""
        return {name: self.get(name) for name in self.schema.extract(*patterns, regex=regex)}

    def isSorted(self, key: str = "id") -> bool:
        """Return whether the rows are sorted by a column."""
        values = self.get(key)
        return bool(np.all(values[:-1] <= values[1:]))

    def __delitem__(self, rows: Any) -> None:  # noqa: ANN401 - a number, a slice or numbers
        kept = np.ones(len(self), bool)
        kept[rows] = False
        self._columns = {name: self.raw_column(name)[kept] for name in self._columns}
        self._count = int(np.count_nonzero(kept))

    def sort(self, key: str = "id") -> None:
        """Sort the rows by a column."""
        order = np.argsort(self.get(key), kind="stable")
        self._columns = {name: self.raw_column(name)[order] for name in self._columns}

    def copy(self, deep: bool = False) -> "SourceCatalog":
        """Return a catalog with the same columns; with ``deep``, with its own values."""
        return self.subset(np.arange(len(self))) if deep else SourceCatalog(self.catalog)

    def isContiguous(self) -> bool:
        """Return whether columns can be taken; they always can."""
        return True

    # Columns

    def raw_column(self, column: str) -> NDArray[Any]:
        """Return a column as it is kept, in the unit of the schema."""
        return self._columns[column][: self._count]

    def get(self, name: str) -> NDArray[Any]:
        """Return a column by its name in any generation of the stack; angles come in radians, as numbers.

        Raises
        ------
        TypeError
            If the values are not numbers, but positions or moments.
        KeyError
            If there is no such column.
        """
        found = find_column(name, self._columns, self.schema.aliases)
        if found is not None:
            data = self.raw_column(found)
            return np.deg2rad(data) if self.schema.fields[found].unit == "deg" else data
        if name in ("flux.aperture", "flux.aperture.err"):
            return np.stack([self.raw_column(column) for column in aperture_columns(self.schema, name)], axis=1)
        for parts in (("ra", "dec"), ("xx", "yy", "xy"), ("x", "y")):
            if find_columns(name, self._columns, parts, self.schema.aliases) is not None:
                words = " and ".join(f"'{name}.{part}'" for part in parts)
                raise TypeError(f"'{name}' is not a column of numbers: ask a record for it, or the catalog for {words}")
        raise missing(name, list(self._columns))

    def set(self, name: str, values: Any) -> None:  # noqa: ANN401 - an array or a number
        """Set a column, as in the LSST stack."""
        found = self.schema.find(name).key
        in_degrees = self.schema.fields[found].unit == "deg"
        self.raw_column(found)[...] = np.rad2deg(values) if in_degrees else values

    __setitem__ = set

    def getColumnView(self) -> "SourceCatalog":
        """Return the catalog, which gives columns itself."""
        return self

    columns = property(getColumnView)

    getId = _slot("id", "Return the numbers of the sources.")
    getParent = _slot("parent", "Return the numbers of the blends that sources were divided from, or 0.")
    getRa = _slot("coord_ra", "Return right ascensions, radians.")
    getDec = _slot("coord_dec", "Return declinations, radians.")
    getX = _slot("slot_Centroid_x", "Return columns, pixels.")
    getY = _slot("slot_Centroid_y", "Return rows, pixels.")
    getIxx = _slot("slot_Shape_xx", "Return second moments along x, pixels squared.")
    getIyy = _slot("slot_Shape_yy", "Return second moments along y, pixels squared.")
    getIxy = _slot("slot_Shape_xy", "Return mixed second moments, pixels squared.")
    getPsfFlux = getPsfInstFlux = _slot("slot_PsfFlux_instFlux", "Return fluxes of the PSF, counts.")
    getPsfFluxErr = getPsfInstFluxErr = _slot("slot_PsfFlux_instFluxErr", "Return errors of fluxes of the PSF.")
    getApFlux = getApInstFlux = getCalibInstFlux = _slot("slot_ApFlux_instFlux", "Return aperture fluxes, counts.")
    getApFluxErr = getApInstFluxErr = _slot("slot_ApFlux_instFluxErr", "Return errors of aperture fluxes.")
    getModelFlux = getModelInstFlux = _slot("slot_ModelFlux_instFlux", "Return fluxes of the model, counts.")
    getModelFluxErr = getModelInstFluxErr = _slot("slot_ModelFlux_instFluxErr", "Return errors of model fluxes.")
    getInstFlux = _slot("slot_InstFlux_instFlux", "Return fluxes of a Gaussian, counts.")
    getInstFluxErr = _slot("slot_InstFlux_instFluxErr", "Return errors of fluxes of a Gaussian.")

    # Files and other tables

    def asAstropy(self) -> "Table":
        """Return an astropy table, as in the LSST stack."""
        return self.catalog.to_table()

    def writeFits(self, path: str | Path) -> None:
        """Write the catalog to a FITS file."""
        write_catalog(self.catalog, path)

    @classmethod
    def readFits(cls, path: str | Path) -> "SourceCatalog":
        """Read a FITS file, as in the LSST stack."""
        return cls(read_catalog(path))
