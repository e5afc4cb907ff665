"""Where detectors lie beside one another, by the WCSs of exposures that they share."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from obs.camera.detector import Detector
from obs.frozen import frozen
from obs.image.tangent_plane import to_plane
from obs.image.wcs import TanSipWcs

__all__ = ["DetectorPlace", "PlacedFrame", "measure_detector_places"]

_TURNED, _MOVED = 2.0, 0.5
"""Degrees, and part of its shorter side, beyond which a detector is elsewhere: distortion of the optics displaces
detectors at the edge of a wide field by less."""
_SQUARE = 0.1
"""Part by which the axes of one detector may differ from those of another in length or angle, once it is turned."""
_ANCHORS = 9
"""Central detectors that are tried as the one that lies right."""


class PlacedFrame(Protocol):
    """A detector image with a WCS that was fitted to stars."""

    @property
    def visit(self) -> str:
        """Name of the exposure that it belongs to."""

    @property
    def detector(self) -> Detector:
        """Detector, as the camera describes it."""

    @property
    def shape(self) -> tuple[int, int]:
        """Number of rows and of columns, pixels."""

    @property
    def wcs(self) -> TanSipWcs:
        """WCS that was fitted to stars."""


@frozen
class DetectorPlace:
    """Where a detector lies, as exposures show it.

    Parameters
    ----------
    detector : Detector
        The detector there.
    turned : float
        Degrees by which it is turned against the camera's description, counter-clockwise in the focal plane.
    moved : float
        Distance of its middle from where the camera has it, pixels.
    """

    detector: Detector
    turned: float
    moved: float

    @property
    def id(self) -> int:
        """Number of the detector in the camera."""
        return self.detector.id

    @property
    def is_elsewhere(self) -> bool:
        """Whether this is more than optics and mounting explain."""
        return abs(self.turned) > _TURNED or self.moved > _MOVED * min(self.detector.bbox.shape)

    @property
    def text(self) -> str:
        """What it is, in words."""
        return f"turned by {self.turned:.2f} degrees and displaced by {self.moved:.0f} pixels"


def measure_detector_places(frames: Sequence[PlacedFrame]) -> list[DetectorPlace]:
    """Return detectors where exposures show them, relative to a central one of those that share exposures.

    The central one is passed over where it would have most others elsewhere: it is then itself the one that is.

    Only what lies in the plane is measured: ``yaw`` and the offsets. A detector is left out if it shares no exposure
    with the central one, or if its axes are not those of the central one, turned (a mirrored detector, other pixels).
    Far from the center, distortion of the optics counts as displacement.

    Parameters
    ----------
    frames : sequence of PlacedFrame
        Detector images of any number of exposures.

    Returns
    -------
    list of DetectorPlace
        All but the one that the others are relative to.
    """
    members: dict[str, dict[int, PlacedFrame]] = {}
    for frame in frames:
        members.setdefault(frame.visit, {})[frame.detector.id] = frame
    detectors = {frame.detector.id: frame.detector for frame in frames}
    if len(detectors) < 2:
        return []
    times = {number: sum(number in visit for visit in members.values()) for number in detectors}
    middle = np.mean([[one.offset_x, one.offset_y] for one in detectors.values()], axis=0)
    most = max(times.values())
    anchors = sorted(
        (one for one in detectors.values() if times[one.id] == most),
        key=lambda one: float(np.hypot(one.offset_x - middle[0], one.offset_y - middle[1])),
    )
    best: list[DetectorPlace] = []
    agreeing = 0
    for anchor in anchors[:_ANCHORS]:
        found, agree = _places_beside(anchor, members, detectors)
        if agree > agreeing:
            best, agreeing = found, agree
        if 2 * agree >= len(detectors):
            break
    return best


def _places_beside(
    anchor: Detector, members: dict[str, dict[int, PlacedFrame]], detectors: dict[int, Detector]
) -> tuple[list[DetectorPlace], int]:
    """Return where others lie if the anchor lies right, and the number that then lie right, itself included."""
    seen: dict[int, list[NDArray[np.float64]]] = {}
    for visit in members.values():
        if anchor.id not in visit:
            continue
        center = _sky_middle(visit[anchor.id])
        own, start = _affine(visit[anchor.id], center)
        for number, frame in visit.items():
            matrix, place = _affine(frame, center)
            relative = np.linalg.solve(own, np.column_stack([matrix, place - start]))
            seen.setdefault(number, []).append(relative.astype(np.float64))
    focal, origin = _in_focal_plane(anchor)
    found = []
    for number, parts in seen.items():
        relative = np.asarray(np.median(parts, axis=0), np.float64)
        matrix, place = focal @ relative[:, :2], origin + focal @ relative[:, 2]
        if number != anchor.id and (one := _placed(detectors[number], matrix, place)) is not None:
            found.append(one)
    return found, 1 + sum(not one.is_elsewhere for one in found)


def _middle(frame: PlacedFrame) -> NDArray[np.float64]:
    return np.array([0.5 * (frame.shape[1] - 1), 0.5 * (frame.shape[0] - 1)])


def _sky_middle(frame: PlacedFrame) -> tuple[float, float]:
    x, y = _middle(frame)
    ra, dec = frame.wcs.pixel_to_sky(x=x, y=y)
    return float(ra), float(dec)


def _affine(frame: PlacedFrame, center: tuple[float, float]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the change of the place in the tangent plane with x and y, and that of the middle of a frame, degrees."""
    x, y = _middle(frame)
    ra, dec = frame.wcs.pixel_to_sky(x=x + np.array([0.0, 0.5, -0.5, 0.0, 0.0]), y=y + np.array([0, 0, 0, 0.5, -0.5]))
    places = np.stack(to_plane(center, ra, dec))
    return np.stack([places[:, 1] - places[:, 2], places[:, 3] - places[:, 4]], axis=1), places[:, 0]


def _in_focal_plane(detector: Detector) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return change of the place in the focal plane with x and y, and the place of the middle, mm."""
    x, y = 0.5 * (detector.bbox.width - 1), 0.5 * (detector.bbox.height - 1)
    places = np.stack(detector.pixel_to_focal_plane(x=[x, x + 1.0, x], y=[y, y, y + 1.0]))
    return np.stack([places[:, 1] - places[:, 0], places[:, 2] - places[:, 0]], axis=1), places[:, 0]


def _placed(detector: Detector, matrix: NDArray[np.float64], place: NDArray[np.float64]) -> DetectorPlace | None:
    """Return a detector whose pixels have a place in the focal plane; None if no angle makes its axes so."""
    now, _ = _in_focal_plane(replace(detector, yaw=0.0))
    turn = matrix @ np.linalg.inv(now)
    yaw = float(np.degrees(np.arctan2(turn[1, 0] - turn[0, 1], turn[0, 0] + turn[1, 1])))
    sine, cosine = np.sin(np.radians(yaw)), np.cos(np.radians(yaw))
    if np.abs(turn - [[cosine, -sine], [sine, cosine]]).max() > _SQUARE:
        return None
    turned = replace(detector, yaw=yaw)
    shift = place - _in_focal_plane(turned)[1]
    there = replace(turned, offset_x=turned.offset_x + float(shift[0]), offset_y=turned.offset_y + float(shift[1]))
    moved = float(np.hypot(*(place - _in_focal_plane(detector)[1]))) / detector.pixel_size_x
    return DetectorPlace(there, (yaw - detector.yaw + 180.0) % 360.0 - 180.0, moved)
