"""Read the ``camera.py`` of second-generation LSST packages without running it.

Such a file is a list of assignments, as the stack writes it out: ``config.detectorList[0].id=0``. Those are read from
the syntax tree; imports, the assertion at the top and ``retarget`` calls are passed over. Whatever computes something,
a loop or a function, cannot be read without running code, and is refused with its line.
"""

import ast
from pathlib import Path
from typing import Any

from obs.camera.camera import Camera
from obs.camera.detector import DETECTOR_TYPES, Detector, bbox_to
from obs.camera.distortion import Distortion, PolynomialDistortion, RadialDistortion
from obs.camera.fits_table import amplifier_file_name, read_amplifiers
from obs.errors import FileFormatError
from obs.small_file import read_small_text

__all__ = ["load_python_camera", "read_assignments"]

_ROOTS = ("config", "root")
Value = Any
"""Plain data: dict by attribute name or key, list, str, number, bool, None."""


def load_python_camera(folder: Path) -> Camera:
    """Read a camera folder of a second-generation LSST package.

    Parameters
    ----------
    folder : Path
        With ``camera.py`` and one FITS amplifier table a detector.

    Returns
    -------
    Camera
        The camera, checked.

    Raises
    ------
    FileFormatError
        If a file is missing or wrong, or ``camera.py`` does more than assign values.
    """
    path = folder / "camera.py"
    config = read_assignments(path)
    listed = config.get("detectorList") or {}
    detectors = tuple(_detector(listed[index], folder, path) for index in sorted(listed))
    if not detectors:
        raise FileFormatError("it lists no detector: config.detectorList is empty", path=path)
    scale = _number(config, "plateScale", path)
    try:
        return Camera(str(config.get("name") or folder.name), scale, detectors, distortion=_distortion(config, path))
    except ValueError as error:
        raise FileFormatError(str(error), path=path) from None


def read_assignments(path: Path) -> dict[str, Value]:
    """Return what a config file assigns, as nested dictionaries.

    Parameters
    ----------
    path : Path
        A Python file of assignments to parts of ``config`` (``root`` in older files).

    Returns
    -------
    dict
        ``config.a['b'].c = 1`` gives ``{"a": {"b": {"c": 1}}}``.

    Raises
    ------
    FileFormatError
        If it cannot be read, is not Python, or has a statement that is not a plain assignment; names the line.
    """
    try:
        tree = ast.parse(read_small_text(path, error=FileFormatError))
    except FileFormatError:
        if path.exists():
            raise
        raise FileFormatError("there is no such file", path=path) from None
    except SyntaxError as error:
        raise FileFormatError(f"line {error.lineno}: is not Python: {error.msg}", path=path) from None
    except (ValueError, RecursionError, MemoryError) as error:
        raise FileFormatError(f"is not Python: {error or 'nested too deeply'}", path=path) from None
    config: dict[str, Value] = {}
    for statement in tree.body:
        try:
            _execute(statement, config)
        except _TooClever as problem:
            raise FileFormatError(
                f"line {statement.lineno}: {problem}; only plain assignments are read, since no code is run", path=path
            ) from None
    return config


class _TooClever(Exception):
    """A statement that would have to be run."""


def _execute(statement: ast.stmt, config: dict[str, Value]) -> None:
    if isinstance(statement, ast.Import | ast.ImportFrom | ast.Assert | ast.Pass):
        return
    if isinstance(statement, ast.Expr):
        call = statement.value
        named = isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr == "retarget"
        if named or isinstance(call, ast.Constant):
            return
    if not isinstance(statement, ast.Assign) or len(statement.targets) != 1:
        raise _TooClever(f"'{ast.unparse(statement).splitlines()[0]}' is not an assignment")
    *way, last = _way(statement.targets[0])
    place: dict[Any, Value] = config
    for key in way:
        if not isinstance(place.get(key), dict):  # also where None was assigned before
            place[key] = {}
        place = place[key]
    place[last] = _value(statement.value)


def _way(target: ast.expr) -> list[str | int]:
    """Return the keys from the top down to what is assigned."""
    if isinstance(target, ast.Attribute):
        inner, key = target.value, ast.Constant(target.attr)
    elif isinstance(target, ast.Subscript) and isinstance(target.slice, ast.Constant):
        inner, key = target.value, target.slice
    else:
        raise _TooClever(f"'{ast.unparse(target)}' is not part of config")
    if not isinstance(key.value, str | int):
        raise _TooClever(f"'{ast.unparse(target)}' is not part of config")
    if isinstance(inner, ast.Name):
        if inner.id not in _ROOTS:
            raise _TooClever(f"'{ast.unparse(target)}' is not part of config")
        return [key.value]
    return [*_way(inner), key.value]


