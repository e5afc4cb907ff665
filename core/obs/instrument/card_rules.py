"""From a card to a value: by a rule of a translator's table, as a type, and what follows from begin and duration."""

import math
import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from obs.errors import FileFormatError
from obs.instrument.card_values import EMPTY_WORDS, UNITS, format_date, parse_date, read_number, read_seconds
from obs.instrument.comment_units import unit_card
from obs.instrument.header import Header
from obs.instrument.translator_tables import SingleRule, split_rule

__all__ = ["cast_value", "derive_dates", "read_rule"]

#: Seconds in a year: a longer exposure time is an error of the header.
_LONGEST_EXPOSURE = 3.2e7
_WHOLE = re.compile(r"[+-]?\d+")


def read_rule(rule: SingleRule, md: Header) -> Any:  # noqa: ANN401 - columns are of any type
    """Return what the card of a rule tells, in its standard unit; the rule's default where it tells nothing.

    Parameters
    ----------
    rule : str or tuple
        Keyword, or keyword and options: ``unit``, ``by_comment``, ``times`` (keyword of a factor) and ``default``.
    md : Header
        The header.

    Raises
    ------
    FileFormatError
        If the card holds no number where one is due.
    """
    keyword, options = split_rule(rule)
    value = md.get(keyword)
    if value is None or value == "" or (isinstance(value, str) and value.strip().lower() in EMPTY_WORDS):
        return options.get("default")
    if "unit" not in options:
        return value
    unit = md.get(unit_card(keyword), options["unit"]) if options.get("by_comment") else options["unit"]
    try:
        number = (
            read_seconds(value, unit) if UNITS[unit].standard == "s" else UNITS[unit].to_standard(read_number(value))
        )
        return number * read_number(md.get(options["times"], 1)) if "times" in options else number
    except FileFormatError as error:
        raise FileFormatError(f"{keyword} = {error}") from None


def cast_value(value: Any, kind: type) -> Any:  # noqa: ANN401 - columns are of any type
    """Return a value as int, float or text; None for a NaN that is to be an int.

    Parameters
    ----------
    value : object
        Value of a card.
    kind : type
        ``int``, ``float`` or ``str``.

    Raises
    ------
    FileFormatError
        If it is not a number, or no whole one, where one is due, or a logical value.
    """
    if kind is str:
        if isinstance(value, bool):
            raise FileFormatError(f"{'T' if value else 'F'} is a logical value, not a text")
        return str(value).strip()
    if kind is int and isinstance(value, int | str) and _WHOLE.fullmatch(str(value).strip()):
        return int(value)  # not by way of a float, which has 53 bits
    if kind is int and isinstance(value, bool):
        return int(value)  # a switch
    number = read_number(value)
    if kind is float:
        return number
    if number != number:
        return None
    if not math.isfinite(number) or number != int(number):
        raise FileFormatError(f"{number:g} is not a whole number")
    return int(number)


def derive_dates(known: Mapping[str, Any]) -> dict[str, str]:
    """Return the middle and the end of an exposure whose begin and duration are known.

    Parameters
    ----------
    known : mapping
        Circumstances: ``date_begin`` in ISO 8601, and ``exposure_time`` in seconds.

    Returns
    -------
    dict of str to str
        ``date_avg`` and ``date_end`` in ISO 8601; empty if begin or duration is not known.
    """
    begin, seconds = known.get("date_begin"), known.get("exposure_time", float("nan"))
    if not begin or not 0 <= seconds < _LONGEST_EXPOSURE:
        return {}
    start, length = parse_date(begin), timedelta(seconds=seconds)
    return {"date_avg": format_date(start + length / 2), "date_end": format_date(start + length)}
