"""Numbers that vary over an image, in the stack's words."""

from typing import Any

import numpy as np

from obs.compat.lsst.afw.geom.box import Box2I
from obs.compat.lsst.afw.geom.point import Extent2I, Point2D, Point2I
from obs.repo.lsst_objects import bounded_field as own

__all__ = ["BoundedField"]


class BoundedField:
    """A function of the position, as in the LSST stack.

    Parameters
    ----------
    field : obs.repo.lsst_objects.bounded_field.BoundedField
        The function of `obs`.
    """

    def __init__(self, field: own.BoundedField) -> None:
        #: The function of `obs`.
        self.own = field

    def evaluate(self, x: Any, y: Any = None) -> Any:  # noqa: ANN401 - a point, numbers or arrays
        """Return the value at a point, or values at positions."""
        if y is None:
            point = Point2D(x)
            x, y = point.x, point.y
        value = self.own.evaluate(np.asarray(x, np.float64), np.asarray(y, np.float64))
        return value if np.ndim(value) else float(value)

    def getBBox(self) -> Box2I:
        """Return the box where it holds."""
        (x0, y0), (x1, y1) = self.own.low, self.own.high
        return Box2I(Point2I(int(x0), int(y0)), Extent2I(int(x1 - x0) + 1, int(y1 - y0) + 1))
