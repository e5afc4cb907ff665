"""Exposure time of a frame, in the many spellings of headers, compared with what else the header says of it."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from math import isfinite

from obs.errors import FileFormatError
from obs.frozen import frozen
from obs.inspection.cards import Card, Cards
from obs.inspection.finding import Confidence, Finding, lower_confidence
from obs.instrument.card_values import mjd_to_date, parse_date, read_number, read_seconds
from obs.instrument.comment_units import find_time_unit

__all__ = ["ExposureRule", "find_exposure_time", "join_units"]

_EXPOSURE: tuple[tuple[str, Confidence], ...] = (
    ("EXPTIME", "certain"),
    ("EXPOSURE", "certain"),
    ("EXP_TIME", "certain"),
    ("EXP-TIME", "certain"),
    ("EXPTIM", "likely"),
    ("XPTIME", "likely"),
    ("ITIME", "likely"),
    ("TTIME", "likely"),
    ("TEXPTIME", "likely"),
    ("XPOSURE", "likely"),
    ("INTTIME", "likely"),
    ("EXPMEAS", "likely"),
    ("EXPOSED", "likely"),
    ("EXPOS", "likely"),
    ("EXP1TIME", "likely"),
    ("SHUTTIME", "likely"),
    ("TELAPSE", "likely"),
    ("ONTIME", "likely"),
    ("ELAPTIME", "likely"),
    ("TEXP", "likely"),
    ("EXPT", "likely"),
    ("ESO DET WIN1 DIT1", "likely"),
    ("ESO DET WIN1 UIT1", "guess"),
    ("EXP", "likely"),
    ("EXPACT", "likely"),
    ("ACTTIME", "likely"),
    ("EXPREQ", "guess"),
    ("XPREQ", "guess"),
    ("REQTIME", "guess"),
    ("DARKTIME", "guess"),
)
_SAME = ("EXPTIME", "EXPOSURE", "EXP_TIME", "EXP-TIME", "XPTIME", "TEXPTIME", "XPOSURE", "EXPMEAS", "ESO DET WIN1 DIT1")
"""Cards that mean the same, so that they have to agree."""
_LONGER = ("DARKTIME", "ELAPTIME", "TELAPSE")
"""Cards of a time that cannot be shorter than the exposure."""
_BY_COMMENT = re.compile(
    r"\b(exposure|integration|shutter)[- ]?(time|duration|length)\b|\b(actual|effective) (exposure|integration)\b"
    r"|\b(exposure|integration|exp(osed|\.)?|shutter open)\b\W*(in |for )?\W*(s|m?secs?|m?s|(milli)?seconds?)\b",
    re.I,
)
_CALLED = re.compile(
    r"(T?EXP|INT|INTEG|SHUT|SHUTT?R)[-_]?(T|TM|TIME?|DUR)?[-_]?(?P<unit>MSE?C?S?|MILLIS?|USE?C?|SE?CS?)"
)
"""Names of other cards that hold it, in the unit that ends them."""
_CALLED_UNITS = {"M": "ms", "U": "us", "S": "s"}
_NOT_IT = re.compile(r"request|dead|delay|number|start|end|begin|open|clos|mid|offset|correct|max|min\b|total", re.I)
_ASKED = re.compile(r"\b(request\w*|command\w*|asked|planned|desired|demand\w*|wanted|intended|set ?point)\b", re.I)
_EFFECTIVE = re.compile(r"\b(actual|effective|measured|true|real|shutter open|open time)\b", re.I)
_COADDS = ("COADDS", "NCOADDS", "COADD", "NCOADD", "NUMCOADD", "N_COADDS", "COADDNUM", "COADDONE")
_EACH = re.compile(r"\b(per|each|single|individual)\b", re.I)
_ALL = re.compile(r"\b(total|summed|all|overall|whole)\b", re.I)
_TICKS = re.compile(r"\b(ticks?|(units?|steps?|multiples?) of)\b", re.I)
_ONE_OF_SEVERAL = ("ITIME", "INTTIME")
_TOTALS = ("TEXPTIME", "TOTALEXP", "TOTEXP", "EXPTOTAL", "TOTTIME", "TTIME")
_LONG = 7200.0
_DAY = 86400.0
_OVERHEAD = 180.0
"""Seconds that a read-out may take before a program writes the end of the exposure."""
_ENDS = ("DATE-END", "DATE_END", "DATEEND", "UT-END", "UTEND", "UTCEND", "UTC-END", "UTSTOP", "UT_END", "TIME-END")
_BEGINS = (
    "DATE-BEG",
    "DATE-OBS",
    "UT-STR",
    "UTSTART",
    "UT-START",
    "UT_START",
    "UTCSTART",
    "UTC-OBS",
    "TIME-OBS",
    "TIME-BEG",
    "UT-TIME",
    "UTIME",
    "UT",
    "UTC",
)
_MJD_ENDS = ("MJD-END", "MJDEND", "MJD_END")
_MJD_BEGINS = ("MJD-BEG", "MJD-STR", "MJD-OBS", "MJD_OBS", "MJDSTART")


@frozen
class ExposureRule:
    """How the exposure time is read.

    Parameters
    ----------
    keyword, unit : str
        The card, and its unit, one of `obs.instrument.card_values.UNITS`.
    times : str
        The card that multiplies it; empty if none does.
    by_comment : bool
        Whether a unit that the comment of the card names comes before ``unit``: files of the camera differ in it.
    """

    keyword: str
    unit: str = "s"
    times: str = ""
    by_comment: bool = False

    def read(self, cards: Cards) -> float:
        """Return the seconds that a header gives.

        Parameters
        ----------
        cards : Cards
            Header.

        Raises
        ------
        FileFormatError
            If the card is not there, or holds no time.
        """
        card = cards.find(self.keyword)
        if card is None:
            raise FileFormatError(f"the header does not have {self.keyword}")
        unit = (find_time_unit(card.comment) if self.by_comment else "") or self.unit
        times = read_number(cards.get(self.times)) if self.times and cards.find(self.times) is not None else 1.0
        return times * read_seconds(card.value, unit)


@frozen
class _Stated:
    """What a card says: seconds, and the unit that they were converted from."""

    name: str
    seconds: float
    unit: str
    confidence: Confidence


def find_exposure_time(cards: Cards) -> tuple[Finding, ExposureRule | None]:
    """Return the exposure time, seconds, and how it is read."""
    doubts: list[str] = []
    stated = list(_stated(cards, doubts)) or list(_by_comment(cards))
    if not stated:
        return Finding.unknown("exposure_time", doubts[0] if doubts else "no card gives it"), None
    first = _effective(cards, stated)
    sure, note = first.confidence, doubts[0] if doubts else ""
    if doubts:
        sure = lower_confidence(sure, "likely")
    against = _against(cards, first, stated)
    if against:
        sure, note = "guess", against
    found = Finding("exposure_time", first.seconds, first.name, sure, note)
    return _of_coadds(cards, found, ExposureRule(first.name, first.unit))


def join_units(rules: Sequence[ExposureRule | None]) -> list[ExposureRule | None]:
    """Return rules of several files, those by the comment that differ in nothing but the unit of their card.

    Parameters
    ----------
    rules : sequence of ExposureRule or None
        Rule of each file.
    """
    units: dict[tuple[str, str], set[str]] = {}
    for rule in rules:
        if rule is not None:
            units.setdefault((rule.keyword, rule.times), set()).add(rule.unit)
    return [
        replace(rule, unit="s", by_comment=True)
        if rule is not None and len(units[rule.keyword, rule.times]) > 1
        else rule
        for rule in rules
    ]


def _effective(cards: Cards, stated: list[_Stated]) -> _Stated:
    """Return what was exposed, rather than what was asked for, where comments tell them apart."""
    first = stated[0]
    if not _comment(cards, first.name, _ASKED):
        measured = next((other for other in stated[1:] if _comment(cards, other.name, _EFFECTIVE)), None)
        if measured is None or _comment(cards, first.name, _EFFECTIVE) or _agree(first.seconds, measured.seconds):
            return first
        return replace(measured, confidence=lower_confidence(measured.confidence, "likely"))
    names = {item.name for item in stated}
    others = [*stated[1:], *(item for item in _by_comment(cards) if item.name not in names)]
    best = next((item for item in others if _comment(cards, item.name, _EFFECTIVE)), None)
    best = best or next((item for item in others if not _comment(cards, item.name, _ASKED)), None)
    return replace(first, confidence="guess") if best is None else replace(best, confidence="likely")


def _comment(cards: Cards, name: str, words: re.Pattern[str]) -> bool:
    card = cards.find(name)
    return card is not None and words.search(card.comment) is not None


def _of_coadds(cards: Cards, found: Finding, rule: ExposureRule) -> tuple[Finding, ExposureRule]:
    """Return the time of all exposures that were added up, where a card counts them."""
    name = next((name for name in _COADDS if isinstance(cards.get(name), int | float)), "")
    count = float(cards.get(name, 1)) if name and not isinstance(cards.get(name), bool) else 1.0
    if not (1.0 < count < 1e5 and count.is_integer()):
        return found, rule
    totals = [total for total in _TOTALS if isinstance(cards.get(total), int | float) and total != rule.keyword]
    if any(_agree(float(cards.get(total)), found.value) for total in totals) or rule.keyword in _TOTALS:
        return found, rule
    singles = [cards.get(single) for single in _ONE_OF_SEVERAL if single != rule.keyword]
    if any(isinstance(one, int | float) and _agree(float(one) * count, found.value) for one in singles):
        return found, rule
    if _comment(cards, rule.keyword, _ALL) and not _comment(cards, rule.keyword, _EACH):
        return replace(found, confidence=lower_confidence(found.confidence, "likely")), rule
    is_told = any(_agree(float(cards.get(total)), found.value * count) for total in totals)
    is_each = rule.keyword in _ONE_OF_SEVERAL or _comment(cards, rule.keyword, _EACH)
    sure = lower_confidence(found.confidence, "likely" if is_told or is_each else "guess")
    note = f"{name} = {count:g} times {found.value:g} s" + ("" if is_told or is_each else ", unless that is all of it")
    whole = Finding("exposure_time", found.value * count, f"{rule.keyword} x {name}", sure, note)
    return whole, ExposureRule(rule.keyword, rule.unit, name)


def _read(card: Card) -> tuple[float, str]:
    """Return the seconds that a card holds and its unit."""
    called = _CALLED.fullmatch(card.keyword)
    unit = find_time_unit(card.comment) or (_CALLED_UNITS[called["unit"][0]] if called else "s")
    return read_seconds(card.value, unit), unit


def _stated(cards: Cards, doubts: list[str]) -> Iterator[_Stated]:
    """Yield what cards say that are called so; a value that cannot be is a doubt."""
    for name, confidence in _EXPOSURE:
        card = cards.find(name)
        if card is None or isinstance(card.value, bool):
            if name in cards and card is None and not doubts and name == "EXPTIME":
                doubts.append("EXPTIME is there, but empty")
            continue
        try:
            seconds, unit = _read(card)
        except FileFormatError:
            doubts.append(f"{name} = '{card.value}' is not a number")
            continue
        if not isfinite(seconds) or not 0 <= seconds <= _DAY:
            doubts.append(f"{name} = {card.value} cannot be")
            continue
        yield _Stated(name, seconds, unit, confidence)


def _by_comment(cards: Cards) -> Iterator[_Stated]:
    """Yield what cards say whose comment calls it an exposure time."""
    for name in cards:
        card = cards.find(name)
        if card is None or isinstance(card.value, bool) or not isinstance(card.value, int | float):
            continue
        is_called = _CALLED.fullmatch(name) is not None
        if (is_called or _BY_COMMENT.search(card.comment)) and not _NOT_IT.search(card.comment):
            seconds, unit = _read(card)
            if isfinite(seconds) and seconds >= 0:
                yield _Stated(name, seconds, unit, "likely" if is_called else "guess")


def _against(cards: Cards, first: _Stated, stated: list[_Stated]) -> str:
    """Return what contradicts a value; empty if nothing does."""
    if cards.reason_to_doubt(first.name):
        return cards.reason_to_doubt(first.name)
    for other in stated[1:]:
        is_same = first.name in _SAME and other.name in _SAME and other.seconds > 0  # zero: nobody filled it in
        if is_same and not _agree(first.seconds, other.seconds):
            return f"{other.name} says {other.seconds:g} s"
        is_set = other.name in _LONGER and other.seconds > 0  # zero: nobody filled it in
        if first.name not in _LONGER and is_set and first.seconds > 1.05 * other.seconds + 1.0:
            return f"{other.name} says {other.seconds:g} s"
    between = _between(cards)
    if between is not None and first.seconds > between[0] * 1.02 + 2.0:
        return f"only {between[0]:.1f} s lie between {between[1]} and {between[2]}"
    if between is not None and first.seconds > 0 and between[0] > 3.0 * first.seconds + _OVERHEAD:
        return f"{between[0]:.0f} s lie between {between[1]} and {between[2]}"
    if between is not None and first.unit == "s" and abs(between[0] / 60.0 - first.seconds) <= 0.01 * first.seconds:
        return f"{between[0]:.0f} s lie between {between[1]} and {between[2]}: the unit may be minutes"
    if _comment(cards, first.name, _TICKS):
        return "the comment says that it is counted in units of its own"
    if first.seconds > _LONG:
        return f"{first.seconds:g} s is longer than two hours: the unit may be another"
    return ""


def _agree(first: float, second: float) -> bool:
    return abs(first - second) <= 0.1 + 0.02 * max(first, second)


def _between(cards: Cards) -> tuple[float, str, str] | None:
    """Return the seconds between begin and end, and the cards of both; None if they are not there."""
    for begins, ends in ((_MJD_BEGINS, _MJD_ENDS), (_BEGINS, _ENDS)):
        begin = next((name for name in begins if _when(cards, name) is not None), "")
        end = next((name for name in ends if _when(cards, name) is not None), "")
        first, last = _when(cards, begin), _when(cards, end)
        if first is None or last is None:
            continue
        if first.year != last.year and 1900 in (first.year, last.year):  # a time of day and a date
            last = last.replace(year=first.year, month=first.month, day=first.day)
        seconds = (last - first).total_seconds()
        if first.year == 1900 and seconds < 0:
            seconds += 86400.0
        if 0 < seconds < _DAY:
            return seconds, begin, end
    return None


def _when(cards: Cards, name: str) -> datetime | None:
    """Return a date, or a time of day as one of 1900; None if a card holds neither."""
    value = cards.get(name)
    try:
        if name in _MJD_BEGINS or name in _MJD_ENDS:
            return mjd_to_date(read_number(value))
        text = str(value).strip()
        if re.fullmatch(r"\d{1,2}:\d\d:\d\d(\.\d*)?", text):
            return parse_date(text.partition(".")[0], "%H:%M:%S")
        return parse_date(text.rstrip("Z.")) if "T" in text else None
    except FileFormatError:
        return None
