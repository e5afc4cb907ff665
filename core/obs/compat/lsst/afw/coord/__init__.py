"""Positions on the sky, in four systems."""

import math
from typing import Any, ClassVar

import erfa
import numpy as np
from numpy.typing import NDArray

from obs.compat.lsst.afw.geom.angle import Angle, AngleUnit, degrees, radians
from obs.compat.lsst.afw.geom.point import Point2D
from obs.frozen import frozen

__all__ = [
    "ECLIPTIC",
    "FK5",
    "GALACTIC",
    "ICRS",
    "Coord",
    "EclipticCoord",
    "Fk5Coord",
    "GalacticCoord",
    "IcrsCoord",
    "Observatory",
    "SpherePoint",
    "Weather",
    "averageSpherePoint",
    "makeCoord",
]

_J2000 = 2451545.0
_YEAR = 365.25


class Coord:
    """A position; as in the stack, ICRS and FK5 of 2000 are the same.

    Parameters
    ----------
    longitude, latitude : Angle or float
        Angles; plain numbers are degrees. A `Point2D` stands for both.
    epoch : float, optional
        Equinox, Julian years.
    """

    _system: ClassVar[str] = "ICRS"

    def __init__(self, longitude: Any = 0.0, latitude: float = 0.0, epoch: float = 2000.0) -> None:  # noqa: ANN401
        if isinstance(longitude, Point2D):
            longitude, latitude = longitude
        self._longitude, self._latitude = _angle(longitude).wrap(), _angle(latitude)
        self._epoch = float(epoch)

    def getLongitude(self) -> Angle:
        """Return the longitude, as in the LSST stack."""
        return self._longitude

    def getLatitude(self) -> Angle:
        """Return the latitude, as in the LSST stack."""
        return self._latitude

    def getEpoch(self) -> float:
        """Return the equinox, Julian years."""
        return self._epoch

    def getPosition(self, unit: AngleUnit = degrees) -> Point2D:
        """Return longitude and latitude as a pair of numbers."""
        return Point2D(self._longitude.asAngularUnits(unit), self._latitude.asAngularUnits(unit))

    def getVector(self) -> NDArray[np.float64]:
        """Return the unit vector, shape (3,)."""
        return np.asarray(erfa.s2c(float(self._longitude), float(self._latitude)), np.float64)

    def toIcrs(self) -> "IcrsCoord":
        """Return the position in ICRS."""
        return IcrsCoord(*_directions(self._to_j2000() @ self.getVector()))

    def toFk5(self, epoch: float = 2000.0) -> "Fk5Coord":
        """Return the position in FK5 of an equinox."""
        vector = _precession(epoch) @ self._to_j2000() @ self.getVector()
        return Fk5Coord(*_directions(vector), epoch)

    def toGalactic(self) -> "GalacticCoord":
        """Return the galactic position, as in the LSST stack."""
        icrs = self.toIcrs()
        longitude, latitude = erfa.icrs2g(float(icrs._longitude), float(icrs._latitude))
        return GalacticCoord(Angle(float(longitude)), Angle(float(latitude)))

    def toEcliptic(self, epoch: float = 2000.0) -> "EclipticCoord":
        """Return the ecliptic position of an equinox."""
        vector = _tilt(epoch) @ _precession(epoch) @ self._to_j2000() @ self.getVector()
        return EclipticCoord(*_directions(vector), epoch)

    def angularSeparation(self, other: "Coord") -> Angle:
        """Return the angle to another position, of any system."""
        first, second = self.toIcrs(), other.toIcrs()
        return Angle(float(erfa.seps(*map(float, (*first._pair(), *second._pair())))))

    separation = angularSeparation

    def bearingTo(self, other: "Coord") -> Angle:
        """Return the direction to another position, from the east through the north."""
        first, second = self.toIcrs(), other.toIcrs()
        return Angle(math.pi / 2 - float(erfa.pas(*map(float, (*first._pair(), *second._pair()))))).wrap()

    def getTangentPlaneOffset(self, other: "Coord") -> tuple[Angle, Angle]:
        """Return where another position is in the plane that touches the sphere at this one, east and north."""
        first, second = self.toIcrs(), other.toIcrs()
        x, y = erfa.tpxes(*map(float, (*second._pair(), *first._pair())))[:2]
        return Angle(float(x)), Angle(float(y))

    def _pair(self) -> tuple[Angle, Angle]:
        return self._longitude, self._latitude

    def _to_j2000(self) -> NDArray[np.float64]:
        """Return the matrix that turns this system into the equator and equinox of 2000."""
        return np.eye(3)

    def __getitem__(self, index: int) -> Angle:
        return self._pair()[index]

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and isinstance(other, Coord) and self._pair() == other._pair()

    def __hash__(self) -> int:
        return hash((self._system, *self._pair()))

    def __str__(self) -> str:
        return f"({self._longitude.asDegrees():.10f}, {self._latitude.asDegrees():+.10f})"

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._longitude.asDegrees()!r}, {self._latitude.asDegrees()!r})"


