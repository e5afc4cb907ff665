"""When an exposure began, as cards tell it together."""

import math
import re
from dataclasses import replace
from datetime import datetime, timedelta

from obs.errors import FileFormatError
from obs.frozen import frozen
from obs.inspection.cards import Card, Cards
from obs.inspection.finding import Confidence, Finding, lower_confidence
from obs.inspection.header.date_cards import (
    ISO,
    LOCAL,
    OF_THE_FILE,
    ZONE_NAMES,
    Reading,
    is_date_card,
    readings,
    time_cards,
)
from obs.inspection.header.date_layouts import EITHER, NO_SUCH_MONTH
from obs.inspection.header.exposure_time import find_exposure_time
from obs.instrument.card_values import format_date, parse_date, read_number
from obs.instrument.date_rules import DateRule
from obs.instrument.plausible import check_date

__all__ = ["find_date", "find_night", "find_time_scale"]

_NIGHTS = ("DTCALDAT", "DAY-OBS", "DAYOBS", "DAY_OBS", "NIGHT", "OBSNIGHT", "DATENIGH", "OBS-NITE", "NIGHTDAY")
_ZONES_CARDS = ("TIMEZONE", "TIME-ZON", "TIME_ZON", "TZ", "TZONE", "UTCOFF", "UTC-OFF", "UTOFFSET", "UTCOFFSE", "ZD")
_HOUR, _DAY = 3600.0, 86400.0
_AT_ONCE = 90.0  # s, from the end of an exposure to its file
_ZONES = 12  # h
_CLOSE = 2.0
"""Seconds by which cards of one moment may differ."""
_APART = 60.0
"""Seconds by which cards of times differ that are not of one exposure."""
_SAME_EXPOSURE = 1800.0
"""Seconds within which two cards are taken for those of one exposure, where one may be read in several ways."""
_GPS_TO_TAI = 19.0
_GPS_TO_UTC = range(13, 20)
"""Whole seconds by which the scale of GPS has been ahead of UTC since 1999, with the next leap second."""
_SCALES = {
    **{name: name for name in ("UTC", "TAI", "TT", "UT1")},
    **dict.fromkeys(("UT", "GMT", "UTC APPROXIMATE", "UTC(NIST)", "Z"), "UTC"),
    **dict.fromkeys(("TDT", "ET", "TDB"), "TT"),
    **dict.fromkeys(("IAT",), "TAI"),
}
_SCALE_WORDS = re.compile(r"\b(UTC|UT|GMT|TAI|TT|TDB|TDT|UT1)\b")
_GPS_SCALE = re.compile(
    r"\bGPS ?(time)?[- ]?scale\b|\b(time )?(scale|system)( is|[:=])* ?GPS\b"
    r"|(?<!not )\b(in|is) GPS time\b(?! ?-?(stamp|tag|receiver|server))|\bGPS( time)?[ ,;(]+not UTC?\b",
    re.I,
)
"""Statements that a time is counted in the scale of GPS. A receiver delivers UTC, so that its name alone is none."""
_GPS_RECEIVER = re.compile(
    r"\b(from|by|via|using|with) (the |a )?GPS\b"
    r"|\bGPS ?(:|receiver|clock|sync\w*|lock\w*|fix|corrected|disciplined|derived)",
    re.I,
)
"""Where a time comes from, which programs write in UTC."""
_ANY_GPS = "GPS?"
"""The word GPS, which does not say whether a receiver or its scale is meant."""


@frozen
class _Candidate:
    """A date that a header may mean."""

    rule: DateRule
    date: datetime
    confidence: Confidence
    note: str
    has_time: bool


def find_date(cards: Cards) -> tuple[Finding, DateRule | None]:
    """Return when the exposure began, ISO 8601, and the rule that reads it.

    Parameters
    ----------
    cards : Cards
        The header.
    """
    exposure, *_ = find_exposure_time(cards)
    seconds = float(exposure.value) if exposure.is_known else math.nan
    odd: list[str] = []
    found = _candidates(cards, seconds, odd)
    if not found:
        return Finding.unknown("date_begin", odd[0] if odd else "no card holds a date that can be"), None
    # One with the time of day comes before those without, and what is not a date of the file before what is.
    best = min(found, key=_rank)
    confidence, note = best.confidence, best.note
    if best.rule.moment != "begin":
        confidence = lower_confidence(confidence, exposure.confidence)
    if not best.has_time:
        confidence, note = lower_confidence(confidence, "likely"), _joined(note, "no card holds the time of day")
    if odd:
        confidence, note = lower_confidence(confidence, "likely"), _joined(note, odd[0])
    against = next((other for other in found if _disagrees(best, other)), None)
    if against is not None:
        confidence = "guess"
        text = format_date(against.date)[:19] if against.has_time else against.date.date().isoformat()
        note = _joined(note, f"{against.rule.date} says {text}")
    hours = _hours_to_the_file(cards, best, seconds)
    if hours:
        confidence = "guess"
        note = _joined(note, f"DATE, when the file was written, is {hours} h later: perhaps this is local time")
    best, confidence, note = _checked_against_times(cards, best, seconds, confidence, note)
    best, confidence, note = _of_zone(cards, best, confidence, note)
    return Finding("date_begin", format_date(best.date), str(best.rule), confidence, note), best.rule


