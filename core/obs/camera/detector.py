"""One detector: its pixels, its amplifiers, and its place in the focal plane."""

from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from obs.camera.amplifier import Amplifier
from obs.camera.color_plane import ColorPlane
from obs.frozen import frozen
from obs.geom import Box

__all__ = ["DETECTOR_TYPES", "Detector", "DetectorType", "bbox_to", "find_faults"]

DetectorType = Literal["SCIENCE", "FOCUS", "GUIDER", "WAVEFRONT"]
DETECTOR_TYPES: tuple[DetectorType, ...] = get_args(DetectorType)


def bbox_to(last_x: int, last_y: int, amplifiers: Sequence[Amplifier]) -> Box:
    """Return the pixels of a detector from its last one; where that is one beyond all amplifiers, it was a size.

    Parameters
    ----------
    last_x, last_y : int
        The corner that a description gives.
    amplifiers : sequence of Amplifier
        The amplifiers, whose places do not have this slip.
    """
    covered = max(amp.bbox.x_max for amp in amplifiers), max(amp.bbox.y_max for amp in amplifiers)
    return Box(0, 0, last_x, last_y) if covered == (last_x, last_y) else Box(0, 0, last_x + 1, last_y + 1)


def find_faults(bbox: Box, raw_shape: tuple[int, int], amplifiers: tuple[Amplifier, ...]) -> Iterator[tuple[int, str]]:
    """Check that amplifiers fit their detector.

    Parameters
    ----------
    bbox : Box
        Pixels of the assembled detector.
    raw_shape : tuple of int
        Shape (ny, nx) of the raw image.
    amplifiers : tuple of Amplifier
        The amplifiers.

    Yields
    ------
    index : int
        Which amplifier is at fault.
    message : str
        The field, and the two values that disagree.
    """
    raw = Box(0, 0, raw_shape[1], raw_shape[0])
    for index, amp in enumerate(amplifiers):
        if not bbox.contains(amp.bbox):
            yield index, f"bbox {amp.bbox} leaves the detector {bbox}"
        for name, box in amp.raw_boxes.items():
            if not raw.contains(box):
                yield index, f"{name} {box} leaves the raw image of {raw.width} x {raw.height} pixels"
    for (_, first), (index, second) in combinations(enumerate(amplifiers), 2):
        if first.name == second.name:
            yield index, f"name '{second.name}' is taken by another amplifier of the detector"
        elif not first.bbox.intersection(second.bbox).is_empty:
            yield index, f"bbox {second.bbox} overlaps amplifier '{first.name}', {first.bbox}"


