"""Mappings of the AST library, applied to positions: those of which the LSST stack makes its WCSs and fields.

References
----------
D. S. Berry, R. F. Warren-Smith and T. Jenness (2016), Astronomy and Computing 15, 33. The rules follow the library's
documentation (SUN/211).
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from obs.errors import FileFormatError
from obs.repo.lsst_objects.ast_text import AstObject

__all__ = ["apply_frames", "apply_map"]

Floats = NDArray[np.float64]

_STEPS, _CLOSE = 30, 1e-13
#: Radius of the projection plane by the native latitude, radians.
_RADII: dict[str, Callable[[Floats], Floats]] = {
    "TAN": lambda theta: 1.0 / np.tan(theta),
    "SIN": np.cos,
    "ARC": lambda theta: 0.5 * np.pi - theta,
    "STG": lambda theta: 2.0 * np.tan(0.25 * np.pi - 0.5 * theta),
    "ZEA": lambda theta: 2.0 * np.sin(0.25 * np.pi - 0.5 * theta),
}
_LATITUDES: dict[str, Callable[[Floats], Floats]] = {
    "TAN": lambda radius: np.arctan2(1.0, radius),
    "SIN": np.arccos,
    "ARC": lambda radius: 0.5 * np.pi - radius,
    "STG": lambda radius: 0.5 * np.pi - 2.0 * np.arctan(0.5 * radius),
    "ZEA": lambda radius: 0.5 * np.pi - 2.0 * np.arcsin(0.5 * radius),
}


def apply_frames(frames: AstObject, places: Floats) -> Floats:
    """Apply a FrameSet, from its base to its current frame.

    Parameters
    ----------
    frames : AstObject
        The FrameSet, or a plain mapping.
    places : ndarray of float64, shape (n_axis, n)
        Positions.

    Returns
    -------
    ndarray of float64, shape (n_axis, n)

    Raises
    ------
    FileFormatError
        If it has a mapping that is not read.
    """
    if not frames.kind.startswith("Frame"):
        return apply_map(frames, places, frames.whole("invert") == 1)
    nodes = {number: frames.whole(f"nod{number}", number) for number in range(1, frames.whole("nframe", 1) + 1)}
    base, current = nodes.get(frames.whole("base", 1), 0), nodes.get(frames.whole("currnt", len(nodes)), 0)
    if frames.whole("invert"):
        base, current = current, base
    up, down = _path(frames, base), _path(frames, current)
    while up and down and up[-1] == down[-1]:
        up.pop()
        down.pop()
    for node in up:
        places = _link(frames, node, places, backward=True)
    for node in reversed(down):
        places = _link(frames, node, places, backward=False)
    return places


def _path(frames: AstObject, node: int) -> list[int]:
    """Return the nodes from one up to the root, which is left out."""
    path: list[int] = []
    while node > 1:
        if node in path:
            raise FileFormatError("the frames of a FrameSet of AST are linked in a circle")
        path.append(node)
        node = frames.whole(f"lnk{node}")
    return path


def _link(frames: AstObject, node: int, places: Floats, *, backward: bool) -> Floats:
    """Go from the parent of a node to the node, or back."""
    inverted = frames.whole(f"inv{node}") == 1
    return apply_map(frames.part(f"map{node}"), places, inverted != backward)


def apply_map(mapping: AstObject, places: Floats, inverse: bool) -> Floats:
    """Apply a mapping, or its inverse.

    Parameters
    ----------
    mapping : AstObject
        The mapping. Whether it says itself that it is inverted does not count: what holds it decides.
    places : ndarray of float64, shape (n_axis, n)
        Positions.
    inverse : bool
        Whether to apply the inverse.

    Raises
    ------
    FileFormatError
        If its class is not read.
    """
    rule = _RULES.get(mapping.kind)
    if rule is None:
        raise FileFormatError(f"a mapping of AST of the class {mapping.kind} is not read")
    return rule(mapping, places, inverse)


def _same(_: AstObject, places: Floats, __: bool) -> Floats:
    return places


def _compound(mapping: AstObject, places: Floats, inverse: bool) -> Floats:
    parts = [(mapping.part(f"map{which}"), mapping.whole(f"inv{which}") == 1) for which in "ab"]
    if mapping.whole("series", 1):
        for part, inverted in reversed(parts) if inverse else parts:
            places = apply_map(part, places, inverted != inverse)
        return places
    first, inverted = parts[0]
    axes = _axes(first, backward=inverted != inverse)
    halves = places[:axes], places[axes:]
    return np.concatenate(
        [apply_map(part, half, turned != inverse) for (part, turned), half in zip(parts, halves, strict=True)]
    )


def _axes(mapping: AstObject, *, backward: bool) -> int:
    """Return how many axes a mapping takes."""
    count = mapping.whole("nin", 1)
    return mapping.whole("nout", count) if backward else count


def _either(mapping: AstObject, places: Floats, inverse: bool) -> Floats:
    """Apply a TranMap: the forward direction of one mapping, the backward one of the other."""
    which = "b" if inverse else "a"
    inverted = mapping.whole(f"inv{which}") == 1
    return apply_map(mapping.part(f"map{which}"), places, inverted != inverse)


def _zoom(mapping: AstObject, places: Floats, inverse: bool) -> Floats:
    zoom = mapping.number("zoom", 1.0)
    return np.asarray(places / zoom if inverse else places * zoom)


def _shift(mapping: AstObject, places: Floats, inverse: bool) -> Floats:
    shift = np.array([mapping.number(f"sft{axis}") for axis in range(1, len(places) + 1)])[:, None]
    return np.asarray(places - shift if inverse else places + shift)


def _window(mapping: AstObject, places: Floats, inverse: bool) -> Floats:
    axes = range(1, len(places) + 1)
    shift = np.array([mapping.number(f"sft{axis}") for axis in axes])[:, None]
    scale = np.array([mapping.number(f"scl{axis}", 1.0) for axis in axes])[:, None]
    return np.asarray((places - shift) / scale if inverse else places * scale + shift)


def _matrix(mapping: AstObject, places: Floats, inverse: bool) -> Floats:
    columns = mapping.whole("nin", 1)
    rows = mapping.whole("nout", columns)
    form = mapping.text("form", "Full").lower()
    if form.startswith("unit"):
        return places
    if form.startswith("diag"):
        matrix = np.zeros((rows, columns))
        count = min(rows, columns)
        matrix[range(count), range(count)] = [mapping.number(f"m{i}") for i in range(count)]
    else:
        matrix = np.array([mapping.number(f"m{i}") for i in range(rows * columns)]).reshape(rows, columns)
    return (np.linalg.inv(matrix) if inverse else matrix) @ places


def _permute(mapping: AstObject, places: Floats, inverse: bool) -> Floats:
    taken, count = ("in" if inverse else "out"), _axes(mapping, backward=not inverse)
    rows = []
    for axis in range(1, count + 1):
        source = mapping.whole(f"{taken}{axis}", axis)
        if source == 0 or source > len(places):
            rows.append(np.full(places.shape[1], np.nan))
        elif source < 0:
            rows.append(np.full(places.shape[1], mapping.number(f"con{-source}")))
        else:
            rows.append(places[source - 1])
    return np.stack(rows)


def _sphere(mapping: AstObject, places: Floats, inverse: bool) -> Floats:
    """Turn a direction into longitude and latitude, radians."""
    if inverse:
        longitude, latitude = places
        return np.stack([np.cos(latitude) * np.cos(longitude), np.cos(latitude) * np.sin(longitude), np.sin(latitude)])
    x, y, z = places
    longitude = np.where(x**2 + y**2 > 0, np.arctan2(y, x), mapping.number("plrlg"))
    return np.stack([longitude, np.arctan2(z, np.hypot(x, y))])


def _project(mapping: AstObject, places: Floats, inverse: bool) -> Floats:
    """Turn native longitude and latitude into the plane of a zenithal projection, all in radians."""
    kind = mapping.text("type").upper()
    if kind not in _RADII:
        raise FileFormatError(f"a WCS of the projection {kind} is not read; {', '.join(_RADII)} are")
    first, second = (mapping.whole(f"wcsax{axis}", axis) - 1 for axis in (1, 2))
    result = np.empty_like(places)
    if inverse:
        x, y = places[first], places[second]
        result[first], result[second] = np.arctan2(x, -y), _LATITUDES[kind](np.hypot(x, y))
    else:
        longitude, radius = places[first], _RADII[kind](places[second])
        result[first], result[second] = radius * np.sin(longitude), -radius * np.cos(longitude)
    return result


def _norm(mapping: AstObject, places: Floats, inverse: bool) -> Floats:
    """Turn a vector into its direction and its length."""
    count = len(places) - 1 if inverse else len(places)
    center = np.array([mapping.number(f"ctr{axis}") for axis in range(1, count + 1)])[:, None]
    if inverse:
        return np.asarray(places[-1] * places[:-1] + center)
    vector = places - center
    length = np.sqrt(np.sum(vector**2, axis=0))
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.concatenate([np.where(length > 0, vector / length, np.nan), length[None]])


def _polynomial(mapping: AstObject, places: Floats, inverse: bool) -> Floats:
    columns = mapping.whole("nin", 1)
    rows = mapping.whole("nout", columns)
    if not inverse:
        return _evaluate(mapping, "f", places, columns, rows)
    if mapping.whole("nci1") and not mapping.whole("iterinv"):
        return _evaluate(mapping, "i", places, rows, columns)
    if columns != rows:
        raise FileFormatError("a PolyMap of AST has no inverse")
    return _solve(lambda guess: _evaluate(mapping, "f", guess, columns, rows), places)


def _evaluate(mapping: AstObject, way: str, places: Floats, columns: int, rows: int) -> Floats:
    """Evaluate the polynomials of one direction (``f``, ``i``)."""
    result = np.zeros((rows, places.shape[1]))
    number = 0
    for row in range(rows):
        for _ in range(mapping.whole(f"nc{way}{row + 1}")):
            powers = [mapping.whole(f"p{way}{number * columns + axis + 1}") for axis in range(columns)]
            number += 1
            term = np.full(places.shape[1], mapping.number(f"c{way}{number}"))
            for axis, power in enumerate(powers):
                if power:
                    term *= places[axis] ** power
            result[row] += term
    return result


def _solve(function: Callable[[Floats], Floats], target: Floats) -> Floats:
    """Solve a smooth function of as many variables by Newton's iteration, which begins where all are zero."""
    guess = np.zeros_like(target)
    for _ in range(_STEPS):
        value = function(guess)
        size = 1e-6 * max(1.0, float(np.nanmax(np.abs(guess))))
        slopes = np.stack([(function(guess + size * unit[:, None]) - value) / size for unit in np.eye(len(guess))])
        change = np.linalg.solve(slopes.transpose(2, 1, 0), (target - value).T[..., None])[..., 0].T
        guess = guess + change
        if np.nanmax(np.abs(change)) <= _CLOSE * max(1.0, float(np.nanmax(np.abs(guess)))):
            break
    return guess


_RULES: dict[str, Callable[[AstObject, Floats, bool], Floats]] = {
    "UnitMap": _same,
    "CmpMap": _compound,
    "TranMap": _either,
    "ZoomMap": _zoom,
    "ShiftMap": _shift,
    "WinMap": _window,
    "MatrixMap": _matrix,
    "PermMap": _permute,
    "SphMap": _sphere,
    "WcsMap": _project,
    "UnitNormMap": _norm,
    "PolyMap": _polynomial,
    "FrameSet": lambda mapping, places, inverse: _frame_set(mapping, places, inverse),
}


def _frame_set(mapping: AstObject, places: Floats, inverse: bool) -> Floats:
    if inverse:
        turned = dict(mapping.values)
        turned["invert"] = 1.0 - mapping.number("invert")
        mapping = AstObject(mapping.kind, turned)
    return apply_frames(mapping, places)
