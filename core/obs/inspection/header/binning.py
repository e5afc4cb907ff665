"""How many pixels of the detector make one of the image."""

import re

from obs.inspection.cards import Cards
from obs.inspection.finding import Confidence, Finding
from obs.instrument.readout_cards import BINNING_PAIRS, BINNINGS

__all__ = ["find_binning"]

_BOTH = re.compile(r"\s*[(\[]?(?:bin(?:ning)?)?\s*(\d+)\s*(?:[\s,xX:*/]|by)\s*(\d+)\s*[)\]]?\s*", re.I)
_ONE = re.compile(r"\s*(?:bin(?:ning)?)?\s*(\d+)\s*x?\s*", re.I)
_LARGEST = 32
_BINS = re.compile(r"\bbin(n(ing|ed))?\b(?! (width|pixel|size))", re.I)
_AXES = {
    "x": re.compile(r"\b(x|horizontal|serial|columns?|width|axis ?1|h)\b|^(X|H|COL)|X$|1$", re.I),
    "y": re.compile(r"\b(y|vertical|parallel|rows?|lines?|height|axis ?2|v)\b|^(Y|V|ROW)|Y$|2$", re.I),
}


def find_binning(cards: Cards) -> Finding:
    """Return the binning ``(x, y)``.

    Parameters
    ----------
    cards : Cards
        Header. Without a card that gives it, the binning is (1, 1).
    """
    stated = _stated(cards)
    if not stated:
        odd = next((name for name in cards if _may_say(cards, name)), "")
        if odd:
            return Finding("binning", (1, 1), "", "guess", f"{odd} = {cards.get(odd)} is not understood")
        return Finding("binning", (1, 1), "", "likely", "no card says; taken as unbinned")
    name, found = stated[0]
    note = next((f"{other} says {x} x {y}" for other, (x, y) in stated if (x, y) != found), "")
    note = cards.reason_to_doubt(name.partition(",")[0]) or note
    if not note and max(found) > 4 * min(found):
        note = "it is rare that columns and rows are binned so differently"
    sure: Confidence = "guess" if note else "certain"
    return Finding("binning", found, name, sure, note)


def _stated(cards: Cards) -> list[tuple[str, tuple[int, int]]]:
    """Return all cards that tell the binning, with what they say."""
    found: list[tuple[str, tuple[int, int]]] = []
    for name in BINNINGS:
        value = cards.get(name)
        match = _BOTH.fullmatch(str(value)) if isinstance(value, str) else None
        one = _ONE.fullmatch(value) if isinstance(value, str) and match is None else None
        number = int(one[1]) if one is not None else _whole(value)
        if match is not None and _can_be(int(match[1]), int(match[2])):
            found.append((name, (int(match[1]), int(match[2]))))
        elif match is None and number is not None and _can_be(number, number):
            found.append((name, (number, number)))
    for x_name, y_name in BINNING_PAIRS:
        pair = [_whole(cards.get(name)) for name in (x_name, y_name)]
        x, y = pair
        if x is not None and y is not None and _can_be(x, y):
            found.append((f"{x_name}, {y_name}", (x, y)))
        elif x is not None and y_name not in cards and _can_be(x, x):
            found.append((x_name, (x, x)))
    return found or _by_comment(cards)


def _by_comment(cards: Cards) -> list[tuple[str, tuple[int, int]]]:
    """Return the binning of two cards whose comments call them that of columns and that of rows."""
    found: dict[str, tuple[str, int]] = {}
    for name in cards:
        card, number = cards.find(name), _whole(cards.get(name))
        if card is None or number is None or not _can_be(number, number) or not _BINS.search(card.comment):
            continue
        axis = next((axis for axis, words in _AXES.items() if words.search(f"{name} {card.comment}")), "")
        found.setdefault(axis, (name, number))
    if "x" in found and "y" in found:
        return [(f"{found['x'][0]}, {found['y'][0]}", (found["x"][1], found["y"][1]))]
    return []


def _may_say(cards: Cards, name: str) -> bool:
    """Whether a card may hold the binning, in a way that is not understood."""
    card = cards.find(name)
    if card is None or isinstance(card.value, float | bool):
        return False
    is_called = any(name in pair for pair in BINNING_PAIRS) or name in BINNINGS
    return is_called or (_BINS.search(card.comment) is not None and re.match(r"\s*\d", str(card.value)) is not None)


def _whole(value: object) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        return int(value) if float(value).is_integer() else None
    except ValueError:
        return None


def _can_be(x: int, y: int) -> bool:
    return 1 <= x <= _LARGEST and 1 <= y <= _LARGEST
