"""Pixel to sky and back, in the stack's words."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from obs.compat.lsst.absent import SaysWhatInstead
from obs.compat.lsst.afw.coord import Coord, IcrsCoord
from obs.compat.lsst.afw.geom.angle import Angle, AngleUnit, arcseconds, degrees
from obs.compat.lsst.afw.geom.mapping import Transform
from obs.compat.lsst.afw.geom.point import Extent2D, Point2D
from obs.compat.lsst.afw.geom.transform import AffineTransform
from obs.compat.lsst.daf.base import PropertyList, PropertySet
from obs.errors import FileFormatError
from obs.image.tangent_plane import to_plane
from obs.image.wcs import TanSipWcs
from obs.repo.fits_exposure_header import header_wcs

__all__ = ["SkyWcs", "TanWcs", "Wcs", "makeWcs"]

Floats = NDArray[np.float64]

_STEP = 0.5  # pixels to either side, over which derivatives are taken


class SkyWcs(SaysWhatInstead):
    """A WCS, as in the LSST stack.

    Parameters
    ----------
    own : TanSipWcs
        The WCS of `obs`.
    """

    def __init__(self, own: TanSipWcs) -> None:
        #: The WCS of `obs`.
        self.own = own

    def pixelToSky(self, x: Any, y: float | None = None) -> Any:  # noqa: ANN401 - as the docstring says
        """Return the sky position of a pixel, given as a point or by two numbers; of a list of points a list."""
        if y is None and isinstance(x, list):
            return [self.pixelToSky(point) for point in x]
        point = Point2D(x) if y is None else Point2D(x, y)
        ra, dec = self.own.pixel_to_sky(x=point.x, y=point.y)
        return IcrsCoord(float(ra) * degrees, float(dec) * degrees)

    def skyToPixel(self, sky: Any, dec: Angle | None = None) -> Any:  # noqa: ANN401 - as the docstring says
        """Return the pixel of a sky position, given as such or by two angles; of a list of positions a list."""
        if isinstance(sky, list):
            return [self.skyToPixel(position) for position in sky]
        icrs = (sky if isinstance(sky, Coord) else IcrsCoord(sky, 0.0 if dec is None else dec)).toIcrs()
        x, y = self.own.sky_to_pixel(ra=icrs.getRa().asDegrees(), dec=icrs.getDec().asDegrees())
        return Point2D(float(x), float(y))

    def pixelToSkyArray(self, x: ArrayLike, y: ArrayLike, degrees: bool = False) -> tuple[Floats, Floats]:
        """Return right ascensions and declinations of pixels, radians unless degrees are asked for."""
        ra, dec = self.own.pixel_to_sky(x=np.asarray(x, np.float64), y=np.asarray(y, np.float64))
        return (ra, dec) if degrees else (np.deg2rad(ra), np.deg2rad(dec))

    def skyToPixelArray(self, ra: ArrayLike, dec: ArrayLike, degrees: bool = False) -> tuple[Floats, Floats]:
        """Return columns and rows of sky positions, which are in radians unless said to be in degrees."""
        places = [np.asarray(angle, np.float64) for angle in (ra, dec)]
        longitude, latitude = places if degrees else map(np.rad2deg, places)
        return self.own.sky_to_pixel(ra=longitude, dec=latitude)

    def linearizePixelToSky(self, place: Any, unit: AngleUnit = degrees) -> AffineTransform:  # noqa: ANN401
        """Return the affine transform that follows the WCS near a place.

        As in the stack, its linear part gives offsets in the tangent plane, true angles to the east and to the north.

        Parameters
        ----------
        place : Point2D or Coord
            The place.
        unit : AngleUnit, optional
            Unit of the sky's side.
        """
        pixel = self.skyToPixel(place) if isinstance(place, Coord) else Point2D(place)
        linear = self._derivatives(pixel) * (degrees.size / unit.size)
        sky = np.array(list(self.pixelToSky(pixel).getPosition(unit)))
        return AffineTransform(linear, Extent2D(*(sky - linear @ np.array(list(pixel)))))

    def _derivatives(self, pixel: Point2D) -> NDArray[np.float64]:
        """Return degrees east and north per pixel in x and y, shape (2, 2)."""
        steps = np.array([[-_STEP, _STEP, 0.0, 0.0, 0.0], [0.0, 0.0, -_STEP, _STEP, 0.0]])
        ra, dec = self.own.pixel_to_sky(x=pixel.x + steps[0], y=pixel.y + steps[1])
        east, north = to_plane((float(ra[4]), float(dec[4])), ra[:4], dec[:4])
        return np.array([[a[1] - a[0], a[3] - a[2]] for a in (east, north)]) / (2.0 * _STEP)

    def linearizeSkyToPixel(self, place: Any, unit: AngleUnit = degrees) -> AffineTransform:  # noqa: ANN401
        """Return the inverse of `linearizePixelToSky`."""
        return self.linearizePixelToSky(place, unit).inverted()

    def getTransform(self) -> Transform:
        """Return the transform from pixels to the sky."""
        return Transform(self.pixelToSky, self.skyToPixel)

    def pixelScale(self) -> Angle:
        """Return the side of the central pixel."""
        return self.own.pixel_scale * arcseconds

    def getPixelScale(self, place: Any = None) -> Angle:  # noqa: ANN401 - a point
        """Return the side of a square with the area of the pixel at a place, or of the central one."""
        if place is None:
            return self.pixelScale()
        return float(np.sqrt(abs(np.linalg.det(self._derivatives(Point2D(place)))))) * degrees

    def getSkyOrigin(self) -> IcrsCoord:
        """Return the tangent point, as in the LSST stack."""
        return IcrsCoord(self.own.crval[0] * degrees, self.own.crval[1] * degrees)

    def getPixelOrigin(self) -> Point2D:
        """Return the pixel of the tangent point."""
        return Point2D(*self.own.crpix)

    def getCDMatrix(self) -> NDArray[np.float64]:
        """Return the matrix at the tangent point, degrees per pixel, shape (2, 2)."""
        return self.own.cd.copy()

    getCdMatrix = getCDMatrix

    def getFitsMetadata(self, precise: bool = False) -> PropertyList:
        """Return the cards of the WCS, which are precise in any case."""
        return PropertyList(dict(self.own.to_header()))

    def getTanWcs(self, pixel: Any) -> "SkyWcs":  # noqa: ANN401 - a point
        """Return the WCS without distortion that follows this one near a pixel, which is its tangent point."""
        point = Point2D(pixel)
        ra, dec = self.own.pixel_to_sky(x=point.x, y=point.y)
        return SkyWcs(TanSipWcs((float(ra), float(dec)), (point.x, point.y), self._derivatives(point)))

    def getTanSipWcs(self) -> "SkyWcs":
        """Return the WCS, which has this form."""
        return self

    #: It can always be written as cards of a header.
    isFits = True

    def copyAtShiftedPixelOrigin(self, shift: Any) -> "SkyWcs":  # noqa: ANN401 - any pair
        """Return the WCS of an image whose pixels are numbered higher by a shift."""
        return SkyWcs(self.own.shifted(x=-shift[0], y=-shift[1]))

    def isFlipped(self) -> bool:
        """Return whether east is to the right of north."""
        return bool(np.linalg.det(self.own.cd) > 0)

    def clone(self) -> "SkyWcs":
        """Return the WCS, which never changes."""
        return self

    def __repr__(self) -> str:
        return f"SkyWcs({self.own!r})"


Wcs = TanWcs = SkyWcs


def makeWcs(metadata: Any, *more: Any) -> SkyWcs:  # noqa: ANN401 - as the docstring says
    """Return the WCS of a header, or of its parts.

    Parameters
    ----------
    metadata : PropertySet, mapping or Coord
        A header; or the tangent point.
    *more : object
        After a tangent point its pixel, and the four numbers of the matrix by rows, degrees per pixel.

    Raises
    ------
    FileFormatError
        If it has none that can be read.
    """
    if isinstance(metadata, Coord):
        place, point = metadata.toIcrs(), Point2D(more[0])
        matrix = np.array(more[1:5], np.float64).reshape(2, 2)
        origin = place.getRa().asDegrees(), place.getDec().asDegrees()
        return SkyWcs(TanSipWcs(crval=origin, crpix=(point.x, point.y), cd=matrix))
    cards = metadata.toDict() if isinstance(metadata, PropertySet) else dict(metadata)
    own = header_wcs(cards)
    if own is None:
        raise FileFormatError("the header has no WCS that can be read")
    return SkyWcs(own)