@frozen
class Detector:
    """One detector of a camera.

    Parameters
    ----------
    id : int
        Number, unique within the camera.
    name : str
        Name, unique within the camera.
    bbox : Box
        Pixels of the assembled detector; its first pixel is (0, 0).
    raw_shape : tuple of int
        Shape (ny, nx) of the raw image, pixels.
    amplifiers : tuple of Amplifier
        The amplifiers, in the order of the table.
    serial : str
        Serial number.
    type : {"SCIENCE", "FOCUS", "GUIDER", "WAVEFRONT"}
        What it is for.
    physical_type : str
        Make, such as ``E2V``; empty where not known.
    reference_x, reference_y : float
        Point of the detector that lies at the offset, pixels of the detector.
    offset_x, offset_y : float
        Place of the reference point in the focal plane, mm.
    pixel_size_x, pixel_size_y : float
        Size of a pixel, mm.
    yaw, pitch, roll : float
        Rotation about the focal plane's axes z, y and x, degrees; yaw counter-clockwise.
    color_plane : ColorPlane, optional
        Of a mosaic of color filters, the color whose pixels the detector stands for. `raw_shape` and all boxes are
        those of the plane, of half the resolution.

    Raises
    ------
    ValueError
        If the type is unknown, a pixel has no size, or the amplifiers do not fit (see `find_faults`).

    Examples
    --------
    >>> from obs import load_instrument
    >>> detector = load_instrument("hsc").load_camera().detector(49)
    >>> len(detector.amplifiers), detector.bbox.shape
    (4, (4176, 2048))
    """

    id: int
    name: str
    bbox: Box
    raw_shape: tuple[int, int]
    amplifiers: tuple[Amplifier, ...]
    serial: str = ""
    type: DetectorType = "SCIENCE"
    physical_type: str = ""
    reference_x: float = 0.0
    reference_y: float = 0.0
    offset_x: float = 0.0
    offset_y: float = 0.0
    pixel_size_x: float = 1.0
    pixel_size_y: float = 1.0
    yaw: float = 0.0
    pitch: float = 0.0
    roll: float = 0.0
    color_plane: ColorPlane | None = None

    def __post_init__(self) -> None:
        if self.type not in DETECTOR_TYPES:
            raise ValueError(f"type is one of {', '.join(DETECTOR_TYPES)}, got '{self.type}'")
        if not (self.pixel_size_x > 0 and self.pixel_size_y > 0):
            raise ValueError(f"pixel_size must be positive, got {self.pixel_size_x} x {self.pixel_size_y} mm")
        for index, message in find_faults(self.bbox, self.raw_shape, self.amplifiers):
            raise ValueError(f"detector '{self.name}', amplifier '{self.amplifiers[index].name}': {message}")

    @property
    def overscan_hdus(self) -> dict[int, int]:
        """HDU of the overscan by that of the image, where it has one of its own."""
        return {amp.raw_hdu: amp.overscan_hdu for amp in self.amplifiers if amp.overscan_hdu}

    @property
    def saturation(self) -> float:
        """The lowest saturation of the amplifiers, ADU; NaN if none is known."""
        return float(np.fmin.reduce([amp.nominal.saturation for amp in self.amplifiers], initial=np.nan))

    def amplifier(self, name: str) -> Amplifier:
        """Return the amplifier called ``name``.

        Parameters
        ----------
        name : str
            Name of the amplifier, as in amplifiers.csv.

        Raises
        ------
        KeyError
            If there is none.
        """
        for amp in self.amplifiers:
            if amp.name == name:
                return amp
        there = ", ".join(amp.name for amp in self.amplifiers)
        raise KeyError(f"detector '{self.name}' has no amplifier '{name}'; there are {there}")

    def pixel_to_focal_plane(self, *, x: ArrayLike, y: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return where pixels lie in the focal plane; pitch and roll are left out, as small angles are.

        Parameters
        ----------
        x, y : array_like of float, shape (n,)
            Positions, pixels of the detector.

        Returns
        -------
        x, y : ndarray of float64, shape (n,)
            Positions, mm.
        """
        across = (np.asarray(x, np.float64) - self.reference_x) * self.pixel_size_x
        up = (np.asarray(y, np.float64) - self.reference_y) * self.pixel_size_y
        sine, cosine = np.sin(np.deg2rad(self.yaw)), np.cos(np.deg2rad(self.yaw))
        return cosine * across - sine * up + self.offset_x, sine * across + cosine * up + self.offset_y

    def focal_plane_to_pixel(self, *, x: ArrayLike, y: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the pixels at places of the focal plane, the inverse of `pixel_to_focal_plane`.

        Parameters
        ----------
        x, y : array_like of float, shape (n,)
            Positions, mm.

        Returns
        -------
        x, y : ndarray of float64, shape (n,)
            Positions, pixels of the detector.
        """
        dx, dy = np.asarray(x, np.float64) - self.offset_x, np.asarray(y, np.float64) - self.offset_y
        sine, cosine = np.sin(np.deg2rad(self.yaw)), np.cos(np.deg2rad(self.yaw))
        return (
            (cosine * dx + sine * dy) / self.pixel_size_x + self.reference_x,
            (cosine * dy - sine * dx) / self.pixel_size_y + self.reference_y,
        )
