"""How texts of header cards write dates, with or without the time of day."""

import re
from collections.abc import Iterator
from typing import NamedTuple

from obs.inspection.finding import Confidence

__all__ = ["EITHER", "NO_SUCH_MONTH", "DateLayout", "find_layouts"]


class DateLayout(NamedTuple):
    """One way in which a text is a date.

    Parameters
    ----------
    layout : str
        As for `datetime.strptime`.
    confidence : {"certain", "likely", "guess"}
        How sure it is that the date is meant so.
    note : str
        Why it is not certain.
    has_time : bool
        Whether the time of day is in it.
    """

    layout: str
    confidence: Confidence
    note: str
    has_time: bool


EITHER = "day and month may be the other way round"
NO_SUCH_MONTH = "month/day/year: no month has that number"
_DAYS: tuple[tuple[str, str, Confidence, str], ...] = (
    (r"\d{4}-\d{1,2}-\d{1,2}", "%Y-%m-%d", "certain", ""),
    (r"\d{4}/\d{1,2}/\d{1,2}", "%Y/%m/%d", "certain", ""),
    (r"\d{4} \d{1,2} \d{1,2}", "%Y %m %d", "certain", ""),
    (r"\d{4}[.]\d\d[.]\d\d", "%Y.%m.%d", "certain", ""),
    (r"\d{4}:\d\d:\d\d", "%Y:%m:%d", "certain", ""),
    (r"\d{8}", "%Y%m%d", "likely", ""),
    (r"\d{1,2}/\d{1,2}/\d{2}", "%d/%m/%y", "likely", "day/month/year, as FITS had it before 2000"),
    (r"\d{1,2}/\d{1,2}/\d{2}", "%m/%d/%y", "guess", NO_SUCH_MONTH),
    (r"\d{2}-\d{2}-\d{2}", "%y-%m-%d", "guess", EITHER),
    (r"\d{1,2}/\d{1,2}/\d{4}", "%d/%m/%Y", "guess", EITHER),
    (r"\d{1,2}-\d{1,2}-\d{4}", "%d-%m-%Y", "guess", EITHER),
    (r"\d{1,2}[.]\d{1,2}[.]\d{4}", "%d.%m.%Y", "guess", EITHER),
    (r"\d{1,2}/\d{1,2}/\d{4}", "%m/%d/%Y", "guess", NO_SUCH_MONTH),
    (r"\d{1,2}-[A-Za-z]{3}-\d{4}", "%d-%b-%Y", "certain", ""),
    (r"\d{4}-[A-Za-z]{3}-\d{1,2}", "%Y-%b-%d", "certain", ""),
    (r"\d{1,2}-[A-Za-z]{3}-\d{2}", "%d-%b-%y", "likely", ""),
    (r"\d{1,2}[A-Za-z]{3}\d{2}", "%d%b%y", "likely", ""),
    (r"\d{1,2}[A-Za-z]{3}\d{4}", "%d%b%Y", "certain", ""),
    (r"\d{1,2} [A-Za-z]{3} \d{4}", "%d %b %Y", "certain", ""),
    (r"\d{4} [A-Za-z]{3} \d{1,2}", "%Y %b %d", "certain", ""),
    (r"[A-Za-z]{3} \d{1,2} \d{4}", "%b %d %Y", "certain", ""),
    (r"[A-Za-z]{3} \d{1,2}, \d{4}", "%b %d, %Y", "certain", ""),
    (r"[A-Za-z]{4,9} \d{1,2}, \d{4}", "%B %d, %Y", "certain", ""),
    (r"[A-Za-z]{3},? \d{1,2} [A-Za-z]{3} \d{4}", "%a %d %b %Y", "certain", ""),
    (r"[A-Za-z]{3} [A-Za-z]{3} \d{1,2} \d{4}", "%a %b %d %Y", "certain", ""),
    (r"\d{4}-\d{3}", "%Y-%j", "likely", "the day of the year"),
    (r"\d{7}", "%Y%j", "likely", "the day of the year"),
)
_TIMES = (
    (r"\d{1,2}:\d{1,2}:\d{1,2}(?:[.,]\d+)?", "%H:%M:%S"),
    (r"\d{1,2}:\d\d:\d\d(?:[.,]\d+)? ?[AaPp][Mm]", "%I:%M:%S %p"),
    (r"\d\d-\d\d-\d\d", "%H-%M-%S"),
    (r"\d{6}(?:[.,]\d+)?", "%H%M%S"),
    (r"\d{1,2}:\d\d", "%H:%M"),
)
_BETWEEN = (" ", "T", "_", "-", ", ", ":")
_WHOLE: tuple[tuple[str, str], ...] = (
    (r"\d{14}(?:[.,]\d+)?", "%Y%m%d%H%M%S"),
    (r"\d{4}:\d{3}:\d\d:\d\d:\d\d(?:[.,]\d+)?", "%Y:%j:%H:%M:%S"),
    (r"[A-Za-z]{3} [A-Za-z]{3} \d{1,2} \d\d:\d\d:\d\d \d{4}", "%a %b %d %H:%M:%S %Y"),
)
_ZONE = r"(?: ?(?:UTC?|GMT|Z))?"


def find_layouts(text: str) -> Iterator[DateLayout]:
    """Yield the ways in which a text is a date, those first that are likelier.

    Parameters
    ----------
    text : str
        The value of the card. Whether the numbers are those of a date is not looked at.
    """
    text = " ".join(text.split())
    for pattern, layout in _WHOLE:
        if re.fullmatch(pattern + _ZONE, text):
            yield DateLayout(layout, "likely" if "%j" in layout else "certain", "", has_time=True)
    found = [*_days(text), *_days_with_times(text)]
    if "%p" in "".join(layout.layout for layout in found):  # who writes AM and PM writes the month first, mostly
        found.sort(key=lambda layout: not layout.layout.startswith("%m"))
        found = [f._replace(note=EITHER) if f.layout.startswith("%m/%d/%Y") else f for f in found]
    yield from found


def _days(text: str) -> Iterator[DateLayout]:
    for pattern, layout, confidence, note in _DAYS:
        if re.fullmatch(pattern, text):
            yield DateLayout(layout.replace("%a %d", "%a, %d") if "," in text[:4] else layout, confidence, note, False)


def _days_with_times(text: str) -> Iterator[DateLayout]:
    for pattern, layout in _TIMES:
        match = re.fullmatch(rf"(.*?\d)({'|'.join(_BETWEEN)})({pattern}){_ZONE}", text)
        if match is None:
            continue
        for day in _days(match[1]):
            clock = layout if " " in match[3] else layout.replace(" %p", "%p")
            yield DateLayout(f"{day.layout}{match[2]}{clock}", day.confidence, day.note, True)
