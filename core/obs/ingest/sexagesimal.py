"""Coordinates of catalogs as texts: hours or degrees, minutes and seconds."""

import re
from typing import Any

import numpy as np
from numpy.typing import NDArray

from obs.errors import FileFormatError

__all__ = ["parse_angles"]

_ANGLE = re.compile(
    r"\s*([+\u2212-]?)\s*(\d{1,3})\s*([:hd\u00b0\s])\s*(\d{1,2})\s*([:m'\u2032\s])\s*(\d{1,2}(?:\.\d*)?)"
    r"\s*(?:s|\"|\u2033|'')?\s*"
)
_LETTERS = {"h": 15.0, "d": 1.0, "\u00b0": 1.0}
_MISSING = (None, "", "--", "null", "nan")
_CIRCLE, _SIXTY = 360.0, 60.0


def parse_angles(values: NDArray[Any], name: str, *, number: float, first: float | None) -> NDArray[np.float64]:
    """Return the angles of a column in degrees; those that are missing are NaN.

    Parameters
    ----------
    values : ndarray of object
        Texts such as ``12:30:49.4``, ``12 30 49.4``, ``12h30m49.4s`` and ``187d42m22s``, or all of them numbers.
    name : str
        The column, for messages.
    number : float
        Degrees of one unit of a column of numbers.
    first : float or None
        Degrees of one unit of the first part of a text, 15 or 1, where no letter behind it says; None if that cannot
        be told.

    Raises
    ------
    FileFormatError
        If a text is none of these, or may be hours as well as degrees.
    """
    texts = [value.decode() if isinstance(value, bytes) else value for value in values.tolist()]
    texts = [None if text in _MISSING or str(text).strip().lower() in _MISSING else str(text) for text in texts]
    try:
        return np.array([np.nan if text is None else float(text) for text in texts]) * number
    except ValueError:
        return np.array([np.nan if text is None else _degrees(text, name, first) for text in texts])


def _degrees(text: str, name: str, first: float | None) -> float:
    found = _ANGLE.fullmatch(text)
    if found is None:
        raise FileFormatError(f"column '{name}' holds '{text}', which is not an angle such as 12:30:49.4")
    sign, whole, mark, minutes, _, seconds = found.groups()
    unit = _LETTERS.get(mark, first)
    if unit is None:
        raise FileFormatError(
            f"column '{name}' holds '{text}', which may be hours or degrees; say which by -c coordinate_unit=hour or "
            "-c coordinate_unit=deg"
        )
    degrees = unit * (float(whole) + float(minutes) / 60 + float(seconds) / 3600)
    if float(minutes) >= _SIXTY or float(seconds) > _SIXTY or degrees > _CIRCLE:
        more = "; if these are degrees, say so by -c coordinate_unit=deg" if degrees > _CIRCLE and unit > 1 else ""
        raise FileFormatError(f"column '{name}' holds '{text}', which is not an angle in hours or degrees{more}")
    return -degrees if sign and sign != "+" else degrees
