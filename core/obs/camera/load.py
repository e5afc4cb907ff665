"""Read a camera from its folder: ``camera.yaml``, ``detectors.csv`` and ``amplifiers.csv``.

One row a detector, one row an amplifier, a header row with the column names, ``#`` before a comment. A box takes four
columns, ``NAME_x_min``, ``NAME_y_min``, ``NAME_width`` and ``NAME_height``: 0-based pixels, half-open, width or height
0 for an empty box. An empty cell leaves an optional value at its default, NaN for numbers.
"""

from pathlib import Path
from typing import Any

import yaml

from obs.camera.amplifier import READOUT_CORNERS, Amplifier, NominalCalibration
from obs.camera.camera import Camera, RadialDistortion
from obs.camera.detector import DETECTOR_TYPES, Detector, find_faults
from obs.camera.table import BOX_PARTS, Row, check_unique, read_table
from obs.errors import FileFormatError, suggest
from obs.geom import Box

__all__ = ["load_camera"]

_OPTIONAL_BOXES = ("raw_serial_overscan_bbox", "raw_parallel_overscan_bbox", "raw_prescan_bbox")
_LINEARITY = tuple(f"linearity_c{power}" for power in range(4))

_DETECTOR_REQUIRED = (
    "id",
    "name",
    "width",
    "height",
    "raw_width",
    "raw_height",
    "pixel_size_x",
    "pixel_size_y",
    "offset_x",
    "offset_y",
)
_DETECTOR_OPTIONAL = ("serial", "type", "physical_type", "reference_x", "reference_y", "yaw", "pitch", "roll")

_AMPLIFIER_REQUIRED = (
    "detector",
    "name",
    *(f"{box}_{part}" for box in ("bbox", "raw_bbox", "raw_data_bbox") for part in BOX_PARTS),
    "readout_corner",
    "gain",
    "read_noise",
    "saturation",
)
_AMPLIFIER_OPTIONAL = (
    *(f"{box}_{part}" for box in _OPTIONAL_BOXES for part in BOX_PARTS),
    "flip_x",
    "flip_y",
    "suspect",
    "linearity_type",
    *_LINEARITY,
)

_CAMERA_KEYS = ("name", "plate_scale", "distortion", "orientation")


def _amplifier(row: Row) -> Amplifier:
    bbox, data = row.box("bbox"), row.box("raw_data_bbox")
    if bbox.width != data.width:
        row.fault("raw_data_bbox_width", f"{data.width} differs from bbox_width {bbox.width}")
    if bbox.height != data.height:
        row.fault("raw_data_bbox_height", f"{data.height} differs from bbox_height {bbox.height}")
    nan = float("nan")
    coefficients = [row.number(column, nan) for column in _LINEARITY]
    while coefficients and coefficients[-1] != coefficients[-1]:  # trailing NaN: fewer coefficients than columns
        coefficients.pop()
    return Amplifier(
        name=row.text("name"),
        bbox=bbox,
        raw_bbox=row.box("raw_bbox"),
        raw_data_bbox=data,
        raw_serial_overscan_bbox=row.box("raw_serial_overscan_bbox", optional=True),
        raw_parallel_overscan_bbox=row.box("raw_parallel_overscan_bbox", optional=True),
        raw_prescan_bbox=row.box("raw_prescan_bbox", optional=True),
        readout_corner=row.choice("readout_corner", READOUT_CORNERS),
        flip_x=row.flag("flip_x"),
        flip_y=row.flag("flip_y"),
        nominal=NominalCalibration(
            gain=row.number("gain", nan),
            read_noise=row.number("read_noise", nan),
            saturation=row.number("saturation", nan),
            suspect=row.number("suspect", nan),
            linearity_type=row.text("linearity_type", "None"),
            linearity_coefficients=tuple(coefficients),
        ),
    )


