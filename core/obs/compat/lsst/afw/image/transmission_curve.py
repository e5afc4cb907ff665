"""Transmission curves, in the stack's words."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from obs.compat.lsst.afw.geom.point import Point2D
from obs.repo.lsst_objects import transmission_curve as curves

__all__ = ["TransmissionCurve"]


class TransmissionCurve:
    """The fraction of light that comes through, as in the LSST stack.

    Parameters
    ----------
    own : obs.repo.lsst_objects.transmission_curve.TransmissionCurve
        The curve of `obs`.
    """

    def __init__(self, own: curves.TransmissionCurve) -> None:
        #: The curve of `obs`.
        self.own = own

    def sampleAt(self, position: Any, wavelengths: Any) -> NDArray[np.float64]:  # noqa: ANN401 - a point, an array
        """Return the fractions at wavelengths, angstrom."""
        point = Point2D(position)
        return self.own.sample(wavelengths, x=point.x, y=point.y)

    def getWavelengthBounds(self) -> tuple[float, float]:
        """Return the first and the last wavelength at which it is given, angstrom."""
        known = self.own.wavelengths
        return (float(known[0]), float(known[-1])) if len(known) else (-np.inf, np.inf)

    def getThroughputAtBounds(self) -> tuple[float, float]:
        """Return the fractions below the first and above the last wavelength."""
        low, high = self.getWavelengthBounds()
        below, above = self.own.sample([low - 1.0, high + 1.0])
        return float(below), float(above)
