"""When an exposure began, in the many spellings of headers."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from obs.errors import FileFormatError
from obs.instrument.card_values import format_date, mjd_to_date, parse_date, read_number
from obs.scaffold.cards import Card, Cards
from obs.scaffold.finding import Confidence, Finding, less_sure

__all__ = ["DateRule", "find_date", "find_night", "find_time_scale", "read_date"]

_DATES = (
    "DATE-BEG",
    "DATE-OBS",
    "DATEOBS",
    "DATE_OBS",
    "UTDATE",
    "UT-DATE",
    "DATE-UT",
    "UTC-DATE",
    "OBSDATE",
    "DATE-LOC",
)
_TIMES = (
    "UTSTART",
    "UT-STR",
    "UTC-OBS",
    "TIME-BEG",
    "TIME-OBS",
    "TIMEOBS",
    "TIME_OBS",
    "UTSHUT",
    "UTIME",
    "UT",
    "UTC",
    "UT-TIME",
    "EXPSTART",
    "UTCSTART",
    "TAIHMS",
    "TIME",
    "STARTUT",
    "UTOPEN",
    "UT-START",
    "UT_START",
)
_MJD = ("MJD-BEG", "MJD-OBS", "MJD-STR", "MJD_OBS", "MJDSTART", "MJD")
_JD = ("JD-OBS", "JDSTART", "JD", "JULDATE", "JULIAN")
_NIGHTS = ("DTCALDAT", "DAY-OBS", "DAYOBS", "DAY_OBS", "NIGHT", "OBSNIGHT", "DATENIGH")
_ISO = re.compile(r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d*)?)?Z?)?")
_TIME = re.compile(r"\d{1,2}:\d\d:\d\d(\.\d*)?")
_LAYOUTS: tuple[tuple[str, str, Confidence, str], ...] = (
    (r"\d{4}-\d{1,2}-\d{1,2}", "%Y-%m-%d", "certain", ""),
    (r"\d{4}/\d{1,2}/\d{1,2}", "%Y/%m/%d", "certain", ""),
    (r"\d{4}\.\d\d\.\d\d", "%Y.%m.%d", "certain", ""),
    (r"\d{8}", "%Y%m%d", "likely", ""),
    (r"\d{1,2}/\d{1,2}/\d{2}", "%d/%m/%y", "likely", "day/month/year, as FITS had it before 2000"),
    (r"\d{1,2}/\d{1,2}/\d{4}", "%d/%m/%Y", "guess", "day and month may be the other way round"),
    (r"\d{1,2}-[A-Za-z]{3}-\d{4}", "%d-%b-%Y", "certain", ""),
    (r"\d{4} [A-Za-z]{3} \d{1,2}", "%Y %b %d", "certain", ""),
    (r"[A-Za-z]{3} \d{1,2} \d{4}", "%b %d %Y", "certain", ""),
)
_FIRST_YEAR = 1970


@dataclass(frozen=True)
class DateRule:
    """How to read when an exposure began.

    Parameters
    ----------
    kind : {"iso", "layout", "mjd", "jd"}
        Whether the card is ISO 8601, a date in another layout, or a day number.
    date : str
        Keyword of the date or of the day number.
    time : str
        Keyword of the time of day; empty where the date has it, or there is none.
    layout : str
        Layout of the date for `datetime.strptime`.
    """

    kind: str
    date: str
    time: str = ""
    layout: str = "%Y-%m-%d"


def read_date(rule: DateRule, cards: Cards) -> datetime:
    """Return the date that a rule reads from a header.

    Raises
    ------
    FileFormatError
        If it does not fit.
    """
    value = cards.get(rule.date)
    if rule.kind == "mjd":
        return mjd_to_date(read_number(value))
    if rule.kind == "jd":
        return mjd_to_date(read_number(value) - 2400000.5)
    text = str(value).strip()
    if rule.kind == "iso":
        return parse_date(text.removesuffix("Z").rstrip("."))
    day = parse_date(text, rule.layout)
    if not rule.time:
        return day
    time = str(cards.get(rule.time)).strip()
    return parse_date(f"{day.date().isoformat()}T{time}", "%Y-%m-%dT%H:%M:%S.%f", "%Y-%m-%dT%H:%M:%S")


def find_date(cards: Cards) -> tuple[Finding, DateRule | None]:
    """Return when the exposure began, ISO 8601, and the rule that reads it."""
    found: list[tuple[DateRule, datetime, Confidence, str]] = []
    for rule, confidence, note in _candidates(cards):
        try:
            date = read_date(rule, cards)
        except FileFormatError:
            continue
        if _FIRST_YEAR <= date.year <= datetime.now(UTC).year + 1:
            found.append((rule, date, confidence, note))
    if not found:
        return Finding.unknown("date_begin", "no card holds a date that can be"), None
    # One with the time of day comes before those without.
    rule, date, confidence, note = next((item for item in found if _has_time(item[0], cards)), found[0])
    if not _has_time(rule, cards):
        confidence, note = less_sure(confidence, "likely"), _joined(note, "no card holds the time of day")
    others = [other for other in found if other[0].date != rule.date and abs((other[1] - date).total_seconds()) > 86400]
    if others and confidence in ("certain", "likely"):
        other = others[0]
        confidence, note = "guess", _joined(note, f"{other[0].date} says {other[1].date()} instead")
    source = f"{rule.date} + {rule.time}" if rule.time else rule.date
    return Finding("date_begin", format_date(date), source, confidence, note), rule


def _joined(first: str, second: str) -> str:
    return f"{first}; {second}" if first else second


def _has_time(rule: DateRule, cards: Cards) -> bool:
    return rule.kind in ("mjd", "jd") or bool(rule.time) or (rule.kind == "iso" and ":" in str(cards.get(rule.date)))


def _candidates(cards: Cards) -> Iterator[tuple[DateRule, Confidence, str]]:
    time = next((name for name in _TIMES if _is_time(cards.find(name))), "")
    for name in _DATES:
        card = cards.find(name)
        if card is None:
            continue
        local: Confidence = "guess" if name == "DATE-LOC" or "local" in card.comment.lower() else "certain"
        note = "the card may be in local time" if local == "guess" else ""
        if cards.contradicts_itself(name):
            local, note = "guess", f"{name} is there with different values"
        text = str(card.value).strip()
        if _ISO.fullmatch(text) and ":" in text:
            yield DateRule("iso", name), local, note
            continue
        for pattern, layout, confidence, doubt in _LAYOUTS:
            if re.fullmatch(pattern, text):
                sure = less_sure(less_sure(confidence, local), "likely") if time else less_sure(confidence, local)
                if time and layout == "%Y-%m-%d":
                    sure = local  # the two cards together are what FITS had for it
                yield DateRule("layout", name, time, layout), sure, _joined(doubt, note) if note else doubt
                break
    for name in _MJD:
        if cards.find(name) is not None:
            yield DateRule("mjd", name), "likely", ""
    for name in _JD:
        if cards.find(name) is not None:
            yield DateRule("jd", name), "likely", ""
    if cards.find("DATE") is not None and _ISO.fullmatch(str(cards.get("DATE")).strip()):
        yield DateRule("iso", "DATE"), "guess", "that is when the file was written"


def _is_time(card: Card | None) -> bool:
    return card is not None and _TIME.fullmatch(str(card.value).strip()) is not None


def find_night(cards: Cards, begin: Finding) -> Finding:
    """Return the night or day that the observatory files the exposure under, as YYYY-MM-DD."""
    for name in _NIGHTS:
        text = re.sub(r"[-/]", "", str(cards.get(name, "")).strip())
        if re.fullmatch(r"(19|20)\d{6}", text):
            return Finding("observing_day", f"{text[:4]}-{text[4:6]}-{text[6:]}", name)
    if not begin.is_known:
        return Finding.unknown("observing_day")
    note = "the day of the date in the header; no card names the night"
    return Finding("observing_day", str(begin.value)[:10], begin.source, less_sure("likely", begin.confidence), note)


def find_time_scale(cards: Cards) -> Finding:
    """Return the scale in which the header has its times."""
    value = str(cards.get("TIMESYS", "")).strip().upper()
    if value in ("UTC", "TAI", "TT", "UT1"):
        return Finding("time_scale", value, "TIMESYS")
    if value in ("UT", "GMT", "UTC APPROXIMATE"):
        return Finding("time_scale", "UTC", "TIMESYS")
    return Finding("time_scale", "UTC", "", "likely", "no card says; UTC is what FITS takes it for")
