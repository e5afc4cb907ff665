"""WCS from their parts, in the stack's words."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from obs.compat.lsst.afw.coord import Coord
from obs.compat.lsst.afw.geom.angle import Angle
from obs.compat.lsst.afw.geom.point import Point2D
from obs.compat.lsst.afw.image.wcs import SkyWcs, makeWcs
from obs.compat.lsst.daf.base import PropertySet
from obs.image.wcs import TanSipWcs

__all__ = ["makeCdMatrix", "makeSkyWcs"]


def makeCdMatrix(scale: Angle, orientation: float = 0.0, flipX: bool = False) -> NDArray[np.float64]:
    """Return the matrix of a WCS without distortion, degrees per pixel, shape (2, 2).

    Parameters
    ----------
    scale : Angle
        Side of a pixel.
    orientation : Angle, optional
        Position angle of the y axis, from north through east.
    flipX : bool, optional
        Whether the x axis points to the east where the y axis points to the north.
    """
    angle, size = float(orientation), scale.asDegrees()
    x = size if flipX else -size
    c, s = math.cos(angle), math.sin(angle)
    return np.array([[x * c, size * s], [-x * s, size * c]])


def makeSkyWcs(
    crpix: Any,  # noqa: ANN401 - as the docstring says
    crval: Coord | None = None,
    cdMatrix: ArrayLike | None = None,
    projection: str = "TAN",
) -> SkyWcs:
    """Return a WCS of a tangent plane, or that of a header.

    Parameters
    ----------
    crpix : Point2D, PropertySet or mapping
        Pixel of the tangent point, counted from 0; or a header, which needs nothing else.
    crval : SpherePoint, optional
        Place of the tangent point on the sky.
    cdMatrix : array_like, shape (2, 2), optional
        Degrees per pixel.
    projection : str, optional
        Only ``TAN``.

    Raises
    ------
    ValueError
        If a part is missing, or the projection is another one.
    FileFormatError
        If the header has no WCS that can be read.
    """
    if isinstance(crpix, PropertySet | Mapping):
        return makeWcs(crpix)
    if crval is None or cdMatrix is None or projection != "TAN":
        raise ValueError(f"makeSkyWcs needs crpix, crval and cdMatrix of the projection TAN, got {projection}")
    icrs, pixel = crval.toIcrs(), Point2D(crpix)
    place = icrs.getRa().asDegrees(), icrs.getDec().asDegrees()
    return SkyWcs(TanSipWcs(place, (pixel.x, pixel.y), np.asarray(cdMatrix, np.float64)))
