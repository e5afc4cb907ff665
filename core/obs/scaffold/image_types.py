"""What a frame is for: bias, dark, flat, science, arc, focus, sky, in the words of many observatories."""

import re
from collections.abc import Iterable

from obs.scaffold.cards import Cards
from obs.scaffold.finding import Finding

__all__ = ["find_image_type", "standard_type"]

_KEYWORDS = (
    "IMAGETYP",
    "IMGTYPE",
    "IMAGTYPE",
    "IMTYPE",
    "IMAGE_TYPE",
    "OBSTYPE",
    "OBS_TYPE",
    "OBS-TYPE",
    "EXPTYPE",
    "DATA-TYP",
    "FRAMETYP",
    "FLAVOR",
    "PICTTYPE",
    "ESO DPR TYPE",
    "EXP_TYPE",
    "CCDTYPE",
    "TYPE",
    "FRAME",
)
_WORDS: dict[str, tuple[str, ...]] = {
    "bias": ("bias", "zero", "offset", "biasframe", "zeroframe"),
    "dark": ("dark", "darkframe"),
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
        "dome",
        "skyflatfield",
        "domeflatfield",
        "lflat",
        "mflat",
    ),
    "arc": ("arc", "comp", "comparison", "lamp", "wave", "arclamp"),
    "focus": ("focus", "focusing", "foc"),
    "science": ("science", "object", "light", "expose", "exposure", "target", "sci", "lightframe", "std", "standard"),
    "sky": ("sky",),
}
_BY_WORD = {word: kind for kind, words in _WORDS.items() for word in words}
_PARTS = re.compile(r"[^a-z]+")


def standard_type(text: str) -> str | None:
    """Return the standard type that a header's word stands for; None if it says none, or several."""
    words = [word for word in _PARTS.split(text.lower()) if word]
    whole = _BY_WORD.get("".join(words))
    if whole is not None:
        return whole
    kinds = {_BY_WORD[word] for word in words if word in _BY_WORD}
    specific = kinds - {"science", "sky"} or kinds
    if "flat" in specific:  # lamp flat, dome flat, sky flat
        specific -= {"arc"}
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
    odd = []
    for name in _present(cards, _KEYWORDS):
        value = cards.get(name)
        kind = standard_type(value) if isinstance(value, str) else None
        if cards.contradicts_itself(name):
            words = " and ".join(repr(card.value) for card in cards.all(name))
            odd.append(f"{name} is there as {words}")
        elif kind is not None:
            note = odd[0] if odd else ""
            return Finding("image_type", kind, name, "certain" if name != "FRAME" else "likely", note)
        elif isinstance(value, str):
            odd.append(f"{name} = '{value}' is no word for a type")
    note = "; ".join(odd)
    for name in ("OBJECT", "OBJNAME", "TARGNAME", "TARGET", "TITLE"):
        kind = standard_type(str(cards.get(name, "")))
        if kind not in (None, "science", "sky"):
            return Finding("image_type", kind, name, "guess", note or "the name of the target says so")
    if exposure_time.is_known and exposure_time.value == 0.0:
        return Finding("image_type", "bias", exposure_time.source, "guess", "the exposure time is 0")
    return Finding.unknown("image_type", note)


def _present(cards: Cards, names: Iterable[str]) -> list[str]:
    return [name for name in names if cards.find(name) is not None]
