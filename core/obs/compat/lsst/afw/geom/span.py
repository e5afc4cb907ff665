"""Runs of pixels, in the stack's words."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from obs.compat.lsst.afw.geom.box import Box2I
from obs.compat.lsst.afw.geom.point import Extent2I, Point2D, Point2I

__all__ = ["Span", "SpanSet"]


class Span(NamedTuple):
    """One run of pixels in a row, with its last pixel."""

    y: int
    x0: int
    x1: int

    def getY(self) -> int:
        """Return the row, as in the LSST stack."""
        return self.y

    def getX0(self) -> int:
        """Return the first column, as in the LSST stack."""
        return self.x0

    def getX1(self) -> int:
        """Return the last column, as in the LSST stack."""
        return self.x1

    def getWidth(self) -> int:
        """Return the number of pixels."""
        return self.x1 - self.x0 + 1


class SpanSet:
    """Runs of pixels, as in the LSST stack.

    Parameters
    ----------
    y, x0, x1 : ndarray of int, shape (n,)
        Row, first and last column of each.
    """

    def __init__(self, y: NDArray[Any], x0: NDArray[Any], x1: NDArray[Any]) -> None:
        self._y, self._x0, self._x1 = y, x0, x1

    def __iter__(self) -> Iterator[Span]:
        return (Span(*map(int, row)) for row in zip(self._y, self._x0, self._x1, strict=True))

    def __len__(self) -> int:
        return len(self._y)

    def getArea(self) -> int:
        """Return the number of pixels."""
        return int(np.sum(self._x1 - self._x0 + 1))

    def getBBox(self) -> Box2I:
        """Return the smallest box around all pixels."""
        if not len(self):
            return Box2I(Point2I(0, 0), Extent2I(0, 0))
        low = int(self._x0.min()), int(self._y.min())
        return Box2I(Point2I(*low), Extent2I(int(self._x1.max()) - low[0] + 1, int(self._y.max()) - low[1] + 1))

    def computeCentroid(self) -> Point2D:
        """Return the mean position of all pixels."""
        width = self._x1 - self._x0 + 1
        x, y = 0.5 * (self._x0 + self._x1), self._y
        return Point2D(float(np.average(x, weights=width)), float(np.average(y, weights=width)))

    def contains(self, point: Any) -> bool:  # noqa: ANN401 - a point
        """Return whether a pixel is in one of them."""
        pixel = Point2I(point)
        return bool(np.any((self._y == pixel.y) & (self._x0 <= pixel.x) & (self._x1 >= pixel.x)))
