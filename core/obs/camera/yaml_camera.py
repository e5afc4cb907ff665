"""Read the camera description of third-generation LSST packages: one YAML file."""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

from obs.camera.amplifier import READOUT_CORNERS, Amplifier, NominalCalibration
from obs.camera.camera import Camera
from obs.camera.detector import DETECTOR_TYPES, Detector, bbox_to
from obs.camera.distortion import RadialDistortion
from obs.errors import FileFormatError, suggest
from obs.geom import Box
from obs.yaml_lines import YamlPath, line_of, load_yaml

__all__ = ["load_yaml_camera"]


def load_yaml_camera(path: Path) -> Camera:
    """Read the description of a camera from its files.

    Parameters
    ----------
    path : Path
        The YAML file. Detectors' boxes are given by their inclusive corners, amplifiers' by first pixel and extent.

    Returns
    -------
    Camera
        The camera, checked. Where each amplifier has an HDU of its own, `Amplifier.raw_hdu` tells which.

    Raises
    ------
    FileFormatError
        If the file cannot be read, a key is missing, or a value is wrong or of a kind that is not read; names the line.
    """
    data, lines = load_yaml(path, error=_fault)
    top = _Node(path, data, lines, ())
    scale = top.number("plateScale")
    detectors = tuple(_detector(node) for node in top.child("CCDs").children())
    try:
        return Camera(top.text("name"), scale, detectors, distortion=_distortion(top))
    except ValueError as error:
        top.fault(str(error))


def _fault(message: str, *, path: Path | str | None = None, line: int | None = None) -> FileFormatError:
    return FileFormatError(message if line is None else f"line {line}: {message}", path=path)


class _Node:
    """A mapping within the file; its faults name line and key."""

    def __init__(self, path: Path, data: object, lines: dict[YamlPath, int], keys: YamlPath) -> None:
        self.path, self.lines, self.keys = path, lines, keys
        self.data: dict[Any, Any] = data if isinstance(data, dict) else {}
        if not isinstance(data, dict):
            self.fault(f"expected keys and values, got {data!r}")

    def fault(self, message: str, *more: str) -> NoReturn:
        """Raise FileFormatError at a key of this mapping."""
        keys = (*self.keys, *more)
        where = ".".join(str(key) for key in keys)
        line = line_of(self.lines, keys)
        raise _fault(f"{where}: {message}" if where else message, path=self.path, line=line)

    def get(self, key: str, default: object = None) -> Any:  # noqa: ANN401 - whatever the file has
        """Return a value; one without a default must be there."""
        value = self.data.get(key)
        if value is None and default is None:
            self.fault(f"the key {key} is missing{suggest(key, [str(known) for known in self.data])}")
        return default if value is None else value

    def child(self, key: str) -> "_Node":
        """Return the mapping under a key."""
        return _Node(self.path, self.get(key), self.lines, (*self.keys, key))

    def children(self) -> Iterator["_Node"]:
        """Yield the mappings under all keys."""
        for key, value in self.data.items():
            yield _Node(self.path, value, self.lines, (*self.keys, key))

    def text(self, key: str, default: str | None = None) -> str:
        """Return a value as text."""
        return str(self.get(key, default))

    def number(self, key: str, default: float | None = None) -> float:
        """Return the number of one value."""
        value = self.get(key, default)
        try:
            return float(value)
        except (TypeError, ValueError):
            self.fault(f"{value!r} is not a number", key)

    def whole(self, key: str, default: int | None = None) -> int:
        """Return the integer in one cell or value."""
        value = self.number(key, default)
        if value != int(value):
            self.fault(f"{value:g} is not a whole number", key)
        return int(value)

    def numbers(self, key: str, count: int | None = None) -> tuple[float, ...]:
        """Return a list of numbers, of a given length."""
        value = self.get(key)
        try:
            numbers = tuple(float(item) for item in value)
        except (TypeError, ValueError):
            self.fault(f"{value!r} is not a list of numbers", key)
        if count is not None and len(numbers) < count:
            self.fault(f"expected {count} numbers, got {len(numbers)}", key)
        return numbers

    def pairs(self, key: str) -> tuple[int, int, int, int]:
        """Return two pairs of whole numbers, ``[[a, b], [c, d]]``."""
        value = self.get(key)
        try:
            (a, b), (c, d) = value
            return int(a), int(b), int(c), int(d)
        except (TypeError, ValueError):
            self.fault(f"{value!r} is not [[x, y], [x, y]]", key)

    def box(self, key: str) -> Box:
        """Return a box given by first pixel and extent; an empty one if the key is not there."""
        if self.data.get(key) is None:
            return Box(0, 0, 0, 0)
        try:
            return Box(*self.pairs(key))
        except ValueError as error:
            self.fault(str(error), key)


