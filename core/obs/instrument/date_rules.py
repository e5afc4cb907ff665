"""How cards tell when an exposure began."""

import math
import re
from datetime import datetime, timedelta
from typing import Any, Protocol

from obs.errors import FileFormatError
from obs.frozen import frozen
from obs.instrument.card_values import date_to_mjd, format_date, is_sexagesimal, mjd_to_date, parse_date, read_number

__all__ = ["CardReader", "DateRule"]

_UNIX_ZERO = datetime(1970, 1, 1)
_JD_OF_MJD = 2400000.5
_TIME_UNITS = {"h": 3600.0, "min": 60.0, "s": 1.0}
_UNIX = {"unix": 1.0, "unix_ms": 1e-3, "unix_us": 1e-6, "unix_ns": 1e-9}
_CLOCK = re.compile(r"(\d{1,2})[: .-](\d\d)(?:[: .-](\d\d(?:[.,]\d*)?))?\s*([AP]M)?", re.I)
_PACKED = re.compile(r"(\d{1,2})(\d\d)(\d\d(?:[.]\d*)?)")
_SCALE_WORDS = re.compile(r"\s*(?:UTC?|GMT|Z)$")
_HALF_DAY = timedelta(hours=12)
_DAY = timedelta(days=1)
_WHOLE_SECONDS = re.compile(r"%S(?= ?%p$|$)")
_PART = {"begin": 0.0, "middle": 0.5, "end": 1.0}


class CardReader(Protocol):
    """Header cards by keyword, for rules of dates."""

    def get(self, key: str, /) -> Any:  # noqa: ANN401 - header values are of any type
        """Return the value of a card; None where there is none.

        Parameters
        ----------
        key : str
            Keyword.
        """