def _rank(candidate: _Candidate) -> tuple[bool, bool, bool]:
    return not candidate.has_time, candidate.note == OF_THE_FILE, candidate.confidence == "guess"


def _candidates(cards: Cards, seconds: float, odd: list[str]) -> list[_Candidate]:
    """Return the dates that cards hold; one that is not a date goes to ``odd``."""
    found: list[list[_Candidate]] = []
    for name, ways in readings(cards):
        candidates = [candidate for way in ways if (candidate := _candidate(cards, way, seconds)) is not None]
        if candidates:
            found.append(candidates)
        elif is_date_card(name):
            odd.append(f"{name} = '{str(cards.get(name)).strip()}' is not a date that can be")
    chosen = [_chosen(candidates, [others[0] for others in found if others is not candidates]) for candidates in found]
    return [_of_file(cards, candidate) for candidate in chosen]


def _chosen(candidates: list[_Candidate], others: list[_Candidate]) -> _Candidate:
    """Return the way of reading a card that another card confirms; else the likeliest."""
    first = candidates[0]
    for other in others:
        near = [c for c in candidates if abs((c.date - other.date).total_seconds()) < _SAME_EXPOSURE]
        if near and len(near) < len(candidates) and other.has_time and other.rule.date != first.rule.date:
            sure: Confidence = "likely" if first.confidence == "guess" else first.confidence
            return replace(near[0], confidence=sure, note=f"{other.rule.date} confirms it")
    return first


def _candidate(cards: Cards, way: Reading, seconds: float) -> _Candidate | None:
    rule = replace(way.rule, add=_GPS_TO_TAI) if _scale_words(cards, way.rule) == ["GPS"] else way.rule
    try:
        date = rule.read(cards, seconds)
        check_date(date)
    except FileFormatError:
        if rule.moment == "begin":
            return None
        return _candidate(cards, replace(way, rule=replace(rule, moment="begin"), confidence="guess"), seconds)
    return _Candidate(rule, date, way.confidence, way.note, way.has_time)


def _of_file(cards: Cards, candidate: _Candidate) -> _Candidate:
    """Return a day number as that of the file, where it is the same to the second as the date of the file."""
    text = str(cards.get("DATE", "")).strip()
    if candidate.rule.date not in ("MJD", "JD", "MJDATE", "JULIAN", "JULDATE") or not (
        ISO.fullmatch(text) and ":" in text
    ):
        return candidate
    try:
        apart = abs((candidate.date - parse_date(text)).total_seconds())
    except FileFormatError:
        return candidate
    return candidate if apart > _CLOSE else replace(candidate, confidence="guess", note=OF_THE_FILE)


def _hours_to_the_file(cards: Cards, best: _Candidate, seconds: float) -> int:
    """Return by how many whole hours the file was written after the end of the exposure: those of a time zone.

    0 where it was written at once, or at any other time.
    """
    text = str(cards.get("DATE", "")).strip()
    if best.rule.date == "DATE" or not best.has_time or not (ISO.fullmatch(text) and ":" in text):
        return 0
    try:
        written = parse_date(text)
    except FileFormatError:
        return 0
    lasted = 0.0 if math.isnan(seconds) else seconds
    hours, rest = divmod((written - best.date).total_seconds() - lasted + _AT_ONCE / 4, _HOUR)
    return int(hours) if 1 <= hours <= _ZONES and rest < 1.25 * _AT_ONCE else 0


def _disagrees(best: _Candidate, other: _Candidate) -> bool:
    """Whether another card means a time that is not that of the exposure; a file may be written much later."""
    if other.rule.date == best.rule.date:
        return False
    apart = abs((other.date - best.date).total_seconds())
    if other.note == OF_THE_FILE:  # a file cannot be older than what is in it
        return (best.date - other.date).total_seconds() > 1.5 * _DAY
    if other.confidence == "guess" and best.confidence != "guess":  # in local time, or ambiguous
        if NO_SUCH_MONTH in other.note or EITHER in other.note:  # no order of day and month comes near
            return apart > 1.5 * _DAY
        return LOCAL in other.note and other.has_time and apart > _DAY
    return apart > (_HOUR if best.has_time and other.has_time else 1.5 * _DAY)


