"""What values of header cards mean: numbers with a unit, angles, dates."""

import math
import re
import warnings
from datetime import UTC, datetime, timedelta
from typing import Any

import erfa

from obs.errors import FileFormatError
from obs.filtered_warnings import filtered_warnings
from obs.frozen import frozen

__all__ = [
    "EMPTY_WORDS",
    "UNITS",
    "Unit",
    "date_to_mjd",
    "format_date",
    "ignore_far_years",
    "is_sexagesimal",
    "mjd_to_date",
    "parse_date",
    "read_number",
    "read_seconds",
]

#: Texts that represent no value.
EMPTY_WORDS = frozenset(
    (
        *("", "unknown", "n/a", "na", "none", "undefined", "unspecified", "undef", "null", "nan", "##nodata##"),
        *("not set", "notset", "not available", "unavailable", "unset", "no value", "novalue", "tbd", "invalid"),
        *("?", "-", "--", "---", "xxx", "xxxx", "xxxxxx"),
    )
)

_MJD_ZERO = datetime(1858, 11, 17)
_SEXAGESIMAL = re.compile(r"([+-]?)\s*(\d+)\s*[:hd°\s]\s*(\d+)\s*[:m'\s]\s*(\d+(?:\.\d*)?)\s*(?:s|\")?")
_WITH_UNIT = re.compile(r"([+-]?[\d.]+(?:[eE][+-]?\d+)?)\s*([A-Za-z]+)\.?")
_FRACTION = re.compile(r"(\d+)/([1-9]\d*)")
_DECIMAL_COMMA = re.compile(r"\d+,(\d{1,2}|\d{4,})( *[A-Za-z]+)?")
_TIME_UNITS = {
    **dict.fromkeys(("ns", "nsec", "nanosec", "nanosecond", "nanoseconds"), 1e-9),
    **dict.fromkeys(("us", "usec", "microsec", "microsecond", "microseconds"), 1e-6),
    **dict.fromkeys(("ms", "msec", "millisec", "millisecond", "milliseconds"), 1e-3),
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), 1.0),
    **dict.fromkeys(("m", "min", "mins", "minute", "minutes"), 60.0),
    **dict.fromkeys(("h", "hr", "hrs", "hour", "hours"), 3600.0),
    **dict.fromkeys(("d", "day", "days"), 86400.0),
}
_SIXTY = re.compile(r"(.*[T ]\d{1,2}:\d\d):60(\.\d*)?")
_MIDNIGHT = re.compile(r"(\d{4}-\d\d-\d\d)[T ]24:00(?::00(?:\.0*)?)?")
_SCALE_WORDS = re.compile(r"\s*(UTC?|GMT|TAI|TT|(?<=\d)Z)$")
_FRACTION_OF_SECOND = re.compile(r"(?<=\d\d)[.,](\d*)(?=\s*(?:[AP]M)?$)", re.I)


@frozen
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
        """Return a value of the header in the standard unit.

        Parameters
        ----------
        value : float
            Value in this unit.
        """
        return self.factor * value + self.offset

    def from_standard(self, value: float) -> float:
        """Return a value in the unit of the header.

        Parameters
        ----------
        value : float
            Value in the standard unit.
        """
        return (value - self.offset) / self.factor


