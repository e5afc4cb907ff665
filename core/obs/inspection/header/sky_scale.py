"""Pixel scale, size and orientation."""

import math
import re
from dataclasses import replace

from obs.errors import FileFormatError
from obs.frozen import frozen
from obs.inspection.cards import Cards
from obs.inspection.finding import Confidence, Finding
from obs.instrument.card_values import read_number

__all__ = ["SkyScale", "find_matrix", "find_pixel_size", "find_scales", "find_sky_scale"]

_SAYS_WHICH = re.compile(r"bin|native|1x1|physical|detector pix|micron|mm|image pix", re.I)
_SCALES = (
    "PIXSCALE",
    "PIXSCAL1",
    "PIXSCAL",
    "SECPIX",
    "SECPIX1",
    "SECPPIX",
    "IMSCALE",
    "SCALE",
    "PLTSCALE",
    "PIXELSCL",
    "CCDSCALE",
    "PSCALE",
    "ESO INS PIXSCALE",
)
_BY_COMMENT = re.compile(r"(?<!\w)(arc-?sec(ond)?s?|as|\")\s*(/|per)\s*((un)?binned )?pix", re.I)
_NOT_OF_THE_DETECTOR = re.compile(r"guid|acqu|finder|\btv\b|slit|seeing|fwhm|error|rms|drift|rate|offset", re.I)
_SIZES = (
    "PIXSIZE1",
    "CCDXPIXE",
    "XPIXSZ",
    "PIXSIZE",
    "XPIXSIZE",
    "PIXSIZEX",
    "PXSIZE",
    "XPIXELSZ",
    "ESO DET CHIP1 PSZX",
)
_BINNED_SIZES = ("XPIXSZ",)
"""Cards that hold the size of the image's pixels, which may be several of the detector's."""
_FOCAL_LENGTHS = ("FOCALLEN", "FOCAL")
_LENGTHS = {"mm": 1.0, "cm": 10.0, "in": 25.4}
"""Millimeters in units of length; others are meters."""


_USUAL = (0.005, 60.0)
"""Arcsec per pixel of telescopes, camera lenses among them."""
_MATRIX = ("CD1_1", "CD1_2", "CD2_1", "CD2_2")


