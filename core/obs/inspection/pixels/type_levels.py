"""Whether the pixels of a frame fit its type: a bias and a dark see no light, a flat no stars, a science frame both."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from obs.inspection.finding import Finding
from obs.inspection.raw_file import RawFile

__all__ = ["doubt_types"]

_MOST = 8
"""Files of a type whose pixels are looked at."""
_STEP = 8
"""Rows and columns of which one is looked at for the level."""
_LIGHT = 500.0
"""Light of flats from which on they tell anything, ADU."""
_PART = 0.25
"""Part of the light of flats that a bias or a dark does not have, and a flat has."""
_BRIGHT = 20000.0
"""Level that no bias or dark has, where no other frame tells, ADU."""
_NO_LIGHT = 0.02
"""Part of the light of flats that a flat or, without stars, a science frame has at least."""
_BLOCK, _SIGMA = 16, 8.0
"""Pixels of a block, along each side, whose median is the sky; a star stands so many times the scatter above it."""
_MORE = 2.0
"""Times as many pixels of stars as others have, and a hundred-thousandth of all, are stars."""


@dataclass(frozen=True)
class _Look:
    """Level of a frame, ADU, and the part of its pixels that stand out of their neighborhood."""

    level: float
    stars: float


def doubt_types(files: Sequence[RawFile], types: Sequence[Finding]) -> list[Finding]:
    """Return the types of frames, as guesses where the pixels speak against them.

    Parameters
    ----------
    files : sequence of RawFile
        The files; those with images like the first one's are compared.
    types : sequence of Finding
        What their headers say.
    """
    looks: dict[int, _Look] = {}
    for kind in ("bias", "dark", "flat", "science"):
        alike = [n for n, one in enumerate(types) if one.value == kind and files[n].shapes == files[0].shapes]
        if kind == "science" and not looks:
            continue  # there is nothing to hold them against
        looks |= {n: look for n in alike[:_MOST] if (look := _look(files[n])) is not None}
    result = list(types)
    for number, look in looks.items():
        dark = [other for n, other in looks.items() if n != number and types[n].value in ("bias", "dark")]
        lit = [other for n, other in looks.items() if n != number and types[n].value == "flat"]
        kind = str(types[number].value)
        doubt = _doubt_science(look, dark, lit) if kind == "science" else _doubt(kind, look, dark, lit)
        if doubt:
            result[number] = replace(types[number], confidence="guess", note=doubt)
    return result


def _median(looks: Sequence[_Look]) -> float:
    return float(np.median([look.level for look in looks]))


def _doubt(kind: str, look: _Look, dark: Sequence[_Look], lit: Sequence[_Look]) -> str:
    """Return what the level of a calibration frame says against its type; empty if nothing."""
    level = look.level
    if kind != "flat" and not (dark and lit):
        return f"but its level of {level:.0f} ADU is that of light" if level > _BRIGHT and not dark else ""
    if not dark:
        return ""
    base = _median(dark)
    if kind == "flat":
        light = _median(lit) - base if lit else _LIGHT
        is_dark = level - base < _NO_LIGHT * light
        return f"but its level of {level:.0f} ADU is that of biases and darks" if is_dark else ""
    light = _median(lit) - base
    if light > _LIGHT and level - base > _PART * light:
        return f"but its level of {level:.0f} ADU is that of light, not the {base:.0f} ADU of others"
    return ""


def _doubt_science(look: _Look, dark: Sequence[_Look], lit: Sequence[_Look]) -> str:
    """Return what level and stars of a science frame say against its type; empty if nothing.

    Stars alone make it one. Without them, a frame as dark as biases and darks is such a one, and a frame as bright as
    flats a flat.
    """
    if not dark or not lit:
        return ""
    base = _median(dark)
    light = _median(lit) - base
    if light <= _LIGHT:
        return ""
    if look.level - base < _NO_LIGHT * light and not _has_stars(look, dark):
        return f"but its level of {look.level:.0f} ADU is that of biases and darks, and it shows no stars"
    if look.level - base > _PART * light and not _has_stars(look, lit):
        return f"but its level of {look.level:.0f} ADU is that of flats, and it shows no stars"
    return ""


def _has_stars(look: _Look, others: Sequence[_Look]) -> bool:
    """Whether more pixels stand out than in frames without stars, in which hot pixels and cosmic rays do."""
    return look.stars > _MORE * max(other.stars for other in others) + 1e-5


def _look(file: RawFile) -> _Look | None:
    """Return how the image in the middle of a file looks; None where it has no pixels."""
    image = file.images[len(file.images) // 2]
    pixels = image.pixels
    image.release()
    if pixels is None:
        return None
    ny, nx = (length // _BLOCK * _BLOCK for length in pixels.shape)
    level = float(np.median(pixels[::_STEP, ::_STEP]))
    if not ny or not nx or not np.isfinite(level):
        return None if not np.isfinite(level) else _Look(level, 0.0)
    blocks = pixels[:ny, :nx].reshape(ny // _BLOCK, _BLOCK, nx // _BLOCK, _BLOCK)
    above = blocks - np.median(blocks, axis=(1, 3), keepdims=True)
    scatter = 1.4826 * float(np.median(np.abs(above)))
    return _Look(level, float(np.mean(above > max(_SIGMA * scatter, 1.0))))
