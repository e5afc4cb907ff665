"""What every plane of pixels has: a size, a place in a larger image, and sub-images that are views."""

from typing import Any

from obs.compat.lsst.afw.geom.box import Box2I
from obs.compat.lsst.afw.geom.point import Extent2I, Point2D, Point2I
from obs.geom import Box

__all__ = ["LOCAL", "PARENT", "Pixels", "find_place", "local_box"]

#: Boxes count pixels from the first one of the image.
LOCAL = "LOCAL"
#: Boxes count pixels from the first one of the image that this one was cut from.
PARENT = "PARENT"


class Pixels:
    """Size and place of an image.

    Parameters
    ----------
    shape : tuple of int
        Shape (ny, nx).
    origin : Point2I, optional
        Where the first pixel is in the image that this one was cut from.
    """

    def __init__(self, shape: tuple[int, ...], origin: Point2I | None = None) -> None:
        self._shape = shape
        self._origin = Point2I(origin or (0, 0))

    def getWidth(self) -> int:
        """Return the number of columns."""
        return int(self._shape[1])

    def getHeight(self) -> int:
        """Return the number of rows."""
        return int(self._shape[0])

    def getDimensions(self) -> Extent2I:
        """Return width and height, as in the LSST stack."""
        return Extent2I(self.getWidth(), self.getHeight())

    def getXY0(self) -> Point2I:
        """Return the place of the first pixel in the parent image."""
        return Point2I(self._origin)

    def getX0(self) -> int:
        """Return the column of the first pixel in the parent image."""
        return int(self._origin.x)

    def getY0(self) -> int:
        """Return the row of the first pixel in the parent image."""
        return int(self._origin.y)

    def setXY0(self, x: Any, y: int | None = None) -> None:  # noqa: ANN401 - a point, or two numbers
        """Set the place of the first pixel in the parent image."""
        self._origin = Point2I(x) if y is None else Point2I(x, y)

    def getBBox(self, origin: str = PARENT) -> Box2I:
        """Return the box of all pixels, counted in the parent image, or with `LOCAL` from the first pixel."""
        return Box2I(self.getXY0() if origin == PARENT else Point2I(0, 0), self.getDimensions())

    width, height = property(getWidth), property(getHeight)

    def __len__(self) -> int:
        return self.getHeight()


def local_box(whole: Pixels, box: Box2I, origin: str) -> Box:
    """Return a sub-image's box, counted from the first pixel of the image.

    Raises
    ------
    ValueError
        If the box leaves the image.
    """
    offset = whole.getXY0() if origin == PARENT else Point2I(0, 0)
    found = Box2I(box.getMin() - Extent2I(offset), box.getDimensions()).to_box()
    if not Box(0, 0, whole.getWidth(), whole.getHeight()).contains(found):
        raise ValueError(f"{box} leaves the image of {whole.getWidth()} x {whole.getHeight()} pixels at {offset}")
    return found


def find_place(whole: Pixels, place: Any) -> Box2I | tuple[int, int]:  # noqa: ANN401 - as the docstring says
    """Return what an index of an image means: a part or one pixel, counted from the first pixel of the image.

    Parameters
    ----------
    whole : Pixels
        The image.
    place : Box2I, Point2I or tuple
        A box, a pixel, or slices of columns and rows, ``[x1:x2, y1:y2]``; perhaps with `LOCAL` after them. Without it
        all count in the parent image.

    Raises
    ------
    IndexError
        If a pixel is outside of the image.
    TypeError
        If it is none of them.
    """
    ends = list(place) if isinstance(place, tuple) else [place]
    origin = ends.pop() if isinstance(ends[-1], str) else PARENT
    first = whole.getXY0() if origin == PARENT else Point2I(0, 0)
    if len(ends) == 1 and isinstance(ends[0], Box2I):
        found = local_box(whole, ends[0], origin)
        return Box2I.from_box(found)
    if len(ends) == 1 and isinstance(ends[0], Point2D):
        ends = list(ends[0])
    if len(ends) == 2 and all(isinstance(end, slice) and end.step in (None, 1) for end in ends):
        (left, right), (low, high) = map(_limits, ends, first, whole.getDimensions())
        return Box2I(Point2I(left, low), Extent2I(max(right - left, 0), max(high - low, 0)))
    if len(ends) == 2 and all(hasattr(end, "__index__") for end in ends):
        x, y = (
            int(end) - start if end >= 0 else int(end) + size
            for end, start, size in zip(ends, first, whole.getDimensions(), strict=True)
        )
        if not (0 <= x < whole.getWidth() and 0 <= y < whole.getHeight()):
            raise IndexError(f"pixel {ends[0]}, {ends[1]} is outside of the image, whose pixels are {whole.getBBox()}")
        return x, y
    raise TypeError("index an image by a box, a pixel [x, y] or slices [x1:x2, y1:y2]; its array takes all others")


def _limits(part: slice, start: int, size: int) -> tuple[int, int]:
    """Return the ends of a slice, counted from the first pixel; ends below 0 count from the last."""
    low, high = (end if end is None or end < 0 else max(end - start, 0) for end in (part.start, part.stop))
    return slice(low, high).indices(size)[:2]
