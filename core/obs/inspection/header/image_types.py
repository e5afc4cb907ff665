"""What a frame is for: bias, dark, flat, science, arc, focus, sky, in the words of many observatories."""

import re

from obs.inspection.cards import Cards
from obs.inspection.finding import Confidence, Finding

__all__ = ["WORDS", "find_image_type", "standard_type"]

_KEYWORDS = (
    "IMAGETYP",
    "IMGTYPE",
    "IMAGTYPE",
    "IMTYPE",
    "IMAGE_TYPE",
    "OBSTYPE",
    "OBS_TYPE",
    "OBS-TYPE",
    "OBSTYP",
    "EXPTYPE",
    "DATA-TYP",
    "DATATYPE",
    "FRAMETYP",
    "FLAVOR",
    "PICTTYPE",
    "ESO DPR TYPE",
    "EXP_TYPE",
    "OBJ-TYPE",
    "CCDTYPE",
    "KOAIMTYP",
    "TYPE",
    "FRAME",
)
WORDS: dict[str, tuple[str, ...]] = {
    "dark": ("dark", "darkframe", "darkflat", "flatdark"),
    "bias": ("bias", "zero", "offset", "biasframe", "zeroframe"),
    "flat": (
        "flat",
        "domeflat",
        "skyflat",
        "twilight",
        "twiflat",
        "dflat",
        "flatfield",
        "flatframe",
        "twilightflat",
        "lampflat",
        "intflat",
        "dome",
        "skyflatfield",
        "domeflatfield",
        "lflat",
        "mflat",
        "tflat",
    ),
    "arc": ("arc", "comp", "comparison", "lamp", "wave", "arclamp", "line"),
    "focus": ("focus", "focusing", "foc"),
    "science": ("science", "object", "light", "expose", "exposure", "target", "sci", "lightframe", "std", "standard"),
    "sky": ("sky",),
}
"""Type to the words that stand for it, in the order in which they count where there are several."""
_BY_WORD = {word: kind for kind, words in WORDS.items() for word in words}
_LONG_FOR_A_BIAS = 1.5  # s; some cameras cannot expose for less than one
_PARTS = re.compile(r"[^a-z]+")


def standard_type(text: str) -> str | None:
    """Return the standard type that a header's words stand for; None if they say none, or cannot be together."""
    words = [word for word in _PARTS.split(text.lower()) if word]
    whole = _BY_WORD.get("".join(words))
    if whole is not None:
        return whole
    kinds = {_BY_WORD[word] for word in words if word in _BY_WORD}
    specific = kinds - {"science", "sky"} or kinds
    if "flat" in specific:  # lamp flat, dome flat, sky flat
        specific -= {"arc"}
    if specific == {"dark", "flat"}:  # a dark for flats
        return "dark"
    return specific.pop() if len(specific) == 1 else None


def find_image_type(cards: Cards, exposure_time: Finding) -> Finding:
    """Return the type of a frame.

    Parameters
    ----------
    cards : Cards
        The header.
    exposure_time : Finding
        The exposure time, seconds: where nothing else tells, no time makes a bias.
    """
    odd: list[str] = []
    known: list[tuple[str, str]] = []
    for name in _KEYWORDS:
        value = cards.get(name)
        kind = standard_type(value) if isinstance(value, str) else None
        if cards.find(name) is not None and cards.contradicts_itself(name):
            words = " and ".join(repr(card.value) for card in cards.all(name))
            odd.append(f"{name} is there as {words}")
        elif kind is not None:
            known.append((name, kind))
            odd += [doubt] if (doubt := cards.reason_to_doubt(name)) else []
        elif isinstance(value, str):
            odd.append(f"{name} = '{value}' is no word for a type")
    note = "; ".join(odd)
    if known:
        return _judged(known, note, exposure_time)
    for name in ("OBJECT", "OBJNAME", "TARGNAME", "TARGET", "TITLE"):
        kind = standard_type(str(cards.get(name, "")))
        if kind not in (None, "science", "sky"):
            return Finding("image_type", kind, name, "guess", note or "the name of the target says so")
    if exposure_time.is_known and exposure_time.value == 0.0:
        return Finding("image_type", "bias", exposure_time.source, "guess", "the exposure time is 0")
    return Finding.unknown("image_type", note)


def _judged(known: list[tuple[str, str]], note: str, exposure_time: Finding) -> Finding:
    """Return the type of the first card, as sure as the others and the exposure time let it be."""
    name, kind = known[0]
    sure: Confidence = "certain" if name not in ("FRAME", "TYPE") else "likely"
    other = next(((o, k) for o, k in known if k != kind and {k, kind} != {"science", "sky"}), None)
    seconds = exposure_time.value if exposure_time.confidence in ("certain", "likely") else None
    if other is not None:
        return Finding("image_type", kind, name, "guess", f"{other[0]} says {other[1]}")
    if seconds is not None and kind == "bias" and seconds > _LONG_FOR_A_BIAS:
        return Finding("image_type", kind, name, "guess", f"but {exposure_time.source} = {seconds:g} s")
    if seconds is not None and kind in ("science", "flat") and seconds == 0.0:
        return Finding("image_type", kind, name, "guess", f"but {exposure_time.source} = 0 s")
    return Finding("image_type", kind, name, "guess" if note.startswith(f"{name} is malformed") else sure, note)
