"""What is in the filter wheels."""

import re
from collections.abc import Sequence

from obs.instrument.card_values import EMPTY_WORDS
from obs.instrument.date_rules import CardReader

__all__ = [
    "FILTER_CARDS",
    "OPEN",
    "color_filter",
    "is_open",
    "is_place",
    "is_placeholder",
    "passes_all_colors",
    "read_wheels",
]

FILTER_CARDS = (
    *("FILTER", "FILTNAM", "FILTNAME", "FILT", "FILTERS", "FILTER01", "FILTERNA", "FILTID", "FILTOBS", "INSFILTE"),
    *("WFFBAND", "DWFILNAM", "INSFLNAM", "FILTERID"),
)
"""Cards that hold the name of the filter of a camera; others are of one of its wheels."""

OPEN = "open"
"""The filter where all wheels are open."""
_STARTS = ("open", "air", "clear", "empty", "none", "nofilt", "blank", "home", "hole", "free", "nothing")
"""How the word begins, letters and digits only, by which a wheel says that it holds nothing.

A number before it is the place in the wheel (``F0 Clear``, ``3: open``, ``s0000 Open``).
"""


def is_open(name: str) -> bool:
    """Whether the name of a filter says that there is none.

    Parameters
    ----------
    name : str
        Name of a position of a filter wheel, for example "open", "Clear" or "no filter".
    """
    word = re.sub(r"[^a-z0-9]", "", re.sub(r"^\s*[a-z]?\d{1,4}[\s:.)-]+(?=[a-z])", "", name.lower()))
    return word in ("", "no", "out", "0", "dia") or word.startswith(_STARTS) or word.endswith("out")


_ALL_COLORS = re.compile(
    r"l|lum(inance)?|l2|l3|(uv|ir|uvir|iruv)(cut|block|blocked)?|rgb|osc|(one)?(shot)?colou?r|bayer|rggb|bggr|grbg|gbrg"
    r"|unknown|nofilter"
)


def passes_all_colors(name: str) -> bool:
    """Whether the name of a filter says that it passes all visible light: none, luminance or an infrared block.

    Parameters
    ----------
    name : str
        Name that a header gives for a filter, for example "L" or "UV/IR cut".
    """
    return is_open(name) or _ALL_COLORS.fullmatch(re.sub(r"[^a-z0-9]", "", name.lower())) is not None


def color_filter(glass: str, color: str) -> str:
    """Return the physical filter of a color of a mosaic: the color, and glass before it that does not pass all colors.

    Parameters
    ----------
    glass : str
        What is in the filter wheel; a word for nothing, luminance or an infrared block passes all colors.
    color : str
        The color of the mosaic.
    """
    return color if passes_all_colors(glass) else f"{glass}+{color}"


def read_wheels(cards: CardReader, keywords: Sequence[str]) -> str | None:
    """Return what is in the wheels that are not open, joined by ``+``; None where no card has a name.

    Parameters
    ----------
    cards : CardReader
        The header.
    keywords : sequence of str
        One card for each wheel. Where a header has only one of them, which is in `FILTER_CARDS`, it is taken as it is,
        so that a camera's word for no filter is kept. Where no name is on any of them, numbers are those of places.
    """
    told = {keyword: cards.get(keyword) for keyword in keywords}
    values = {keyword: value.strip() for keyword, value in told.items() if isinstance(value, str)}
    names = {keyword: name for keyword, name in values.items() if not is_placeholder(name)}
    if not names:
        places = [int(value) for value in told.values() if is_place(value)]
        return "+".join(map(str, places)) if places and len(places) == len(keywords) else None
    if len(names) == 1 and (only := next(iter(names.items())))[0] in FILTER_CARDS:
        return only[1]
    return "+".join(dict.fromkeys(name for name in names.values() if not is_open(name))) or OPEN


def is_place(value: object) -> bool:
    """Whether the value of a card can be the number of a place in a filter wheel.

    Parameters
    ----------
    value : object
        Value of the card.
    """
    return isinstance(value, int | float) and not isinstance(value, bool) and value in range(_MOST_PLACES)


_MOST_PLACES = 100
_NOT_A_NAME = re.compile(
    r"moving|busy|homing|initiali[sz]ing|(err(or)?|fault|fail(ed|ure)?|timeout)\b.*|.*\bnot (ready|connected).*", re.I
)


def is_placeholder(name: str) -> bool:
    """Whether a text in place of the name of a filter says that it is not known, or that the wheel has failed.

    Parameters
    ----------
    name : str
        Name that a header gives for a filter, for example "unknown" or "-".
    """
    return (
        re.search(r"\w", name) is None
        or (name.lower() in EMPTY_WORDS and not is_open(name))
        or _NOT_A_NAME.fullmatch(name) is not None
    )
