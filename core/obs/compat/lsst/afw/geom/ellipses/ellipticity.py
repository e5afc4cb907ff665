"""Three measures of ellipticity of an ellipse with axis ratio q."""

import math
from abc import ABC, abstractmethod
from typing import Self

__all__ = ["ConformalShear", "Distortion", "Ellipticity", "ReducedShear"]


class Ellipticity(ABC):
    """Two components; made of numbers, or of an ellipticity of another measure.

    Parameters
    ----------
    e1 : float or Ellipticity
        Component along x (positive) or y (negative); or another ellipticity, to be converted.
    e2 : float, optional
        Component along the diagonals.
    """

    def __init__(self, e1: "float | Ellipticity" = 0.0, e2: float = 0.0) -> None:
        if isinstance(e1, Ellipticity):
            size, angle = self._size(e1.distortion()), 2.0 * e1.getTheta()
            self._e1, self._e2 = size * math.cos(angle), size * math.sin(angle)
        else:
            self._e1, self._e2 = float(e1), float(e2)

    @classmethod
    def from_distortion(cls, e1: float, e2: float) -> Self:
        """Return the ellipticity of moments, from ``(xx - yy) / (xx + yy)`` and ``2 xy / (xx + yy)``."""
        return cls(Distortion(e1, e2))

    @abstractmethod
    def distortion(self) -> float:
        """Return the size as a distortion, ``(1 - q^2) / (1 + q^2)``."""

    @staticmethod
    @abstractmethod
    def _size(distortion: float) -> float: ...

    def getE1(self) -> float:
        """Return the component along the axes."""
        return self._e1

    def getE2(self) -> float:
        """Return the component along the diagonals."""
        return self._e2

    def getE(self) -> float:
        """Return the size, as in the LSST stack."""
        return math.hypot(self._e1, self._e2)

    def getTheta(self) -> float:
        """Return the position angle, radians."""
        return 0.5 * math.atan2(self._e2, self._e1)

    def getAxisRatio(self) -> float:
        """Return the ratio of the semi-minor to the semi-major axis."""
        size = self.distortion()
        return math.sqrt((1.0 - size) / (1.0 + size))

    def __str__(self) -> str:
        return f"({self._e1:.12g}, {self._e2:.12g})"

    def __repr__(self) -> str:
        return f"{type(self).__name__}{self}"


class Distortion(Ellipticity):
    """Size ``(1 - q^2) / (1 + q^2)``."""

    def distortion(self) -> float:
        """Return the size, as in the LSST stack."""
        return self.getE()

    @staticmethod
    def _size(distortion: float) -> float:
        return distortion


class ReducedShear(Ellipticity):
    """Size ``(1 - q) / (1 + q)``."""

    def distortion(self) -> float:
        """Return the size as a distortion."""
        return 2.0 * self.getE() / (1.0 + self.getE() ** 2)

    @staticmethod
    def _size(distortion: float) -> float:
        return distortion / (1.0 + math.sqrt(1.0 - distortion**2))


class ConformalShear(Ellipticity):
    """Size ``-ln q``, as in the LSST stack."""

    def distortion(self) -> float:
        """Return the size as a distortion."""
        return math.tanh(self.getE())

    @staticmethod
    def _size(distortion: float) -> float:
        return math.atanh(distortion)
