"""Coordinate systems of a camera, and positions from one into another."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from obs.camera.camera import Camera
from obs.camera.detector import Detector
from obs.compat.lsst.afw.geom.point import Point2D

__all__ = ["FIELD_ANGLE", "FOCAL_PLANE", "PIXELS", "PUPIL", "CameraSys", "transform_points"]


@dataclass(frozen=True)
class CameraSys:
    """A coordinate system of a camera or of one detector.

    Parameters
    ----------
    name : str
        Name of the system.
    """

    name: str

    def getSysName(self) -> str:
        """Return the name of the system."""
        return self.name


#: Pixels of a detector; mm in the focal plane; radians from the axis.
PIXELS, FOCAL_PLANE, FIELD_ANGLE = CameraSys("Pixels"), CameraSys("FocalPlane"), CameraSys("FieldAngle")
PUPIL = FIELD_ANGLE
_ARCSEC = np.pi / 648000.0


def transform_points(
    points: Any,  # noqa: ANN401 - a point, or a list of points
    source: CameraSys,
    target: CameraSys,
    detector: Detector | None = None,
    camera: Camera | None = None,
) -> Any:  # noqa: ANN401 - as the points
    """Return positions of one system in another, as the points are: one, or a list.

    Parameters
    ----------
    points : Point2D or list of Point2D
        The positions.
    source, target : CameraSys
        The systems.
    detector : Detector, optional
        The detector whose pixels are meant.
    camera : Camera, optional
        The camera, whose optics `FIELD_ANGLE` needs.

    Raises
    ------
    ValueError
        If a system needs a detector or a camera that is not given.
    """
    is_one = not isinstance(points, list | tuple) or isinstance(points, Point2D)
    given = [points] if is_one else points
    x, y = np.array([[point[0], point[1]] for point in given], np.float64).reshape(-1, 2).T
    x, y = _from_focal_plane(target, *_to_focal_plane(source, x, y, detector, camera), detector, camera)
    found = [Point2D(float(one), float(other)) for one, other in zip(x, y, strict=True)]
    return found[0] if is_one else found


Pair = tuple[NDArray[np.float64], NDArray[np.float64]]


def _to_focal_plane(
    system: CameraSys, x: NDArray[np.float64], y: NDArray[np.float64], detector: Detector | None, camera: Camera | None
) -> Pair:
    if system == PIXELS and detector is not None:
        return detector.pixel_to_focal_plane(x=x, y=y)
    if system == FIELD_ANGLE and camera is not None:
        return camera.field_to_focal_plane(x=x / _ARCSEC, y=y / _ARCSEC)
    return _same(system, x, y)


def _from_focal_plane(
    system: CameraSys, x: NDArray[np.float64], y: NDArray[np.float64], detector: Detector | None, camera: Camera | None
) -> Pair:
    if system == PIXELS and detector is not None:
        return detector.focal_plane_to_pixel(x=x, y=y)
    if system == FIELD_ANGLE and camera is not None:
        along, across = camera.focal_plane_to_field(x=x, y=y)
        return along * _ARCSEC, across * _ARCSEC
    return _same(system, x, y)


def _same(system: CameraSys, x: NDArray[np.float64], y: NDArray[np.float64]) -> Pair:
    if system != FOCAL_PLANE:
        raise ValueError(f"positions in {system.name} need {'a detector' if system == PIXELS else 'the camera'}")
    return x, y
