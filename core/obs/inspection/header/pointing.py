"""Target, airmass and pointing of a frame."""

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import product

import erfa

from obs.errors import FileFormatError
from obs.frozen import frozen
from obs.inspection.cards import Card, Cards
from obs.inspection.finding import Confidence, Finding, lower_confidence
from obs.instrument.card_values import is_sexagesimal, parse_date, read_number
from obs.instrument.header import POINTING_CARDS
from obs.instrument.pointing_rules import PointingRule, parse_year

__all__ = ["find_airmass", "find_object", "find_pointing"]

_OBJECTS = (
    "OBJECT",
    "TARGNAME",
    "OBJNAME",
    "TARGET",
    "OBJCAT",
    "CAT-NAME",
    "ESO OBS TARG NAME",
    "OBJ_NAME",
    "TITLE",
    "FIELD",
)
_LOW_IN_THE_SKY = 5.0
_FAR = 5.0
"""Degrees that the pointing may be from the reference point of the WCS."""
_APART = 2.0
"""Degrees by which two pointings of one header may differ."""
_TAKEN_FOR: tuple[float | str, ...] = ("date", 2000.0)
"""Equinoxes that programs take for each other."""
_MOVED = 0.05
"""Degrees from which on two pointings are held against each other: precession since 2000 is more from 2004 on."""
_OF_DATE = re.compile(
    r"\bj-?now\b|\bof[ -](the[ -])?date\b|\bapparent\b|\bcurrent (epoch|equinox)\b|\bequinox of\b", re.I
)
_NOW = re.compile(r"\b(current|now|date|apparent)\b", re.I)
"""What cards of the equinox say that is that of the date."""
_OTHER_SYSTEM = re.compile(r"\b(galactic|ecliptic|supergalactic|azimuth|altitude)\b", re.I)
_J2000 = re.compile(r"\bJ ?2000(\.0)?\b|\bICRS\b|\bFK5\b|\b2000\.0\b", re.I)
_B1950 = re.compile(r"\bB ?1950(\.0)?\b|\bFK4\b|\b1950(\.0)?\b", re.I)
_EQUINOXES = ("EQUINOX", "RADECEQ", "TELEQUIN", "TELEQUI", "EQUIN", "RAEQUIN", "OBJEQUIN", "EPOCH")
_SYSTEMS = ("RADESYS", "RADECSYS", "RADESYSA", "TELRADEC", "COORDSYS")
_SIDEREAL = ("LST", "LST-OBS", "LST_OBS", "ST", "SIDTIME", "SIDEREAL", "LST-STR", "LST-BEG")
_HOUR_ANGLES = ("HA", "TELHA", "HOURANG", "HA-OBS", "HA_OBS", "HA-STR")
_SAME_YEAR = 1.5
_AS_TEXT = 0.001
"""Hours by which a number may differ from the text in its comment."""


def find_object(cards: Cards) -> Finding:
    """Return the name of the target."""
    for name in _OBJECTS:
        card = cards.find(name)
        if card is not None and re.search(r"\w", str(card.value)) and not isinstance(card.value, bool):
            doubt = cards.reason_to_doubt(name) or (
                "" if isinstance(card.value, str) else f"{name} is a number, not a name"
            )
            sure: Confidence = "guess" if doubt else "certain" if name == "OBJECT" else "likely"
            return Finding("object", str(card.value).strip(), name, sure, doubt)
    return Finding.unknown("object")


AIRMASS_CARDS = ("AIRMASS", "SECZ", "AIRM", "AMSTART", "SECZ-STR", "ESO TEL AIRM START", "AIRMASSB", "AM")


def find_airmass(cards: Cards) -> Finding:
    """Return the airmass that the header gives."""
    for name in AIRMASS_CARDS:
        try:
            value = read_number(cards.get(name))
        except FileFormatError:
            continue
        if 0.99 <= value <= 40.0:
            low = value > _LOW_IN_THE_SKY
            return Finding("airmass", value, name, "guess" if low else "certain", "low in the sky" if low else "")
    return Finding.unknown("airmass")


