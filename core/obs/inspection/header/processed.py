"""Cards that say that a frame is not as the camera read it: calibrated, stacked, trimmed, or in electrons."""

import re
from collections.abc import Iterator

from obs.inspection.cards import Card, Cards
from obs.instrument.stack_cards import count_stacked

__all__ = ["find_corrected", "find_processing", "is_in_electrons", "is_stack"]

_TRACES = {
    "bias": (
        *("ZEROCOR", "BIASCOR", "BIASSUB", "BIASFILE", "ZEROFILE", "BIASFIL", "OVERSCAN", "OVSCAN", "OVSCCOR"),
        *("L1IDBIAS", "BIASIM", "BIASNAME"),
    ),
    "dark": ("DARKCOR", "DARKSUB", "DARKFILE", "DARKFIL", "L1IDDARK", "DARKIM", "DARKNAME"),
    "flat": ("FLATCOR", "FLATDIV", "FLATFILE", "FLATFIL", "FLATFLD", "L1IDFLAT", "FLATIM", "FLATNAME"),
    "trimmed columns": ("TRIM", "TRIMMED", "CCDPROC"),
    "fringes": ("FRINGCOR", "FRNGCOR"),
}
"""What is out already, and the cards by which programs say so."""
_LEVELS = (
    "PROCSTAT",
    "PROCTYPE",
    "PROCLEVL",
    "REDLEVEL",
    "CALIB",
    "CALIBRAT",
    "REDUCED",
    "PRODTYPE",
    "OBSTYPE",
    "IMAGETYP",
)
"""Cards that may say that a frame is the product of a reduction."""
_REDUCED = re.compile(
    r"calibrated|reduced|processed|instcal|resampled|master(?!s? ?of)|superbias|superdark|superflat", re.I
)
_NOT_REDUCED = re.compile(r"\b(un|not?|non|raw)", re.I)
_PAST = re.compile(
    r"\b(?P<what>bias|zero|overscan|dark|flat)[ -]?(level|frame|field|image|master)?(ed|ing)? ?"
    r"(was |has been |is |image )?(subtract|correct|divi[ds]|calibrat|remov)"
    r"|\b(subtract|correct|divi[ds]|calibrat|remov)\w* (by|for|with|the|of|a|master| )*"
    r"(?P<which>bias|zero|overscan|dark|flat)|(?P<fielded>flat)[ -]?fielded",
    re.I,
)
"""What HISTORY says that was done."""
_NOT_DONE = re.compile(r"\b(not?|without|un\w*|skip\w*|off|disabled|false|none)\b", re.I)
_LETTERS = {"B": "bias", "D": "dark", "F": "flat", "C": "color"}
_NO = ("", "F", "FALSE", "NO", "NONE", "0", "N", "OMIT", "RAW", "UNCORRECTED", "PENDING", "PERFORM", "SKIPPED")
_DONE = re.compile(r"\b(done|complete|true|yes|T|is|was|corrected|subtracted|divided|with)\b|\d:\d\d|\.fi?ts?", re.I)
_A_FILE = re.compile(r"\.fi?ts?", re.I)
_ELECTRONS = re.compile(r"\s*(e-?|electrons?|photo-?electrons?|el)(\s*/\s*s(ec)?)?\s*", re.I)
_RATES = re.compile(r".*/\s*s(ec(onds?)?)?\s*|.*\bs-1\s*", re.I)


def is_stack(cards: Cards) -> int:
    """Return how many frames were added up in one; 0 for a single frame."""
    return count_stacked(cards)[0]


def find_corrected(cards: Cards) -> frozenset[str]:
    """Return which of bias, dark and flat are out of a frame already."""
    status = str(cards.get("CALSTAT", "")).upper()
    stated = {word for letter, word in _LETTERS.items() if letter in status} & {"bias", "dark", "flat"}
    traces = {what for what in ("bias", "dark", "flat") if _trace(cards, what) is not None}
    return frozenset(stated | traces | set(_of_history(cards)))


def is_in_electrons(cards: Cards) -> bool:
    """Whether the pixels are in electrons."""
    return _ELECTRONS.fullmatch(str(cards.get("BUNIT", "")).strip()) is not None


def _trace(cards: Cards, what: str) -> Card | None:
    """Return the card that says that something was done to a frame."""
    return next((card for name in _TRACES[what] if (card := cards.find(name)) is not None and _is_done(card)), None)


def _of_history(cards: Cards) -> dict[str, str]:
    """Return what HISTORY says that is out of a frame, and the text that says so."""
    found: dict[str, str] = {}
    for text in cards.history:
        if _NOT_DONE.search(text):
            continue
        for match in _PAST.finditer(text):
            what = (match["what"] or match["which"] or match["fielded"]).lower()
            found.setdefault({"zero": "bias", "overscan": "bias"}.get(what, what), text)
    return found


def find_processing(cards: Cards) -> Iterator[str]:
    """Yield what was done to a frame already, each with the card that says so.

    Parameters
    ----------
    cards : Cards
        The header.
    """
    count, name = count_stacked(cards)
    if count:
        yield f"{name} = {_value(cards, name)}: a stack of {count} frames, no raw frame"
    status = str(cards.get("CALSTAT", "")).strip()
    done = [word for letter, word in _LETTERS.items() if letter in status.upper()]
    if done:
        yield f"CALSTAT = '{status}': {', '.join(done)} are out already"
    past = _of_history(cards)
    for what in _TRACES:
        if (found := _trace(cards, what)) is not None:
            yield f"{found.keyword} = '{str(found.value).strip()[:40]}': {what} out already"
        elif what in past and not done:
            yield f"HISTORY '{past[what][:40]}': {what} out already"
    for name in _LEVELS:
        text = str(cards.get(name, "")).strip()
        if _REDUCED.search(text) and not _NOT_REDUCED.search(text):
            yield f"{name} = '{text}': not a raw frame"
    pedestal = cards.get("PEDESTAL")
    if isinstance(pedestal, int | float) and not isinstance(pedestal, bool) and pedestal:
        yield f"PEDESTAL = {pedestal:g}: a constant was added to the pixels, as calibration does"
    unit = str(cards.get("BUNIT", "")).strip()
    if is_in_electrons(cards):
        yield f"BUNIT = '{unit}': the pixels are in electrons, so that their gain is 1"
    elif unit and _RATES.fullmatch(unit):
        yield f"BUNIT = '{unit}': the pixels are divided by a time"
    order = str(cards.get("ROWORDER", "")).strip().upper()
    if order == "TOP-DOWN":
        yield "ROWORDER = 'TOP-DOWN': the rows are stored from the top, so that the picture is a mirror image"


def _value(cards: Cards, name: str) -> str:
    return str(cards.get(name)).strip()


def _is_done(card: Card) -> bool:
    """Whether a card says that a step was done: in words of IRAF, with a date or a file, or by true."""
    value = card.value
    if isinstance(value, bool):
        return value
    if not isinstance(value, str):  # a number of columns, say
        return False
    text = value.strip()
    if text.upper() in _NO or re.fullmatch(r"\[?\d+:\d+(,\d+:\d+)?\]?", text):
        return False
    if card.keyword.endswith(("FILE", "FIL", "NAME", "IM")) or card.keyword.startswith("L1ID"):
        return _A_FILE.search(text) is not None
    return _DONE.search(text) is not None