def _value(node: ast.expr) -> Value:
    """Return a literal; ``float('nan')`` counts as one, and a new ``...Config()`` as an empty dictionary."""
    if isinstance(node, ast.Call):
        function = ast.unparse(node.func)
        if function.endswith("Config") and not node.args and not node.keywords:
            return {}
        if function == "float" and len(node.args) == 1:
            return float(_value(node.args[0]))
    try:
        return ast.literal_eval(node)
    except ValueError:
        raise _TooClever(f"'{ast.unparse(node)}' is not a plain value") from None


def _number(section: dict[str, Value], key: str, path: Path, default: float | None = None) -> float:
    value = section.get(key)
    if value is None and default is not None:
        return default
    if isinstance(value, bool) or not isinstance(value, int | float):
        what = "is missing" if value is None else f"is {value!r}, no number"
        raise FileFormatError(f"{section.get('name', 'config')}: {key} {what}", path=path)
    return float(value)


def _detector(section: dict[str, Value], folder: Path, path: Path) -> Detector:
    name = str(section.get("name", ""))

    def number(key: str, default: float | None = None) -> float:
        return _number(section, key, path, default)

    if section.get("transposeDetector"):
        raise FileFormatError(f"detector '{name}': transposed detectors are not read", path=path)
    corners = [int(number(f"bbox_{corner}")) for corner in ("x0", "y0", "x1", "y1")]
    if corners[:2] != [0, 0]:
        raise FileFormatError(f"detector '{name}': its first pixel is {corners[:2]}, not [0, 0]", path=path)
    kind = int(number("detectorType", 0))
    if not 0 <= kind < len(DETECTOR_TYPES):
        raise FileFormatError(f"detector '{name}': detectorType is {kind}, not 0 to 3", path=path)
    amplifiers = read_amplifiers(folder / amplifier_file_name(name))
    try:
        bbox = bbox_to(corners[2], corners[3], amplifiers)
        return Detector(
            id=int(number("id")),
            name=name,
            bbox=bbox,
            raw_shape=(
                max(amp.raw_bbox.y_max for amp in amplifiers),
                max(amp.raw_bbox.x_max for amp in amplifiers),
            ),
            amplifiers=amplifiers,
            serial=str(section.get("serial") or ""),
            type=DETECTOR_TYPES[kind],
            physical_type=str(section.get("physicalType") or ""),
            reference_x=number("refpos_x", (bbox.width - 1) / 2),
            reference_y=number("refpos_y", (bbox.height - 1) / 2),
            offset_x=number("offset_x", 0.0),
            offset_y=number("offset_y", 0.0),
            pixel_size_x=number("pixelSize_x"),
            pixel_size_y=number("pixelSize_y"),
            yaw=number("yawDeg", 0.0),
            pitch=number("pitchDeg", 0.0),
            roll=number("rollDeg", 0.0),
        )
    except ValueError as error:
        raise FileFormatError(str(error), path=path) from None


def _distortion(config: dict[str, Value], path: Path) -> Distortion:
    """Return the distortion that the transform to field angles stands for."""
    transforms = (config.get("transformDict") or {}).get("transforms") or {}
    transform = (transforms.get("FieldAngle") or transforms.get("Pupil") or {}).get("transform") or {}
    kind = transform.get("name") or "identity"
    scale = _number(config, "plateScale", path)
    settings = transform.get(kind) or {}
    if kind in ("identity", "affine"):
        return RadialDistortion()
    if kind == "inverted":  # the way that older files go: from field angles to the focal plane
        inner = settings.get("transform") or {}
        coefficients = (inner.get("radial") or {}).get("coeffs")
        if (inner.get("name") or "radial") == "radial" and coefficients and not any(coefficients[2:]):
            return RadialDistortion()
    if kind == "radial":
        zero, one, *rest = settings.get("coeffs") or (0.0, 1.0)
        if zero == 0 and one and not any(rest[::2]):
            return RadialDistortion(tuple(term / one for term in rest[1::2]))
    if kind == "hsc":
        order = int(settings.get("ccdToSkyOrder") or 9)
        # the polynomials take mm, and give field angles in units of this transform's own plate scale
        factor = float(settings.get("plateScale") or 1.0) / scale
        try:
            x, y = (tuple(factor * float(term) for term in settings[key]) for key in ("xCcdToSky", "yCcdToSky"))
            return PolynomialDistortion(order, x, y)
        except (KeyError, TypeError, ValueError) as error:
            raise FileFormatError(
                f"the distortion polynomials of kind 'hsc' are incomplete: {error}", path=path
            ) from None
    raise FileFormatError(
        f"the transform to field angles is of kind '{kind}', and not one that is read: an identity, affine, radial in "
        "odd powers, or polynomial; describe it in camera.yaml",
        path=path,
    )