def _checked_against_times(
    cards: Cards, best: _Candidate, seconds: float, confidence: Confidence, note: str
) -> tuple[_Candidate, Confidence, str]:
    """Return the date held against the cards of the time of day."""
    is_ut = next((time for time in time_cards(cards) if _says_ut(time[0])), None)
    if is_ut is None or best.rule.time or best.rule.layout != "iso" or not best.has_time:
        return best, confidence, note
    card = is_ut[0]
    read: list[tuple[DateRule, datetime]] = []
    for same, unit in time_cards(cards):
        rule = DateRule(best.rule.date, card.keyword, time_unit=unit, is_local=True)
        try:
            read += [(rule, rule.read(cards))] if same is card else []
        except FileFormatError:
            continue
    if not read:
        return best, confidence, note
    rule, other = min(read, key=lambda one: abs((best.date - one[1]).total_seconds()))
    later = (best.date - other).total_seconds()
    if abs(later) <= _CLOSE or (card.keyword in ("UT", "UTC", "UTIME") and -_CLOSE <= -later <= _APART):
        return best, confidence, note
    name = best.rule.date
    parts = {} if math.isnan(seconds) else {"end": seconds, "middle": seconds / 2.0}
    part = next((part for part, shift in parts.items() if shift > _CLOSE and abs(later - shift) <= _CLOSE), "")
    if part:
        is_told = "begin" in card.comment.lower() or "start" in card.comment.lower() or _begins(card.keyword)
        sure = lower_confidence(confidence, "likely" if is_told else "guess")
        return (
            replace(best, rule=rule, date=other),
            sure,
            f"{name} is its {part}, by {card.keyword} and the exposure time",
        )
    if _ANY_GPS in _scale_words(cards, best.rule) and abs(later - round(later)) < 0.1 and round(later) in _GPS_TO_UTC:
        text = f"{name} is {later:.0f} s ahead of {card.keyword}: it is taken for the scale of GPS"
        return replace(best, rule=rule, date=other), "guess", text
    hours, rest = divmod(abs(later) + _APART, _HOUR / 4.0)
    if hours and rest < 2 * _APART:
        text = f"{name} differs from {card.keyword} by {abs(later) / _HOUR:.2g} h: it is taken for {LOCAL}"
        return replace(best, rule=rule, date=other), "guess", text
    if abs(later) > _APART:
        return best, "guess", _joined(note, f"{card.keyword} says {format_date(other)[11:19]}")
    return (
        best,
        lower_confidence(confidence, "likely"),
        _joined(note, f"{card.keyword} says {format_date(other)[11:19]}"),
    )


def _says_ut(card: Card) -> bool:
    return "UT" in card.keyword or re.search(r"\bUTC?\b", card.comment) is not None


def _begins(keyword: str) -> bool:
    return re.search(r"ST(A?R)?T?|BEG|OPEN", keyword.replace("UTC", "").replace("UT", "")) is not None


def _of_zone(cards: Cards, best: _Candidate, confidence: Confidence, note: str) -> tuple[_Candidate, Confidence, str]:
    """Return the date in UT where it is in local time and a card tells the time zone."""
    name, hours = next(((n, h) for n in _ZONES_CARDS if (h := _zone(cards.get(n))) is not None), ("", 0.0))
    words = () if (stated := cards.find(best.rule.date)) is None else re.findall(r"\b[A-Z]{3,4}\b", stated.comment)
    named = next((word for word in words if word in ZONE_NAMES), "")
    if named and not name and LOCAL in note:
        name, hours = f"the zone {named}", ZONE_NAMES[named]
    if not name or not hours or best.rule.is_local or not best.has_time or _has_zone(cards.get(best.rule.date)):
        return best, confidence, note
    card = cards.find(best.rule.date)
    says_ut = card is not None and (_SCALE_WORDS.search(card.comment) or "UT" in f"{best.rule.date}{best.rule.time}")
    if LOCAL in note or str(cards.get("TIMESYS", "")).strip().upper() in ("LOCAL", "LT"):
        rule = replace(best.rule, add=-_HOUR * hours)
        agree = named and hours == ZONE_NAMES[named]
        sure: Confidence = "likely" if agree else "guess"
        return replace(best, rule=rule, date=best.date + timedelta(seconds=rule.add)), sure, f"{LOCAL}, by {name}"
    if says_ut or cards.get("TIMESYS") is not None or best.rule.layout != "iso":
        return best, confidence, note
    return best, "guess", _joined(note, f"{name} = {hours:g}: it may be in {LOCAL}")


