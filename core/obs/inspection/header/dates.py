"""When an exposure began, in the many spellings of headers."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime

from obs.errors import FileFormatError
from obs.inspection.cards import Card, Cards
from obs.inspection.finding import Confidence, Finding, lower_confidence
from obs.instrument.card_values import format_date, mjd_to_date, parse_date, read_number

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
    "DATE_BEG",
    "DATE-STR",
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
    "UT_OBS",
    "UT-OBS",
    "UTOBS",
    "UTC_OBS",
    "OBSTIME",
    "TIME-STR",
)
_MJD = ("MJD-BEG", "MJD-OBS", "MJD-STR", "MJD_OBS", "MJDSTART", "OBSMJD", "MJDATE", "MJD")
_JD = ("JD-OBS", "JDSTART", "OBSJD", "JD", "JULDATE", "JULIAN")
_NIGHTS = ("DTCALDAT", "DAY-OBS", "DAYOBS", "DAY_OBS", "NIGHT", "OBSNIGHT", "DATENIGH")
_ISO = re.compile(r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d*)?)?Z?)?")
_TIME = re.compile(r"\d{1,2}:\d\d:\d\d(\.\d*)?")
_LAYOUTS: tuple[tuple[str, str, Confidence, str], ...] = (
    (r"\d{4}-\d{1,2}-\d{1,2}", "%Y-%m-%d", "certain", ""),
    (r"\d{4}/\d{1,2}/\d{1,2}", "%Y/%m/%d", "certain", ""),
    (r"\d{4}\.\d\d\.\d\d", "%Y.%m.%d", "certain", ""),
    (r"\d{8}", "%Y%m%d", "likely", ""),
    (r"\d{1,2}/\d{1,2}/\d{2}", "%d/%m/%y", "likely", "day/month/year, as FITS had it before 2000"),
    (r"\d{1,2}/\d{1,2}/\d{2}", "%m/%d/%y", "guess", "month/day/year: no month has that number"),
    (r"\d{1,2}/\d{1,2}/\d{4}", "%d/%m/%Y", "guess", "day and month may be the other way round"),
    (r"\d{1,2}-\d{1,2}-\d{4}", "%d-%m-%Y", "guess", "day and month may be the other way round"),
    (r"\d{1,2}/\d{1,2}/\d{4}", "%m/%d/%Y", "guess", "month/day/year: no month has that number"),
    (r"\d{1,2}-[A-Za-z]{3}-\d{4}", "%d-%b-%Y", "certain", ""),
    (r"\d{4} [A-Za-z]{3} \d{1,2}", "%Y %b %d", "certain", ""),
    (r"[A-Za-z]{3} \d{1,2} \d{4}", "%b %d %Y", "certain", ""),
)
_FIRST_YEAR = 1970
_NOT_SET = date(1970, 1, 1)  # the zero of computers' clocks
_NOT_THE_BEGIN = re.compile(r"\b(mid|middle|typical|average|mean|end)\b", re.I)


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


@dataclass(frozen=True)
class _Candidate:
    """A date that a header may mean."""

    rule: DateRule
    date: datetime
    confidence: Confidence
    note: str
    has_time: bool


_HOUR, _DAY = 3600.0, 86400.0
_LOCAL = "local time"
_AT_ONCE = 90.0  # s, from the end of an exposure to its file
_ZONES = 12  # h


def find_date(cards: Cards) -> tuple[Finding, DateRule | None]:
    """Return when the exposure began, ISO 8601, and the rule that reads it.

    Parameters
    ----------
    cards : Cards
        The header.
    """
    odd: list[str] = []
    found = list(_candidates(cards, odd))
    if not found:
        return Finding.unknown("date_begin", odd[0] if odd else "no card holds a date that can be"), None
    # One with the time of day comes before those without.
    best = next((candidate for candidate in found if candidate.has_time), found[0])
    confidence, note = best.confidence, best.note
    if not best.has_time:
        confidence, note = lower_confidence(confidence, "likely"), _joined(note, "no card holds the time of day")
    if odd:
        confidence, note = lower_confidence(confidence, "likely"), _joined(note, odd[0])
    against = next((other for other in found if _disagrees(best, other)), None)
    if against is not None:
        confidence = "guess"
        text = format_date(against.date)[:19] if against.has_time else against.date.date().isoformat()
        note = _joined(note, f"{against.rule.date} says {text}")
    hours = _hours_to_the_file(cards, best)
    if hours:
        confidence = "guess"
        note = _joined(note, f"DATE, when the file was written, is {hours} h later: perhaps this is local time")
    rule = best.rule
    source = f"{rule.date} + {rule.time}" if rule.time else rule.date
    return Finding("date_begin", format_date(best.date), source, confidence, note), rule


def _hours_to_the_file(cards: Cards, best: _Candidate) -> int:
    """Return by how many whole hours the file was written after the end of the exposure: those of a time zone.

    0 where it was written at once, or at any other time.
    """
    text = str(cards.get("DATE", "")).strip()
    if best.rule.date == "DATE" or not best.has_time or not (_ISO.fullmatch(text) and ":" in text):
        return 0
    try:
        written = parse_date(text.removesuffix("Z").rstrip("."))
        seconds = read_number(cards.get("EXPTIME", cards.get("EXPOSURE", 0.0)))
    except FileFormatError:
        return 0
    hours, rest = divmod((written - best.date).total_seconds() - seconds + _AT_ONCE / 4, _HOUR)
    return int(hours) if 1 <= hours <= _ZONES and rest < 1.25 * _AT_ONCE else 0


def _disagrees(best: _Candidate, other: _Candidate) -> bool:
    """Whether another card means a time that is not that of the exposure; a file may be written much later."""
    if other.rule.date == best.rule.date:
        return False
    apart = abs((other.date - best.date).total_seconds())
    if other.rule.date == "DATE":  # a file cannot be older than what is in it
        return (best.date - other.date).total_seconds() > 1.5 * _DAY
    if other.confidence == "guess" and best.confidence != "guess":  # in local time, or ambiguous
        return _LOCAL in other.note and other.has_time and apart > _DAY
    return apart > (_HOUR if best.has_time and other.has_time else 1.5 * _DAY)


def _joined(first: str, second: str) -> str:
    return f"{first}; {second}" if first else second


def _candidates(cards: Cards, odd: list[str]) -> Iterator[_Candidate]:
    """Yield the dates that cards hold; one that is no date goes to ``odd``."""
    for name, rules in _rules(cards):
        candidates = [candidate for rule in rules if (candidate := _candidate(cards, *rule)) is not None]
        if candidates:
            yield candidates[0]
        elif name in _DATES or name in _MJD:
            odd.append(f"{name} = '{str(cards.get(name)).strip()}' is no date that can be")


def _candidate(cards: Cards, rule: DateRule, confidence: Confidence, note: str) -> _Candidate | None:
    try:
        begin = read_date(rule, cards)
    except FileFormatError:
        return None
    if not _FIRST_YEAR <= begin.year <= datetime.now(UTC).year + 1 or begin.date() == _NOT_SET:
        return None
    is_whole = rule.kind in ("mjd", "jd") or bool(rule.time)
    has_time = is_whole or (rule.kind == "iso" and ":" in str(cards.get(rule.date)))
    return _Candidate(rule, begin, confidence, note, has_time)


def _rules(cards: Cards) -> Iterator[tuple[str, list[tuple[DateRule, Confidence, str]]]]:
    """Yield, card by card, the ways in which it may be read."""
    time = next((name for name in _TIMES if _is_time(cards.find(name))), "")
    comment = card.comment if (card := cards.find(time)) is not None else ""
    for name in (*_DATES, *_TIMES):
        card = cards.find(name)
        if card is None:
            continue
        local: Confidence = "guess" if name == "DATE-LOC" or "local" in card.comment.lower() else "certain"
        note = f"the card may be in {_LOCAL}" if local == "guess" else ""
        if cards.reason_to_doubt(name):
            local, note = "guess", cards.reason_to_doubt(name)
        text = str(card.value).strip()
        if _ISO.fullmatch(text) and ":" in text:
            yield name, [(DateRule("iso", name), local, note)]
        elif name in _DATES:
            yield name, _told_order(card, list(_layouts(name, text, time, comment, local, note)))
    for kind, names in (("mjd", _MJD), ("jd", _JD)):
        for name in names:
            card = cards.find(name)
            if card is not None:
                of_file = re.search(r"\bwritten\b|\bcreat|\bwriting\b", card.comment, re.I)
                note = "that is when the file was written" if of_file else ""
                yield name, [(DateRule(kind, name), "guess" if of_file else "likely", note)]
    if cards.find("DATE") is not None and _ISO.fullmatch(str(cards.get("DATE")).strip()):
        yield "DATE", [(DateRule("iso", "DATE"), "guess", "that is when the file was written")]


_Rules = list[tuple[DateRule, Confidence, str]]


def _told_order(card: Card, rules: _Rules) -> _Rules:
    """Return the ways in which a date may be read; only one where the comment tells the order of day and month."""
    order = re.search(r"\b(dd|mm)[/-](mm|dd)[/-]", card.comment, re.I)
    if order is None:
        return rules
    first = "%d" if order[1].lower() == "dd" else "%m"
    return [(rule, "likely", "the comment tells the order") for rule, _, _ in rules if rule.layout.startswith(first)]


def _layouts(
    name: str, text: str, time: str, time_comment: str, local: Confidence, note: str
) -> Iterator[tuple[DateRule, Confidence, str]]:
    for pattern, layout, confidence, doubt in _LAYOUTS:
        if not re.fullmatch(pattern, text):
            continue
        sure = lower_confidence(confidence, local)
        if time and _NOT_THE_BEGIN.search(time_comment):
            sure, doubt = lower_confidence(sure, "likely"), f"{time} may not be the begin"
        if time and layout != "%Y-%m-%d":  # the two cards together are what FITS had for it
            sure = lower_confidence(sure, "likely")
        yield DateRule("layout", name, time, layout), sure, _joined(doubt, note) if note else doubt


def _is_time(card: Card | None) -> bool:
    return card is not None and _TIME.fullmatch(str(card.value).strip()) is not None


def find_night(cards: Cards, begin: Finding) -> Finding:
    """Return the night or day that the observatory files the exposure under, as YYYY-MM-DD."""
    for name in _NIGHTS:
        text = re.sub(r"[-/]", "", str(cards.get(name, "")).strip())
        if re.fullmatch(r"(19|20)\d{6}", text):
            note = "dateObs in data IDs is the day on which the exposure began"
            return Finding("observing_day", f"{text[:4]}-{text[4:6]}-{text[6:]}", name, note=note)
    if not begin.is_known:
        return Finding.unknown("observing_day")
    note = "the day of the date in the header; no card names the night"
    return Finding(
        "observing_day", str(begin.value)[:10], begin.source, lower_confidence("likely", begin.confidence), note
    )


def find_time_scale(cards: Cards) -> Finding:
    """Return the scale in which the header has its times."""
    value = str(cards.get("TIMESYS", "")).strip().upper()
    if value in ("UTC", "TAI", "TT", "UT1"):
        return Finding("time_scale", value, "TIMESYS")
    if value in ("UT", "GMT", "UTC APPROXIMATE"):
        return Finding("time_scale", "UTC", "TIMESYS")
    return Finding("time_scale", "UTC", "", "likely", "no card says; UTC is what FITS takes it for")
