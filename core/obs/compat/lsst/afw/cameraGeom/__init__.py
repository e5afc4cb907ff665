"""The camera, in the words of older and newer stacks.

Older stacks divide a camera into rafts of detectors, and a script takes ``camera[0]`` for a raft; newer ones have
detectors by their number. Both work: the detector that ``camera[0]`` returns is also, for `cast_Raft`, the raft of all
detectors.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np

from obs.camera import camera as own
from obs.camera.detector import Detector as OwnDetector
from obs.compat.lsst.afw.cameraGeom.amplifier import Amplifier
from obs.compat.lsst.afw.cameraGeom.systems import (
    FIELD_ANGLE,
    FOCAL_PLANE,
    PIXELS,
    PUPIL,
    CameraSys,
    transform_points,
)
from obs.compat.lsst.afw.geom.angle import Angle, degrees
from obs.compat.lsst.afw.geom.box import Box2D, Box2I
from obs.compat.lsst.afw.geom.mapping import Transform
from obs.compat.lsst.afw.geom.point import Extent2D, Point2D

__all__ = [
    "FIELD_ANGLE",
    "FOCAL_PLANE",
    "FOCUS",
    "GUIDER",
    "PIXELS",
    "PUPIL",
    "SCIENCE",
    "WAVEFRONT",
    "Amplifier",
    "Camera",
    "CameraSys",
    "Detector",
    "DetectorId",
    "Orientation",
    "Raft",
    "cast_Ccd",
    "cast_Raft",
]


#: What detectors are for, see `Detector.getType`.
SCIENCE, FOCUS, GUIDER, WAVEFRONT = "SCIENCE", "FOCUS", "GUIDER", "WAVEFRONT"


class DetectorId:
    """Name and number of a detector.

    Parameters
    ----------
    serial : int
        The number.
    name : str
        The name.
    """

    def __init__(self, serial: int, name: str) -> None:
        self._serial, self._name = serial, name

    def getSerial(self) -> int:
        """Return the number, as in the LSST stack."""
        return self._serial

    def getName(self) -> str:
        """Return the name, as in the LSST stack."""
        return self._name

    def __eq__(self, other: object) -> bool:
        if isinstance(other, DetectorId):
            return str(self) == str(other)
        return other == self._serial

    def __hash__(self) -> int:
        return hash(self._serial)

    def __int__(self) -> int:
        return self._serial

    __index__ = __int__

    def __str__(self) -> str:
        return f"{self._serial}, {self._name}"

    def __repr__(self) -> str:
        return f"DetectorId({self})"


class Orientation:
    """How a detector stands in the focal plane, as in the LSST stack.

    Parameters
    ----------
    own : obs.camera.detector.Detector
        The detector of `obs`.
    """

    def __init__(self, own: OwnDetector) -> None:
        self._own = own

    def getYaw(self) -> Angle:
        """Return the rotation about the optical axis."""
        return self._own.yaw * degrees

    def getPitch(self) -> Angle:
        """Return the rotation about the turned y axis."""
        return self._own.pitch * degrees

    def getRoll(self) -> Angle:
        """Return the rotation about the turned x axis."""
        return self._own.roll * degrees

    def getFpPosition(self) -> Point2D:
        """Return where the reference pixel is in the focal plane, mm."""
        return Point2D(self._own.offset_x, self._own.offset_y)

    def getReferencePoint(self) -> Point2D:
        """Return the reference pixel, as in the LSST stack."""
        return Point2D(self._own.reference_x, self._own.reference_y)


class Detector:
    """One detector, as in the LSST stack.

    Parameters
    ----------
    own : obs.camera.detector.Detector
        The detector of `obs`.
    raft : Raft, optional
        Its raft; one of its own if absent.
    camera : obs.camera.camera.Camera, optional
        The camera of `obs`, whose optics field angles need.
    """

    def __init__(self, own: OwnDetector, raft: "Raft | None" = None, camera: own.Camera | None = None) -> None:
        #: The detector of `obs`.
        self.own = own
        self._raft, self._camera = raft, camera

    def getId(self) -> DetectorId:
        """Return name and number; as a number it is the number."""
        return DetectorId(self.own.id, self.own.name)

    def getName(self) -> str:
        """Return the name, as in the LSST stack."""
        return self.own.name

    def getOrientation(self) -> "Orientation":
        """Return how the detector stands in the focal plane."""
        return Orientation(self.own)

    def getSerial(self) -> str:
        """Return the serial number of the chip."""
        return self.own.serial

    def getType(self) -> str:
        """Return what it is for: ``SCIENCE``, ``FOCUS``, ``GUIDER`` or ``WAVEFRONT``."""
        return self.own.type

    def getBBox(self) -> Box2I:
        """Return all pixels of the assembled detector."""
        return Box2I.from_box(self.own.bbox)

    def getAllPixels(self, isTrimmed: bool = True) -> Box2I:
        """Return all pixels of the assembled detector."""
        return self.getBBox()

    def getCenter(self, cameraSys: CameraSys = FOCAL_PLANE) -> Point2D:
        """Return the place of the middle, in the focal plane in mm unless another system is named."""
        box = self.own.bbox
        middle = Point2D(box.x_min + 0.5 * (box.width - 1), box.y_min + 0.5 * (box.height - 1))
        return Point2D(self.transform(middle, PIXELS, cameraSys))

    def getCorners(self, cameraSys: CameraSys = PIXELS) -> list[Point2D]:
        """Return the outer corners of the detector in a system."""
        return list(self.transform(Box2D(self.getBBox()).getCorners(), PIXELS, cameraSys))

    def transform(self, points: Any, fromSys: CameraSys, toSys: CameraSys) -> Any:  # noqa: ANN401 - one or a list
        """Return positions, one or a list, of one system in another.

        Raises
        ------
        ValueError
            If a system needs the camera's optics, and the detector comes from no camera; see `Camera.transform`.
        """
        return transform_points(points, fromSys, toSys, self.own, self._camera)

    def getTransform(self, fromSys: CameraSys, toSys: CameraSys) -> Transform:
        """Return the transform from one system to another; see `transform`."""
        return Transform(lambda at: self.transform(at, fromSys, toSys), lambda at: self.transform(at, toSys, fromSys))

    def getPixelSize(self) -> Extent2D:
        """Return the sides of a pixel, mm."""
        first, right, above = self.transform([Point2D(0, 0), Point2D(1, 0), Point2D(0, 1)], PIXELS, FOCAL_PLANE)
        return Extent2D(*(float(np.hypot(one.x - first.x, one.y - first.y)) for one in (right, above)))

    def getAmplifiers(self) -> list[Amplifier]:
        """Return the amplifiers of the detector."""
        return [Amplifier(amplifier) for amplifier in self.own.amplifiers]

    def __iter__(self) -> Iterator[Amplifier]:
        """Iterate over the amplifiers."""
        return iter(self.getAmplifiers())

    def __len__(self) -> int:
        """Return the number of amplifiers."""
        return len(self.getAmplifiers())

    def __getitem__(self, key: int | str) -> Amplifier:
        """Return an amplifier, by its index or its name.

        Raises
        ------
        KeyError
            If there is none of this name.
        IndexError
            If there is none of this index.
        """
        amplifiers = self.getAmplifiers()
        if isinstance(key, int):
            return amplifiers[key]
        found = [amplifier for amplifier in amplifiers if amplifier.getName() == key]
        if not found:
            raise KeyError(f"detector {self.getName()} has no amplifier {key!r}")
        return found[0]

    def getRaft(self) -> "Raft":
        """Return the raft, as in the LSST stack."""
        return self._raft or Raft([self])

    def __repr__(self) -> str:
        return f"Detector({self.own.id}, {self.own.name!r})"


class Raft:
    """A group of detectors, as in the LSST stack.

    Parameters
    ----------
    detectors : list of Detector
        The detectors.
    """

    def __init__(self, detectors: list[Detector]) -> None:
        self._detectors = detectors

    def __iter__(self) -> Iterator[Detector]:
        return iter(self._detectors)

    def __len__(self) -> int:
        return len(self._detectors)

    def __getitem__(self, index: int) -> Detector:
        return self._detectors[index]


class Camera:
    """A camera, as in the LSST stack.

    Parameters
    ----------
    own : obs.camera.camera.Camera
        The camera of `obs`.
    """

    def __init__(self, own: own.Camera) -> None:
        #: The camera of `obs`.
        self.own = own

    def getName(self) -> str:
        """Return the name, as in the LSST stack."""
        return self.own.name

    def __iter__(self) -> Iterator[Detector]:
        return (Detector(one, camera=self.own) for one in self.own)

    def __len__(self) -> int:
        return len(self.own)

    def __getitem__(self, key: int | str) -> Detector:
        detectors = list(self)
        numbers = [detector.own.id for detector in detectors]
        if key == 0:
            first = detectors[numbers.index(0) if 0 in numbers else 0]
            return Detector(first.own, Raft(detectors), self.own)
        return Detector(self.own.detector(key), camera=self.own)

    def get(self, key: int | str) -> Detector:
        """Return the detector with a number or a name."""
        return self[key]

    def transform(
        self,
        points: Any,  # noqa: ANN401 - one point, or a list
        fromSys: CameraSys,
        toSys: CameraSys,
        detector: Detector | None = None,
    ) -> Any:  # noqa: ANN401 - one point, or a list
        """Return positions, one or a list, of one system in another.

        Raises
        ------
        ValueError
            If a system is the pixels of a detector, and none is given.
        """
        return transform_points(points, fromSys, toSys, None if detector is None else detector.own, self.own)

    def getTransform(self, fromSys: CameraSys, toSys: CameraSys) -> Transform:
        """Return the transform from one system to another; pixels are those of a detector, see `Detector`."""
        return Transform(lambda at: self.transform(at, fromSys, toSys), lambda at: self.transform(at, toSys, fromSys))

    def getTransformMap(self) -> "Camera":
        """Return the camera, which has all transforms itself."""
        return self

    def findDetectors(self, point: Any, cameraSys: CameraSys = FOCAL_PLANE) -> list[Detector]:  # noqa: ANN401
        """Return the detectors on which a point of the focal plane or of the field is."""
        place = self.transform(point, cameraSys, FOCAL_PLANE)
        return [one for one in self if Box2D(one.getBBox()).contains(one.transform(place, FOCAL_PLANE, PIXELS))]

    def getIdIter(self) -> Iterator[int]:
        """Return the numbers of all detectors."""
        return iter([detector.own.id for detector in self])

    def getNameIter(self) -> Iterator[str]:
        """Return the names of all detectors."""
        return iter([detector.own.name for detector in self])


def cast_Raft(part: Detector | Raft) -> Raft:
    """Return a raft, for what a camera has given."""
    return part if isinstance(part, Raft) else part.getRaft()


def cast_Ccd(part: Detector) -> Detector:
    """Return a detector, for what a raft has given."""
    return part