def _zone(value: object) -> float | None:
    """Return the hours of a time zone, to the east; None where a card holds none."""
    text = re.sub(r"^(UTC?|GMT)\s*(?=[+-])", "", str(value).strip(), flags=re.I)
    match = re.fullmatch(r"([+-]?)(\d{1,2}):?(\d\d)", text)
    if match is not None and ":" in text:
        hours = int(match[2]) + int(match[3]) / 60.0
        return -hours if match[1] == "-" else hours
    try:
        hours = read_number(text)
    except FileFormatError:
        return None
    return hours if -12.0 <= hours <= 14.0 else None


def _has_zone(value: object) -> bool:
    """Whether a date has its time zone in its text."""
    return re.search(r"\d\s*(Z|[+-]\d\d:?\d\d)$", str(value).strip()[10:]) is not None


def _joined(first: str, second: str) -> str:
    return f"{first}; {second}" if first else second


def find_night(cards: Cards, begin: Finding) -> Finding:
    """Return the night or day that the observatory files the exposure under, as YYYY-MM-DD.

    Parameters
    ----------
    cards : Cards
        Header.
    begin : Finding
        Begin of the exposure, whose day counts if no card names the night.
    """
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


def _is_zulu(cards: Cards, rule: DateRule) -> bool:
    """Whether a date ends in the Z of UTC."""
    return str(cards.get(rule.date)).strip().endswith("Z")


def _scale_words(cards: Cards, rule: DateRule) -> list[str]:
    """Return the time scales that TIMESYS or, without it, the cards of a date name."""
    stated = str(cards.get("TIMESYS", "")).strip().upper()
    if stated and stated not in ("LOCAL", "LT") and not _is_zulu(cards, rule):
        return [stated]
    words: list[str] = []
    for name in (rule.date, rule.time):
        card = cards.find(name)
        if card is not None:
            words += _comment_words(card.comment)
        words += [word for mark, word in (("TAI", "TAI"), ("GPS", _ANY_GPS)) if mark in name]
    words = list(dict.fromkeys("UTC" if word in ("UT", "GMT") else word for word in words))
    sure = [word for word in words if word != _ANY_GPS]
    return sure or words


def _comment_words(comment: str) -> list[str]:
    """Return the time scales that a comment names, and the word GPS where it may be a receiver."""
    states_gps = _GPS_SCALE.search(comment) is not None
    rest = _GPS_RECEIVER.sub("", _GPS_SCALE.sub("", comment))
    words = ["GPS"] if states_gps else []
    words += _SCALE_WORDS.findall(rest)
    return words + [_ANY_GPS] * (re.search(r"\bGPS", rest, re.I) is not None)


def find_time_scale(cards: Cards, rule: DateRule | None = None) -> Finding:
    """Return the scale in which the header has its times.

    Parameters
    ----------
    cards : Cards
        The header.
    rule : DateRule, optional
        How the date is read: its comments may tell the scale.
    """
    words = _scale_words(cards, rule or DateRule("DATE-OBS"))
    source = "TIMESYS" if cards.find("TIMESYS") is not None else "" if rule is None else str(rule)
    other = str(cards.get("TIMESYS", "UTC")).strip().upper()
    if rule is not None and _is_zulu(cards, rule) and other not in ("UTC", "UT", "GMT", "Z"):
        return Finding("time_scale", "UTC", str(rule), "guess", f"the Z says so, but TIMESYS says {other}")
    if len(words) > 1:
        return Finding("time_scale", "UTC", source, "guess", f"the comments name {' and '.join(words)}")
    if words == ["GPS"]:
        return Finding("time_scale", "TAI", source, "likely", "GPS time, and 19 s")
    if words == [_ANY_GPS]:
        note = "GPS may be the receiver, which delivers UTC, or its scale, 18 s ahead since 2017; TIMESYS would tell"
        return Finding("time_scale", "UTC", source, "guess", note)
    if words and words[0] in _SCALES:
        comments = [*_SCALE_WORDS.findall(card.comment)] if rule and (card := cards.find(rule.date)) else []
        others = {"UTC" if word in ("UT", "GMT") else word for word in comments} - {words[0], _SCALES[words[0]]}
        if others:
            note = f"the comment of {rule.date if rule else ''} says {', '.join(sorted(others))}"
            return Finding("time_scale", _SCALES[words[0]], source, "guess", note)
        sure: Confidence = "certain" if source == "TIMESYS" else "likely"
        note = "" if source == "TIMESYS" else "the comment says so"
        return Finding("time_scale", _SCALES[words[0]], source, sure, note)
    if words:
        return Finding("time_scale", "UTC", source, "guess", f"{source} says {words[0]}")
    return Finding("time_scale", "UTC", "", "likely", "no card says; UTC is what FITS takes it for")
