"""The tables of a color camera: each color of its mosaic is a detector of half the resolution, with a filter."""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from obs.camera.color_plane import COLORS, ColorPlane
from obs.inspection.header.bands import guess_bands
from obs.instrument.filter_wheels import color_filter

__all__ = ["color_amplifiers", "color_detectors", "color_filters"]

_BANDS = {"R": "R", "G": "V", "B": "B"}
"""Bands of reference catalogs that the colors of cameras come closest to (as AAVSO transforms TR, TG and TB)."""
_GAIN, _READ_NOISE = -3, -2
"""Places of gain and read noise in a row of amplifiers.csv."""


def color_detectors(row: Mapping[str, Any], pattern: str) -> list[dict[str, Any]]:
    """Return the rows of detectors.csv of all colors.

    Parameters
    ----------
    row : mapping
        The row of one color, with the pixel size of the mosaic, and the offset of its center.
    pattern : str
        Colors of the cell of 2 x 2 pixels.
    """
    rows = []
    for number, color in enumerate(COLORS):
        plane = ColorPlane(pattern, color)
        sizes = {axis: float(row[f"pixel_size_{axis}"]) for axis in "xy"}
        places = dict(zip("xy", plane.center, strict=True))
        offsets = {a: float(row[f"offset_{a}"]) + (places[a] - 0.5) * size for a, size in sizes.items()}
        rows.append(
            {
                **row,
                "id": number,
                "name": color,
                "color_pattern": pattern,
                "color": color,
                **{f"pixel_size_{axis}": f"{2 * size:.6g}" for axis, size in sizes.items()},
                **{f"offset_{axis}": f"{offset:.6g}" for axis, offset in offsets.items()},
            }
        )
    return rows


def color_amplifiers(rows: Iterable[Sequence[Any]]) -> list[list[Any]]:
    """Return the rows of amplifiers.csv of all colors, from those of one.

    The mean of two green pixels has twice the gain, and read noise in electrons that is the square root of two larger.

    Parameters
    ----------
    rows : iterable of sequence
        Rows of amplifiers.csv of one color.
    """
    found = []
    for color in COLORS:
        for row in rows:
            new = [color, *row[1:]]
            if color == "G":
                new[_GAIN] = _times(new[_GAIN], 2.0)
                new[_READ_NOISE] = _times(new[_READ_NOISE], math.sqrt(2.0))
            found.append(new)
    return found


def _times(text: str, factor: float) -> str:
    return f"{float(text) * factor:.6g}" if text else text


def color_filters(glasses: Iterable[str]) -> list[dict[str, str]]:
    """Return the filters of all colors behind each glass: name and band.

    Parameters
    ----------
    glasses : iterable of str
        Filters before the mosaic.
    """
    names = {color_filter(glass, color): color for glass in glasses for color in COLORS}
    others = guess_bands(name.replace("+", "_with_") for name in names)
    return [
        {"physical_filter": name, "band": _BANDS[color] if name == color else others[name.replace("+", "_with_")]}
        for name, color in names.items()
    ]
