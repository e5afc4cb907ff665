"""Which cards hold dates and times of day, and what their names and comments say of them."""

import math
import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import product

from obs.frozen import frozen
from obs.inspection.cards import Card, Cards
from obs.inspection.finding import Confidence, lower_confidence
from obs.inspection.header.date_layouts import find_layouts
from obs.instrument.card_values import is_sexagesimal
from obs.instrument.date_rules import DateRule

__all__ = ["ISO", "LOCAL", "OF_THE_FILE", "ZONE_NAMES", "Reading", "is_date_card", "readings", "time_cards"]

_DATES = (
    *("DATE-BEG", "DATE-OBS", "DATEOBS", "DATE_OBS", "UTDATE", "UT-DATE", "UT_DATE", "DATE-UT", "DATE_UT", "UTC-DATE"),
    *("OBSDATE", "OBS-DATE", "OBS_DATE", "DATE_BEG", "DATE-STR", "DATE-BGN", "STARTDAT", "DATE-LOC"),
)
_TIMES = (
    *("UTSTART", "UT-STR", "UTC-OBS", "TIME-BEG", "TIME-OBS", "TIMEOBS", "TIME_OBS", "UTSHUT", "UTIME", "UT", "UTC"),
    *("UT-TIME", "EXPSTART", "UTCSTART", "TAIHMS", "TIME", "STARTUT", "UTOPEN", "UT-START", "UT_START", "UT_OBS"),
    *("UT-OBS", "UTOBS", "UTC_OBS", "OBSTIME", "TIME-STR", "UT-BEG", "UTBEGIN", "UTTIME", "UTSEC", "UTHOURS"),
)
_MJD = ("MJD-BEG", "MJD-OBS", "MJD-STR", "MJD_OBS", "MJDOBS", "MJDSTART", "OBSMJD", "MJDATE", "MJD")
_JD = ("JD-OBS", "JD_OBS", "JDSTART", "OBSJD", "JD", "JULDATE", "JULIAN", "JD_UTC", "JD-BEG")
_UNIX = ("CTIME", "UNIXTIME", "UNIX", "UNIX_T", "UNIXT", "UNIX-T", "TIMESTMP", "TIMESTAM", "TIMESTAMP", "EPOCHSEC")
_MIDDLES = ("DATE-AVG", "DATE-MID", "DATE_MID", "DATEAVG", "DATEMID", "UTMIDDLE", "UT-MID", "UTMID", "MIDTIME")
_ENDS = ("DATE-END", "DATE_END", "DATEEND", "UTSHUTCL", "DATE-FIN")
_MJD_MIDDLES, _MJD_ENDS = ("MJD-AVG", "MJD-MID", "MJD_MID", "MJDMID"), ("MJD-END", "MJDEND", "MJD_END")
_JD_MIDDLES = ("JD-AVG", "JD-MID", "JD_MID", "JDMID")

