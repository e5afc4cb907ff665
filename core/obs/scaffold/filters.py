"""Which filter was in the beam."""

import re

from obs.scaffold.cards import Cards
from obs.scaffold.finding import Finding

__all__ = ["OPEN_WORDS", "band_of", "find_filter", "is_open"]

_KEYWORDS = (
    "FILTER",
    "FILTNAM",
    "FILTNAME",
    "FILTERID",
    "FILT",
    "FILTERS",
    "FILTER01",
    "FILTERNA",
    "FILTID",
    "FILTOBS",
    "INSFILTE",
)
_WHEEL = re.compile(
    r"(FILTER0?\d|FILTNAM\d|FILTER[AB]|FWINST|FW\dNAME|FILT\d|WFFBAND|[A-Z]{1,3}FILT_N|ESO INS FILT\d* NAME"
    r"|FILT(ER)?\d?_?NA?M?E?\d?)"
)
OPEN_WORDS = frozenset(("open", "air", "clear", "empty", "none", "no filter", "blank", "nofilter", "home", "out"))
_BANDS = re.compile(r"(?:^|[^a-z0-9])(u|g|r|i|z|y|w)(?=['p2]?(?:$|[^a-z0-9]))|^(?:hsc|sdss|ps1?)[-_ ]?([ugrizy])", re.I)
_JOHNSON = re.compile(r"(?:^|[^A-Za-z])([UBVRI])(?:$|[^A-Za-z])")


def is_open(name: str) -> bool:
    """Whether the name of a filter says that there is none."""
    word = name.strip().lower()
    return word in OPEN_WORDS or word.startswith(("open", "clear", "empty")) or word.endswith("out")


def find_filter(cards: Cards) -> tuple[Finding, tuple[str, ...]]:
    """Return the filter's name as the header has it, and the cards that tell it: several of several wheels."""
    for name in _KEYWORDS:
        card = cards.find(name)
        if card is None or not isinstance(card.value, str):
            continue
        sure = "guess" if cards.contradicts_itself(name) else "certain" if name != "FILTERID" else "likely"
        return Finding("filter", card.value.strip(), name, sure), (name,)  # type: ignore[arg-type]
    wheels = tuple(
        name for name in cards if _WHEEL.fullmatch(name) and isinstance(cards.get(name), str) and name not in _KEYWORDS
    )
    if not wheels:
        return Finding.unknown("filter", "no card names one; a camera without a filter wheel has one filter"), ()
    glass = list(dict.fromkeys(str(cards.get(name)).strip() for name in wheels if not is_open(str(cards.get(name)))))
    if not glass:
        return Finding("filter", "open", " + ".join(wheels), "likely", "every wheel is open"), wheels
    if len(glass) == 1:
        return Finding("filter", glass[0], " + ".join(wheels), "likely", "the other wheels are open"), wheels
    return Finding("filter", "+".join(glass), " + ".join(wheels), "guess", "several wheels hold something"), wheels


def band_of(physical_filter: str) -> str:
    """Return the band that the name of a filter suggests; the name itself, in letters and digits, where it does not."""
    match = _BANDS.search(physical_filter)
    if match is not None:
        return str(match[1] or match[2]).lower()
    match = _JOHNSON.search(physical_filter)
    if match is not None:
        return match[1]
    return re.sub(r"\W+", "_", physical_filter).strip("_").lower() or "none"
