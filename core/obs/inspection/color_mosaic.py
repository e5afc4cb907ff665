"""Whether the pixels of a detector lie behind a mosaic of color filters, and in which order."""

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from obs.camera.color_plane import is_color_pattern
from obs.inspection.cards import Cards
from obs.inspection.finding import Finding
from obs.inspection.raw_file import RawFile
from obs.instrument.header import MOSAIC_CARDS

__all__ = ["AS_ONE_FILTER", "find_color_mosaic"]

AS_ONE_FILTER = (
    "all pixels are taken for one filter, the band color_mosaic, so that positions hold and no zero point is fitted"
)
"""What happens to a mosaic that cannot be split into its colors."""

_X_OFFSETS, _Y_OFFSETS = ("XBAYROFF", "BAYOFFX", "XBAYOFF"), ("YBAYROFF", "BAYOFFY", "YBAYOFF")
_SHORT = {"RG": "RGGB", "BG": "BGGR", "GR": "GRBG", "GB": "GBRG"}
_COLORLESS = re.compile(r"|none|no|mono(chrome)?|f|false|0|gr[ae]y(scale)?|n/?a|unknown|color|rgb|t|true|1", re.I)
_ERRORS = 5.0
"""Standard errors by which levels have to differ."""
_EQUAL = 0.003
"""Part of the level by which the colors of a well-lit frame differ at least."""
_LIT = 5000.0
"""Level of a frame that is well lit, ADU."""


def find_color_mosaic(files: Sequence[RawFile], bright: RawFile, binning: tuple[int, int]) -> tuple[Finding, list[str]]:
    """Return the colors of the cell of 2 x 2 pixels, as the file stores it, and what disagrees.

    The pattern is that of the header, moved by its offsets, and turned upside down where the file stores the lowest row
    of the picture first (``ROWORDER``): programs name the colors from the top. The levels of the four pixels then say
    on which diagonal the greens lie.

    Parameters
    ----------
    files : sequence of RawFile
        The files.
    bright : RawFile
        The file with most light.
    binning : tuple of int
        Binning in x and y.

    Returns
    -------
    mosaic : Finding
        One of RGGB, BGGR, GRBG and GBRG; not known for a camera without a mosaic, and, with a note, for one that cannot
        be split into its colors.
    warnings : list of str
        What is wrong.
    """
    stated = {name: _stated(file.cards) for file in files if (name := file.path.name) and _stated(file.cards)[1]}
    if not stated:
        return Finding.unknown("color_mosaic"), []
    name, (card, text) = next(iter(stated.items()))
    others = [other for other, (_, pattern) in stated.items() if pattern != text]
    said = f"{name}: {card} = {text}"
    if others:
        said += f", {others[0]}: {stated[others[0]][0]} = {stated[others[0]][1]}"
    if others or not is_color_pattern(text):
        why = "the files disagree" if others else "not a Bayer cell of one red, one blue and two green pixels"
        return Finding.unknown("color_mosaic", f"{card}: {why}"), [f"{said}: {why}; {AS_ONE_FILTER}"]
    cards = next(file.cards for file in files if file.path.name == name)
    pattern = _as_stored(text, cards, rows=files[0].images[0].shape[-2])
    image = bright.images[0]
    pixels = image.pixels
    image.release()
    if binning != (1, 1) or len(bright.images) > 1 or any(length % 2 for length in image.shape[-2:]):
        why = "binned pixels" if binning != (1, 1) else "several images" if len(bright.images) > 1 else "odd sizes"
        return Finding.unknown("color_mosaic", f"{card}, but {why}"), [
            f"{said}: a color mosaic, but {why}; {AS_ONE_FILTER}"
        ]
    return _against_pixels(pattern, card, said, pixels, bright.path.name)


def _against_pixels(
    pattern: str, card: str, said: str, pixels: NDArray[np.float32] | None, name: str
) -> tuple[Finding, list[str]]:
    """Return the pattern as sure as the levels of the four pixels of the cell let it be."""
    planes = f"{said}: a color mosaic; its colors R, G and B become detectors of half the resolution"
    if pixels is None:
        return Finding("color_mosaic", pattern, card, "likely"), [planes]
    levels, error = _levels(pixels)
    spread = float(np.ptp(levels))
    if min(levels) > _LIT and spread < max(_EQUAL * min(levels), _ERRORS * error):
        why = f"the pixels of {name} show no colors"
        return Finding.unknown("color_mosaic"), [f"{said}: {why}: not taken for a color mosaic"]
    first, second = abs(levels[0] - levels[3]), abs(levels[1] - levels[2])
    if max(first, second) < max(_ERRORS * error, 3.0 * min(first, second), 2.0):
        return Finding("color_mosaic", pattern, card, "likely", "the levels of the pixels do not show"), [planes]
    greens = (0, 3) if first < second else (1, 2)
    if all(pattern[n] == "G" for n in greens):
        return Finding("color_mosaic", pattern, card, "certain", "the levels of the pixels agree"), [planes]
    other = _upside_down(pattern)
    note = f"the levels of the pixels of {name} say that the greens lie on the other diagonal"
    return (
        Finding("color_mosaic", other, card, "guess", note),
        [planes, f"{said}: {note}: taken as stored upside down, {other}"],
    )


def _stated(cards: Cards) -> tuple[str, str]:
    """Return the card of the mosaic and its text, in capitals; empty where there is none."""
    for name in (*MOSAIC_CARDS, "FILTER"):
        text = re.sub(r"[^A-Z]", "", str(cards.get(name, "")).upper())
        if is_color_pattern(text) or (name != "FILTER" and not _COLORLESS.fullmatch(str(cards.get(name, "")).strip())):
            return name, _SHORT.get(text, text)
    return "", ""


def _as_stored(pattern: str, cards: Cards, *, rows: int) -> str:
    """Return the pattern from the first pixel that the file stores."""
    x, y = (_offset(cards, names) for names in (_X_OFFSETS, _Y_OFFSETS))
    moved = "".join(pattern[2 * ((n // 2 + y) % 2) + (n % 2 + x) % 2] for n in range(4))
    order = str(cards.get("ROWORDER", "")).strip().upper()
    return _upside_down(moved) if order.startswith("BOTTOM") and rows % 2 == 0 else moved


def _offset(cards: Cards, names: Sequence[str]) -> int:
    found = next((cards.get(name) for name in names if isinstance(cards.get(name), int | float)), 0)
    return int(found)


def _upside_down(pattern: str) -> str:
    return pattern[2:] + pattern[:2]


def _levels(pixels: NDArray[np.float32]) -> tuple[list[float], float]:
    """Return the levels of the four pixels of the cell, and their standard error, ADU."""
    parts = [pixels[y::2, x::2] for y in (0, 1) for x in (0, 1)]
    levels = [float(np.median(part)) for part in parts]
    noise = max(1.4826 * float(np.median(np.abs(np.diff(part, axis=1)))) / np.sqrt(2.0) for part in parts)
    return levels, 1.25 * noise * 2.0 / np.sqrt(pixels.size) + 0.3