def _detector(row: Row, amplifier_rows: list[Row]) -> Detector:
    bbox = Box(0, 0, row.extent("width"), row.extent("height"))
    raw_shape = row.extent("raw_height"), row.extent("raw_width")
    for axis in "xy":
        if not row.number(f"pixel_size_{axis}") > 0:
            row.fault(f"pixel_size_{axis}", "must be positive, mm")
    if not amplifier_rows:
        row.fault("name", f"detector '{row.text('name')}' has no row in amplifiers.csv")
    amplifiers = tuple(_amplifier(amplifier_row) for amplifier_row in amplifier_rows)
    for index, message in find_faults(bbox, raw_shape, amplifiers):
        column = message.split(" ", 1)[0]
        amplifier_rows[index].fault(column if column == "name" else f"{column}_*", message)
    return Detector(
        id=row.whole("id"),
        name=row.text("name"),
        bbox=bbox,
        raw_shape=raw_shape,
        amplifiers=amplifiers,
        serial=row.text("serial", ""),
        type=row.choice("type", DETECTOR_TYPES, "SCIENCE"),
        physical_type=row.text("physical_type", ""),
        reference_x=row.number("reference_x", (bbox.width - 1) / 2),
        reference_y=row.number("reference_y", (bbox.height - 1) / 2),
        offset_x=row.number("offset_x"),
        offset_y=row.number("offset_y"),
        pixel_size_x=row.number("pixel_size_x"),
        pixel_size_y=row.number("pixel_size_y"),
        yaw=row.number("yaw", 0.0),
        pitch=row.number("pitch", 0.0),
        roll=row.number("roll", 0.0),
    )


def _read_settings(path: Path) -> dict[str, Any]:
    try:
        settings = yaml.load(path.read_text(encoding="utf-8"), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 (both are safe loaders)
    except FileNotFoundError:
        raise FileFormatError("the file is missing; a camera folder needs it", path=path) from None
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise FileFormatError(f"cannot be read: {' '.join(str(error).split())}", path=path) from error
    if not isinstance(settings, dict):
        raise FileFormatError(f"needs the keys {', '.join(_CAMERA_KEYS)}", path=path)
    for key in settings:
        if key not in _CAMERA_KEYS:
            raise FileFormatError(f"key '{key}' is unknown{suggest(str(key), _CAMERA_KEYS)}", path=path)
    return settings


def _section(settings: dict[str, Any], name: str, *keys: str) -> dict[str, Any]:
    section = settings.get(name) or {}
    if not isinstance(section, dict):
        raise ValueError(f"{name}: expected keys and values, got {section!r}")
    for key in section:
        if key not in keys:
            raise ValueError(f"{name}: key '{key}' is unknown{suggest(str(key), keys)}")
    return section


def load_camera(folder: Path) -> Camera:
    """Read a camera.

    Parameters
    ----------
    folder : Path
        Folder with ``camera.yaml``, ``detectors.csv`` and ``amplifiers.csv``.

    Returns
    -------
    Camera
        The camera, checked.

    Raises
    ------
    FileFormatError
        If a file is missing or a value is wrong; the message names file, line and column, or the key.
    """
    path = folder / "camera.yaml"
    settings = _read_settings(path)
    detector_rows = read_table(folder / "detectors.csv", _DETECTOR_REQUIRED, _DETECTOR_OPTIONAL)
    check_unique(detector_rows, "id")
    check_unique(detector_rows, "name")
    by_detector: dict[str, list[Row]] = {row.text("name"): [] for row in detector_rows}
    for row in read_table(folder / "amplifiers.csv", _AMPLIFIER_REQUIRED, _AMPLIFIER_OPTIONAL):
        name = row.text("detector")
        if name not in by_detector:
            row.fault("detector", f"no detector '{name}' in detectors.csv{suggest(name, by_detector)}")
        by_detector[name].append(row)
    detectors = tuple(_detector(row, by_detector[row.text("name")]) for row in detector_rows)
    try:
        orientation = _section(settings, "orientation", "rotation", "flip_x")
        radial = _section(settings, "distortion", "radial").get("radial", [])
        return Camera(
            name=str(settings["name"]),
            plate_scale=float(settings["plate_scale"]),
            detectors=detectors,
            distortion=RadialDistortion(tuple(float(coefficient) for coefficient in radial)),
            rotation=float(orientation.get("rotation", 0.0)),
            flip_x=bool(orientation.get("flip_x", False)),
        )
    except KeyError as error:
        raise FileFormatError(f"key {error} is missing", path=path) from None
    except (TypeError, ValueError) as error:
        raise FileFormatError(str(error), path=path) from error
