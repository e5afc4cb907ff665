"""What values of header cards mean: numbers with a unit, angles, dates."""

import math
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from obs.errors import FileFormatError

__all__ = ["UNITS", "Unit", "date_to_mjd", "format_date", "mjd_to_date", "parse_date", "read_number"]

_MJD_ZERO = datetime(1858, 11, 17)
_SEXAGESIMAL = re.compile(r"([+-]?)\s*(\d+)[:h\s]\s*(\d+)[:m\s]\s*(\d+(?:\.\d*)?)s?")


@dataclass(frozen=True)
class Unit:
    """A unit in which a header gives a quantity.

    Parameters
    ----------
    standard : str
        The unit in which the engine has it.
    factor, offset : float
        A value in the standard unit is ``factor * value + offset``.
    """

    standard: str
    factor: float = 1.0
    offset: float = 0.0

    def to_standard(self, value: float) -> float:
        """Return a value of the header in the standard unit."""
        return self.factor * value + self.offset

    def from_standard(self, value: float) -> float:
        """Return a value in the unit of the header."""
        return (value - self.offset) / self.factor


#: Units that headers use, by name.
UNITS: dict[str, Unit] = {
    "s": Unit("s"),
    "ms": Unit("s", 1e-3),
    "us": Unit("s", 1e-6),
    "min": Unit("s", 60.0),
    "h": Unit("s", 3600.0),
    "deg": Unit("deg"),
    "hourangle": Unit("deg", 15.0),
    "rad": Unit("deg", 180.0 / math.pi),
    "arcmin": Unit("deg", 1.0 / 60.0),
    "arcsec": Unit("deg", 1.0 / 3600.0),
    "m": Unit("m"),
    "km": Unit("m", 1000.0),
    "C": Unit("C"),
    "K": Unit("C", 1.0, -273.15),
    "F": Unit("C", 5.0 / 9.0, -160.0 / 9.0),
    "Pa": Unit("Pa"),
    "hPa": Unit("Pa", 100.0),
    "mbar": Unit("Pa", 100.0),
    "kPa": Unit("Pa", 1000.0),
    "mmHg": Unit("Pa", 133.322387415),
    "%": Unit("%"),
    "fraction": Unit("%", 100.0),
}


def read_number(value: Any) -> float:  # noqa: ANN401 - header values are of any type
    """Return the number that a card holds, be it as text; ``12:30:00`` is 12.5.

    Raises
    ------
    FileFormatError
        If it holds none.
    """
    if isinstance(value, str):
        match = _SEXAGESIMAL.fullmatch(value.strip())
        if match is not None:
            sign, first, minutes, seconds = match.groups()
            size = int(first) + int(minutes) / 60.0 + float(seconds) / 3600.0
            return -size if sign == "-" else size
    try:
        return float(value)
    except (TypeError, ValueError):
        raise FileFormatError(f"'{value}' is not a number") from None


def parse_date(text: str, *layouts: str) -> datetime:
    """Return a date, UTC or in whatever scale the header has it.

    A date with the offset of a time zone is converted to UTC.

    Parameters
    ----------
    text : str
        The date.
    *layouts : str
        How it may be written, as for `datetime.strptime`; ISO 8601 if none is given.

    Raises
    ------
    FileFormatError
        If it is written in another way, or there is no such date.
    """
    text = text.strip()
    for layout in layouts or (None,):
        try:
            date = datetime.fromisoformat(text) if layout is None else datetime.strptime(text, layout)
            return (date.astimezone(UTC) if date.tzinfo else date).replace(tzinfo=None)
        except ValueError:
            continue
    example = datetime(2020, 9, 4, 21, 30)
    wanted = " or ".join(f"'{example.strftime(layout)}'" for layout in layouts) or "'2020-09-04T21:30:00'"
    raise FileFormatError(f"'{text}' is not a date like {wanted}")


def format_date(date: datetime) -> str:
    """Return a date in ISO 8601, rounded to the millisecond."""
    return (date + timedelta(microseconds=500)).isoformat(timespec="milliseconds")


def mjd_to_date(mjd: float) -> datetime:
    """Return the date of a modified Julian day, to the microsecond.

    Raises
    ------
    FileFormatError
        If it is no day of the calendar.
    """
    try:
        return _MJD_ZERO + timedelta(days=mjd)
    except (OverflowError, ValueError):
        raise FileFormatError(f"{mjd} is not a modified Julian day") from None


def date_to_mjd(date: datetime) -> float:
    """Return the modified Julian day of a date."""
    return (date - _MJD_ZERO) / timedelta(days=1)