ISO = re.compile(r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d([.,]\d*)?)?\s*(Z|UTC?|[+-]\d\d:?\d\d)?)?|\d{8}T\d{6}(\.\d+)?Z?")
LOCAL = "local time"
OF_THE_FILE = "that is when the file was written"
_TIME = re.compile(r"(\d{1,2}:\d\d(:\d\d([.,]\d*)?)?( ?[AP]M)?|\d\d-\d\d-\d\d|\d\d\.\d\d\.\d\d)( ?(UTC?|GMT|Z))?", re.I)
_DIGITS = re.compile(r"([01]\d|2[0-3])[0-5]\d[0-5]\d(\.\d*)?")
"""A time of day without anything between hours, minutes and seconds."""
_MJD_WORDS = re.compile(r"\bMJD\b|julian", re.I)
_BEGIN_WORDS = re.compile(r"\b(begin|start|open|first|anfang|d[ée]but|ini[cz]i?o)", re.I)
_END_WORDS = re.compile(
    r"\b(end|ends|ended|ending|clos(e|es|ed|ing)|finish\w*|stop\w*|complet\w*|last)\b"
    r"|\b(ende|fim|fin (de|du)|fine (di|dell\w*|pos\w*|espos\w*))\b",
    re.I,
)
_MIDDLE_WORDS = re.compile(
    r"\b(mid|middle|mid-?point|mid-?time|mid-?exposure|average|mean|avg|cent(er|re))\b"
    r"|\b(mitte|milieu|mitad|met[aà]|meio|medio)\b",
    re.I,
)
_FILE_WORDS = re.compile(
    r"\b(written|writ(e|ing)|creat\w*|sav(ed?|ing)|grab\w*|download\w*|stored|transferred|header|modified|converted)\b"
    r"|\b(file|geschrieben|gespeichert|[ée]crit\w*|enregistr\w*|salvat\w*|guardad\w*)\b",
    re.I,
)
_READ_WORDS = re.compile(r"\b(read ?out|readout|received)\b", re.I)
_NIGHT_WORDS = re.compile(r"\b((start|begin\w*|of) (of )?(the )?(night|evening)|observing night|night of)\b", re.I)
_EXPOSED_WORDS = re.compile(r"e[xs]pos|belicht|\bpose\b|posa|shutter|integrat|observ", re.I)
_SIDEREAL = re.compile(r"\bL?ST\b|\bsidereal\b", re.I)
_UNSURE_WORDS = re.compile(r"\b(typical|approx\w*|nominal|around|about)\b", re.I)
_HALF_DAYS = re.compile(r"\d ?[AP]M\b", re.I)
_OTHER_WAYS = {
    **dict.fromkeys(("h", "s", "min"), "in hours or seconds"),
    "hhmmss": "hours, minutes and seconds without colons, or all seconds",
}
_UNIX_SIZES = {"unix": 1.0, "unix_ms": 1e3, "unix_us": 1e6, "unix_ns": 1e9}
_UNIX_WORDS = re.compile(r"\bunix\b|since 1970|\bposix\b|\bctime\b|epoch (second|time)", re.I)
ZONE_NAMES = {
    **{"HST": -10.0, "AKST": -9.0, "AKDT": -8.0, "PST": -8.0, "PDT": -7.0, "MST": -7.0, "MDT": -6.0, "CDT": -5.0},
    **{"EST": -5.0, "EDT": -4.0, "CLT": -4.0, "CLST": -3.0, "BRT": -3.0, "CET": 1.0, "CEST": 2.0, "EET": 2.0},
    **{"EEST": 3.0, "SAST": 2.0, "MSK": 3.0, "JST": 9.0, "KST": 9.0, "AWST": 8.0, "ACST": 9.5, "AEST": 10.0},
    **{"AEDT": 11.0, "NZST": 12.0, "NZDT": 13.0},
}
"""Hours of time zones to the east, by names that mean one zone only."""
_LOCAL_WORDS = re.compile(rf"(?i:\blocal\b|\bcivil\b)|\bLT\b|\b(CST|{'|'.join(ZONE_NAMES)})\b")
_UT_WORDS = re.compile(r"\b(UTC?1?|GMT|universal|TAI|TT|Z)\b")


_DAY_NUMBER = re.compile(r"(?<![HBT])JD")
_DAY_NUMBERS = {"mjd": (30000.0, 90000.0), "jd": (2430000.0, 2490000.0)}
"""Numbers of days of our time."""
_FROM_NOON = re.compile(r"^RJD|\bRJD\b|JD ?- ?2400000\b(?!\.5)", re.I)
"""Days that begin at noon as Julian days do, without their first digits."""
_HALF_DAY = 43200.0
_MINUTES_OF_DAY = 1440.0
"""Above it, a number is of seconds."""
_OF_THE_SUN = re.compile(r"helio|bary|\bsun\b|\b[HB]JD\b", re.I)
_MOMENTS = {
    "middle": re.compile(r"MID|AVG|MEAN|CEN"),
    "end": re.compile(r"END|STOP|FIN|CLOS"),
    "begin": re.compile(r"ST|BEG|OPEN|OBS|UT"),
}


@frozen
class Reading:
    """One way in which a header may tell when the exposure began.

    Parameters
    ----------
    rule : DateRule
        How it is read.
    confidence : {"certain", "likely", "guess"}
        How sure it is, as far as name and comment tell.
    note : str
        What contradicts it.
    has_time : bool
        Whether there is a time of day.
    """

    rule: DateRule
    confidence: Confidence
    note: str
    has_time: bool


