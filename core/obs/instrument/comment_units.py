"""Units of time that the comments of cards name, for files of one camera that do not all use the same."""

import re

__all__ = ["find_time_unit", "unit_card"]

_UNITS = (
    (re.compile(r"\b(ms|msecs?|milli-?s\w*)\b", re.I), "ms"),
    (re.compile(r"\b(us|usecs?|micro-?s\w*)\b", re.I), "us"),
    (re.compile(r"\b(ns|nsecs?|nano-?s\w*)\b", re.I), "ns"),
    (re.compile(r"(?<!\w)(min|minutes?)\b(?!imum)", re.I), "min"),
    (re.compile(r"[\[(]\s*h(rs?|ours?)?\s*[\])]|\b(in )?hours?\b|\bhrs?\b", re.I), "h"),
    (re.compile(r"[\[(]\s*d(ays?)?\s*[\])]|\bin days?\b", re.I), "d"),
)


def find_time_unit(comment: str) -> str:
    """Return the unit of time other than the second that a comment names; empty if it names none.

    Parameters
    ----------
    comment : str
        Comment of a card, for example "exposure time (ms)".
    """
    return next((unit for pattern, unit in _UNITS if pattern.search(comment)), "")


def unit_card(keyword: str) -> str:
    """Return the keyword, which no card can have, of the unit that the comment of a card names."""
    return f"(unit of {keyword})"
