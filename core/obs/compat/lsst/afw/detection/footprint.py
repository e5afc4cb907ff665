"""The pixels of one source, in the stack's words."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from obs.compat.lsst.afw.geom.box import Box2I
from obs.compat.lsst.afw.geom.point import Point2D, Point2I
from obs.compat.lsst.afw.geom.span import SpanSet
from obs.image.catalog import Catalog
from obs.repo.lsst_objects import footprints as own

__all__ = ["Footprint", "PeakRecord"]


class PeakRecord:
    """One peak of a footprint, as in the LSST stack.

    Parameters
    ----------
    x, y, value : float
        Position, pixels, and value.
    """

    def __init__(self, x: float, y: float, value: float) -> None:
        self._x, self._y, self._value = x, y, value

    def getFx(self) -> float:
        """Return the column, pixels, as in the LSST stack."""
        return self._x

    def getFy(self) -> float:
        """Return the row, pixels, as in the LSST stack."""
        return self._y

    def getIx(self) -> int:
        """Return the number of the column, as in the LSST stack."""
        return round(self._x)

    def getIy(self) -> int:
        """Return the number of the row, as in the LSST stack."""
        return round(self._y)

    def getF(self) -> Point2D:
        """Return the position, pixels, as in the LSST stack."""
        return Point2D(self._x, self._y)

    def getI(self) -> Point2I:
        """Return the pixel, as in the LSST stack."""
        return Point2I(self.getIx(), self.getIy())

    def getPeakValue(self) -> float:
        """Return the value of the peak."""
        return self._value


class Footprint:
    """The pixels of one source, as in the LSST stack.

    Parameters
    ----------
    footprint : obs.repo.lsst_objects.footprints.Footprint or SpanSet
        The footprint of `obs`; or runs of pixels, for one without peaks.
    """

    def __init__(self, footprint: own.Footprint | SpanSet, *_: Any) -> None:
        if isinstance(footprint, SpanSet):
            peaks = Catalog()
            for name in ("x", "y", "value"):
                peaks.add(name, np.empty(0), "", name)
            footprint = own.Footprint(*footprint.runs(), peaks)
        #: The footprint of `obs`.
        self.own = footprint
        self.spans = SpanSet(footprint.y, footprint.x0, footprint.x1)
        peaks = footprint.peaks
        self.peaks = [PeakRecord(*map(float, row)) for row in zip(peaks["x"], peaks["y"], peaks["value"], strict=True)]

    def getSpans(self) -> SpanSet:
        """Return the runs of pixels, as in the LSST stack."""
        return self.spans

    def getPeaks(self) -> list[PeakRecord]:
        """Return the peaks, as in the LSST stack."""
        return self.peaks

    def getArea(self) -> int:
        """Return the number of pixels."""
        return self.own.area

    getNpix = getArea

    def getBBox(self) -> Box2I:
        """Return the smallest box around all pixels."""
        return self.spans.getBBox()

    def getCentroid(self) -> Point2D:
        """Return the mean position of all pixels."""
        return self.spans.computeCentroid()

    def contains(self, point: Any) -> bool:  # noqa: ANN401 - a point
        """Return whether a pixel belongs to it."""
        return self.spans.contains(point)

    def isHeavy(self) -> bool:
        """Return whether it has values of its pixels, as deblended sources do."""
        return self.own.image is not None

    def getImageArray(self) -> NDArray[Any]:
        """Return the values of its pixels, run by run.

        Raises
        ------
        AttributeError
            If it has none.
        """
        return self._values("image")

    def getMaskArray(self) -> NDArray[Any]:
        """Return the mask of its pixels, run by run; errors as of `getImageArray`."""
        return self._values("mask")

    def getVarianceArray(self) -> NDArray[Any]:
        """Return the variance of its pixels, run by run; errors as of `getImageArray`."""
        return self._values("variance")

    def _values(self, plane: str) -> NDArray[Any]:
        values: NDArray[Any] | None = getattr(self.own, plane)
        if values is None:
            raise AttributeError("this footprint has no values of pixels: the source was not deblended")
        return values

    def insert(self, image: Any) -> None:  # noqa: ANN401 - an image, or image, mask and variance
        """Write the values of its pixels into an image, or into image, mask and variance.

        Raises
        ------
        AttributeError
            If it has no values.
        """
        if hasattr(image, "getMask"):
            for plane, values in (("Image", "image"), ("Mask", "mask"), ("Variance", "variance")):
                self._write(getattr(image, f"get{plane}")(), self._values(values))
        else:
            self._write(image, self.getImageArray())

    def _write(self, image: Any, values: NDArray[Any]) -> None:  # noqa: ANN401 - a plane
        row, column = self.own.pixels()
        row, column = row - image.getY0(), column - image.getX0()
        inside = (row >= 0) & (row < image.getHeight()) & (column >= 0) & (column < image.getWidth())
        image.getArray()[row[inside], column[inside]] = values[inside]
