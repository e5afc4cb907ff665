"""Ellipses with a center."""

from typing import Any

from obs.compat.lsst.afw.geom.box import Box2D
from obs.compat.lsst.afw.geom.ellipses.cores import Axes, BaseCore, Quadrupole
from obs.compat.lsst.afw.geom.point import Point2D
from obs.compat.lsst.afw.geom.transform import AffineTransform

__all__ = ["Ellipse"]


class Ellipse:
    """An ellipse somewhere in the plane, as in the LSST stack.

    Parameters
    ----------
    core : BaseCore or Ellipse
        Size and shape; or another ellipse, which is copied.
    center : Point2D, optional
        Its center, pixels; the origin if absent.
    """

    def __init__(self, core: "BaseCore | Ellipse", center: Any = (0.0, 0.0)) -> None:  # noqa: ANN401 - a point
        self._core: BaseCore = (core.getCore() if isinstance(core, Ellipse) else core).clone()
        self._center = Point2D(core.getCenter() if isinstance(core, Ellipse) else center)

    def getCore(self) -> BaseCore:
        """Return size and shape, as in the LSST stack."""
        return self._core

    def setCore(self, core: BaseCore) -> None:
        """Set size and shape, which are copied."""
        self._core = core.clone()

    def getCenter(self) -> Point2D:
        """Return the center, as in the LSST stack."""
        return Point2D(self._center)

    def setCenter(self, center: Any) -> None:  # noqa: ANN401 - a point
        """Set the center, as in the LSST stack."""
        self._center = Point2D(center)

    def grow(self, buffer: float) -> None:
        """Make both semi-axes longer by so many pixels."""
        axes = Axes(self._core)
        self._resize(axes.getA() + buffer, axes.getB() + buffer)

    def scale(self, factor: float) -> None:
        """Make both semi-axes longer by a factor."""
        axes = Axes(self._core)
        self._resize(factor * axes.getA(), factor * axes.getB())

    def _resize(self, a: float, b: float) -> None:
        """Set the semi-axes, and keep the angle and the kind of core."""
        self._core = self._core._from_moments(*Axes(a, b, Axes(self._core).getTheta())._moments())

    def shift(self, offset: Any) -> None:  # noqa: ANN401 - a pair
        """Move the center, as in the LSST stack."""
        self._center = Point2D(self._center.x + offset[0], self._center.y + offset[1])

    def transform(self, transform: AffineTransform) -> "Ellipse":
        """Return the ellipse after an affine transform of the plane."""
        return Ellipse(self._core.transform(transform.getLinear()), transform(self._center))

    def computeBBox(self) -> Box2D:
        """Return the smallest box around it."""
        quadrupole = Quadrupole(self._core)
        width, height = quadrupole.getIxx() ** 0.5, quadrupole.getIyy() ** 0.5
        x, y = self._center
        return Box2D(Point2D(x - width, y - height), Point2D(x + width, y + height))

    def __str__(self) -> str:
        return f"({self._core}, {self._center})"

    def __repr__(self) -> str:
        return f"Ellipse({self._core!r}, {self._center!r})"

    core, center = property(getCore, setCore), property(getCenter, setCenter)
