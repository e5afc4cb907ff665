"""Which filter was in the beam."""

import re
from collections.abc import Iterable
from dataclasses import replace

from obs.inspection.cards import Cards
from obs.inspection.finding import Confidence, Finding
from obs.instrument.filter_wheels import FILTER_CARDS, OPEN, is_open, is_placeholder, passes_all_colors, read_wheels

__all__ = ["find_filter", "guess_bands"]

_WHEEL = re.compile(
    r"(FILTER0?\d|FILTNAM\d|FILTER[A-D]|FWINST|FW\d?NAME|FILT\d|[A-Z]{1,3}FILT(_N|ER)?|[A-Z]{2}FLTNM|FLT_?ID\d?|FILTI?D\d"
    r"|ESO INS FILT\d* NAME|FILT(ER)?\d?_?NA?M?E?\d?)"
)
_A_FILTER = re.compile(r"\bfilters? (name|used|in)\b|\bname of (the )?(\w+ )?filter\b", re.I)
_ANOTHER_DEVICE = re.compile(
    r"guid|\btv\b|a&g|compar|exp(osure|\.)?[ -]?meter|acqui|finder|monitor|calib|\blamp|polari[sz]|photometer", re.I
)
_ANOTHER_FILTER = re.compile(rf"{_ANOTHER_DEVICE.pattern}|\bnd\b|neutral|\bid\b|number", re.I)
_SLOT = re.compile(r"(filter|filt|pos(ition)?|slot|wheel|place)[ _#-]*\d+", re.I)
_MOSAIC = re.compile(r"(?:RGGB|BGGR|GRBG|GBRG|GBRB)")
_BANDS = re.compile(
    r"(?:^|[^a-z0-9])(u|g|r|i|z|y|w)(?=['p2]?(?:$|[^a-z0-9]))|^(?:hsc|sdss|ps1?|ztf)[-_ ]?([ugrizy])", re.I
)
_COUSINS = ("U", "R", "I")
_COLORS = {"red": "R", "green": "V", "blue": "B"}
"""Filters of color pictures, and the bands that they are nearest to."""
_JOHNSON = re.compile(r"(?:^|[^A-Za-z])([UBVRI])(?:$|[^A-Za-z])")


def find_filter(cards: Cards) -> tuple[Finding, tuple[str, ...]]:
    """Return the filter's name as the header has it, and the cards that tell it: several of several wheels.

    Parameters
    ----------
    cards : Cards
        The header.
    """
    main = next((name for name in FILTER_CARDS if _has_name(cards, name)), "")
    wheels = tuple(
        name
        for name in cards
        if (_WHEEL.fullmatch(name) or name == main)
        and _has_name(cards, name)
        and name != "FILTERID"
        and not _is_elsewhere(cards, name)
    )
    if main and not is_open(str(cards.get(main))):
        return _named(cards, main, wheels), (main,)
    if main and len(wheels) < 2:
        return Finding("filter", str(cards.get(main)).strip(), main, "likely", "a word for no filter"), (main,)
    if wheels:
        return _in_wheels(cards, wheels), wheels
    said = _by_comment(cards)
    if said:
        found = _in_wheels(cards, said)
        note = f"name or comment of the card suggest it; {found.note}".rstrip("; ")
        return replace(found, confidence="guess", note=note), said
    silent = next((name for name in FILTER_CARDS if name in cards), "")
    if silent:
        what = cards.all(silent)[-1].value
        note = f"{silent} is empty" if what is None or isinstance(what, str) else f"{silent} = {what} is not a name"
        return Finding.unknown("filter", note), (silent,) if not isinstance(what, int | float) else ()
    return Finding.unknown("filter", "no card names one; a camera without a filter wheel has one filter"), ()


def _has_name(cards: Cards, keyword: str) -> bool:
    value = cards.get(keyword)
    return isinstance(value, str) and not is_placeholder(value.strip())


def _is_elsewhere(cards: Cards, name: str) -> bool:
    """Whether the comment says that a filter is not in the beam of the camera."""
    card = cards.find(name)
    return card is not None and _ANOTHER_DEVICE.search(card.comment) is not None