def is_date_card(name: str) -> bool:
    """Whether a card of this name should hold the date of the exposure."""
    return name in _DATES or name in _MJD


def time_cards(cards: Cards) -> list[tuple[Card, str]]:
    """Return the cards with the time of day at which an exposure begins, and the unit of those that are numbers.

    Those in local time come last, and none that its comment calls sidereal.

    Parameters
    ----------
    cards : Cards
        Header.

    Returns
    -------
    list of tuple of Card and str
        The unit is empty for hours, minutes and seconds.
    """
    found: list[tuple[Card, str]] = []
    for name in _TIMES:
        card = cards.find(name)
        if card is None or isinstance(card.value, bool) or _moment(card.comment) not in ("", "begin"):
            continue
        if _SIDEREAL.search(card.comment):
            continue
        text = str(card.value).strip()
        if _TIME.fullmatch(text) or is_sexagesimal(text):
            found.append((card, ""))
        elif isinstance(card.value, str) and _DIGITS.fullmatch(text):
            found.append((card, "hhmmss"))
        elif isinstance(card.value, int | float) and not _MJD_WORDS.search(card.comment):
            found += [(card, unit) for unit in _units_of_day(card)]
    return sorted(found, key=lambda one: _is_local(one[0]))


def _is_local(card: Card) -> bool:
    """Whether the comment of a card says that it is in local time."""
    return _LOCAL_WORDS.search(card.comment) is not None and not _UT_WORDS.search(card.comment)


def _has_time(text: str) -> bool:
    """Whether a date comes with the time of day."""
    return ":" in text or "T" in text


def _odd_time(cards: Cards) -> str:
    """Return what a card for the time of day holds that is none; empty if there is no such card."""
    odd = ((name, card) for name in _TIMES if (card := cards.find(name)) is not None and isinstance(card.value, str))
    return next(
        (f"{name} = '{card.value}' is not understood" for name, card in odd if re.search(r"\d", card.value)), ""
    )


def _units_of_day(card: Card) -> list[str]:
    """Return the units in which a number may be the time of day, the likeliest first."""
    comment, value = card.comment.lower(), float(card.value)
    is_clock = value == int(value) and _DIGITS.fullmatch(f"{int(value):06d}") is not None
    in_seconds = ["s"] if 0.0 <= value <= 86401.0 else []
    if re.search(r"h+:?m+:?s+", comment):
        return ["hhmmss"] if _DIGITS.fullmatch(f"{int(value):06d}") else []
    if re.search(r"\bmin(utes?)?\b", comment):
        return ["min"] if 0.0 <= value <= 1440.0 else []
    if re.search(r"sec|\bs\b", comment) or card.keyword == "UTSEC":
        return in_seconds
    if "hour" in comment or re.search(r"\bh(rs?)?\b", comment) or value <= 24.0:
        return ["h"] if 0.0 <= value <= 24.0 else []
    return ["hhmmss", *in_seconds] if is_clock else in_seconds


def _has_unit(time: Card) -> bool:
    """Whether there is one way only to read a number for the time of day, by its comment or by its size."""
    value = float(time.value)
    is_clock = _DIGITS.fullmatch(f"{int(value):06d}") is not None
    return re.search(r"hour|sec|\bh\b|min|hh", time.comment, re.I) is not None or (
        value > _MINUTES_OF_DAY and not is_clock
    )


def _number(value: object) -> float:
    """Return the number that a card holds, be it as text; nan if it holds none."""
    try:
        return float(str(value))
    except ValueError:
        return math.nan


def _moment(comment: str) -> str:
    """Return the part of the exposure of which a comment speaks: begin, middle, end, file, or none."""
    if _READ_WORDS.search(comment) and not _EXPOSED_WORDS.search(comment):
        return "readout"
    if _BEGIN_WORDS.search(comment) and not _FILE_WORDS.search(comment):
        return (
            "both"
            if _END_WORDS.search(comment) and not re.search(r"\bend of (the )?(night|readout)", comment)
            else "begin"
        )
    if _FILE_WORDS.search(comment):
        return "file"
    if _MIDDLE_WORDS.search(comment):
        return "middle"
    if _END_WORDS.search(comment):
        return "end"
    return ""