def _distortion(top: _Node) -> RadialDistortion:
    """Return the distortion of the transform to field angles: radial in even powers, or none."""
    if "transforms" not in top.data and "radialCoeffs" in top.data:
        return _older_distortion(top)
    if "FieldAngle" not in top.child("transforms").data:
        return RadialDistortion()
    transform = top.child("transforms").child("FieldAngle")
    kind = transform.text("transformType")
    if kind == "affine":
        scale = math.radians(top.number("plateScale") / 3600.0)
        linear = transform.numbers("linear", 4)
        if not all(
            math.isclose(a, b, abs_tol=1e-3 * scale) for a, b in zip(linear, (scale, 0, 0, scale), strict=False)
        ):
            transform.fault(
                f"{list(linear)} is not the plate scale without rotation, as the description has it", "linear"
            )
        return RadialDistortion()
    if kind != "radial":
        transform.fault(f"'{kind}' is neither affine nor radial", "transformType")
    zero, one, *rest = transform.numbers("coeffs", 2)
    if zero != 0 or one != 1 or any(rest[::2]):
        transform.fault("only 0, 1 and then odd powers of the radius are read: [0, 1, 0, c3, 0, c5 ..]", "coeffs")
    return RadialDistortion(tuple(rest[1::2]))


def _older_distortion(top: _Node) -> RadialDistortion:
    """Return the distortion of older descriptions, whose cubic term of the angle, radians, leads to the focal plane."""
    zero, one, *rest = top.numbers("radialCoeffs", 2)
    if zero != 0 or one != 1 or any(rest[:1]) or any(rest[2:]):
        top.fault("only 0, 1 and a cubic term are read: [0, 1, 0, c3]", "radialCoeffs")
    scale = math.radians(top.number("plateScale") / 3600.0)
    return RadialDistortion(tuple(-cubic * scale**2 for cubic in rest[1:2]))  # the inverse, to first order


def _detector(node: _Node) -> Detector:
    x_0, y_0, x_1, y_1 = node.pairs("bbox")
    if (x_0, y_0) != (0, 0):
        node.fault(f"the first pixel is [{x_0}, {y_0}], not [0, 0]", "bbox")
    kind = node.whole("detectorType")
    if not 0 <= kind < len(DETECTOR_TYPES):
        node.fault(f"{kind} is not from 0 to {len(DETECTOR_TYPES) - 1}", "detectorType")
    if node.data.get("transposeDetector"):
        node.fault("transposed detectors are not read", "transposeDetector")
    # amplifiers are taken in the order of their HDUs
    nodes = sorted(node.child("amplifiers").children(), key=lambda amp: amp.whole("hdu", 0))
    amplifiers = tuple(_amplifier(_with_boxes(amp, place)) for place, amp in enumerate(nodes, start=1))
    if not amplifiers:
        node.fault("there is no amplifier", "amplifiers")
    offset, reference, size = node.numbers("offset", 2), node.numbers("refpos", 2), node.numbers("pixelSize", 2)
    try:
        return Detector(
            id=node.whole("id"),
            name=str(node.keys[-1]),
            bbox=bbox_to(x_1, y_1, amplifiers),
            raw_shape=(
                max(box.y_max for amp in amplifiers for box in amp.raw_boxes.values()),
                max(box.x_max for amp in amplifiers for box in amp.raw_boxes.values()),
            ),
            amplifiers=amplifiers,
            serial=node.text("serial", ""),
            type=DETECTOR_TYPES[kind],
            physical_type=node.text("physicalType", ""),
            reference_x=reference[0],
            reference_y=reference[1],
            offset_x=offset[0],
            offset_y=offset[1],
            pixel_size_x=size[0],
            pixel_size_y=size[1],
            yaw=node.number("yaw", 0.0),
            pitch=node.number("pitch", 0.0),
            roll=node.number("roll", 0.0),
        )
    except ValueError as error:
        node.fault(str(error))


