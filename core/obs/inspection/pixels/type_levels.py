"""Whether the pixels of a frame fit its type: a bias and a dark see no light, a flat no stars, a science frame both."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from obs.frozen import frozen
from obs.inspection.finding import Finding
from obs.inspection.raw_file import RawFile

__all__ = ["are_sky_flats", "find_unlikely_types", "look_like", "show_stars"]

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
_SEVERAL, _BRIGHT_SKY = 2, 2000.0
"""Frames of the sky that are needed to make a flat, and their light at least, ADU."""
_GROUP, _FEW_STARS = 3, 20
"""Neighbors that are as high, which a pixel of a star has, and pixels of stars that a frame has at least."""
_MORE = 2.0
"""Times as many pixels of stars as others have, and a hundred-thousandth of all, are stars."""


@frozen
class _Look:
    """Level of a frame, ADU, and the part of its pixels that stand out of their neighborhood."""

    level: float
    stars: float


def find_unlikely_types(files: Sequence[RawFile], types: Sequence[Finding]) -> list[Finding]:
    """Return the types of frames, as guesses where the pixels contradict them.

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


def are_sky_flats(files: Sequence[RawFile], types: Sequence[Finding]) -> bool:
    """Return whether frames called sky are flats: bright, without stars, where no other frames are called flats.

    Parameters
    ----------
    files : sequence of RawFile
        Frames of one camera.
    types : sequence of Finding
        Type of each of them.
    """
    of_kind = {kind: [n for n, one in enumerate(types) if one.value == kind] for kind in ("flat", "sky", "bias")}
    if of_kind["flat"] or len(of_kind["sky"]) < _SEVERAL or not of_kind["bias"]:
        return False
    dark = _look(files[of_kind["bias"][0]])
    for number in of_kind["sky"][:_MOST]:
        look = _look(files[number])
        if dark is None or look is None or look.level - dark.level < _BRIGHT_SKY or _has_stars(look, [dark]):
            return False
    return True


def look_like(kind: str, files: Sequence[RawFile], types: Sequence[Finding], numbers: Sequence[int]) -> bool:
    """Return whether frames look like those of a type: a flat is bright and without stars, a bias or a dark is dark.

    Parameters
    ----------
    kind : str
        The type.
    files : sequence of RawFile
        All files.
    types : sequence of Finding
        The types that are known of them.
    numbers : sequence of int
        Which files are asked about.
    """
    dark = [n for n, one in enumerate(types) if one.value in ("bias", "dark") and n not in numbers]
    others = [look for n in dark[:_MOST] if (look := _look(files[n])) is not None]
    if not others or kind not in ("bias", "dark", "flat"):
        return False
    base = _median(others)
    for number in numbers[:_MOST]:
        look = _look(files[number])
        if look is None or _has_stars(look, others) or (look.level - base > _BRIGHT_SKY) != (kind == "flat"):
            return False
    return True


def show_stars(files: Sequence[RawFile]) -> bool:
    """Return whether all of some files show stars: groups of pixels, not single hot ones, above their neighborhood.

    Parameters
    ----------
    files : sequence of RawFile
        Frames; only the first ones are read.
    """
    return all(_has_groups(file) for file in files[:_MOST])


def _has_groups(file: RawFile) -> bool:
    image = file.images[len(file.images) // 2]
    pixels = image.pixels
    image.release()
    blocks = None if pixels is None else _above(pixels)
    if blocks is None:
        return False
    above, scatter = blocks
    high = above > max(_SIGMA * scatter, 1.0)
    neighbors = sum(
        np.roll(high, (y, x), (0, 1)).astype(np.int8) for y in (-1, 0, 1) for x in (-1, 0, 1) if (y, x) != (0, 0)
    )
    return int(np.count_nonzero(high & (neighbors >= _GROUP))) >= _FEW_STARS


def _above(pixels: NDArray[np.float32]) -> tuple[NDArray[np.float32], float] | None:
    """Return how far pixels are above the median of their block, and the scatter; None if there is no whole block."""
    ny, nx = (length // _BLOCK * _BLOCK for length in pixels.shape)
    if not ny or not nx:
        return None
    # Amplifiers have levels of their own, whose steps are not stars.
    even = pixels[:ny, :nx] - np.median(pixels[:ny:_STEP, :nx], axis=0)
    blocks = even.reshape(ny // _BLOCK, _BLOCK, nx // _BLOCK, _BLOCK)
    above = blocks - np.median(blocks, axis=(1, 3), keepdims=True)
    return np.asarray(above.reshape(ny, nx), np.float32), 1.4826 * float(np.median(np.abs(above)))


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
    level = float(np.median(pixels[::_STEP, ::_STEP]))
    if not np.isfinite(level):
        return None
    blocks = _above(pixels)
    if blocks is None:
        return _Look(level, 0.0)
    above, scatter = blocks
    return _Look(level, float(np.mean(above > max(_SIGMA * scatter, 1.0))))
