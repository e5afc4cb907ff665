"""Ellipses by an ellipticity and a radius."""

import math
from typing import ClassVar, Literal, Self

from obs.compat.lsst.afw.geom.ellipses.cores import BaseCore, Quadrupole
from obs.compat.lsst.afw.geom.ellipses.ellipticity import ConformalShear, Distortion, Ellipticity, ReducedShear

__all__ = [
    "SeparableConformalShearDeterminantRadius",
    "SeparableConformalShearTraceRadius",
    "SeparableDistortionDeterminantRadius",
    "SeparableDistortionTraceRadius",
    "SeparableReducedShearDeterminantRadius",
    "SeparableReducedShearTraceRadius",
]


class _Separable(BaseCore):
    """An ellipse by ellipticity and radius.

    Parameters
    ----------
    e1 : float, Ellipticity or BaseCore
        First component, a whole ellipticity, or another ellipse, to be converted.
    e2 : float, optional
        Second component; the radius after a whole ellipticity.
    radius : float, optional
        Radius, pixels.
    """

    _ellipticity_class: ClassVar[type[Ellipticity]]
    _radius_kind: ClassVar[Literal["determinant", "trace"]]

    def __init__(self, e1: float | Ellipticity | BaseCore = 0.0, e2: float = 0.0, radius: float = 1.0) -> None:
        if isinstance(e1, BaseCore):
            xx, yy, xy = e1._moments()
            total = xx + yy
            self._ellipticity = self._ellipticity_class.from_distortion((xx - yy) / total, 2.0 * xy / total)
            is_trace = self._radius_kind == "trace"
            self._radius = e1.getTraceRadius() if is_trace else e1.getDeterminantRadius()
        elif isinstance(e1, Ellipticity):
            self._ellipticity, self._radius = self._ellipticity_class(e1), float(e2)
        else:
            self._ellipticity, self._radius = self._ellipticity_class(e1, e2), float(radius)

    def _moments(self) -> tuple[float, float, float]:
        size, angle = self._ellipticity.distortion(), 2.0 * self._ellipticity.getTheta()
        half_trace = self._radius**2
        if self._radius_kind == "determinant":
            half_trace /= math.sqrt(1.0 - size**2)
        e1, e2 = size * math.cos(angle), size * math.sin(angle)
        return half_trace * (1.0 + e1), half_trace * (1.0 - e1), half_trace * e2

    @classmethod
    def _from_moments(cls, xx: float, yy: float, xy: float) -> Self:
        return cls(Quadrupole(xx, yy, xy))

    def getEllipticity(self) -> Ellipticity:
        """Return the ellipticity, as in the LSST stack."""
        return self._ellipticity

    def getRadius(self) -> float:
        """Return the radius, as in the LSST stack."""
        return self._radius

    def getE1(self) -> float:
        """Return the first component of the ellipticity."""
        return self._ellipticity.getE1()

    def getE2(self) -> float:
        """Return the second component of the ellipticity."""
        return self._ellipticity.getE2()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._ellipticity}, {self._radius:.12g})"


class SeparableDistortionDeterminantRadius(_Separable):
    """Distortion and determinant radius, as in the LSST stack."""

    _ellipticity_class, _radius_kind = Distortion, "determinant"


class SeparableDistortionTraceRadius(_Separable):
    """Distortion and trace radius, as in the LSST stack."""

    _ellipticity_class, _radius_kind = Distortion, "trace"


class SeparableReducedShearDeterminantRadius(_Separable):
    """Reduced shear and determinant radius."""

    _ellipticity_class, _radius_kind = ReducedShear, "determinant"


class SeparableReducedShearTraceRadius(_Separable):
    """Reduced shear and trace radius."""

    _ellipticity_class, _radius_kind = ReducedShear, "trace"


class SeparableConformalShearDeterminantRadius(_Separable):
    """Conformal shear and determinant radius."""

    _ellipticity_class, _radius_kind = ConformalShear, "determinant"


class SeparableConformalShearTraceRadius(_Separable):
    """Conformal shear and trace radius."""

    _ellipticity_class, _radius_kind = ConformalShear, "trace"