def _with_boxes(node: _Node, place: int) -> _Node:
    """Return an amplifier with its boxes, which the oldest descriptions give as numbers of pixels.

    Parameters
    ----------
    node : _Node
        The amplifier.
    place : int
        Its place among those of the detector, which is its HDU in such descriptions.
    """
    if "dataExtent" not in node.data:
        node.get("rawDataBBox")
        node.get("rawBBox")
        return node
    width, height = (int(value) for value in node.numbers("dataExtent", 2))
    left, right = node.whole("extended", 0), node.whole("h_overscan", 0)
    below, above = node.whole("nRowPreParallelTransfer", 0), node.whole("v_overscan", 0)
    boxes = {
        "rawBBox": [[0, 0], [left + width + right, below + height + above]],
        "rawDataBBox": [[left, below], [width, height]],
        "rawSerialOverscanBBox": [[left + width, below], [right, height]],
        "rawParallelOverscanBBox": [[left, below + height], [width, above]],
    }
    data = {"hdu": place, "perAmpData": True, **node.data, **boxes}
    return _Node(node.path, data, node.lines, node.keys)


def _amplifier(node: _Node) -> Amplifier:
    column, row = (int(value) for value in node.numbers("ixy", 2))
    own_hdu = bool(node.get("perAmpData", False))
    data, raw = node.box("rawDataBBox"), node.box("rawBBox")
    # in one image, amplifier (i, j) of a mosaic lies i widths to the right and j heights up
    right, up = (0, 0) if own_hdu else (column * raw.width, row * raw.height)

    def moved(box: Box) -> Box:
        return box if box.is_empty else Box(box.x_min + right, box.y_min + up, box.width, box.height)

    corner = node.text("readCorner")
    found = next((known for known in READOUT_CORNERS if known == corner), None)
    if found is None:
        node.fault(f"'{corner}' is none of {', '.join(READOUT_CORNERS)}", "readCorner")
    flip_x, flip_y = node.get("flipXY", (False, False))
    coefficients = node.numbers("linearityCoeffs") if node.data.get("linearityCoeffs") is not None else ()
    return Amplifier(
        name=str(node.keys[-1]),
        bbox=Box(column * data.width, row * data.height, data.width, data.height),
        raw_bbox=moved(raw),
        raw_data_bbox=moved(data),
        raw_serial_overscan_bbox=moved(node.box("rawSerialOverscanBBox")),
        raw_parallel_overscan_bbox=moved(node.box("rawParallelOverscanBBox")),
        raw_prescan_bbox=moved(node.box("rawSerialPrescanBBox")),
        readout_corner=found,
        flip_x=bool(flip_x),
        flip_y=bool(flip_y),
        nominal=NominalCalibration(
            gain=node.number("gain"),
            read_noise=node.number("readNoise"),
            saturation=node.number("saturation"),
            suspect=node.number("suspect", math.nan),
            linearity_type=_linearity_type(node.text("linearityType", "None")),
            linearity_coefficients=coefficients,
        ),
        raw_hdu=node.whole("hdu", 0) if own_hdu else 0,
    )


def _linearity_type(name: str) -> str:
    """Return our name of a kind of linearity; a proportional detector needs no correction."""
    return "None" if name.upper() in ("PROPORTIONAL", "NONE", "") else name