def readings(cards: Cards) -> Iterator[tuple[str, list[Reading]]]:
    """Yield, card by card, the ways in which it may tell when the exposure began."""
    times = time_cards(cards)
    for name in (*_DATES, *_TIMES):
        card = cards.find(name)
        if card is None or isinstance(card.value, bool):
            continue
        text = str(card.value).strip()
        if ISO.fullmatch(text) and _has_time(text):
            yield name, [_judged(cards, card, DateRule(name), "certain")]
        elif name in _DATES:
            yield name, _told_order(card, list(_of_layouts(cards, card, times)))
    yield from _begun(cards)
    yield from _numbers(cards, "mjd", _MJD, "begin")
    yield from _numbers(cards, "jd", _JD, "begin")
    yield from _unix(cards)
    yield from _day_numbers(cards)
    for moment, names in (("middle", _MIDDLES), ("end", _ENDS)):
        for name in names:
            card = cards.find(name)
            if card is not None and ISO.fullmatch(text := str(card.value).strip()) and _has_time(text):
                yield name, [Reading(DateRule(name, moment=moment), "likely", f"{name} is its {moment}", has_time=True)]
    yield from _numbers(cards, "mjd", _MJD_MIDDLES, "middle")
    yield from _numbers(cards, "jd", _JD_MIDDLES, "middle")
    yield from _numbers(cards, "mjd", _MJD_ENDS, "end")
    card = cards.find("DATE")
    if card is not None and ISO.fullmatch(str(card.value).strip()):
        yield "DATE", [Reading(DateRule("DATE"), "guess", OF_THE_FILE, _has_time(str(card.value)))]


def _begun(cards: Cards) -> Iterator[tuple[str, list[Reading]]]:
    """Yield cards of any other name whose comment says that the exposure began then."""
    for name in cards:
        card = cards.find(name)
        if card is None or name in _OTHERS or not isinstance(card.value, str) or _moment(card.comment) != "begin":
            continue
        text = card.value.strip()
        if ISO.fullmatch(text) and _has_time(text) and _EXPOSED_WORDS.search(card.comment):
            yield name, [_judged(cards, card, DateRule(name), "likely")]


_OTHERS = frozenset((*_DATES, *_TIMES, *_MIDDLES, *_ENDS, "DATE"))


def _numbers(cards: Cards, layout: str, names: tuple[str, ...], moment: str) -> Iterator[tuple[str, list[Reading]]]:
    for name in names:
        card = cards.find(name)
        if card is None or isinstance(card.value, bool):
            continue
        reading = _judged(cards, card, DateRule(name, layout=layout, moment=moment), "likely")
        yield name, [reading]


def _day_numbers(cards: Cards) -> Iterator[tuple[str, list[Reading]]]:
    """Yield cards of any other name that calls them a Julian day, whose number is one of our time."""
    known = (*_MJD, *_JD, *_MJD_MIDDLES, *_JD_MIDDLES, *_MJD_ENDS)
    for name in cards:
        card = cards.find(name)
        if name in known or card is None or not isinstance(card.value, float):
            continue
        if not _DAY_NUMBER.search(name) and not (name in _TIMES and _MJD_WORDS.search(card.comment)):
            continue
        layout = "mjd" if "MJD" in name or card.value < _DAY_NUMBERS["mjd"][1] else "jd"
        first, last = _DAY_NUMBERS[layout]
        if not first < card.value < last or _OF_THE_SUN.search(card.comment):
            continue
        named = next((moment for moment, words in _MOMENTS.items() if words.search(name)), "")
        add = -_HALF_DAY if layout == "mjd" and _FROM_NOON.search(f"{name} {card.comment}") else 0.0
        rule = DateRule(name, layout=layout, add=add)
        reading = _judged(cards, card, rule, "likely" if named or _moment(card.comment) else "guess")
        if named in ("middle", "end") and reading.rule.moment == "begin":
            reading = replace(reading, rule=replace(reading.rule, moment=named), note=f"{name} is its {named}")
        yield name, [reading]


