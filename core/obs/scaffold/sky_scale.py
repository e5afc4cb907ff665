"""Pixel scale, size and orientation."""

import math
import re
from dataclasses import dataclass

from obs.errors import FileFormatError
from obs.instrument.card_values import read_number
from obs.scaffold.cards import Cards
from obs.scaffold.finding import Confidence, Finding

__all__ = ["SkyScale", "find_pixel_size", "find_sky_scale"]

_SCALES = ("PIXSCALE", "PIXSCAL1", "SECPIX", "SECPIX1", "SCALE", "PLTSCALE", "PIXELSCL", "CCDSCALE")
_SIZES = ("PIXSIZE1", "CCDXPIXE", "XPIXSZ", "PIXSIZE", "XPIXSIZE", "PIXSIZEX", "ESO DET CHIP1 PSZX")


@dataclass(frozen=True)
class SkyScale:
    """How pixels lie on the sky.

    Parameters
    ----------
    scale : Finding
        Arcsec per pixel, of the pixels in the file.
    rotation : Finding
        Angle from north to the y axis through east, degrees.
    flip_x : bool
        Whether the x axis, with y up, points left on the sky.
    """

    scale: Finding
    rotation: Finding
    flip_x: bool = False


def _number(cards: Cards, name: str) -> float | None:
    try:
        value = read_number(cards.get(name))
    except FileFormatError:
        return None
    return value if math.isfinite(value) else None


def _matrix(cards: Cards) -> tuple[tuple[float, float, float, float], str] | None:
    """Return the CD matrix, deg per pixel, and its cards."""
    if not str(cards.get("CTYPE1", "")).strip().upper().startswith("RA"):
        return None
    cd = [_number(cards, name) for name in ("CD1_1", "CD1_2", "CD2_1", "CD2_2")]
    if any(value is not None for value in cd):
        a, b, c, d = (value or 0.0 for value in cd)
        return (a, b, c, d), "CD1_1 .. CD2_2"
    steps = _number(cards, "CDELT1"), _number(cards, "CDELT2")
    if steps[0] is None or steps[1] is None:
        return None
    angle = math.radians(_number(cards, "CROTA2") or 0.0)
    pc = [_number(cards, name) for name in ("PC1_1", "PC1_2", "PC2_1", "PC2_2")]
    if any(value is not None for value in pc):
        a, b, c, d = (given if given is not None else plain for given, plain in zip(pc, (1, 0, 0, 1), strict=True))
        return (steps[0] * a, steps[0] * b, steps[1] * c, steps[1] * d), "CDELT1, CDELT2, PC1_1 .. PC2_2"
    cosine, sine = math.cos(angle), math.sin(angle)
    return (steps[0] * cosine, -steps[1] * sine, steps[0] * sine, steps[1] * cosine), "CDELT1, CDELT2, CROTA2"


def find_sky_scale(cards: Cards) -> SkyScale:
    """Return scale and orientation from the WCS, and the scale from other cards where there is none."""
    stated = next(((name, abs(v)) for name in _SCALES if (v := _number(cards, name)) and 1e-3 < abs(v) < 500), None)
    found = _matrix(cards)
    unknown = Finding.unknown("orientation", "no WCS")
    if found is not None:
        (a, b, c, d), source = found
        determinant = a * d - b * c
        scale = math.sqrt(abs(determinant)) * 3600.0
        if 1e-3 < scale < 500.0:
            sure: Confidence = "likely"
            note = ""
            if stated is not None:
                agree = abs(stated[1] / scale - 1.0) < 0.03
                sure = "certain" if agree else "guess"
                note = "" if agree else f"{stated[0]} says {stated[1]:g}"
            rotation = math.degrees(math.atan2(b, d))
            orientation = Finding("orientation", round(rotation, 4), source, "likely", "at the rotator's angle then")
            return SkyScale(Finding("pixel_scale", scale, source, sure, note), orientation, determinant > 0)
    if stated is not None:
        return SkyScale(Finding("pixel_scale", stated[1], stated[0], "likely", "no WCS to compare it with"), unknown)
    return SkyScale(Finding.unknown("pixel_scale", "neither a WCS nor another card tells"), unknown)


def find_pixel_size(cards: Cards) -> Finding:
    """Return the size of an unbinned pixel, mm."""
    for name in _SIZES:
        value, card = _number(cards, name), cards.find(name)
        if value is None or card is None or value <= 0:
            continue
        comment = card.comment.lower()
        if re.search(r"micron|\bum\b|micromet", comment):
            size, sure = value / 1e3, "certain"
        elif "mm" in comment:
            size, sure = value, "certain"
        else:
            size = value * 1e3 if value < 1e-3 else value if value < 1 else value / 1e3
            sure = "certain" if re.search(r"\[m\]", comment) else "likely"
        if 1e-3 <= size <= 0.2:
            return Finding("pixel_size", size, name, sure)  # type: ignore[arg-type]
    return Finding.unknown("pixel_size", "0.015 mm stands in; only its product with the plate scale counts")
