"""Read a camera from its folder: ``camera.yaml``, ``detectors.csv`` and ``amplifiers.csv``.

One row a detector, one row an amplifier, a header row with the column names, ``#`` before a comment. A box takes four
columns, ``NAME_x_min``, ``NAME_y_min``, ``NAME_width`` and ``NAME_height``: 0-based pixels, half-open, width or height
0 for an empty box. An empty cell leaves an optional value at its default, NaN for numbers.

Amplifiers of the linearity type ``LookupTable`` need the file that ``linearity_table`` in ``camera.yaml`` names:
numbers with commas between, one line a row of the table, one column a whole level.
"""

import math
from collections.abc import Collection
from pathlib import Path
from typing import NoReturn

import numpy as np

from obs.camera.amplifier import READOUT_CORNERS, Amplifier, NominalCalibration
from obs.camera.camera import Camera
from obs.camera.color_plane import ColorPlane
from obs.camera.columns import AMPLIFIER_COLUMNS, CAMERA_KEYS, DETECTOR_COLUMNS, LINEARITY, Column
from obs.camera.detector import DETECTOR_TYPES, Detector, find_faults
from obs.camera.distortion import Distortion, PolynomialDistortion, RadialDistortion
from obs.camera.table import Row, check_unique, read_table
from obs.errors import FileFormatError, suggest
from obs.geom import Box
from obs.yaml_lines import YamlPath, line_of, load_yaml

__all__ = ["find_camera_faults", "load_camera", "read_amplifier_rows"]

_POLYNOMIAL_KEYS = ("order", "unit", "x", "y")
_SECTIONS: dict[str, list[str]] = {}
"""The keys of each section; those at the top have none below them."""
for _section, _, _key in (_name.partition(".") for _name in CAMERA_KEYS):
    _SECTIONS.setdefault(_section, []).extend([_key] if _key else [])


Table = list[tuple[float, ...]]


def _amplifier(row: Row, table: Table) -> Amplifier:
    bbox, data = row.box("bbox"), row.box("raw_data_bbox")
    if bbox.width != data.width:
        row.fault("raw_data_bbox_width", f"{data.width} differs from bbox_width {bbox.width}")
    if bbox.height != data.height:
        row.fault("raw_data_bbox_height", f"{data.height} differs from bbox_height {bbox.height}")
    nan = float("nan")
    coefficients = [row.number(column, nan) for column in LINEARITY]
    while coefficients and coefficients[-1] != coefficients[-1]:  # trailing NaN: fewer coefficients than columns
        coefficients.pop()
    kind = row.text("linearity_type", "None")
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
            linearity_type=kind,
            linearity_coefficients=tuple(coefficients),
            linearity_row=_table_row(row, coefficients, table) if kind == "LookupTable" else (),
        ),
        raw_hdu=row.extent("raw_hdu", 0),
        overscan_hdu=row.extent("overscan_hdu", 0),
    )


def _table_row(row: Row, coefficients: list[float], table: Table) -> tuple[float, ...]:
    """Return an amplifier's row of the table; nothing if the camera has no table, since a linearizer may have it."""
    if not table:
        return ()
    number = coefficients[0] if coefficients else float("nan")
    if not 0 <= number < len(table):
        row.fault("linearity_c0", f"{number:g} is not a row of the linearity table, which has {len(table)}")
    return table[int(number)]


def _linearity_table(settings: "_Settings") -> Table:
    name = settings.value("linearity_table")
    if name is None:
        return []
    if not isinstance(name, str):
        settings.fault(("linearity_table",), f"{name!r} is not a file name")
    path = settings.path.parent / name
    try:
        rows = np.loadtxt(path, delimiter=",", ndmin=2)
    except (OSError, ValueError) as error:
        settings.fault(("linearity_table",), f"{path}: {error}")
    return [tuple(row) for row in rows.tolist()]


def _detector(row: Row, amplifier_rows: list[Row], table: Table) -> Detector:
    bbox = Box(0, 0, row.extent("width"), row.extent("height"))
    raw_shape = row.extent("raw_height"), row.extent("raw_width")
    for axis in "xy":
        if not row.number(f"pixel_size_{axis}") > 0:
            row.fault(f"pixel_size_{axis}", "must be positive, mm")
    if not amplifier_rows:
        row.fault("name", f"detector '{row.text('name')}' has no row in amplifiers.csv")
    amplifiers = tuple(_amplifier(amplifier_row, table) for amplifier_row in amplifier_rows)
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
        offset_x=row.number("offset_x") + row.number("correction_x", 0.0),
        offset_y=row.number("offset_y") + row.number("correction_y", 0.0),
        pixel_size_x=row.number("pixel_size_x"),
        pixel_size_y=row.number("pixel_size_y"),
        yaw=row.number("yaw", 0.0),
        pitch=row.number("pitch", 0.0),
        roll=row.number("roll", 0.0),
        color_plane=_color_plane(row),
    )


def _color_plane(row: Row) -> ColorPlane | None:
    pattern, color = row.text("color_pattern", ""), row.text("color", "")
    if not pattern and not color:
        return None
    try:
        return ColorPlane(pattern, color)
    except ValueError as error:
        row.fault("color_pattern" if "color_pattern" in str(error) else "color", str(error))


def _fault(message: str, *, path: Path | str | None = None, line: int | None = None) -> FileFormatError:
    return FileFormatError(message if line is None else f"line {line}: {message}", path=path)


