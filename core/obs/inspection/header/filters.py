"""Which filter was in the beam."""

import re
from collections.abc import Sequence
from dataclasses import replace

from obs.inspection.cards import Cards
from obs.inspection.finding import Confidence, Finding
from obs.instrument.filter_wheels import FILTER_CARDS, OPEN, is_open, is_place, is_placeholder, read_wheels

__all__ = ["find_filter", "find_places"]

_WHEEL = re.compile(
    r"(FILTER0?\d|FILTNAM\d|FILTER[A-D]|FWINST|FW\d?NAME|FILT\d|[A-Z]{1,3}FILT(_N|ER)?|[A-Z]{2}FLTNM|FLT_?ID\d?|FILTI?D\d"
    r"|ESO INS FILT\d* NAME|FILT(ER)?\d?_?NA?M?E?\d?)"
)
_A_FILTER = re.compile(r"\bfilters? (name|used|in|colou?r)\b|\bname of (the )?(\w+ )?filter\b|^(the )?filter$", re.I)
_ANOTHER_DEVICE = re.compile(
    r"guid|\btv\b|a&g|compar|exp(osure|\.)?[ -]?meter|acqui|finder|monitor|calib|\blamp|polari[sz]|photometer", re.I
)
_ANOTHER_FILTER = re.compile(rf"{_ANOTHER_DEVICE.pattern}|\bnd\b|neutral|\bid\b|number", re.I)
_PLACE = re.compile(
    r"FI?LT(ER|R)?[-_]?\d?[-_]?(P|POS|POSN|POSIT|NO|NR|NUM|NUMB|ID|IDX|SLOT|PLACE)?\d?|FW(HEEL)?[-_]?\d?[-_]?(POS|NO|NUM|SLOT)?\d?"
)
"""Names of cards with the place of a wheel."""
_PLACE_WORDS = re.compile(
    r"\bfilter[ -]?(wheel|pos(ition)?|slot|number|index|no\b)|\b(position|slot) of (the )?filter", re.I
)
_NO_PLACE = re.compile(
    r"\b(number|no\.?|nr\.?) of filters|wavelength|width|temp|focus|offset|steps?\b|encoder|status|error", re.I
)
_SLOT = re.compile(r"(filter|filt|pos(ition)?|slot|wheel|place)[ _#-]*\d+", re.I)
_MOSAIC = re.compile(r"(?:RGGB|BGGR|GRBG|GBRG|GBRB)")


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


def find_places(all_cards: Sequence[Cards]) -> tuple[str, ...]:
    """Return the cards that number the places of filter wheels, where numbers differ between files.

    Parameters
    ----------
    all_cards : sequence of Cards
        The headers, none of which names a filter.
    """
    names = dict.fromkeys(name for cards in all_cards for name in cards if _numbers_a_wheel(cards, name))
    return tuple(
        name
        for name in names
        if len({int(value) for cards in all_cards if is_place(value := cards.get(name))}) > 1
        and all(is_place(cards.get(name)) for cards in all_cards)
    )


def _numbers_a_wheel(cards: Cards, name: str) -> bool:
    """Whether name or comment of a card say that it numbers the place of a filter wheel."""
    comment = "" if (card := cards.find(name)) is None else card.comment
    is_wheel = _PLACE.fullmatch(name) or (_PLACE_WORDS.search(comment) and not _NO_PLACE.search(comment))
    return bool(is_wheel) and not _ANOTHER_DEVICE.search(comment)


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
