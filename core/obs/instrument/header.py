"""A FITS header as translators see it, in any of the ways that they are used to ask."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

__all__ = ["Header"]


class Header(Mapping[str, Any]):
    """Cards by keyword: ``md["KEY"]``, ``md.get("KEY")`` and, as in LSST's translators, ``md.getScalar("KEY")``.

    Texts come without blanks at their end.

    Parameters
    ----------
    cards : mapping of str to Any
        Upper-case keyword to number, bool or text. A value that comes with its comment, as a tuple, loses it.

    Attributes
    ----------
    asked : dict of str to bool
        Keywords that were asked for, in their order, and whether they are there; clear it to begin anew.
    """

    def __init__(self, cards: Mapping[str, Any]) -> None:
        self._cards = {key: value[0] if isinstance(value, tuple) else value for key, value in cards.items()}
        self.asked: dict[str, bool] = {}

    def __getitem__(self, key: str) -> Any:  # noqa: ANN401 - header values are of any type
        self.asked[key] = key in self._cards
        value = self._cards[key]
        return value.rstrip() if isinstance(value, str) else value

    def __iter__(self) -> Iterator[str]:
        return iter(self._cards)

    def __len__(self) -> int:
        return len(self._cards)

    def exists(self, key: str) -> bool:
        """Return whether there is such a card."""
        return key in self

    def getScalar(self, key: str) -> Any:  # noqa: ANN401 - header values are of any type
        """Return a value, as ``md[key]`` does; LSST's spelling.

        Raises
        ------
        KeyError
            If there is no such card.
        """
        return self[key]

    def changed(self, cards: Mapping[str, Any], without: Iterable[str] = ()) -> "Header":
        """Return a header with some cards in place of those here, and without others."""
        left = {key: value for key, value in self._cards.items() if key not in set(without)}
        return Header({**left, **cards})