def find_pointing(cards: Cards, begin: Finding | None = None) -> tuple[list[Finding], PointingRule | None]:
    """Return right ascension and declination of J2000, degrees, and how they are read.

    Parameters
    ----------
    cards : Cards
        The header.
    begin : Finding, optional
        When the exposure began, for coordinates of the equinox of the date.
    """
    date = parse_date(str(begin.value)) if begin is not None and begin.is_known else None
    why, doubt = "", ""
    found: list[_Judged] = []
    for ra_name, dec_name in (*POINTING_CARDS, ("CRVAL1", "CRVAL2")):
        ra, dec = cards.find(ra_name), cards.find(dec_name)
        if ra is None or dec is None or isinstance(ra.value, bool) or isinstance(dec.value, bool):
            continue
        if ra_name == "CRVAL1" and not str(cards.get("CTYPE1", "")).startswith("RA"):
            continue
        judged = _judged(cards, ra, dec, date)
        if isinstance(judged, str):
            why = why or judged
            doubt = doubt or ("" if "zero" in judged else judged)  # those nobody filled in
        else:
            found.append(judged)
    if not found:
        found = list(_from_hour_angle(cards, date))
    if not found:
        return [Finding.unknown("boresight_ra", why), Finding.unknown("boresight_dec", why)], None
    names_a_year = any(cards.find(name) for name in _EQUINOXES)
    best = min(  # the first that is not a guess; without an equinox, one that is of 2000 by its name
        found,
        key=lambda one: (_ORDER.index(one.confidence) > 1, not names_a_year and "2000" not in one.rule.ra),
    )
    reference = _reference(cards)
    sure, note = best.confidence, best.note
    other = next(
        (o for o in found if o.rule.ra not in (best.rule.ra, "CRVAL1") and _far(best, o.ra, o.dec, _APART)), None
    )
    if doubt:
        sure, note = "guess", _joined(note, doubt)
    elif contradiction := _other_equinox(cards, best, found, date):
        sure, note = "guess", _joined(note, contradiction)
    elif other is not None:
        sure, note = "guess", _joined(note, f"{other.rule.ra}, {other.rule.dec} are {other.ra:.4g}, {other.dec:.4g}")
    elif best.rule.ra != "CRVAL1" and reference is not None and _far(best, *reference, _FAR):
        sure, note = "guess", _joined(note, f"CRVAL1, CRVAL2 are {reference[0]:.4g}, {reference[1]:.4g}")
    sure_of_dec = sure if sure == "guess" else best.sure_of_dec
    findings = [
        Finding("boresight_ra", best.ra, best.rule.ra, sure, note),
        Finding("boresight_dec", best.dec, best.rule.dec, sure_of_dec, note if sure_of_dec != "certain" else ""),
    ]
    return findings, best.rule


def _other_equinox(cards: Cards, best: "_Judged", found: Sequence["_Judged"], date: datetime | None) -> str:
    """Return which other pair of cards the best one agrees with only in another equinox than stated; else empty."""
    for other in found:
        apart = _angle(best, other)
        if other.rule.ra == "CRVAL1" or apart < _MOVED:
            continue
        for (one, that), equinox in product(((best, other), (other, best)), _TAKEN_FOR):
            ra, dec = replace(one.rule, equinox=equinox).read(cards, date)
            if _angle(replace(one, ra=ra, dec=dec), that) < apart / 4.0:
                year = "of the date" if equinox == "date" else "of 2000"
                return f"{one.rule.ra}, {one.rule.dec} agree with {that.rule.ra}, {that.rule.dec} if they are {year}"
    return ""


def _angle(one: "_Judged", other: "_Judged") -> float:
    """Return the distance between two pointings, degrees."""
    return math.degrees(
        erfa.seps(math.radians(one.ra), math.radians(one.dec), math.radians(other.ra), math.radians(other.dec))
    )


def _from_hour_angle(cards: Cards, date: datetime | None) -> Iterator["_Judged"]:
    """Yield the pointing that sidereal time, hour angle and declination give, of the equinox of the date."""
    for source, right in _by_hour_angle(cards):
        sidereal, angle = source.split(" - ")
        for dec_name in dict.fromkeys(dec for _, dec in POINTING_CARDS):
            rule = PointingRule(sidereal, dec_name, "", equinox="date", hour_angle=angle)
            try:
                place = rule.read(cards, date)
            except FileFormatError:
                continue
            note = f"{source}, {right:.4g} degrees, precessed to 2000 from the equinox of the date"
            yield _Judged(rule, *place, "likely", "likely", note)
            return