class _Equatorial(Coord):
    """A position by right ascension and declination."""

    def getRa(self) -> Angle:
        """Return the right ascension, as in the LSST stack."""
        return self._longitude

    def getDec(self) -> Angle:
        """Return the declination, as in the LSST stack."""
        return self._latitude


class IcrsCoord(_Equatorial):
    """A position in ICRS, as in the LSST stack."""

    def offset(self, bearing: Angle, amount: Angle) -> "SpherePoint":
        """Return the position that is an angle away, in a direction from the east through the north."""
        latitude, distance, north = float(self._latitude), float(amount), math.pi / 2 - float(bearing)
        sine = math.sin(latitude) * math.cos(distance) + math.cos(latitude) * math.sin(distance) * math.cos(north)
        across = math.sin(north) * math.sin(distance) * math.cos(latitude)
        turned = math.atan2(across, math.cos(distance) - math.sin(latitude) * sine)
        return SpherePoint(Angle(float(self._longitude) + turned), Angle(math.asin(max(-1.0, min(1.0, sine)))))

    def rotated(self, axis: Coord, amount: Angle) -> "SpherePoint":
        """Return the position turned about another one, counterclockwise as seen from outside of the sphere."""
        turn, pole, vector = float(amount), axis.toIcrs().getVector(), self.getVector()
        along = pole * np.dot(pole, vector) * (1.0 - math.cos(turn))
        return SpherePoint(*_directions(vector * math.cos(turn) + np.cross(pole, vector) * math.sin(turn) + along))

    def atPole(self) -> bool:
        """Return whether it is one of the two poles."""
        return abs(float(self._latitude)) >= math.pi / 2

    def isFinite(self) -> bool:
        """Return whether both angles are numbers."""
        return all(math.isfinite(float(one)) for one in self._pair())


class SpherePoint(IcrsCoord):
    """A position in ICRS, under the name that it has since 2018.

    Parameters
    ----------
    longitude, latitude : Angle or float
        Right ascension and declination.
    units : AngleUnit, optional
        Unit of numbers.
    """

    def __init__(self, longitude: Angle | float, latitude: Angle | float, units: AngleUnit = radians) -> None:
        super().__init__(*(one if isinstance(one, Angle) else one * units for one in (longitude, latitude)))


@frozen
class Observatory:
    """Where a telescope is, as in the LSST stack.

    Parameters
    ----------
    longitude : Angle
        Longitude, to the east.
    latitude : Angle
        Latitude.
    elevation : float
        Height above the sea, m.
    """

    longitude: Angle
    latitude: Angle
    elevation: float

    def getLongitude(self) -> Angle:
        """Return the longitude, to the east."""
        return self.longitude

    def getLatitude(self) -> Angle:
        """Return the latitude, as in the LSST stack."""
        return self.latitude

    def getElevation(self) -> float:
        """Return the height above the sea, m."""
        return self.elevation


