"""Boxes as the stack has them: integer boxes include their last pixel."""

import math
from typing import Any

import numpy as np

from obs.compat.lsst.afw.geom.point import Extent2D, Extent2I, Point2D, Point2I
from obs.geom import Box

__all__ = ["Box2D", "Box2I"]


class Box2I:
    """A rectangle of pixels, from its first pixel to its last, both included.

    Parameters
    ----------
    minimum : Point2I or Box2D, optional
        First pixel; a box of positions stands for the pixels that hold it. An empty box if absent.
    size : Extent2I, Point2I or int, optional
        Width and height, or the last pixel. For a box of positions `EXPAND`, all pixels that hold a part of it, or
        `SHRINK`, only those that are wholly inside.
    **names : object
        The same by the names of the stack: ``minimum`` or ``corner``, and ``maximum`` or ``dimensions``.
    """

    #: What becomes of pixels that are partly inside of a box of positions.
    EXPAND, SHRINK = range(2)

    def __init__(self, minimum: Any = None, size: Any = None, **names: Any) -> None:  # noqa: ANN401 - as the docstring says
        minimum, size = _named(minimum, size, names)
        if isinstance(minimum, Box2D):
            down, up = (math.ceil, math.floor) if size == self.SHRINK else (math.floor, math.ceil)
            low = Point2I(down(minimum.getMinX() + 0.5), down(minimum.getMinY() + 0.5))
            high = Point2I(up(minimum.getMaxX() - 0.5), up(minimum.getMaxY() - 0.5))
            minimum, size = low, high
        if isinstance(minimum, Box2I):
            minimum, size = minimum.getMin(), minimum.getDimensions()
        if minimum is None:
            minimum, size = Point2I(0, 0), Extent2I(0, 0)
        self._min = Point2I(minimum)
        self._size = Extent2I(size if isinstance(size, Extent2D) else Point2I(size) - self._min + Extent2I(1, 1))

    @classmethod
    def from_box(cls, box: Box) -> "Box2I":
        """Return the stack's box of one of ours."""
        return cls(Point2I(box.x_min, box.y_min), Extent2I(box.width, box.height))

    @classmethod
    def makeCenteredBox(cls, center: Any, size: Any) -> "Box2I":  # noqa: ANN401 - any pairs
        """Return a box of a size whose middle is as near to a place as whole pixels allow."""
        first = [math.floor(at - 0.5 * (length - 1) + 0.5) for at, length in zip(center, size, strict=True)]
        return cls(Point2I(*first), Extent2I(*(int(length) for length in size)))

    def to_box(self) -> Box:
        """Return our box, as in the LSST stack."""
        return Box(self._min.x, self._min.y, max(self._size.x, 0), max(self._size.y, 0))

    def getMin(self) -> Point2I:
        """Return the first pixel, as in the LSST stack."""
        return Point2I(self._min)

    def getMax(self) -> Point2I:
        """Return the last pixel, as in the LSST stack."""
        return Point2I(self.getMaxX(), self.getMaxY())

    def getMinX(self) -> int:
        """Return the first column, as in the LSST stack."""
        return int(self._min.x)

    def getMinY(self) -> int:
        """Return the first row, as in the LSST stack."""
        return int(self._min.y)

    def getMaxX(self) -> int:
        """Return the last column, as in the LSST stack."""
        return int(self._min.x + self._size.x - 1)

    def getMaxY(self) -> int:
        """Return the last row, as in the LSST stack."""
        return int(self._min.y + self._size.y - 1)

    getBeginX, getBeginY, getBegin = getMinX, getMinY, getMin

    def getEndX(self) -> int:
        """Return the column after the last."""
        return self.getMaxX() + 1

    def getEndY(self) -> int:
        """Return the row after the last."""
        return self.getMaxY() + 1

    def getWidth(self) -> int:
        """Return the number of columns."""
        return int(self._size.x)

    def getHeight(self) -> int:
        """Return the number of rows."""
        return int(self._size.y)

    def getArea(self) -> int:
        """Return the number of pixels."""
        return self.getWidth() * self.getHeight()

    def getDimensions(self) -> Extent2I:
        """Return width and height, as in the LSST stack."""
        return Extent2I(self._size)

    def getCorners(self) -> list[Point2I]:
        """Return the four corner pixels, counterclockwise from the first."""
        x, y, right, top = self.getMinX(), self.getMinY(), self.getMaxX(), self.getMaxY()
        return [Point2I(x, y), Point2I(right, y), Point2I(right, top), Point2I(x, top)]

    def isEmpty(self) -> bool:
        """Return whether the box holds no pixel."""
        return self.getWidth() <= 0 or self.getHeight() <= 0

    def contains(self, other: Any, y: Any = None) -> Any:  # noqa: ANN401 - a point, a box, or arrays
        """Return whether the box holds a pixel or another box; of columns and rows as arrays, which are inside."""
        if y is not None:
            columns, rows = np.asarray(other), np.asarray(y)
            inside = (self.getMinX() <= columns) & (columns <= self.getMaxX())
            inside &= (self.getMinY() <= rows) & (rows <= self.getMaxY())
            return inside if inside.ndim else bool(inside)
        first, last = (other.getMin(), other.getMax()) if isinstance(other, Box2I) else (other, other)
        columns = self.getMinX() <= first[0] and last[0] <= self.getMaxX()
        return bool(columns and self.getMinY() <= first[1] and last[1] <= self.getMaxY())

    __contains__ = contains

    def overlaps(self, other: "Box2I") -> bool:
        """Return whether another box has pixels of this one."""
        return not self.clippedTo(other).isEmpty()

    intersects = overlaps

    def getCenter(self) -> Point2D:
        """Return the middle, as in the LSST stack."""
        return Point2D((self.getMinX() + self.getMaxX()) / 2, (self.getMinY() + self.getMaxY()) / 2)

    def grow(self, size: int) -> None:
        """Add pixels on all sides."""
        self._min = self._min - Extent2I(size, size)
        self._size = self._size + Extent2I(2 * size, 2 * size)

    def shift(self, offset: Extent2I) -> None:
        """Move the box, as in the LSST stack."""
        self._min = self._min + offset

    def include(self, other: Any) -> None:  # noqa: ANN401 - a point or a box
        """Grow so that a pixel or another box is in the box."""
        first, last = (other.getMin(), other.getMax()) if isinstance(other, Box2I) else (other, other)
        if self.isEmpty():
            low, high = Point2I(first), Point2I(last)
        else:
            low = Point2I(min(self.getMinX(), first[0]), min(self.getMinY(), first[1]))
            high = Point2I(max(self.getMaxX(), last[0]), max(self.getMaxY(), last[1]))
        self._min, self._size = low, Extent2I(high.x - low.x + 1, high.y - low.y + 1)

    def getEnd(self) -> Point2I:
        """Return the pixel after the last one."""
        return Point2I(self.getEndX(), self.getEndY())

    def shiftedBy(self, offset: Any) -> "Box2I":  # noqa: ANN401 - any pair
        """Return the box moved by an offset."""
        return Box2I(self._min + Extent2I(offset), self._size)

    def dilatedBy(self, size: int) -> "Box2I":
        """Return the box with pixels added on all sides."""
        larger = Box2I(self._min, self._size)
        larger.grow(size)
        return larger

    def erodedBy(self, size: int) -> "Box2I":
        """Return the box with pixels taken away on all sides."""
        return self.dilatedBy(-size)

    def clip(self, other: "Box2I") -> None:
        """Keep what another box holds too."""
        both = self.to_box().intersection(other.to_box())
        self._min, self._size = Point2I(both.x_min, both.y_min), Extent2I(both.width, both.height)

    def clippedTo(self, other: "Box2I") -> "Box2I":
        """Return what another box holds too."""
        part = Box2I(self)
        part.clip(other)
        return part

    def flipLR(self, xextent: int) -> None:
        """Mirror the box in an image of a width, left to right."""
        self._min = Point2I(xextent - 1 - self.getMaxX(), self.getMinY())

    def flipTB(self, yextent: int) -> None:
        """Mirror the box in an image of a height, top to bottom."""
        self._min = Point2I(self.getMinX(), yextent - 1 - self.getMaxY())

    def reflectedAboutX(self, x: int) -> "Box2I":
        """Return the box mirrored at a column."""
        return Box2I(Point2I(2 * x - self.getMaxX(), self.getMinY()), self._size)

    def reflectedAboutY(self, y: int) -> "Box2I":
        """Return the box mirrored at a row."""
        return Box2I(Point2I(self.getMinX(), 2 * y - self.getMaxY()), self._size)

    def transposed(self) -> "Box2I":
        """Return the box with columns and rows exchanged."""
        return Box2I(Point2I(self._min.y, self._min.x), Extent2I(self._size.y, self._size.x))

    def expandedTo(self, other: Any) -> "Box2I":  # noqa: ANN401 - a point or a box
        """Return the box, grown so that a pixel or another box is in it."""
        larger = Box2I(self)
        larger.include(other)
        return larger

    width, height, area = property(getWidth), property(getHeight), property(getArea)
    minX, minY, maxX, maxY = property(getMinX), property(getMinY), property(getMaxX), property(getMaxY)
    beginX, beginY, endX, endY = property(getBeginX), property(getBeginY), property(getEndX), property(getEndY)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Box2I) and (self._min, self._size) == (other._min, other._size)

    def __hash__(self) -> int:
        return hash((self._min, self._size))

    def __str__(self) -> str:
        return f"({self._min}, {self._size})"

    def __repr__(self) -> str:
        return f"Box2I(minimum={self._min!r}, dimensions={self._size!r})"