def _unix(cards: Cards) -> Iterator[tuple[str, list[Reading]]]:
    for name in cards:
        card = cards.find(name)
        if card is None or isinstance(card.value, bool) or not (name in _UNIX or _UNIX_WORDS.search(card.comment)):
            continue
        number = _number(card.value)
        layout = next((layout for layout, size in _UNIX_SIZES.items() if 1e8 < number / size < 5e9), "")
        if layout:
            yield name, [_judged(cards, card, DateRule(name, layout=layout), "likely")]


def _judged(cards: Cards, card: Card, rule: DateRule, sure: Confidence, note: str = "") -> Reading:
    """Return a reading, as its comment lets it be."""
    comment, name = card.comment, card.keyword
    moment = _moment(comment)
    has_time = _has_time(str(card.value)) if rule.layout == "iso" and not rule.time else rule.has_time
    if moment == "file":
        sure, note = "guess", OF_THE_FILE
    elif moment in ("middle", "end"):
        rule = replace(rule, moment=moment)
        sure, note = lower_confidence(sure, "likely"), f"{name} is its {moment}, says the comment"
    elif moment in ("both", "readout") or _UNSURE_WORDS.search(comment) or _NIGHT_WORDS.search(comment):
        sure, note = "guess", f"'{comment}': it may not be the begin"
    if name == "DATE-LOC" or _is_local(card):
        sure, note = "guess", f"the card may be in {LOCAL}"
    if doubt := cards.reason_to_doubt(name):
        sure, note = "guess", doubt
    return Reading(rule, sure, note, has_time)


def _says_ut(*cards: Card | None) -> bool:
    """Whether name or comment of one of the cards says that it is in universal time."""
    return any(card is not None and ("UT" in card.keyword or _UT_WORDS.search(card.comment)) for card in cards)


def _told_order(card: Card, found: list[Reading]) -> list[Reading]:
    """Return the ways in which a date may be read; only one where the comment gives the order of day and month."""
    order = re.search(r"\b(dd|mm)[/.-](mm|dd)[/.-]", card.comment, re.I)
    if order is None:
        return found
    first = "%d" if order[1].lower() == "dd" else "%m"
    note = "the comment gives the order"
    return [Reading(r.rule, "likely", note, r.has_time) for r in found if r.rule.layout.startswith(first)]


def _of_layouts(cards: Cards, card: Card, times: list[tuple[Card, str]]) -> Iterator[Reading]:
    """Yield the ways in which a date without time of day may be read, together with the time of day."""
    clocks: list[tuple[Card | None, str]] = [(time, unit) for time, unit in times if time is times[0][0]]
    ways = product(find_layouts(str(card.value)), clocks or [(None, "")])
    for (layout, sure, doubt, has_time), (clock, clock_unit) in ways:
        time, unit = (None, "") if has_time else (clock, clock_unit)
        note = doubt
        if time is not None and (layout != "%Y-%m-%d" or unit):  # the two cards together are what FITS had for it
            sure = lower_confidence(sure, "likely")
        if time is not None and unit and not _has_unit(time):
            sure, note = "guess", f"{time.keyword} may be {_OTHER_WAYS[unit]}"
        if _HALF_DAYS.search(f"{card.value} {'' if time is None else time.value}") and not _says_ut(card, time):
            sure, note = "guess", f"AM and PM: it may be in {LOCAL}"
        if time is not None and _is_local(time):
            sure, note = "guess", f"{time.keyword} may be in {LOCAL}"
        if time is None and not has_time and (odd := _odd_time(cards)):
            sure, note = "guess", odd
        if time is not None and _UNSURE_WORDS.search(time.comment):
            sure, note = lower_confidence(sure, "likely"), f"{time.keyword} may not be the begin"
        rule = DateRule(card.keyword, "" if time is None else time.keyword, layout, unit)
        reading = _judged(cards, card, rule, sure, note)
        joined = "; ".join(dict.fromkeys(part for part in (doubt, reading.note) if part))
        yield Reading(reading.rule, reading.confidence, joined, has_time or time is not None)