def _by_comment(cards: Cards) -> tuple[str, ...]:
    """Return the cards whose comments, or the begin of whose names, say that they hold the name of a filter."""
    return tuple(
        name
        for name in cards
        if isinstance(cards.get(name), str)
        and (card := cards.find(name)) is not None
        and (_A_FILTER.search(card.comment) or (name.startswith("FILT") and _has_name(cards, name)))
        and not _ANOTHER_FILTER.search(card.comment)
    )


def _named(cards: Cards, main: str, wheels: tuple[str, ...]) -> Finding:
    """Return the filter of the card that is there for it."""
    value = str(cards.get(main)).strip()
    silent = next((name for name in FILTER_CARDS[: FILTER_CARDS.index(main)] if name in cards), "")
    sure: Confidence = "likely" if silent or main == "FILTERID" else "certain"
    note = f"{silent} names none" if silent else ""
    if cards.reason_to_doubt(main):
        sure, note = "guess", cards.reason_to_doubt(main)
    elif _MOSAIC.fullmatch(value.upper()):
        sure, note = "guess", "the colors of the pixels of a color mosaic, not of a filter"
    elif value.isdigit() or _SLOT.fullmatch(value):
        sure, note = "guess", "a number: perhaps a place in the wheel"
    else:
        other = next((name for name in wheels if name != main and not _same(str(cards.get(name)), value)), "")
        if other and not is_open(str(cards.get(other))):
            sure, note = "likely", f"{other} says '{str(cards.get(other)).strip()}'"
    return Finding("filter", value, main, sure, note)


def _same(first: str, second: str) -> bool:
    """Whether two names may be of one filter: one holds the other."""
    a, b = (re.sub(r"[^a-z0-9]", "", text.lower()) for text in (first, second))
    return bool(a) and bool(b) and (a in b or b in a)


def _in_wheels(cards: Cards, wheels: tuple[str, ...]) -> Finding:
    """Return what is in the wheels that are not open."""
    glass = list(dict.fromkeys(text for name in wheels if not is_open(text := str(cards.get(name)).strip())))
    source = " + ".join(wheels)
    if not glass:
        note = "every wheel is open" if len(wheels) > 1 else "a word for no filter"
        return Finding("filter", read_wheels(cards, wheels) or OPEN, source, "likely", note)
    if any(name.isdigit() for name in glass):
        return Finding("filter", "+".join(glass), source, "guess", "a number: perhaps a place in the wheel")
    if len(glass) == 1:
        note = "the other wheels are open" if len(wheels) > 1 else ""
        return Finding("filter", glass[0], source, "likely", note)
    return Finding("filter", "+".join(glass), source, "guess", "several wheels hold something")


def guess_bands(physical_filters: Iterable[str]) -> dict[str, str]:
    """Return the band that the name of each filter of a camera suggests.

    Parameters
    ----------
    physical_filters : iterable of str
        Names of all filters of the camera: a single capital letter is a filter of Johnson and Cousins, of the colors
        of a picture, or of SDSS, depending on the letters beside it.

    Returns
    -------
    dict of str to str
        Name to band. A filter that passes all colors is nearest to Gaia's ``G``. Where a name suggests no band, the
        band is the name in letters and digits.
    """
    names = list(physical_filters)
    letters = {name.strip() for name in names}
    of_picture = any(passes_all_colors(name) for name in names) or bool({"B", "Ha", "OIII"} & letters)
    is_sdss = bool({"G", "g", "u", "z", "Z"} & letters) and not of_picture and not {"V", "U"} & letters
    return {name: _band(name, is_sdss=is_sdss, of_picture=of_picture) for name in names}


def _band(physical_filter: str, *, is_sdss: bool, of_picture: bool) -> str:
    name = physical_filter.strip()
    if name.lower() in _COLORS:
        return _COLORS[name.lower()]
    if passes_all_colors(name):
        return "G"
    if name in _COUSINS and not is_sdss:
        return name
    if name == "G" and of_picture:
        return _COLORS["green"]
    match = _BANDS.search(name)
    if match is not None:
        return str(match[1] or match[2]).lower()
    match = _JOHNSON.search(name)
    if match is not None:
        return match[1]
    return re.sub(r"\W+", "_", name).strip("_").lower() or "none"
