"""Tables of wrong headers: which frames, and what their cards should have been.

Every camera has nights on which a card was wrong. What was wrong is data, in a YAML file beside the translator::

    - why: the wheel reported the filter before        # shown to whoever wonders; may be left out
      dates: 2013-01-05..2013-01-12                    # both days belong to it
      set: {FILTER: HSC-R, EXPTIME: 30.0}

    - exposures: {visit: [904024, 904030..904040], ccd: 3}
      cards: {FILTER: unknown}                         # only where the header says so
      copy: {FILTER: FILTER1}                          # the right value is in another card
      remove: [AIRMASS]

The translator names the file: ``header_fixes = "header_fixes.yaml"``. An entry holds for the frames that meet all of
``dates`` (when the exposure began: `date_begin`, or the column ``dateObs``), ``exposures`` (columns of the registry)
and ``cards``, as the file has them; entries are applied from top to bottom.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import field
from datetime import date, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

from obs.errors import ConfigError, FileFormatError, suggest
from obs.frozen import frozen
from obs.instrument.card_values import parse_date
from obs.instrument.header import Header
from obs.yaml_lines import YamlPath, line_of, load_yaml

__all__ = ["HeaderFix", "load_header_fixes"]

_KEYS = ("why", "dates", "exposures", "cards", "set", "copy", "remove")
_CONDITIONS, _CHANGES = ("dates", "exposures", "cards"), ("set", "copy", "remove")
_KEYWORD = re.compile(r"[A-Z0-9_-]+( [A-Z0-9_-]+)*")


@frozen
class _Span:
    """Values from one to another, both included; None where there is no end."""

    low: Any
    high: Any

    def holds(self, value: Any) -> bool:  # noqa: ANN401 - columns are of any type
        return (self.low is None or self.low <= value) and (self.high is None or value <= self.high)


@frozen
class HeaderFix:
    """One entry of the table.

    Parameters
    ----------
    line : int
        Line in the file.
    dates : _Span or None
        When the exposure began.
    exposures : mapping of str to tuple
        Column to the values and spans of which it must have one.
    cards : mapping
        Keyword to the value that it must have.
    set : mapping
        Keyword to its right value.
    copy : mapping of str to str
        Keyword to the one that holds its right value.
    remove : tuple of str
        Keywords that say nothing true.
    """

    line: int
    dates: _Span | None = None
    exposures: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    cards: Mapping[str, Any] = field(default_factory=dict)
    set: Mapping[str, Any] = field(default_factory=dict)
    copy: Mapping[str, str] = field(default_factory=dict)
    remove: tuple[str, ...] = ()

    def applies(self, md: Header, read: Callable[[str], Any]) -> bool:
        """Return whether a frame is meant.

        Parameters
        ----------
        md : Header
            The header as the file has it.
        read : callable
            Called with the name of a column or of a circumstance, returns what the translator makes of it, or None.
        """
        if any(_plain(md.get(keyword)) != _plain(value) for keyword, value in self.cards.items()):
            return False
        if any(not _is_one_of(read(name), wanted) for name, wanted in self.exposures.items()):
            return False
        if self.dates is None:
            return True
        begin = _date(read("date_begin")) or _date(read("dateObs"))
        return begin is not None and self.dates.holds(begin)

    def apply(self, md: Header) -> Header:
        """Return the header as it should have been.

        Parameters
        ----------
        md : Header
            Header that the fix is for; it is not changed.
        """
        copied = {keyword: md[source] for keyword, source in self.copy.items() if source in md}
        return md.changed({**copied, **self.set}, self.remove)


def _plain(value: Any) -> Any:  # noqa: ANN401 - header values are of any type
    return value.strip() if isinstance(value, str) else value


def _is_one_of(value: Any, wanted: tuple[Any, ...]) -> bool:  # noqa: ANN401 - columns are of any type
    if value is None:
        return False
    for item in wanted:
        if isinstance(item, _Span):
            if isinstance(value, int | float) and item.holds(value):
                return True
        elif value == item or str(value) == str(item):
            return True
    return False


def _date(text: object) -> datetime | None:
    try:
        return parse_date(str(text)) if text else None
    except FileFormatError:
        return None


@lru_cache(maxsize=64)
def load_header_fixes(path: Path) -> tuple[HeaderFix, ...]:
    """Read a table of wrong headers.

    Parameters
    ----------
    path : Path
        YAML file; an empty one gives an empty tuple.

    Raises
    ------
    ConfigError
        If it cannot be read or does not make sense; names file and line.
    """
    data, lines = load_yaml(path, error=ConfigError)
    if data is None:
        return ()
    table = _Table(path, lines)
    if not isinstance(data, list):
        table.fault((), f"expected a list of entries, each beginning with '- ', got {_named(data)}")
    return tuple(table.read_fix((number,), entry) for number, entry in enumerate(data))


def _named(value: object) -> str:
    return "a mapping" if isinstance(value, dict) else "a list" if isinstance(value, list) else repr(value)


class _Table:
    """Reads entries; what is wrong is reported with its line."""

    def __init__(self, path: Path, lines: Mapping[YamlPath, int]) -> None:
        self.path, self.lines = path, lines

    def fault(self, place: YamlPath, message: str) -> None:
        keys = ".".join(str(step) for step in place if not isinstance(step, int))
        text = f"{keys}: {message}" if keys else message
        raise ConfigError(text, path=self.path, line=line_of(self.lines, place))

    def read_fix(self, place: YamlPath, entry: object) -> HeaderFix:
        if not isinstance(entry, dict):
            self.fault(place, f"an entry has the keys {', '.join(_KEYS)}; here is {_named(entry)}")
        values: dict[str, Any] = dict(entry)  # type: ignore[call-overload]
        for key in values:
            if key not in _KEYS:
                hint = suggest(str(key), _KEYS)
                self.fault((*place, key), f"this key is unknown{hint}; there are {', '.join(_KEYS)}")
        for group, what in ((_CONDITIONS, "which frames are meant"), (_CHANGES, "what is to be changed")):
            if not any(values.get(key) for key in group):
                self.fault(place, f"the entry does not say {what}: give it {' or '.join(group)}")
        return HeaderFix(
            line=line_of(self.lines, place) or 1,
            dates=self._dates((*place, "dates"), values.get("dates")),
            exposures={
                str(name): self._choices((*place, "exposures", name), wanted)
                for name, wanted in self._mapping((*place, "exposures"), values.get("exposures")).items()
            },
            cards=self._cards((*place, "cards"), values.get("cards")),
            set=self._cards((*place, "set"), values.get("set")),
            copy=self._copies((*place, "copy"), values.get("copy")),
            remove=self._keywords((*place, "remove"), values.get("remove")),
        )

    def _mapping(self, place: YamlPath, value: object) -> dict[Any, Any]:
        if value is not None and not isinstance(value, dict):
            self.fault(place, f"expected a mapping such as {{FILTER: HSC-R}}, got {_named(value)}")
        return dict(value) if isinstance(value, dict) else {}

    def _keyword(self, place: YamlPath, word: object) -> str:
        if not isinstance(word, str) or not _KEYWORD.fullmatch(word):
            self.fault(place, f"{word!r} is not a keyword of a header: capitals, digits, - and _")
        return str(word)

    def _keywords(self, place: YamlPath, value: object) -> tuple[str, ...]:
        words = value if isinstance(value, list) else [] if value is None else [value]
        return tuple(self._keyword(place, word) for word in words)

    def _cards(self, place: YamlPath, value: object) -> dict[str, Any]:
        cards = self._mapping(place, value)
        for keyword, content in cards.items():
            self._keyword((*place, keyword), keyword)
            if isinstance(content, date):
                cards[keyword] = content.isoformat()
            elif not isinstance(content, str | int | float):
                self.fault((*place, keyword), f"a card holds a number, a text or true and false, not {_named(content)}")
        return cards

    def _copies(self, place: YamlPath, value: object) -> dict[str, str]:
        copies = self._mapping(place, value)
        return {
            self._keyword((*place, keyword), keyword): self._keyword((*place, keyword), source)
            for keyword, source in copies.items()
        }

    def _choices(self, place: YamlPath, value: object) -> tuple[Any, ...]:
        return tuple(self._choice(place, item) for item in (value if isinstance(value, list) else [value]))

    def _choice(self, place: YamlPath, item: object) -> Any:  # noqa: ANN401 - columns are of any type
        if isinstance(item, str) and ".." in item:
            ends = [end.strip() for end in item.split("..", 1)]
            if not any(ends) or not all(re.fullmatch(r"-?\d*", end) for end in ends):
                self.fault(place, f"'{item}' is not a range such as 904030..904040")
            low, high = (int(end) if end else None for end in ends)
            return self._span(place, item, low, high)
        if not isinstance(item, str | int | float) or isinstance(item, bool):
            self.fault(place, f"{item!r} is not a value: give one, a range such as 904030..904040, or a list of these")
        return item

    def _span(self, place: YamlPath, text: object, low: Any, high: Any) -> _Span:  # noqa: ANN401 - numbers or dates
        if low is not None and high is not None and low > high:
            self.fault(place, f"'{text}' ends before it begins")
        return _Span(low, high)

    def _dates(self, place: YamlPath, value: object) -> _Span | None:
        if value is None:
            return None
        text = value.isoformat() if isinstance(value, date) else str(value)
        low, dots, high = (part.strip() for part in text.partition(".."))
        ends = (low, high) if dots else (low, low)
        if not any(ends):
            self.fault(place, f"'{text}' is not a span of time such as 2013-01-05..2013-01-12")
        first, last = (self._end(place, end) for end in ends)
        if last is not None and ":" not in ends[1]:
            last += timedelta(days=1) - timedelta(microseconds=1)
        return self._span(place, text, first, last)

    def _end(self, place: YamlPath, text: str) -> datetime | None:
        try:
            return parse_date(text) if text else None
        except FileFormatError as error:
            self.fault(place, f"{error}; a span is written 2013-01-05..2013-01-12")
            return None