#: Units that headers use, by name.
UNITS: dict[str, Unit] = {
    "s": Unit("s"),
    "ns": Unit("s", 1e-9),
    "ms": Unit("s", 1e-3),
    "us": Unit("s", 1e-6),
    "min": Unit("s", 60.0),
    "h": Unit("s", 3600.0),
    "d": Unit("s", 86400.0),
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

    Parameters
    ----------
    value : object
        Value of a card: a number, a text of one, or a sexagesimal text.

    Raises
    ------
    FileFormatError
        If it holds none.
    """
    if isinstance(value, str):
        match = _SEXAGESIMAL.fullmatch(value.strip())
        if match is not None:
            sign, first, minutes, seconds = match.groups()
            if int(minutes) > 60 or float(seconds) > 60.0:  # 60 itself comes of rounding
                raise FileFormatError(f"'{value}' has more than 60 minutes or seconds")
            size = int(first) + int(minutes) / 60.0 + float(seconds) / 3600.0
            return -size if sign == "-" else size
    if isinstance(value, bool):
        raise FileFormatError(f"{'T' if value else 'F'} is a logical value, not a number")
    try:
        return float(value)
    except (TypeError, ValueError):
        raise FileFormatError(f"'{value}' is not a number") from None


def read_whole(value: Any) -> int:  # noqa: ANN401 - header values are of any type
    """Return the whole number that a card holds, be it as text.

    Parameters
    ----------
    value : object
        Value of a card.

    Raises
    ------
    FileFormatError
        If it holds none.
    """
    number = read_number(value)
    if not number.is_integer():
        raise FileFormatError(f"{number:g} is not a whole number")
    return int(number)


def is_sexagesimal(value: object) -> bool:
    """Whether a card holds hours or degrees, minutes and seconds.

    Parameters
    ----------
    value : object
        Value of a card, for example "12:30:00".
    """
    return isinstance(value, str) and _SEXAGESIMAL.fullmatch(value.strip()) is not None


def read_seconds(value: Any, unit: str = "s") -> float:  # noqa: ANN401 - header values are of any type
    """Return the seconds that a card holds: a number in a unit, ``30 s``, ``1/125``, or hours, minutes and seconds.

    Parameters
    ----------
    value : object
        Value of a card. A decimal comma is allowed.
    unit : str, default: "s"
        Unit of a number, and of a fraction such as ``1/125``. A unit in the text counts before it.

    Returns
    -------
    float
        Seconds.

    Raises
    ------
    FileFormatError
        If it holds no time.
    """
    if is_sexagesimal(value):
        return 3600.0 * read_number(value)
    if isinstance(value, str) and (parts := _FRACTION.fullmatch(value.strip())) is not None:
        return UNITS[unit].to_standard(float(parts[1]) / float(parts[2]))
    if isinstance(value, str) and _DECIMAL_COMMA.fullmatch(value.strip()):
        value = value.replace(",", ".")
    match = _WITH_UNIT.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is not None and (factor := _TIME_UNITS.get(match[2].lower())) is not None:
        return factor * read_number(match[1])
    return UNITS[unit].to_standard(read_number(value))


def parse_date(text: str, *layouts: str) -> datetime:
    """Return a date, UTC or in whatever scale the header has it; one with a time zone becomes that of UTC.

    Seconds of 60, as programs write them that round, and the hour 24 are those of the next minute and day. In a leap
    second the date has the second 59 and ``fold=1``: what is computed from it is right from the next second on.

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
            date = _parse_iso(text) if layout is None else _parse_layout(text, layout)
            return date if date.tzinfo is None else date.astimezone(UTC).replace(tzinfo=None)
        except ValueError:
            continue
    example = datetime(2020, 9, 4, 21, 30)
    wanted = " or ".join(f"'{example.strftime(layout)}'" for layout in layouts) or "'2020-09-04T21:30:00'"
    raise FileFormatError(f"'{text}' is not a date like {wanted}")


def _parse_layout(text: str, layout: str) -> datetime:
    """Return a date in a layout, whose last number may have a fraction where it is that of seconds."""
    text = _SCALE_WORDS.sub("", " ".join(text.split()))
    fraction = _FRACTION_OF_SECOND.search(text) if "%S" in layout and "%f" not in layout else None
    if fraction is None:
        return datetime.strptime(text, layout)
    whole = datetime.strptime(text[: fraction.start()] + text[fraction.end() :], layout)
    return whole + timedelta(seconds=float(f"0.{fraction[1]}"))


def _parse_iso(text: str) -> datetime:
    text = _SCALE_WORDS.sub("", text)
    if (midnight := _MIDNIGHT.fullmatch(text)) is not None:
        return datetime.fromisoformat(midnight[1]) + timedelta(days=1)
    if (sixty := _SIXTY.fullmatch(text)) is not None:
        last = datetime.fromisoformat(f"{sixty[1]}:59{sixty[2] or ''}")
        return last.replace(fold=1) if _has_leap_second(last) else last + timedelta(seconds=1)
    return datetime.fromisoformat(text.rstrip("."))


def ignore_far_years() -> None:
    """Do not warn of years beyond the known leap seconds, which then have none."""
    warnings.simplefilter("ignore", erfa.ErfaWarning)


def _has_leap_second(date: datetime) -> bool:
    """Whether UTC had a leap second behind a second of 59."""
    if (date.hour, date.minute) != (23, 59) or (date.month, date.day) not in ((6, 30), (12, 31)):
        return False
    following = date + timedelta(days=1)
    with filtered_warnings(ignore_far_years):
        before, after = (float(erfa.dat(day.year, day.month, day.day, 0.0)) for day in (date, following))
    return after - before > 0.5


def format_date(date: datetime) -> str:
    """Return a date in ISO 8601, rounded to the millisecond; one of a leap second has seconds of 60.

    Parameters
    ----------
    date : datetime
        A date; ``fold`` is 1 within a leap second.
    """
    if date.fold:
        return f"{date:%Y-%m-%dT%H:%M}:60.{min(round(date.microsecond / 1000), 999):03d}"
    return (date + timedelta(microseconds=500)).isoformat(timespec="milliseconds")


def mjd_to_date(mjd: float) -> datetime:
    """Return the date of a modified Julian day, to the microsecond.

    Parameters
    ----------
    mjd : float
        Modified Julian day, days.

    Raises
    ------
    FileFormatError
        If it is not a day of the calendar.
    """
    try:
        return _MJD_ZERO + timedelta(days=mjd)
    except (OverflowError, ValueError):
        raise FileFormatError(f"{mjd} is not a modified Julian day") from None


def date_to_mjd(date: datetime) -> float:
    """Return the modified Julian day of a date.

    Parameters
    ----------
    date : datetime
        Date, in the time scale in which the result is meant.
    """
    return (date - _MJD_ZERO) / timedelta(days=1)
