"""Runs of pixels, in the stack's words."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from obs.compat.lsst.afw.geom.box import Box2I
from obs.compat.lsst.afw.geom.point import Extent2I, Point2D, Point2I

__all__ = ["Span", "SpanSet", "Stencil"]


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


class Stencil:
    """Shapes of `SpanSet.fromShape`, as in the LSST stack."""

    CIRCLE, BOX, MANHATTAN = range(3)


class SpanSet:
    """Runs of pixels, as in the LSST stack.

    Parameters
    ----------
    y : ndarray of int, shape (n,), or Box2I
        Row of each; or a box, all of whose pixels are meant.
    x0, x1 : ndarray of int, shape (n,), optional
        First and last column of each.
    """

    def __init__(self, y: Any = (), x0: Any = (), x1: Any = ()) -> None:  # noqa: ANN401 - as the docstring says
        if isinstance(y, Box2I):
            rows = np.arange(y.getMinY(), y.getMaxY() + 1)
            y, x0, x1 = rows, np.full_like(rows, y.getMinX()), np.full_like(rows, y.getMaxX())
        self._y, self._x0, self._x1 = (np.asarray(part, np.int64) for part in (y, x0, x1))

    @classmethod
    def fromShape(cls, radius: int, shape: int = 0, offset: Any = (0, 0)) -> "SpanSet":  # noqa: ANN401 - a point
        """Return the pixels of a circle (``Stencil.CIRCLE``) or a square (``Stencil.BOX``).

        Raises
        ------
        ValueError
            For another shape.
        """
        if shape not in (Stencil.CIRCLE, Stencil.BOX):
            raise ValueError("circles and squares are here: Stencil.CIRCLE, Stencil.BOX")
        rows = np.arange(-radius, radius + 1)
        half = np.floor(np.sqrt(radius**2 - rows**2)).astype(np.int64) if shape == Stencil.CIRCLE else radius + 0 * rows
        return cls(rows + int(offset[1]), int(offset[0]) - half, int(offset[0]) + half)

    def runs(self) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        """Return row, first and last column of each run."""
        return self._y, self._x0, self._x1

    def shiftedBy(self, x: Any, y: int | None = None) -> "SpanSet":  # noqa: ANN401 - an extent, or two numbers
        """Return the runs moved by whole pixels."""
        right, up = (x[0], x[1]) if y is None else (x, y)
        return SpanSet(self._y + int(up), self._x0 + int(right), self._x1 + int(right))

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