_ORDER = ("certain", "likely", "guess")


@frozen
class _Judged:
    """One pair of cards: how they are read, what they give, and how sure that is."""

    rule: PointingRule
    ra: float
    dec: float
    confidence: Confidence
    sure_of_dec: Confidence
    note: str


def _judged(cards: Cards, ra: Card, dec: Card, date: datetime | None) -> _Judged | str:
    """Return what a pair of cards tells; why it cannot be, where it cannot."""
    if match := _OTHER_SYSTEM.search(f"{ra.comment} {dec.comment}"):
        return f"{ra.keyword}, {dec.keyword} are {match[0].lower()}, says the comment"
    try:
        right, up = read_number(ra.value), read_number(dec.value)
    except FileFormatError:
        return ""
    unit, sure, note = _unit(ra, right, [*_right_ascensions(cards), *_by_hour_angle(cards)])
    dec_unit: str = "rad" if unit == "rad" and abs(up) < 1.6 and not is_sexagesimal(dec.value) else "deg"
    equinox, doubt = _equinox(cards, ra, dec, date)
    rule = PointingRule(ra.keyword, dec.keyword, "" if is_sexagesimal(ra.value) else unit, dec_unit, equinox)
    try:
        place = rule.read(cards, date)
    except FileFormatError as error:
        return str(error)  # the mount was not connected, say
    sure_of_dec: Confidence = "certain" if dec_unit == "deg" else sure
    if ra.keyword == "CRVAL1":
        sure = sure_of_dec = "guess"
        note = "the reference of the WCS need not be where the telescope points"
    if problem := cards.reason_to_doubt(ra.keyword) or cards.reason_to_doubt(dec.keyword):
        sure = sure_of_dec = "guess"
        note = problem
    if place != (right * (15.0 if unit == "hourangle" else 1.0), up) and equinox != 2000.0 and dec_unit == "deg":
        moved = _joined(note, f"precessed to 2000 from {_year_text(cards, equinox)}")
        sure, sure_of_dec = lower_confidence(sure, "likely"), lower_confidence(sure_of_dec, "likely")
        note = moved
    if doubt:
        sure = sure_of_dec = "guess"
        note = _joined(note, doubt)
    return _Judged(rule, *place, sure, sure_of_dec, note)


def _year_text(cards: Cards, equinox: float | str) -> str:
    if equinox == "date":
        return "the equinox of the date"
    year = equinox if isinstance(equinox, float | int) else (parse_year(cards.get(equinox)) or 2000.0)
    return f"{abs(year):g}"


def _joined(first: str, second: str) -> str:
    return "; ".join(part for part in (first, second) if part)


def _far(one: _Judged, ra: float, dec: float, limit: float) -> bool:
    return _apart(one.ra, one.dec, (ra, dec)) > limit


def _equinox(cards: Cards, ra: Card, dec: Card, date: datetime | None) -> tuple[float | str, str]:
    """Return the equinox of a pair of cards, as `PointingRule` takes it, and what contradicts it."""
    comment = f"{ra.comment} {dec.comment}"
    if "2000" in ra.keyword or (_J2000.search(comment) and not _OF_DATE.search(comment)):
        return 2000.0, ""
    if _B1950.search(comment):
        return -1950.0, ""
    if _OF_DATE.search(comment):
        return "date", ""
    if ra.keyword.startswith("OBJCT"):  # J2000 by the convention of the programs that write it
        return 2000.0, ""
    name = next((name for name in _EQUINOXES if parse_year(cards.get(name)) is not None), "")
    card, year = cards.find(name), parse_year(cards.get(name))
    system = next((str(cards.get(name)).strip().upper() for name in _SYSTEMS if cards.find(name)), "")
    if card is None or year is None:
        words = f"{system} {_texts(cards)}"
        is_of_date = _OF_DATE.search(words) or _NOW.search(_texts(cards))
        return (-1950.0, "") if _B1950.search(system) else ("date", "") if is_of_date else (2000.0, "")
    if name == "EPOCH" and year > 0.0 and year != 2000.0:
        is_now = date is not None and abs(year - date.year) < _SAME_YEAR
        return 2000.0, "" if is_now and _J2000.search(system) else f"EPOCH = {year:g} may be the equinox"
    if system.startswith(("ICRS", "FK5")) and year < 0.0:
        return 2000.0, f"{name} = {-year:g}, but the system is {system}"
    return name, ""


