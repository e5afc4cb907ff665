"""One source of a catalog."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from obs.compat.lsst.afw.coord import Coord, IcrsCoord
from obs.compat.lsst.afw.geom.angle import Angle, degrees
from obs.compat.lsst.afw.geom.ellipses import Quadrupole
from obs.compat.lsst.afw.geom.point import Point2D
from obs.compat.lsst.afw.table.names import find_column, find_columns, missing
from obs.compat.lsst.afw.table.schema import Schema
from obs.compat.lsst.afw.table.schema_mapper import SchemaMapper
from obs.repo.lsst_objects.attached import read_object
from obs.repo.lsst_objects.footprints import read_footprint

if TYPE_CHECKING:
    from obs.compat.lsst.afw.detection.footprint import Footprint

__all__ = ["SourceRecord"]


class _Rows(Protocol):
    """What a record asks of its catalog."""

    @property
    def schema(self) -> Schema:
        """The columns, as in the LSST stack."""

    @property
    def path(self) -> Path | None:
        """The file that the catalog was read from."""

    def raw_column(self, column: str) -> NDArray[Any]:
        """Return a column as it is kept."""


class SourceRecord:
    """One source, as in the LSST stack.

    Parameters
    ----------
    catalog : SourceCatalog
        The catalog.
    row : int
        Its row.
    """

    def __init__(self, catalog: _Rows, row: int) -> None:
        self._catalog, self._row = catalog, row

    @property
    def schema(self) -> Schema:
        """The columns, as in the LSST stack."""
        return self._catalog.schema

    def getSchema(self) -> Schema:
        """Return the columns, as in the LSST stack."""
        return self._catalog.schema

    def get(self, name: str) -> Any:  # noqa: ANN401 - of the column's type
        """Return a value by the name of its column in any generation of the stack.

        Angles come as `Angle`, positions as `Point2D`, moments as `Quadrupole`, ``coord`` as `IcrsCoord`.

        Raises
        ------
        KeyError
            If there is no such column.
        """
        columns = self.schema.fields
        if name in ("coord", "slot_Coord"):
            return self.getCoord()
        found = find_column(name, columns, self.schema.aliases)
        if found is not None:
            return self._value(found)
        for parts, kind in ((("xx", "yy", "xy"), Quadrupole), (("x", "y"), Point2D)):
            compound = find_columns(name, columns, parts, self.schema.aliases)
            if compound is not None:
                return kind(*map(self._value, compound))
        if name == "flux.aperture" or name == "flux.aperture.err":
            return np.array([self._value(column) for column in aperture_columns(self.schema, name)])
        raise missing(name, list(columns))

    def _value(self, column: str) -> Any:  # noqa: ANN401 - of the column's type
        value = self._catalog.raw_column(column)[self._row]
        unit = self.schema.fields[column].unit
        if np.ndim(value):
            return value
        if unit == "deg":
            return float(value) * degrees
        return Angle(float(value)) if unit == "rad" else value.item()

    def __getitem__(self, name: str) -> Any:  # noqa: ANN401 - of the column's type
        return self.get(name)

    def set(self, name: str, value: Any) -> None:  # noqa: ANN401 - of the column's type
        """Set a value by the name of its column.

        Raises
        ------
        KeyError
            If there is no such column.
        """
        if isinstance(value, Coord):
            self.setCoord(value)
            return
        for kind, parts in ((Quadrupole, ("xx", "yy", "xy")), (Point2D, ("x", "y"))):
            compound = (
                find_columns(name, self.schema.fields, parts, self.schema.aliases) if isinstance(value, kind) else None
            )
            if compound is not None:
                numbers = value._moments() if isinstance(value, Quadrupole) else tuple(value)
                for column, number in zip(compound, numbers, strict=True):
                    self._catalog.raw_column(column)[self._row] = number
                return
        column = self.schema.find(name).key
        if isinstance(value, Angle) and self.schema.fields[column].unit == "deg":
            value = value.asDegrees()
        self._catalog.raw_column(column)[self._row] = value

    def assign(self, other: "SourceRecord", mapper: SchemaMapper | None = None) -> None:
        """Copy the values of another record: of columns of the same names, or as a mapper says."""
        shared = {name: name for name in other.schema.fields if name in self.schema.fields}
        for name, own in (shared if mapper is None else mapper.names).items():
            self.set(own, other.get(name))

    def __setitem__(self, name: str, value: Any) -> None:  # noqa: ANN401 - of the column's type
        self.set(name, value)

    def extract(self, *patterns: str, regex: str = "") -> Mapping[str, Any]:
        """Return the values of columns whose names match a pattern, or a regular expression."""
        return {name: self.get(name) for name in self.schema.extract(*patterns, regex=regex)}

    # What every source has

    def getId(self) -> int:
        """Return the number of the source."""
        return int(self.get("id"))

    def setId(self, number: int) -> None:
        """Set the number of the source."""
        self.set("id", number)

    def getParent(self) -> int:
        """Return the number of the blend that the source was divided from, or 0."""
        return int(self.get("parent"))

    def setParent(self, number: int) -> None:
        """Set the number of the blend."""
        self.set("parent", number)

    def getRa(self) -> Angle:
        """Return the right ascension, as in the LSST stack."""
        return Angle(self.get("coord_ra"))

    def getDec(self) -> Angle:
        """Return the declination, as in the LSST stack."""
        return Angle(self.get("coord_dec"))

    def setRa(self, angle: Angle) -> None:
        """Set the right ascension, as in the LSST stack."""
        self.set("coord_ra", angle)

    def setDec(self, angle: Angle) -> None:
        """Set the declination, as in the LSST stack."""
        self.set("coord_dec", angle)

    def getCoord(self) -> IcrsCoord:
        """Return the position on the sky."""
        return IcrsCoord(self.getRa(), self.getDec())

    def setCoord(self, coord: Coord) -> None:
        """Set the position on the sky."""
        icrs = coord.toIcrs()
        self.setRa(icrs.getRa())
        self.setDec(icrs.getDec())

    def getFootprint(self) -> "Footprint | None":
        """Return the pixels of the source as the stack wrote them, or None if it wrote none.

        Raises
        ------
        FileFormatError
            If they cannot be read.
        """
        from obs.compat.lsst.afw.detection.footprint import Footprint  # noqa: PLC0415 - images import tables

        path = self._catalog.path
        number = int(self._catalog.raw_column("footprint")[self._row]) if "footprint" in self.schema.fields else 0
        return Footprint(read_object(path, number, read_footprint)) if number and path is not None else None

    # Slots

    def getCentroid(self) -> Point2D:
        """Return the position, pixels, as in the LSST stack."""
        return Point2D(self.getX(), self.getY())

    def getX(self) -> float:
        """Return the column, pixels, as in the LSST stack."""
        return float(self.get("slot_Centroid_x"))

    def getY(self) -> float:
        """Return the row, pixels, as in the LSST stack."""
        return float(self.get("slot_Centroid_y"))

    def getShape(self) -> Quadrupole:
        """Return the second moments, as in the LSST stack."""
        return Quadrupole(self.getIxx(), self.getIyy(), self.getIxy())

    def getIxx(self) -> float:
        """Return the second moment along x, pixels squared."""
        return float(self.get("slot_Shape_xx"))

    def getIyy(self) -> float:
        """Return the second moment along y, pixels squared."""
        return float(self.get("slot_Shape_yy"))

    def getIxy(self) -> float:
        """Return the mixed second moment, pixels squared."""
        return float(self.get("slot_Shape_xy"))

    def getPsfFlux(self) -> float:
        """Return the flux of the PSF, counts."""
        return float(self.get("slot_PsfFlux_instFlux"))

    def getPsfFluxErr(self) -> float:
        """Return the error of the flux of the PSF."""
        return float(self.get("slot_PsfFlux_instFluxErr"))

    def getPsfFluxFlag(self) -> bool:
        """Return whether the flux of the PSF failed."""
        return bool(self.get("slot_PsfFlux_flag"))

    def getApFlux(self) -> float:
        """Return the flux in the aperture of the zero point, counts."""
        return float(self.get("slot_ApFlux_instFlux"))

    def getApFluxErr(self) -> float:
        """Return the error of the flux in the aperture."""
        return float(self.get("slot_ApFlux_instFluxErr"))

    def getModelFlux(self) -> float:
        """Return the flux of the model, counts: that of a Gaussian, where no galaxy model was fitted."""
        return float(self.get("slot_ModelFlux_instFlux"))

    def getModelFluxErr(self) -> float:
        """Return the error of the flux of the model."""
        return float(self.get("slot_ModelFlux_instFluxErr"))

    def getCentroidFlag(self) -> bool:
        """Return whether the centroid failed."""
        return bool(self.get("slot_Centroid_flag"))

    def getShapeFlag(self) -> bool:
        """Return whether the moments failed."""
        return bool(self.get("slot_Shape_flag"))

    getPsfInstFlux, getPsfInstFluxErr = getPsfFlux, getPsfFluxErr
    getApInstFlux, getApInstFluxErr = getApFlux, getApFluxErr
    getCalibInstFlux, getCalibInstFluxErr = getApFlux, getApFluxErr
    getModelInstFlux, getModelInstFluxErr = getModelFlux, getModelFluxErr
    getInstFlux, getInstFluxErr = getModelFlux, getModelFluxErr

    def __str__(self) -> str:
        return "".join(f"{name}: {self.get(name)}\n" for name in self.schema.fields)


def aperture_columns(schema: Schema, name: str) -> Iterator[str]:
    """Yield the columns of all circular apertures, from the smallest; their errors for a name with ``err``."""
    end = "_instFluxErr" if name.endswith("err") else "_instFlux"
    start = "base_CircularApertureFlux_"
    found = [c for c in schema.fields if c.startswith(start) and c.endswith(end)]
    yield from sorted(found, key=lambda column: float(column[len(start) : -len(end)].replace("_", ".")))
