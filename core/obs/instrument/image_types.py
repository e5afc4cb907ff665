"""What a frame is for: bias, dark, flat, science, arc, focus, sky, in the words of many observatories."""

import math
import re
from collections.abc import Iterator, Sequence

from obs.instrument.date_rules import CardReader
from obs.instrument.header import FILE_NAME, FOLDER

__all__ = [
    "IMAGE_TYPE_CARDS",
    "LONG_FOR_A_BIAS",
    "TAKES_MASTERS",
    "TARGET_CARDS",
    "WORDS",
    "contradiction",
    "named_type",
    "read_image_type",
    "read_types",
    "standard_type",
    "type_in_names",
    "type_of_master",
]

WORDS: dict[str, tuple[str, ...]] = {
    "dark": ("dark", "darkframe", "darkflat", "flatdark", "noir", "dunkelbild", "oscuro"),
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
        "sflat",
        "plu",
        "hellbild",
        "mflat",
        "tflat",
    ),
    "arc": ("arc", "comp", "comparison", "lamp", "wave", "arclamp", "line"),
    "focus": ("focus", "focusing", "foc"),
    "science": ("science", "object", "light", "expose", "exposure", "target", "sci", "lightframe", "std", "standard"),
    "sky": ("sky",),
}
"""Type to the words that represent it, in the order in which they count where there are several."""
_ALONE = dict.fromkeys(("obj", "image", "img", "obs", "observation", "astro", "ext"), "science")
"""Words that say a type where nothing else is said; in names of files and targets they say none."""
_BY_WORD = {word: kind for kind, words in WORDS.items() for word in words}
IMAGE_TYPE_CARDS = (
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
"""Cards that name the type, in the order in which they count."""
TARGET_CARDS = ("OBJECT", "OBJNAME", "TARGNAME", "TARGET", "TITLE", "FIELD")
"""Cards that name what was observed."""
_LAMP = re.compile(
    r"(?!near$)(?:he|ne|ar|th|cu|fe|hg|xe|kr|cd|zn)(?:[-+_ ]?(?:he|ne|ar|th|cu|fe|hg|xe|kr|cd|zn))+", re.I
)
"""Arc lamps are named after their elements."""
_PARTS = re.compile(r"[^a-z]+")
_NEGATIONS = frozenset(("no", "not", "without", "minus", "non"))
_NOT_RAW = frozenset(("master", "masters", "stack", "stacked", "combined", "superbias", "superdark", "superflat"))
"""Words for a frame that was made of several."""
_FILLERS = frozenset(
    (
        "run",
        "sequence",
        "series",
        "frame",
        "frames",
        "test",
        "image",
        "images",
        "seq",
        "exp",
        "sec",
        "low",
        "high",
        "master",
    )
)
LONG_FOR_A_BIAS = 1.5
"""Seconds; some cameras cannot expose for less than one."""


def _kind(word: str) -> str | None:
    return _BY_WORD.get(word) or _BY_WORD.get(word.removesuffix("s"))


def standard_type(text: str) -> str | None:
    """Return the standard type that a header's words stand for; None if they say none, or cannot be together.

    Parameters
    ----------
    text : str
        Value of a card, for example "Dark Frame" or "OBJECT".
    """
    words = [word for word in _PARTS.split(text.lower()) if word]
    if (_NEGATIONS | _NOT_RAW) & set(words):
        return None
    whole = _kind("".join(words)) or _ALONE.get("".join(words))
    if whole is not None:
        return whole
    kinds = {kind for word in words if (kind := _kind(word)) is not None}
    specific = kinds - {"science", "sky"} or kinds
    if "flat" in specific:  # lamp flat, dome flat, sky flat
        specific -= {"arc"}
    if specific == {"dark", "flat"}:  # a dark for flats
        return "dark"
    return specific.pop() if len(specific) == 1 else None


def type_of_master(cards: CardReader) -> tuple[str, str]:
    """Return the type of a calibration frame that was made of several, and the card that says so; empty for others.

    Parameters
    ----------
    cards : CardReader
        Header, whose image type is 'Master Bias', 'MASTERFLAT', 'Superbias' or the like.
    """
    for name in IMAGE_TYPE_CARDS:
        value = cards.get(name)
        match = _MASTER.fullmatch(value.strip()) if isinstance(value, str) else None
        if match is not None and (kind := standard_type(match["what"] or match["before"])) in ("bias", "dark", "flat"):
            return kind, f"{name} = '{str(value).strip()}'"
    return "", ""


TAKES_MASTERS = "obs calibs ingest REPO FILES --validity DAYS"
"""Command for calibration frames that were made of several."""
_MASTER = re.compile(
    r"(?:super|(?:master|stacked|stack|combined|average|averaged|mean|median)[ _-]*)(?P<what>[a-z][a-z _-]*)"
    r"|(?P<before>[a-z][a-z _-]*?)[ _-]*(?:master|stacked|stack|combined)",
    re.I,
)
"""Image types of frames that were made of several, with the type of these."""


def type_in_names(text: str) -> str | None:
    """Return the type that the name of a file, or of its folders, says; of several folders the inner one counts.

    Parameters
    ----------
    text : str
        Name of a file, or of folders separated by "/".
    """
    for name in reversed(text.split("/")):
        words = {word.lower() for word in _NAME_PARTS.findall(_ENDING.sub("", name))}
        if words & _NOT_RAW:
            return None
        kinds = {kind for word in words if (kind := _kind(word)) is not None}
        kind = "dark" if kinds == {"dark", "flat"} else kinds.pop() if len(kinds) == 1 else None
        if kind in _IN_NAMES:
            return kind
    return None


_ENDING = re.compile(r"(\.[A-Za-z]{2,4})+$")
_NAME_PARTS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+")
"""Words of the name of a file, which may follow one another as in ``flatR11``."""
_IN_NAMES = frozenset(("bias", "dark", "flat", "science"))
"""Types that names of files are believed to say; other words are parts of names of targets, too."""


def named_type(cards: CardReader) -> str | None:
    """Return the calibration that a frame is called by its target; None for the names of targets.

    Parameters
    ----------
    cards : CardReader
        Header.
    """
    kinds = (standard_type(str(cards.get(name) or "")) for name in TARGET_CARDS)
    return next((kind for kind in kinds if kind in ("bias", "dark", "flat")), None)


def contradiction(kind: str, target: str, exposure_time: float) -> str:
    """Return what contradicts a type; empty if nothing does.

    Parameters
    ----------
    kind : str
        The type that the card for it names.
    target : str
        What the header calls the target.
    exposure_time : float
        Seconds; NaN where it is not known.
    """
    words = [word for word in _PARTS.split(target.lower()) if len(word) > 2 and word not in _FILLERS]
    other = standard_type(target) if words and all(_kind(word) for word in words) else None
    if other not in (None, "science", "sky", kind) and kind in ("science", "bias", "dark", "flat"):
        return f"called '{target.strip()}'"
    if (kind == "science" and _LAMP.fullmatch(target.strip())) or (
        kind == "flat" and "off" in _PARTS.split(target.lower())
    ):
        return f"called '{target.strip()}'"
    if kind in ("science", "flat") and exposure_time == 0.0:
        return "exposed for 0 s"
    return ""


def read_types(cards: CardReader, keywords: Sequence[str]) -> Iterator[str]:
    """Yield the types that some cards, or the names of the file and its folders, say.

    Parameters
    ----------
    cards : CardReader
        The header, with the names of the file and its folders as cards.
    keywords : sequence of str
        Cards to read, in this order.

    Yields
    ------
    str
        Standard type, for example "bias", "dark", "flat" or "science". Cards without one are skipped.
    """
    for keyword in keywords:
        value = cards.get(keyword)
        if not isinstance(value, str):
            continue
        kind = type_in_names(value) if keyword in (FILE_NAME, FOLDER) else standard_type(value)
        if kind is not None:
            yield kind


def read_image_type(cards: CardReader, keywords: Sequence[str], exposure_time: float = math.nan) -> str | None:
    """Return the type of a frame; None where no card gives it, or another contradicts it.

    A dark of no exposure time is a bias.

    Parameters
    ----------
    cards : CardReader
        The header.
    keywords : sequence of str
        Cards that tell the type, in the order in which they count.
    exposure_time : float
        Seconds.
    """
    kind = next(read_types(cards, keywords), None)
    if kind is None:
        return None
    kind = "bias" if kind == "dark" and exposure_time == 0.0 else kind
    targets = [str(cards.get(name) or "") for name in TARGET_CARDS if name not in keywords]
    return None if any(contradiction(kind, target, exposure_time) for target in targets) else kind
