"""What is attached to an exposure: aperture corrections, and the exposures that a coadd is made of."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from obs.compat.lsst.afw.geom.box import Box2D, Box2I
from obs.compat.lsst.afw.geom.point import Extent2I, Point2D, Point2I
from obs.compat.lsst.afw.image.bounded_field import BoundedField
from obs.compat.lsst.afw.image.calib import PhotoCalib
from obs.compat.lsst.afw.image.psf import Psf
from obs.compat.lsst.afw.image.transmission_curve import TransmissionCurve
from obs.compat.lsst.afw.image.visit_info import VisitInfo
from obs.compat.lsst.afw.image.wcs import SkyWcs
from obs.compat.lsst.afw.table import SourceCatalog, SourceRecord
from obs.image.catalog import Catalog
from obs.repo.fits_exposure_header import header_wcs
from obs.repo.lsst_objects import exposure_records
from obs.repo.lsst_objects.attached import read_ap_corr_map, read_object
from obs.repo.lsst_objects.exposure_records import read_visit_info
from obs.repo.lsst_objects.photo_calib import read_photo_calib
from obs.repo.lsst_objects.polygon import read_polygon
from obs.repo.lsst_objects.psf import read_single_psf
from obs.repo.lsst_objects.sky_wcs import read_wcs
from obs.repo.lsst_objects.transmission_curve import read_transmission_curve

__all__ = ["ApCorrMap", "CoaddInputs", "ExposureCatalog", "ExposureRecord", "Polygon"]


class ApCorrMap(dict[str, BoundedField]):
    """Aperture corrections by the name of a column, as in the LSST stack.

    Parameters
    ----------
    own : mapping of str to obs.repo.lsst_objects.bounded_field.BoundedField
        The corrections of `obs`.
    """

    def __init__(self, own: Mapping[str, Any]) -> None:
        super().__init__({name: BoundedField(field) for name, field in own.items()})


class Polygon:
    """The valid part of an image.

    Parameters
    ----------
    corners : array_like, shape (n, 2), Box2D or list of Point2D
        Its corners, pixels.
    """

    def __init__(self, corners: Any) -> None:  # noqa: ANN401 - numbers
        points = corners.getCorners() if isinstance(corners, Box2D) else corners
        self._corners = np.asarray([tuple(point) for point in points], np.float64)

    def contains(self, point: Any) -> bool:  # noqa: ANN401 - any pair
        """Return whether a position is inside."""
        (x, y), (x_next, y_next) = self._corners.T, np.roll(self._corners, -1, axis=0).T
        crossed = (y > point[1]) != (y_next > point[1])
        at = x[crossed] + (point[1] - y[crossed]) / (y_next - y)[crossed] * (x_next - x)[crossed]
        return bool(np.count_nonzero(point[0] < at) % 2)

    def getVertices(self) -> list[Point2D]:
        """Return the corners, as in the LSST stack."""
        return [Point2D(float(x), float(y)) for x, y in self._corners]

    def calculateArea(self) -> float:
        """Return the area that the corners enclose, pixels."""
        x, y = self._corners.T
        return float(0.5 * abs(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))))

    def getBBox(self) -> Box2I:
        """Return the smallest box of whole pixels around it."""
        low, high = np.floor(self._corners.min(axis=0) + 0.5), np.ceil(self._corners.max(axis=0) - 0.5)
        return Box2I(Point2I(*map(int, low)), Extent2I(*(int(size) + 1 for size in high - low)))


class ExposureRecord(SourceRecord):
    """One exposure of a table, with what is attached to it."""

    def __init__(self, catalog: "ExposureCatalog", row: int) -> None:
        super().__init__(catalog, row)
        self._path = catalog.path

    def getBBox(self) -> Box2I:
        """Return the box of its pixels."""
        low, high = ([int(self.get(f"bbox_{end}_{axis}")) for axis in "xy"] for end in ("min", "max"))
        return Box2I(Point2I(*low), Extent2I(*(b - a + 1 for a, b in zip(low, high, strict=True))))

    def getWcs(self) -> SkyWcs | None:
        """Return its WCS, or None."""
        if "wcs" in self.schema.fields and isinstance(cards := self.get("wcs"), str):  # of a coadd made by obs
            found = header_wcs(json.loads(cards))
            return None if found is None else SkyWcs(found)
        box = self.getBBox()
        shape, origin = (box.getHeight(), box.getWidth()), (box.getMinX(), box.getMinY())
        own = self._attached(("wcs",), lambda archive, number: read_wcs(archive, number, shape, origin))
        return None if own is None else SkyWcs(own.shifted(x=-origin[0], y=-origin[1]))

    def getPsf(self) -> Psf | None:
        """Return its PSF, or None."""
        box = self.getBBox()
        origin = box.getMinX(), box.getMinY()
        own = self._attached(("psf",), lambda archive, number: read_single_psf(archive, number, origin))
        return None if own is None else Psf(own, box)

    def getPhotoCalib(self) -> PhotoCalib | None:
        """Return its zero point, or None."""
        own = self._attached(("photoCalib", "calib"), read_photo_calib)
        return None if own is None else PhotoCalib(own)

    getCalib = getPhotoCalib

    def getApCorrMap(self) -> ApCorrMap | None:
        """Return its aperture corrections, or None."""
        own = self._attached(("apCorrMap",), read_ap_corr_map)
        return None if own is None else ApCorrMap(own)

    def getValidPolygon(self) -> Polygon | None:
        """Return its valid part, or None for all of it."""
        corners = self._attached(("validPolygon",), read_polygon)
        return None if corners is None else Polygon(corners)

    def getVisitInfo(self) -> VisitInfo | None:
        """Return when, where and how it was taken, or None."""
        own = self._attached(("visitInfo",), read_visit_info)
        return None if own is None else VisitInfo(own)

    def getTransmissionCurve(self) -> TransmissionCurve | None:
        """Return its transmission curve, or None."""
        own = self._attached(("transmissionCurve",), read_transmission_curve)
        return None if own is None else TransmissionCurve(own)

    def _attached(self, columns: tuple[str, ...], reader: Any) -> Any:  # noqa: ANN401 - any object
        column = next((column for column in columns if column in self.schema.fields), None)
        number = 0 if column is None else int(self.get(column))
        return read_object(self._path, number, reader) if number else None


class ExposureCatalog(SourceCatalog):
    """A table of exposures, as in the LSST stack.

    Parameters
    ----------
    source : Catalog
        The rows.
    path : Path or None
        The file with the attached objects.
    """

    def __init__(self, source: Catalog, path: Path | None) -> None:
        super().__init__(source)
        #: The file with the attached objects.
        self.path = path

    def __iter__(self) -> Iterator[ExposureRecord]:
        return (ExposureRecord(self, row) for row in range(len(self)))

    def __getitem__(self, key: Any) -> Any:  # noqa: ANN401 - a record, a catalog or a column
        found = super().__getitem__(key)
        if isinstance(found, SourceRecord):
            return ExposureRecord(self, range(len(self))[int(key)])
        return ExposureCatalog(found.catalog, self.path) if isinstance(found, SourceCatalog) else found


class CoaddInputs:
    """What a coadd is made of, as in the LSST stack.

    Parameters
    ----------
    own : obs.repo.lsst_objects.exposure_records.CoaddInputs
        The tables.
    path : Path or None
        The file with the attached objects.
    """

    def __init__(self, own: exposure_records.CoaddInputs, path: Path | None) -> None:
        self.visits, self.ccds = ExposureCatalog(own.visits, path), ExposureCatalog(own.ccds, path)
