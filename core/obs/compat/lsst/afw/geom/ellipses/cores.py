"""Ellipses without a center: second moments, or axes and position angle."""

import math
from abc import ABC, abstractmethod
from typing import Self

import numpy as np

from obs.compat.lsst.afw.geom.transform import LinearTransform

__all__ = ["Axes", "BaseCore", "Quadrupole"]


class BaseCore(ABC):
    """What all ellipses have: second moments (xx, yy, xy), pixels squared."""

    @abstractmethod
    def _moments(self) -> tuple[float, float, float]: ...

    @classmethod
    @abstractmethod
    def _from_moments(cls, xx: float, yy: float, xy: float) -> Self: ...

    def transform(self, linear: LinearTransform) -> Self:
        """Return the ellipse after a linear transform of the plane."""
        xx, yy, xy = self._moments()
        matrix = linear.getMatrix()
        turned = matrix @ np.array([[xx, xy], [xy, yy]]) @ matrix.T
        return self._from_moments(float(turned[0, 0]), float(turned[1, 1]), float(turned[0, 1]))

    def clone(self) -> Self:
        """Return an ellipse of its own."""
        return self._from_moments(*self._moments())

    copy = clone

    def getArea(self) -> float:
        """Return the area, pixels squared."""
        return math.pi * self.getDeterminantRadius() ** 2

    def getDeterminantRadius(self) -> float:
        """Return the fourth root of the determinant of the moments, pixels."""
        xx, yy, xy = self._moments()
        return float(max(xx * yy - xy * xy, 0.0) ** 0.25)

    def getTraceRadius(self) -> float:
        """Return the root of half the trace of the moments, pixels."""
        xx, yy, _ = self._moments()
        return math.sqrt(0.5 * (xx + yy))


class Quadrupole(BaseCore):
    """Second moments, as in the LSST stack.

    Parameters
    ----------
    ixx : float or BaseCore
        Moment along x, pixels squared; or another ellipse, to be converted.
    iyy, ixy : float, optional
        The other moments.
    """

    def __init__(self, ixx: float | BaseCore = 1.0, iyy: float = 1.0, ixy: float = 0.0) -> None:
        if isinstance(ixx, BaseCore):
            ixx, iyy, ixy = ixx._moments()
        self._xx, self._yy, self._xy = float(ixx), float(iyy), float(ixy)

    def _moments(self) -> tuple[float, float, float]:
        return self._xx, self._yy, self._xy

    @classmethod
    def _from_moments(cls, xx: float, yy: float, xy: float) -> Self:
        return cls(xx, yy, xy)

    def getIxx(self) -> float:
        """Return the moment along x."""
        return self._xx

    def getIyy(self) -> float:
        """Return the moment along y."""
        return self._yy

    def getIxy(self) -> float:
        """Return the mixed moment, as in the LSST stack."""
        return self._xy

    def getDeterminant(self) -> float:
        """Return the determinant, as in the LSST stack."""
        return self._xx * self._yy - self._xy**2

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Quadrupole) and self._moments() == other._moments()

    def __hash__(self) -> int:
        return hash(self._moments())

    def __str__(self) -> str:
        return f"(ixx={self._xx:.12g}, iyy={self._yy:.12g}, ixy={self._xy:.12g})"

    def __repr__(self) -> str:
        return f"Quadrupole{self}"


class Axes(BaseCore):
    """Semi-axes and position angle, as in the LSST stack.

    Parameters
    ----------
    a : float or BaseCore
        Semi-major axis, pixels; or another ellipse, to be converted.
    b : float, optional
        Semi-minor axis, pixels.
    theta : float, optional
        Angle of the major axis from x toward y, radians.
    """

    def __init__(self, a: float | BaseCore = 1.0, b: float = 1.0, theta: float = 0.0) -> None:
        if isinstance(a, BaseCore):
            xx, yy, xy = a._moments()
            middle, half = 0.5 * (xx + yy), math.hypot(0.5 * (xx - yy), xy)
            # Moments of a noisy source may be those of no ellipse; then its minor axis is NaN.
            a, b = (math.sqrt(value) if value >= 0 else math.nan for value in (middle + half, middle - half))
            theta = 0.5 * math.atan2(2.0 * xy, xx - yy)
        self._a, self._b, self._theta = float(a), float(b), float(theta)

    def _moments(self) -> tuple[float, float, float]:
        c, s = math.cos(self._theta), math.sin(self._theta)
        aa, bb = self._a**2, self._b**2
        return aa * c * c + bb * s * s, aa * s * s + bb * c * c, (aa - bb) * c * s

    @classmethod
    def _from_moments(cls, xx: float, yy: float, xy: float) -> Self:
        return cls(Quadrupole(xx, yy, xy))

    def getA(self) -> float:
        """Return the semi-major axis, as in the LSST stack."""
        return self._a

    def getB(self) -> float:
        """Return the semi-minor axis, as in the LSST stack."""
        return self._b

    def getTheta(self) -> float:
        """Return the position angle, radians."""
        return self._theta

    def __str__(self) -> str:
        return f"(a={self._a:.12g}, b={self._b:.12g}, theta={self._theta:.12g})"

    def __repr__(self) -> str:
        return f"Axes{self}"
