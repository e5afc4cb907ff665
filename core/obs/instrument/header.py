"""A FITS header as translators see it, in any of the ways that they are used to ask."""

from collections.abc import Iterator, Mapping
from typing import Any

__all__ = ["Header"]


class Header(Mapping[str, Any]):
    """Cards by keyword: ``md["KEY"]``, ``md.get("KEY")`` and, as in LSST's translators, ``md.getScalar("KEY")``.

    Texts come without blanks at their end.

    Parameters
    ----------
    cards : mapping of str to Any
        Upper-case keyword to number, bool or text. A value that comes with its comment, as a tuple, loses it.
    """

    def __init__(self, cards: Mapping[str, Any]) -> None:
        self._cards = {key: value[0] if isinstance(value, tuple) else value for key, value in cards.items()}

    def __getitem__(self, key: str) -> Any:  # noqa: ANN401 - header values are of any type
        value = self._cards[key]
        return value.rstrip() if isinstance(value, str) else value

    def __iter__(self) -> Iterator[str]:
        return iter(self._cards)

    def __len__(self) -> int:
        return len(self._cards)

    def exists(self, key: str) -> bool:
        """Return whether there is such a card."""
        return key in self._cards

    def getScalar(self, key: str) -> Any:  # noqa: ANN401 - header values are of any type
        """Return a value, as ``md[key]`` does; LSST's spelling.

        Raises
        ------
        KeyError
            If there is no such card.
        """
        return self[key]