@frozen
class Weather:
    """The air at a telescope, as in the LSST stack.

    Parameters
    ----------
    airTemperature : float
        Temperature, degrees Celsius.
    airPressure : float
        Pressure, Pa.
    humidity : float
        Relative humidity, percent.
    """

    airTemperature: float
    airPressure: float
    humidity: float

    def getAirTemperature(self) -> float:
        """Return the temperature in degrees Celsius, as in the LSST stack."""
        return self.airTemperature

    def getAirPressure(self) -> float:
        """Return the pressure in Pa, as in the LSST stack."""
        return self.airPressure

    def getHumidity(self) -> float:
        """Return the relative humidity in percent, as in the LSST stack."""
        return self.humidity


def averageSpherePoint(coords: "list[SpherePoint]") -> SpherePoint:
    """Return the mean direction of positions.

    Raises
    ------
    ValueError
        If there are none.
    """
    if not coords:
        raise ValueError("no positions, of which there is no mean")
    return SpherePoint(*_directions(np.sum([one.toIcrs().getVector() for one in coords], axis=0)))


class Fk5Coord(_Equatorial):
    """A position in FK5 of an equinox."""

    _system = "FK5"

    def _to_j2000(self) -> NDArray[np.float64]:
        return np.asarray(_precession(self._epoch).T)


class GalacticCoord(Coord):
    """A galactic position, as in the LSST stack."""

    _system = "GALACTIC"

    def getL(self) -> Angle:
        """Return the galactic longitude, as in the LSST stack."""
        return self._longitude

    def getB(self) -> Angle:
        """Return the galactic latitude, as in the LSST stack."""
        return self._latitude

    def toIcrs(self) -> IcrsCoord:
        """Return the position in ICRS."""
        ra, dec = erfa.g2icrs(float(self._longitude), float(self._latitude))
        return IcrsCoord(Angle(float(ra)), Angle(float(dec)))

    def toFk5(self, epoch: float = 2000.0) -> Fk5Coord:
        """Return the position in FK5 of an equinox."""
        return self.toIcrs().toFk5(epoch)

    def toEcliptic(self, epoch: float = 2000.0) -> "EclipticCoord":
        """Return the ecliptic position of an equinox."""
        return self.toIcrs().toEcliptic(epoch)


class EclipticCoord(Coord):
    """An ecliptic position of an equinox."""

    _system = "ECLIPTIC"

    def getLambda(self) -> Angle:
        """Return the ecliptic longitude, as in the LSST stack."""
        return self._longitude

    def getBeta(self) -> Angle:
        """Return the ecliptic latitude, as in the LSST stack."""
        return self._latitude

    def _to_j2000(self) -> NDArray[np.float64]:
        return np.asarray((_tilt(self._epoch) @ _precession(self._epoch)).T)


def _angle(value: Any) -> Angle:  # noqa: ANN401 - an angle, or degrees
    return value if isinstance(value, Angle) else Angle(value, degrees)


def _directions(vector: NDArray[np.float64]) -> tuple[Angle, Angle]:
    longitude, latitude = erfa.c2s(vector)
    return Angle(float(longitude)), Angle(float(latitude))


def _precession(epoch: float) -> NDArray[np.float64]:
    """Return the matrix from the equator and equinox of 2000 to those of an epoch (Lieske 1976)."""
    return np.asarray(erfa.pmat76(_J2000, (epoch - 2000.0) * _YEAR), np.float64)


def _tilt(epoch: float) -> NDArray[np.float64]:
    """Return the matrix from the mean equator of an epoch to its ecliptic."""
    obliquity = float(erfa.obl80(_J2000, (epoch - 2000.0) * _YEAR))
    c, s = math.cos(obliquity), math.sin(obliquity)
    return np.array([[1.0, 0.0, 0.0], [0.0, c, s], [0.0, -s, c]])


#: Systems of `makeCoord`, as the stack numbers them.
FK5, ICRS, GALACTIC, ECLIPTIC = range(4)


def makeCoord(system: int, longitude: float, latitude: float) -> Coord:
    """Return a position in one of the systems ``ICRS``, ``FK5``, ``GALACTIC`` and ``ECLIPTIC``."""
    kinds = {FK5: Fk5Coord, ICRS: IcrsCoord, GALACTIC: GalacticCoord, ECLIPTIC: EclipticCoord}
    return kinds[system](longitude, latitude)