class Box2D:
    """A rectangle of positions, as in the LSST stack.

    Parameters
    ----------
    minimum : Point2D or Box2I, optional
        Lower left corner; a box of pixels stands for their areas. An empty box if absent.
    size : Extent2D or Point2D, optional
        Width and height, or the upper right corner.
    **names : object
        The same by the names of the stack: ``minimum`` or ``corner``, and ``maximum`` or ``dimensions``.
    """

    def __init__(self, minimum: Any = None, size: Any = None, **names: Any) -> None:  # noqa: ANN401 - as the docstring says
        minimum, size = _named(minimum, size, names)
        if isinstance(minimum, Box2I):
            size = Extent2D(minimum.getDimensions())
            minimum = Point2D(minimum.getMinX() - 0.5, minimum.getMinY() - 0.5)
        self._min = Point2D(minimum or (0.0, 0.0))
        self._size = Extent2D(size if isinstance(size, Extent2D) else Point2D(size or self._min) - self._min)

    @classmethod
    def makeCenteredBox(cls, center: Any, size: Any) -> "Box2D":  # noqa: ANN401 - any pairs
        """Return a box of a size around a position."""
        extent = Extent2D(size)
        return cls(Point2D(center) - extent * 0.5, extent)

    def getMin(self) -> Point2D:
        """Return the lower left corner."""
        return Point2D(self._min)

    def getMax(self) -> Point2D:
        """Return the upper right corner."""
        return self._min + self._size

    def getMinX(self) -> float:
        """Return the left border, as in the LSST stack."""
        return float(self._min.x)

    def getMinY(self) -> float:
        """Return the lower border, as in the LSST stack."""
        return float(self._min.y)

    def getMaxX(self) -> float:
        """Return the right border, as in the LSST stack."""
        return float(self._min.x + self._size.x)

    def getMaxY(self) -> float:
        """Return the upper border, as in the LSST stack."""
        return float(self._min.y + self._size.y)

    def getCenter(self) -> Point2D:
        """Return the middle, as in the LSST stack."""
        return self._min + self._size * 0.5

    def getDimensions(self) -> Extent2D:
        """Return width and height, as in the LSST stack."""
        return Extent2D(self._size)

    def getWidth(self) -> float:
        """Return the width, as in the LSST stack."""
        return float(self._size.x)

    def getHeight(self) -> float:
        """Return the height, as in the LSST stack."""
        return float(self._size.y)

    def getCorners(self) -> list[Point2D]:
        """Return the four corners, counterclockwise from the lower left."""
        x, y, right, top = self.getMinX(), self.getMinY(), self.getMaxX(), self.getMaxY()
        return [Point2D(x, y), Point2D(right, y), Point2D(right, top), Point2D(x, top)]

    def getArea(self) -> float:
        """Return the area, as in the LSST stack."""
        return self.getWidth() * self.getHeight()

    def isEmpty(self) -> bool:
        """Return whether the box has no area."""
        return self.getWidth() <= 0 or self.getHeight() <= 0

    def grow(self, size: float) -> None:
        """Move all sides outward, as in the LSST stack."""
        self._min, self._size = self._min - Extent2D(size), self._size + Extent2D(2 * size)

    def shift(self, offset: Any) -> None:  # noqa: ANN401 - any pair
        """Move the box, as in the LSST stack."""
        self._min = self._min + Extent2D(offset)

    def clip(self, other: "Box2D") -> None:
        """Keep what another box holds too."""
        low = Point2D(max(self.getMinX(), other.getMinX()), max(self.getMinY(), other.getMinY()))
        high = Point2D(min(self.getMaxX(), other.getMaxX()), min(self.getMaxY(), other.getMaxY()))
        self._min, self._size = low, Extent2D(max(high.x - low.x, 0.0), max(high.y - low.y, 0.0))

    def overlaps(self, other: "Box2D") -> bool:
        """Return whether another box has a part of this one."""
        both = Box2D(self._min, self._size)
        both.clip(other)
        return not both.isEmpty()

    def contains(self, point: Any) -> bool:  # noqa: ANN401 - any pair, or a box
        """Return whether the box holds a position or another box."""
        if isinstance(point, Box2D):
            columns = self.getMinX() <= point.getMinX() and point.getMaxX() <= self.getMaxX()
            return columns and self.getMinY() <= point.getMinY() and point.getMaxY() <= self.getMaxY()
        columns = self.getMinX() <= point[0] < self.getMaxX()
        return bool(columns and self.getMinY() <= point[1] < self.getMaxY())

    __contains__ = contains

    def include(self, point: Any) -> None:  # noqa: ANN401 - any pair
        """Grow so that a position is in the box."""
        high = self.getMax()
        self._min = Point2D(min(self._min.x, point[0]), min(self._min.y, point[1]))
        self._size = Extent2D(Point2D(max(high.x, point[0]), max(high.y, point[1])) - self._min)

    def __str__(self) -> str:
        return f"({self._min}, {self._size})"

    __repr__ = __str__


def _named(minimum: Any, size: Any, names: dict[str, Any]) -> tuple[Any, Any]:  # noqa: ANN401 - points and extents
    """Return the two parts of a box by the names that the stack has for them."""
    unknown = names.keys() - {"corner", "maximum", "dimensions"}
    if unknown:
        raise TypeError(f"a box has no {', '.join(sorted(unknown))}: give minimum, and maximum or dimensions")
    return names.get("corner", minimum), names.get("maximum", names.get("dimensions", size))
