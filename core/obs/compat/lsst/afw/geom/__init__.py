"""Angles, points, boxes, transforms and ellipses."""

from typing import Any

from obs.compat.lsst.afw.geom import ellipses
from obs.compat.lsst.afw.geom.angle import (
    Angle,
    AngleUnit,
    arcminutes,
    arcseconds,
    degrees,
    hours,
    radians,
)
from obs.compat.lsst.afw.geom.box import Box2D, Box2I
from obs.compat.lsst.afw.geom.mapping import (
    Transform,
    linearizeTransform,
    makeIdentityTransform,
    makeTransform,
    makeWcsPairTransform,
)
from obs.compat.lsst.afw.geom.point import Extent2D, Extent2I, ExtentD, ExtentI, Point2D, Point2I, PointD, PointI
from obs.compat.lsst.afw.geom.span import Span, SpanSet, Stencil
from obs.compat.lsst.afw.geom.transform import AffineTransform, LinearTransform

__all__ = [
    "AffineTransform",
    "Angle",
    "AngleUnit",
    "Box2D",
    "Box2I",
    "BoxD",
    "BoxI",
    "Extent2D",
    "Extent2I",
    "ExtentD",
    "ExtentI",
    "LinearTransform",
    "Point2D",
    "Point2I",
    "PointD",
    "PointI",
    "Span",
    "SpanSet",
    "SpherePoint",
    "Stencil",
    "Transform",
    "arcminutes",
    "arcseconds",
    "degrees",
    "ellipses",
    "hours",
    "linearizeTransform",
    "makeIdentityTransform",
    "makeTransform",
    "makeWcsPairTransform",
    "radians",
]
# besides, `Polygon`, `SpherePoint`, `SkyWcs`, `makeCdMatrix` and `makeSkyWcs`

BoxI, BoxD = Box2I, Box2D


def __getattr__(name: str) -> Any:  # noqa: ANN401
    """Return names whose modules import this one."""
    if name == "SpherePoint":
        from obs.compat.lsst.afw.coord import SpherePoint  # noqa: PLC0415 - a circle otherwise

        return SpherePoint
    if name == "Polygon":
        from obs.compat.lsst.afw.image.attached import Polygon  # noqa: PLC0415 - a circle otherwise

        return Polygon
    if name in ("SkyWcs", "makeCdMatrix", "makeSkyWcs"):
        from obs.compat.lsst.afw.geom import sky_wcs  # noqa: PLC0415 - a circle otherwise

        return getattr(sky_wcs, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
