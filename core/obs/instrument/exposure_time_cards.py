"""Cards that give the exposure time, in headers of any origin."""

import math
from collections.abc import Mapping
from typing import Any

from obs.errors import FileFormatError
from obs.instrument.card_values import read_number

__all__ = ["card_number", "exposure_seconds"]

#: Names of the exposure time and the seconds in their unit, the surest first.
_CARDS = {
    "EXPTIME": 1.0,
    "EXPOSURE": 1.0,
    "XPOSURE": 1.0,
    "EFFEXPTM": 1.0,
    "TEXPTIME": 1.0,
    "EXP_TIME": 1.0,
    "EXP-TIME": 1.0,
    "EXPOTIME": 1.0,
    "ITIME": 1.0,
    "TELAPSE": 1.0,
    "ELAPTIME": 1.0,
    "INTTIME": 1.0,
    "EXPMSEC": 1e-3,
}


def exposure_seconds(header: Mapping[str, Any]) -> float:
    """Return the exposure time that the first of the usual cards gives, s; 0 if none does.

    Parameters
    ----------
    header : mapping
        Card name to value.
    """
    return next((value * unit for name, unit in _CARDS.items() if (value := card_number(header, name)) > 0), 0.0)


def card_number(header: Mapping[str, Any], name: str) -> float:
    """Return the number that a card gives; NaN if it is missing or no number.

    Parameters
    ----------
    header : mapping
        Card name to value.
    name : str
        Keyword.
    """
    value = header.get(name)
    if value is None or isinstance(value, bool):
        return math.nan
    try:
        return read_number(value)
    except FileFormatError:
        return math.nan
