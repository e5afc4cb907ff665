"""Header cards with their comments, however badly they are written.

Headers for ingest are read by `obs.ingest.headers`, strictly and fast. Here comments count, since they say what a value
means, and so does what is wrong: duplicate, undefined and malformed cards, and letters that are not ASCII.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from obs.frozen import frozen
from obs.instrument.card_values import EMPTY_WORDS
from obs.instrument.header import POINTING_CARDS

__all__ = ["Card", "Cards", "parse_cards"]

_WIDTH = 80
_CARD = re.compile(r"\s*(?:'(?P<text>(?:[^']|'')*)'|(?P<bare>[^/']*?))\s*(?:/\s*(?P<comment>.*))?")
_HIERARCH = re.compile(r"HIERARCH\s+(?P<keyword>[^=]+?)\s*=(?P<rest>.*)")
_COMMENTARY = ("COMMENT", "HISTORY", "")


@frozen
class Card:
    """One card of a FITS header.

    Parameters
    ----------
    keyword : str
        Upper case; of HIERARCH cards the words behind it.
    value : bool, int, float, str or None
        Its value; None where it is undefined.
    comment : str
        What stands behind the slash.
    is_malformed : bool
        Whether it breaks the rules of FITS, so that the value may not be what was meant.
    """

    keyword: str
    value: Any
    comment: str = ""
    is_malformed: bool = False

    @property
    def has_value(self) -> bool:
        """Whether there is a value, and not a word that represents none."""
        if isinstance(self.value, str):
            return self.value.strip().lower() not in EMPTY_WORDS
        return self.value is not None and self.value == self.value


@dataclass
class Cards:
    """The cards of one HDU, in their order.

    Parameters
    ----------
    cards : list of Card
        Those with a keyword and a value, or an undefined one.
    problems : list of str
        What is wrong with the header.
    history : list of str
        Texts of its HISTORY cards.
    """

    cards: list[Card] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    history: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._by_keyword: dict[str, list[Card]] = {}
        for card in self.cards:
            self._by_keyword.setdefault(card.keyword, []).append(card)

    def __iter__(self) -> Iterator[str]:
        return iter(self._by_keyword)

    def __contains__(self, keyword: object) -> bool:
        return keyword in self._by_keyword

    def all(self, keyword: str) -> list[Card]:
        """Return every card of a keyword."""
        return self._by_keyword.get(keyword, [])

    def find(self, keyword: str) -> Card | None:
        """Return the last card of a keyword that has a value, as ingest does; None if there is none."""
        return next((card for card in reversed(self.all(keyword)) if card.has_value), None)

    def get(self, keyword: str, default: Any = None) -> Any:  # noqa: ANN401 - header values are of any type
        """Return the value of a keyword, or a default where there is none.

        Parameters
        ----------
        keyword : str
            Keyword; the last card with a value counts.
        default : object, optional
            Value if there is no such card.
        """
        card = self.find(keyword)
        return default if card is None else card.value

    def contradicts_itself(self, keyword: str) -> bool:
        """Whether a keyword is there with different values."""
        return len({str(card.value).strip() for card in self.all(keyword)}) > 1

    def reason_to_doubt(self, keyword: str) -> str:
        """Return why the value of a keyword may not be what was meant; empty if nothing contradicts it."""
        if self.contradicts_itself(keyword):
            return f"{keyword} is there with different values"
        card = self.find(keyword)
        return f"{keyword} is malformed" if card is not None and card.is_malformed else ""

    def over(self, below: "Cards") -> "Cards":
        """Return these cards, and those of another HDU whose keywords are not here with a value.

        Of the pointing of the telescope, the other HDU's counts: that of an extension is of its detector.

        Parameters
        ----------
        below : Cards
            Cards of the other HDU, usually the primary one.
        """
        own = {card.keyword for card in self.cards if card.has_value}
        of_telescope = {name for pair in POINTING_CARDS if all(below.find(name) for name in pair) for name in pair}
        hidden = {card.keyword for card in self.cards if not card.has_value and card.keyword in below} | of_telescope
        kept = [card for card in self.cards if card.keyword not in hidden]
        above = own - of_telescope
        return Cards(
            [*(c for c in below.cards if c.keyword not in above), *kept],
            [*below.problems, *self.problems],
            [*below.history, *self.history],
        )


def parse_cards(lines: Iterable[str]) -> Cards:
    """Read cards of up to 80 characters; nothing is so wrong that the rest is lost.

    Parameters
    ----------
    lines : iterable of str
        One line for each card.

    Returns
    -------
    Cards
        Faults of cards are listed in its ``problems``.
    """
    cards: list[Card] = []
    problems: list[str] = []
    history: list[str] = []
    for line in lines:
        text = line.rstrip()
        if not text.isascii():
            problems.append(f"{text[:8].strip() or 'a card'} has letters that are not ASCII")
        if text.startswith("CONTINUE") and cards and isinstance(cards[-1].value, str):
            cards[-1] = _continued(cards[-1], text[8:])
            continue
        if text.startswith("HISTORY"):
            history.append(text[8:].strip())
        card = _parse(text, problems)
        if card is not None:
            cards.append(card)
    result = Cards(cards, problems, history)
    result.problems += [
        f"{name} is there {len(result.all(name))} times" for name in result if len(result.all(name)) > 1
    ]
    result.problems += [f"{card.keyword} is undefined" for card in cards if card.value is None]
    return result


def _parse(text: str, problems: list[str]) -> Card | None:
    match = _HIERARCH.match(text)
    if match is not None:
        keyword, rest = match["keyword"].upper(), match["rest"]
    else:
        keyword, rest = text[:8].strip().upper(), text[8:]
        if keyword in _COMMENTARY or keyword == "END":
            return None
        if not rest.startswith("="):
            if "=" not in text[:12]:
                problems.append(f"'{text[:20].strip()}' is not a card")
                return None
            keyword, _, rest = text.partition("=")
            keyword = keyword.strip().upper()
            problems.append(f"{keyword} has its equals sign out of place")
        else:
            rest = rest[1:]
    parsed = _CARD.fullmatch(rest)
    if parsed is None:
        problems.append(f"{keyword} is malformed: {rest.strip()[:40]}")
        value, _, comment = rest.partition("/")
        return Card(keyword, value.strip().strip("'").strip(), comment.strip(), is_malformed=True)
    comment = (parsed["comment"] or "").strip()
    if parsed["text"] is not None:
        return Card(keyword, parsed["text"].replace("''", "'").rstrip(), comment, not parsed["text"].isascii())
    bare = parsed["bare"].strip()
    value = _bare_value(bare)
    if isinstance(value, str):
        problems.append(f"{keyword} is text without quotes: {bare[:40]}")
    return Card(keyword, value, comment, isinstance(value, str))


def _bare_value(text: str) -> bool | int | float | str | None:
    if not text:
        return None
    if text in ("T", "F"):
        return text == "T"
    for kind in (int, float):
        try:
            return kind(text.replace("D", "E") if kind is float else text)
        except ValueError:
            continue
    return text


def _continued(card: Card, text: str) -> Card:
    """Return a card whose text goes on."""
    match = _CARD.fullmatch(text)
    more = "" if match is None else (match["text"] or "")
    return Card(card.keyword, str(card.value).removesuffix("&") + more.rstrip(), card.comment)
