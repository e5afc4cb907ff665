"""Points, boxes, angles and positions under the name that they have since 2019."""

import math

from obs.compat.lsst.afw.coord import SpherePoint, averageSpherePoint
from obs.compat.lsst.afw.geom.angle import (
    Angle,
    AngleUnit,
    arcminutes,
    arcseconds,
    degrees,
    hours,
    milliarcseconds,
    radians,
)
from obs.compat.lsst.afw.geom.box import Box2D, Box2I
from obs.compat.lsst.afw.geom.point import Extent2D, Extent2I, ExtentD, ExtentI, Point2D, Point2I, PointD, PointI
from obs.compat.lsst.afw.geom.transform import AffineTransform, LinearTransform

__all__ = [
    "HALFPI",
    "PI",
    "TWOPI",
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
    "SpherePoint",
    "arcminutes",
    "arcseconds",
    "averageSpherePoint",
    "degToRad",
    "degrees",
    "hours",
    "milliarcseconds",
    "radToDeg",
    "radians",
]

PI, TWOPI, HALFPI = math.pi, 2.0 * math.pi, 0.5 * math.pi
degToRad, radToDeg = math.radians, math.degrees

BoxI, BoxD = Box2I, Box2D