@frozen
class SkyScale:
    """How pixels map to the sky.

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
    text = cards.get(name)
    same = re.fullmatch(r"\s*([\d.]+)\s*[x*,]\s*\1\s*", text) if isinstance(text, str) else None
    try:
        value = read_number(text if same is None else same[1])
    except FileFormatError:
        return None
    return value if math.isfinite(value) else None


def find_matrix(cards: Cards) -> tuple[tuple[float, float, float, float], str] | None:
    """Return the CD matrix, deg per pixel, and its cards.

    Parameters
    ----------
    cards : Cards
        Header. CDELT with CROTA2 or with a PC matrix is converted.

    Returns
    -------
    matrix : tuple of float
        CD1_1, CD1_2, CD2_1 and CD2_2, degrees per pixel.
    names : str
        Cards from which it was read.
    """
    if not str(cards.get("CTYPE1", "")).strip().upper().startswith("RA"):
        return None
    cd = [_number(cards, name) for name in _MATRIX]
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


def _stated(cards: Cards, binning: tuple[int, int]) -> list[tuple[str, float]]:
    """Return cards that tell the scale, and arcsec per pixel of the file."""
    found = []
    for name in (*_SCALES, *_scales_by_comment(cards)):
        value, card = _number(cards, name), cards.find(name)
        if value is None or card is None or not 1e-3 < abs(value) < 500.0:
            continue
        if re.search(r"\b(microns?|um|mm|micrometers?)\s*(/|per)\s*(arc-?sec|\")", card.comment, re.I):
            size = find_pixel_size(cards, binning)
            if not size.is_known:
                continue
            millimeters = abs(value) * (1.0 if re.search(r"\bmm\b", card.comment) else 1e-3)
            value = size.value * binning[0] / millimeters
        elif re.search(r"/\s*mm|per mm", card.comment, re.I) or (name == "PLTSCALE" and abs(value) > 2.0):
            size = find_pixel_size(cards, binning)
            if not size.is_known:
                continue
            value *= size.value * binning[0]
        elif re.search(r"unbinned|un-binned|native|\b1x1\b|physical|detector pix", card.comment, re.I):
            value *= binning[0]
        found.append((name, abs(value)))
    length = next((v for name in _FOCAL_LENGTHS if (v := _millimeters(cards, name)) is not None and v > 10.0), None)
    size = find_pixel_size(cards, binning)
    if length is not None and size.is_known:
        found.append((f"{size.source}, FOCALLEN", 206264.806 * size.value * binning[0] / length))
    return found


def _scales_by_comment(cards: Cards) -> list[str]:
    """Return cards of any other name whose comment says that they are in arcsec per pixel, of the image itself."""
    return [
        name
        for name in cards
        if name not in _SCALES
        and (card := cards.find(name)) is not None
        and _BY_COMMENT.search(card.comment)
        and not _NOT_OF_THE_DETECTOR.search(f"{name} {card.comment}")
    ]


def _millimeters(cards: Cards, name: str) -> float | None:
    """Return a length that a card holds in the unit of its comment, mm where that has none."""
    value, card = _number(cards, name), cards.find(name)
    if value is None or card is None:
        return None
    unit = re.search(r"\b(mm|cm|m|meters?|metres?|inch(es)?)\b", card.comment, re.I)
    return value * (1.0 if unit is None else _LENGTHS.get(unit[1].lower()[:2], 1000.0))


def find_sky_scale(cards: Cards, binning: tuple[int, int] = (1, 1)) -> SkyScale:
    """Return scale and orientation from the WCS, and the scale from other cards where there is none.

    Parameters
    ----------
    cards : Cards
        The header.
    binning : tuple of int
        ``(x, y)``.
    """
    stated = _stated(cards, binning)
    found = find_matrix(cards)
    lack = "no WCS"
    if found is not None:
        (a, b, c, d), source = found
        determinant = a * d - b * c
        scale = math.sqrt(abs(determinant)) * 3600.0
        if 1e-3 < scale < 500.0:
            odd = next((f"{n} cannot be read" for n in _MATRIX if n in cards and _number(cards, n) is None), "")
            sky = _from_matrix(scale, determinant, math.degrees(math.atan2(b, d)), source, stated, binning[0])
            if not odd and not _USUAL[0] <= scale <= _USUAL[1] and sky.scale.confidence != "certain":
                odd = "hardly a scale that a telescope has"
            scale_found = replace(sky.scale, confidence="guess", note=odd) if odd else sky.scale
            if scale_found.confidence != "guess":
                return sky
            doubt = f"of a WCS whose scale is doubtful: {scale_found.note}"
            return replace(sky, scale=scale_found, rotation=replace(sky.rotation, confidence="guess", note=doubt))
        lack = f"{source} are all zero" if not any((a, b, c, d)) else f"{source} give {scale:g} arcsec a pixel"
    unknown = Finding.unknown("orientation", lack)
    if not stated:
        return SkyScale(Finding.unknown("pixel_scale", f"{lack}, and no other card gives"), unknown)
    name, scale = stated[0]
    other = next((f"{o} says {v:.4g}" for o, v in stated[1:] if not _agree(v, scale, binning[0])), "")
    sure: Confidence = "guess" if other or "FOCALLEN" in name or not _USUAL[0] <= scale <= _USUAL[1] else "likely"
    card = cards.find(name)
    if binning[0] > 1 and sure == "likely" and not (card is not None and _SAYS_WHICH.search(card.comment)):
        sure, other = "guess", "it may be that of unbinned pixels"
    note = other or f"{lack} to compare it with"
    return SkyScale(Finding("pixel_scale", scale, name, sure, note), unknown)


def find_scales(cards: Cards, binning: tuple[int, int] = (1, 1)) -> list[tuple[str, float]]:
    """Return every card, or pair of cards, that tells the scale, with what it tells, arcsec per pixel of the file.

    Parameters
    ----------
    cards : Cards
        The header.
    binning : tuple of int
        ``(x, y)``.
    """
    found = find_matrix(cards)
    if found is None:
        return _stated(cards, binning)
    (a, b, c, d), source = found
    return [(source, 3600.0 * math.sqrt(abs(a * d - b * c))), *_stated(cards, binning)]


def _agree(stated: float, scale: float, binning: int) -> bool:
    """Whether a card agrees with a scale, in pixels of the file or of the detector."""
    return abs(stated / scale - 1.0) < 0.04 or abs(stated * binning / scale - 1.0) < 0.04


def _from_matrix(
    scale: float, determinant: float, rotation: float, source: str, stated: list[tuple[str, float]], binning: int
) -> SkyScale:
    sure: Confidence = "likely"
    note = ""
    if stated:
        name, value = stated[0]
        agree = _agree(value, scale, binning)
        sure = "certain" if agree else "guess"
        note = "" if agree else f"{name} says {value:.4g}"
    orientation = Finding("orientation", round(rotation, 4), source, "likely", "at the rotator's angle then")
    return SkyScale(Finding("pixel_scale", scale, source, sure, note), orientation, determinant > 0)


def find_pixel_size(cards: Cards, binning: tuple[int, int] = (1, 1)) -> Finding:
    """Return the size of a pixel of the detector, mm.

    Parameters
    ----------
    cards : Cards
        The header.
    binning : tuple of int
        ``(x, y)``.
    """
    for name in _SIZES:
        value, card = _number(cards, name), cards.find(name)
        if value is None or card is None or value <= 0:
            continue
        comment = card.comment.lower()
        sure: Confidence = "certain"
        if re.search(r"micron|\bum\b|micromet", comment):
            size = value / 1e3
        elif "mm" in comment:
            size = value
        else:
            size = value * 1e3 if value < 1e-3 else value if value < 1 else value / 1e3
            sure = "certain" if re.search(r"\[m\]", comment) else "likely"
        note = ""
        if name in _BINNED_SIZES and binning[0] > 1:
            size, note = size / binning[0], "the card holds that of a binned pixel"
            sure = sure if "binn" in comment else "guess"
        if 1e-3 <= size <= 0.2:
            return Finding("pixel_size", size, name, sure, note)
    return Finding.unknown("pixel_size", "0.015 mm is assumed; only its product with the plate scale counts")
