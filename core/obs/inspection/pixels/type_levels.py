"""Whether the level of a frame fits its type: a bias and a dark see no light, a flat does."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from obs.inspection.finding import Finding
from obs.inspection.raw_file import RawFile

__all__ = ["doubt_types"]

_MOST = 8
"""Files of a type whose pixels are looked at."""
_STEP = 8
"""Rows and columns of which one is looked at."""
_LIGHT = 500.0
"""Light of flats from which on they tell anything, ADU."""
_PART = 0.25
"""Part of the light of flats that a bias or a dark does not have, and a flat has."""
_BRIGHT = 20000.0
"""Level that no bias or dark has, where no other frame tells, ADU."""


def doubt_types(files: Sequence[RawFile], types: Sequence[Finding]) -> list[Finding]:
    """Return the types of frames, as guesses where the level of the pixels speaks against them.

    Parameters
    ----------
    files : sequence of RawFile
        The files; those with images like the first one's are compared.
    types : sequence of Finding
        What their headers say.
    """
    levels: dict[int, float] = {}
    for kind in ("bias", "dark", "flat"):
        alike = [n for n, one in enumerate(types) if one.value == kind and files[n].shapes == files[0].shapes]
        levels |= {n: level for n in alike[:_MOST] if (level := _level(files[n])) == level}
    result = list(types)
    for number, level in levels.items():
        kind = str(types[number].value)
        dark = [other for n, other in levels.items() if n != number and types[n].value in ("bias", "dark")]
        lit = [other for n, other in levels.items() if n != number and types[n].value == "flat"]
        if doubt := _doubt(kind, level, dark, lit):
            result[number] = replace(types[number], confidence="guess", note=doubt)
    return result


def _doubt(kind: str, level: float, dark: Sequence[float], lit: Sequence[float]) -> str:
    """Return what the level of a frame, ADU, says against its type; empty if nothing."""
    if kind != "flat" and not (dark and lit):
        return f"but its level of {level:.0f} ADU is that of light" if level > _BRIGHT and not dark else ""
    if not dark:
        return ""
    base = float(np.median(dark))
    if kind == "flat":
        light = float(np.median(lit)) - base if lit else _LIGHT
        return f"but its level of {level:.0f} ADU is that of biases and darks" if level - base < 0.02 * light else ""
    light = float(np.median(lit)) - base
    if light > _LIGHT and level - base > _PART * light:
        return f"but its level of {level:.0f} ADU is that of light, not the {base:.0f} ADU of others"
    return ""


def _level(file: RawFile) -> float:
    """Return the level of the image in the middle of a file, ADU; NaN where it has no pixels."""
    image = file.images[len(file.images) // 2]
    pixels = image.pixels
    image.release()
    return float("nan") if pixels is None else float(np.median(pixels[::_STEP, ::_STEP]))
