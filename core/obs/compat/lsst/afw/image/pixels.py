"""What every plane of pixels has: a size, a place in a larger image, and sub-images that are views."""

from typing import Any

from obs.compat.lsst.afw.geom.box import Box2I
from obs.compat.lsst.afw.geom.point import Extent2I, Point2I
from obs.geom import Box

__all__ = ["LOCAL", "PARENT", "Pixels", "local_box"]

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