def _number(value: object) -> float | None:
    """Return a finite number; also of ``1e-5``, which YAML takes for text as it has no point."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


class _Settings:
    """The values of ``camera.yaml``, whose faults name line and key."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.data, self.lines = load_yaml(path, error=_fault)
        self.check((), _SECTIONS)
        for section, keys in _SECTIONS.items():
            if keys and self.data.get(section) is not None:
                self.check((section,), keys)

    def fault(self, keys: YamlPath, message: str) -> NoReturn:
        key = ".".join(str(part) for part in keys)
        raise _fault(f"{key}: {message}" if key else message, path=self.path, line=line_of(self.lines, keys))

    def check(self, keys: YamlPath, allowed: Collection[str]) -> None:
        """Raise FileFormatError if a section has a key that is not allowed."""
        value = self.value(*keys)
        if not isinstance(value, dict):
            self.fault(keys, f"expected keys out of {', '.join(allowed)}, got {value!r}")
        for key in value:
            if key not in allowed:
                self.fault((*keys, key), f"this key is unknown{suggest(str(key), allowed)}")

    def value(self, *keys: str | int) -> object:
        value = self.data
        for key in keys:
            value = None if value is None else value.get(key)
        return value

    def number(self, *keys: str, default: float | None = None) -> float:
        value = self.value(*keys)
        if value is None and default is not None:
            return default
        number = _number(value)
        if number is None:
            self.fault(keys, "the key is missing" if value is None else f"{value!r} is not a number")
        return number

    def numbers(self, *keys: str) -> tuple[float, ...]:
        value = self.value(*keys) or []
        numbers = [_number(item) for item in value] if isinstance(value, list) else [None]
        known = tuple(number for number in numbers if number is not None)
        if len(known) < len(numbers):
            self.fault(keys, f"{value!r} is not a list of numbers")
        return known

    def flag(self, *keys: str) -> bool:
        value = self.value(*keys) or False
        if not isinstance(value, bool):
            self.fault(keys, f"{value!r} is neither true nor false")
        return value


def _distortion(settings: _Settings) -> Distortion:
    keys = "distortion", "polynomial"
    if settings.value(*keys) is None:
        return RadialDistortion(settings.numbers("distortion", "radial"))
    settings.check(keys, _POLYNOMIAL_KEYS)
    if settings.value("distortion", "radial"):
        settings.fault(keys, "the distortion is either radial or a polynomial, here are both")
    order = settings.number(*keys, "order")
    if order != int(order) or order < 1:
        settings.fault((*keys, "order"), f"{order:g} is not a positive whole number")
    try:
        return PolynomialDistortion(
            int(order),
            settings.numbers(*keys, "x"),
            settings.numbers(*keys, "y"),
            settings.number(*keys, "unit", default=1.0),
        )
    except ValueError as error:
        settings.fault(keys, str(error))


def _read(path: Path, columns: dict[str, Column]) -> list[Row]:
    required = tuple(name for name, column in columns.items() if column.required)
    return read_table(path, required, tuple(name for name in columns if name not in required))


def read_amplifier_rows(folder: Path) -> list[Row]:
    """Read the rows of ``amplifiers.csv``, which know their line.

    Parameters
    ----------
    folder : Path
        Folder of the camera's tables.

    Raises
    ------
    FileFormatError
        If the table cannot be read, or its columns are not the wanted ones.
    """
    return _read(folder / "amplifiers.csv", AMPLIFIER_COLUMNS)


def load_camera(folder: Path) -> Camera:
    """Read the description of a camera from its files.

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
    settings = _Settings(folder / "camera.yaml")
    detector_rows = _read(folder / "detectors.csv", DETECTOR_COLUMNS)
    check_unique(detector_rows, "id")
    check_unique(detector_rows, "name")
    by_detector: dict[str, list[Row]] = {row.text("name"): [] for row in detector_rows}
    for row in read_amplifier_rows(folder):
        name = row.text("detector")
        if name not in by_detector:
            row.fault("detector", f"no detector '{name}' in detectors.csv{suggest(name, by_detector)}")
        by_detector[name].append(row)
    table = _linearity_table(settings)
    detectors = tuple(_detector(row, by_detector[row.text("name")], table) for row in detector_rows)
    title, scale = settings.value("name"), settings.number("plate_scale")
    if not isinstance(title, str) or not title:
        settings.fault(("name",), "a camera needs a name")
    if not scale > 0:
        settings.fault(("plate_scale",), f"{scale} is not positive, arcsec/mm")
    return Camera(
        name=title,
        plate_scale=scale,
        detectors=detectors,
        distortion=_distortion(settings),
        rotation=settings.number("orientation", "rotation", default=0.0),
        flip_x=settings.flag("orientation", "flip_x"),
    )


def find_camera_faults(folder: Path) -> list[FileFormatError]:
    """Return the faults of a camera's tables: the first of each row, and the first of ``camera.yaml``.

    Parameters
    ----------
    folder : Path
        Folder with ``camera.yaml``, ``detectors.csv`` and ``amplifiers.csv``.
    """
    try:
        load_camera(folder)
    except FileFormatError as error:
        first = error
    else:
        return []
    try:
        amplifier_rows = read_amplifier_rows(folder)
        detector_rows = _read(folder / "detectors.csv", DETECTOR_COLUMNS)
    except FileFormatError:
        return [first]
    faults = [first]
    try:
        table = _linearity_table(_Settings(folder / "camera.yaml"))
    except FileFormatError:
        table = []
    by_detector: dict[str, list[Row]] = {}
    unsound = set()
    for row in amplifier_rows:
        by_detector.setdefault(row.text("detector", "?"), []).append(row)
        try:
            _amplifier(row, table)
        except FileFormatError as error:
            faults.append(error)
            unsound.add(row.text("detector", "?"))
    for row in detector_rows:
        if (name := row.text("name", "?")) not in unsound:
            try:
                _detector(row, by_detector.get(name, []), table)
            except FileFormatError as error:
                faults.append(error)
    return list({str(fault): fault for fault in faults}.values())