@frozen
class DateRule:
    """One way in which a header tells when an exposure began.

    Parameters
    ----------
    date : str
        Keyword of the date, or of the number of the day.
    time : str
        Keyword of the time of day; empty where the date has it, or there is none.
    layout : str
        ``iso``; ``mjd``, ``jd``, ``unix`` (seconds since 1970), ``unix_ms``, ``unix_us`` or ``unix_ns`` for numbers;
        else the layout of the date for `datetime.strptime`.
    time_unit : {"", "h", "min", "s", "hhmmss"}
        Unit of a time of day that is a number, or its six digits; empty for hours, minutes and seconds.
    moment : {"begin", "middle", "end"}
        When in the exposure that is; with the exposure time, its begin follows.
    add : float
        Seconds to add: of a clock that has another time zone, or another time scale.
    is_local : bool
        Whether the date is in local time, and the time of day in UT: the day is that which brings both closest.
    """

    date: str
    time: str = ""
    layout: str = "iso"
    time_unit: str = ""
    moment: str = "begin"
    add: float = 0.0
    is_local: bool = False

    @property
    def has_time(self) -> bool:
        """Whether it reads the time of day: of texts in ISO 8601, which may be without, that is assumed."""
        return bool(self.time) or "%" not in self.layout or "%H" in self.layout or "%I" in self.layout

    def read(self, cards: CardReader, exposure_time: float = math.nan) -> datetime:
        """Return when the exposure began.

        Parameters
        ----------
        cards : CardReader
            The header.
        exposure_time : float
            Seconds; needed where the cards tell the middle or the end.

        Raises
        ------
        FileFormatError
            If the cards are not there, or do not hold a date in this way.
        """
        stated = self._stated(cards)
        stated = stated + timedelta(seconds=self.add) if self.add else stated  # a sum forgets a leap second
        part = _PART[self.moment]
        if not part:
            return stated
        if not 0.0 <= exposure_time < math.inf:
            raise FileFormatError(f"{self.date} gives the {self.moment} of an exposure whose length is not known")
        return stated - timedelta(seconds=part * exposure_time)

    def _stated(self, cards: CardReader) -> datetime:
        value = cards.get(self.date)
        if value is None or value == "" or isinstance(value, bool):
            raise FileFormatError(f"the header does not have {self.date}")
        try:
            if self.layout in ("mjd", "jd"):
                return mjd_to_date(read_number(value) - (_JD_OF_MJD if self.layout == "jd" else 0.0))
            if self.layout in _UNIX:
                return _UNIX_ZERO + timedelta(seconds=_UNIX[self.layout] * read_number(value))
            text = str(value).strip()
            date = parse_date(text) if self.layout == "iso" else parse_date(text, self.layout)
        except (FileFormatError, OverflowError) as error:
            raise FileFormatError(f"{self.date} = {error}") from None
        return date if not self.time else self._on_day(date, self._time_of_day(cards))

    def _on_day(self, date: datetime, time: timedelta) -> datetime:
        stated = date.replace(hour=0, minute=0, second=0, microsecond=0) + time
        if not self.is_local:
            return stated
        return stated + _DAY * ((date - stated > _HALF_DAY) - (stated - date > _HALF_DAY))

    def _time_of_day(self, cards: CardReader) -> timedelta:
        value = cards.get(self.time)
        if value is None or value == "" or isinstance(value, bool):
            raise FileFormatError(f"the header does not have {self.time}")
        text = _SCALE_WORDS.sub("", str(value).strip()).rstrip(".")
        if self.time_unit == "hhmmss":
            seconds = _seconds_of(_PACKED.fullmatch(text.partition(".")[0].zfill(6) + "".join(text.partition(".")[1:])))
        elif self.time_unit:
            seconds = _TIME_UNITS[self.time_unit] * read_number(text)
        elif (clock := _CLOCK.fullmatch(text)) is not None:
            seconds = _seconds_of(clock)
        elif is_sexagesimal(text):
            seconds = 3600.0 * read_number(text)
        else:
            seconds = math.nan
        if not 0.0 <= seconds < 86401.0:
            raise FileFormatError(f"{self.time} = '{text}' is not a time of day")
        return timedelta(seconds=round(seconds, 6))

    def write(self, begin: datetime, exposure_time: float) -> dict[str, Any]:
        """Return cards that tell when an exposure began: what `read` reads.

        Parameters
        ----------
        begin : datetime
            Begin of the exposure, UTC.
        exposure_time : float
            Seconds; needed if the cards contain the middle or the end. Values that are not finite count as 0.
        """
        lasted = exposure_time if 0.0 <= exposure_time < math.inf else 0.0
        stated = begin + timedelta(seconds=_PART[self.moment] * lasted - self.add)
        if self.layout in ("mjd", "jd"):
            return {self.date: date_to_mjd(stated) + (_JD_OF_MJD if self.layout == "jd" else 0.0)}
        if self.layout in _UNIX:
            return {self.date: (stated - _UNIX_ZERO) / timedelta(seconds=_UNIX[self.layout])}
        time = stated - stated.replace(hour=0, minute=0, second=0, microsecond=0)
        layout = _WHOLE_SECONDS.sub("%S.%f", self.layout)
        text = format_date(stated) if self.layout == "iso" else stated.strftime(layout)
        if not self.time:
            return {self.date: text}
        if self.time_unit == "hhmmss":
            return {self.date: text, self.time: stated.strftime("%H%M%S.%f")}
        number = round(time.total_seconds() / _TIME_UNITS.get(self.time_unit, 1.0), 9)
        return {self.date: text, self.time: number if self.time_unit else stated.strftime("%H:%M:%S.%f")}

    def __str__(self) -> str:
        return f"{self.date} + {self.time}" if self.time else self.date


def _seconds_of(clock: re.Match[str] | None) -> float:
    """Return the seconds of the day of hours, minutes, seconds, and AM or PM; nan where there are none."""
    if clock is None:
        return math.nan
    hours, minutes, seconds, *half = clock.groups()
    if int(minutes) > 60 or float((seconds or "0").replace(",", ".")) > 60.0:  # 60 itself comes of rounding
        return math.nan
    shown = int(hours)
    if half and half[0]:
        if not 1 <= shown <= 12:
            return math.nan
        shown = shown % 12 + 12 * (half[0].upper() == "PM")
    return 3600.0 * shown + 60.0 * int(minutes) + float((seconds or "0").replace(",", "."))