def _texts(cards: Cards) -> str:
    """Return what cards of the equinox say that hold no year."""
    return " ".join(str(cards.get(name)) for name in _EQUINOXES if isinstance(cards.get(name), str))


def _by_hour_angle(cards: Cards) -> list[tuple[str, float]]:
    """Return the right ascension that sidereal time and hour angle give, degrees."""
    for sidereal in _SIDEREAL:
        for angle in _HOUR_ANGLES:
            values = cards.get(sidereal), cards.get(angle)
            if all(is_sexagesimal(value) for value in values):
                right = (15.0 * (read_number(values[0]) - read_number(values[1]))) % 360.0
                return [(f"{sidereal} - {angle}", right)]
    return []


def _apart(ra: float, dec: float, reference: tuple[float, float]) -> float:
    """Return the distance of a pointing from the reference of the WCS, roughly, degrees."""
    across = abs((ra - reference[0] + 180.0) % 360.0 - 180.0) * math.cos(math.radians(dec))
    return max(across, 0.0 if math.isnan(reference[1]) else abs(dec - reference[1]))


def _reference(cards: Cards) -> tuple[float, float] | None:
    """Return the reference point of the WCS, degrees; None if there is none."""
    ra, dec = cards.get("CRVAL1"), cards.get("CRVAL2")
    is_ra = str(cards.get("CTYPE1", "")).startswith("RA")
    if not is_ra or not isinstance(ra, int | float) or (ra, dec) == (0, 0):
        return None
    return float(ra), float(dec) if isinstance(dec, int | float) else math.nan


def _right_ascensions(cards: Cards) -> list[tuple[str, float]]:
    """Return cards whose right ascension cannot be misread, degrees: of the WCS, and those with minutes and seconds."""
    reference = _reference(cards)
    found = [] if reference is None else [("the WCS", reference[0])]
    for name, _ in POINTING_CARDS:
        value = cards.get(name)
        if is_sexagesimal(value):
            found.append((name, 15.0 * read_number(value)))
    return found


def _unit(card: Card, number: float, others: Sequence[tuple[str, float]]) -> tuple[str, Confidence, str]:
    """Return the unit of a right ascension, how sure it is, and why."""
    if is_sexagesimal(card.value):
        if not re.search(r"\bdeg(rees?)?\b|\bd:m", card.comment, re.I):
            return "hourangle", "certain", ""
        agree = next(
            (other for other, degrees in others if abs(15.0 * number - degrees) < 2.0 and other != card.keyword), ""
        )
        return "hourangle", "likely" if agree else "guess", f"{agree} agrees" if agree else "the comment says degrees"
    comment = card.comment.lower()
    if re.search(r"\brad(ians?)?\b", comment) and abs(number) < 6.3:
        return "rad", "certain", ""
    if re.search(r"\bhours?\b|\bhrs?\b|\bhh|\[h\]|\(h\)|hourangle", comment):
        return "hourangle", "certain", ""
    for unit, factor in (("hourangle", 1.0), ("deg", 1.0 / 15.0)) if is_sexagesimal(comment) else ():
        if abs(read_number(comment) - factor * number) < _AS_TEXT:
            return unit, "certain", "the comment has it in hours, minutes and seconds"
    if re.search(r"\bdeg", comment) or number > 24.0:
        return "deg", "certain" if "deg" in comment else "likely", ""
    for other, degrees in others:
        for unit, factor in (("deg", 1.0), ("hourangle", 15.0), ("rad", 57.29578)):
            if abs(number * factor - degrees) < 2.0:
                return unit, "likely", f"{other} agrees"
    return "deg", "guess", "no card says whether it is in degrees or hours"
