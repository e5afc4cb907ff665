"""When and for how long an image was exposed, from headers of any origin."""

import math
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from obs.errors import FileFormatError
from obs.image.visit_info import VISIT_INFO_CARDS, VisitInfo
from obs.instrument.card_values import format_date, mjd_to_date, parse_date
from obs.instrument.exposure_time_cards import card_number, exposure_seconds

__all__ = ["infer_visit_info"]

_TIMES = ("TIME-OBS", "UTC-OBS", "UTSTART", "UT-START", "UT", "UTC", "TIME-BEG")
_DAYS = ("DATE-BEG", "DATE-OBS", "DATE_OBS", "DATEOBS")
_MJDS = ("MJD-BEG", "MJD-OBS", "MJD_OBS", "MJD-STR", "EXPSTART")


def infer_visit_info(header: Mapping[str, Any]) -> VisitInfo | None:
    """Return when and for how long an image was exposed, or None if the header has nothing of it.

    Dates with an offset of a time zone are converted to UTC. The begin comes from DATE-OBS (with TIME-OBS or the like
    where it is a day) or MJD-OBS, middle and end from the begin and the exposure time, unless cards give them.

    Parameters
    ----------
    header : mapping
        Card name to value.

    Returns
    -------
    VisitInfo or None
    """
    info = VisitInfo.from_header(header)
    time = exposure_seconds(header)
    begin = _begin(header)
    if begin is None and not time and VISIT_INFO_CARDS.isdisjoint(header):
        return None
    seconds = time if time > 0 else math.nan
    middle, end = _date(info.date_avg), _date(info.date_end)
    if begin is not None and time > 0:
        middle = middle or begin + timedelta(seconds=time / 2)
        end = end or begin + timedelta(seconds=time)
    dates = {"date_begin": begin, "date_avg": middle, "date_end": end}
    known: dict[str, Any] = {name: format_date(date) if date is not None else "" for name, date in dates.items()}
    return replace(info, exposure_time=seconds, **known)


def _begin(header: Mapping[str, Any]) -> datetime | None:
    """Return the begin of the exposure."""
    for name in _DAYS:
        text = header.get(name)
        if not isinstance(text, str) or not text.strip():
            continue
        if "T" not in text and ":" not in text:
            clock = next((header[card] for card in _TIMES if isinstance(header.get(card), str)), "")
            joined = _date(f"{text.strip()}T{clock.strip()}") if clock else None
            if joined is not None:
                return joined
            mjd = _from_mjd(header)
            if mjd is not None:
                return mjd
        date = _date(text)
        if date is not None:
            return date
    return _from_mjd(header)


def _from_mjd(header: Mapping[str, Any]) -> datetime | None:
    mjd = next((value for name in _MJDS if (value := card_number(header, name)) > 0), 0.0)
    try:
        return mjd_to_date(mjd) if mjd else None
    except FileFormatError:
        return None


def _date(text: str) -> datetime | None:
    """Return a date, in UTC where it gives the offset of its time zone."""
    try:
        return parse_date(text.strip().rstrip("."))
    except FileFormatError:
        return None
