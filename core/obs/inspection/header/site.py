"""Where the observatory is, held against the sidereal time in the header."""

import math
import re
from collections.abc import Sequence
from datetime import timedelta

import erfa

from obs.errors import FileFormatError
from obs.inspection.cards import Card, Cards
from obs.inspection.finding import Confidence, Finding, lower_confidence
from obs.inspection.header.side_of_greenwich import NO_SIDE, greenwich_hours
from obs.instrument.card_values import parse_date, read_number

__all__ = ["find_site"]

_LONGITUDES = (
    *("OBS-LONG", "LONGITUD", "SITELONG", "GEOLON", "OBSLONG", "LONG-OBS", "LONG_OBS", "OBSLON", "LON-OBS", "LON_OBS"),
    *(
        "OBSGEO-L",
        "SITELON",
        "SITE-LON",
        "SITE_LON",
        "TELLONG",
        "OBS_LONG",
        "OBS-LON",
        "TELLON",
        "GEOLONG",
        "LONG",
        "LBTLONG",
    ),
)
_LATITUDES = (
    *("OBS-LAT", "LATITUDE", "SITELAT", "GEOLAT", "OBSLAT", "LAT-OBS", "LAT_OBS", "TELLAT", "OBSGEO-B", "SITE-LAT"),
    *("SITE_LAT", "OBS_LAT", "LAT", "LBTLAT"),
)
_ELEVATIONS = (
    "OBS-ELEV",
    "SITEELEV",
    "SITEALT",
    "OBSALT",
    "OBS-ALT",
    "ALT-OBS",
    "ALT_OBS",
    "HEIGHT",
    "ELEVATIO",
    "GEOELEV",
    "ELEV-OBS",
    "ELEV_OBS",
    "OBSELEV",
    "OBS_ELEV",
    "OBSGEO-H",
    "SITEELEV",
    "SITE-ALT",
    "SITEHGT",
    "ALTITUDE",
    "LBTELEV",
)
_SIDEREAL_STARTS = ("STSTART", "LSTSTART", "LST-BGN", "LST_STAR", "LSTOBS", "TCSLST", "SIDERIAL", "ST-OBS", "ST_OBS")
_SIDEREAL = ("LST-OBS", "LST-STR", "LST-BEG", "LST_OBS", "LST", "SIDTIME", "SIDEREAL", "ST", *_SIDEREAL_STARTS)
_ESO = "ESO TEL "
_PLACE = r"(SITE|OBS|OBSV|TELG?|GEO|LOC|STA|STN|SCOPE)[-_]?"
_BEHIND = r"[-_]?(SITE|OBSV?|TEL|LOC|STN)"
_CALLED = {
    "longitude": re.compile(rf"{_PLACE}LO?NG?(I|IT|ITU|ITUD|ITUDE)?|LONGIT(U|UDE)?|LONGTUDE|LONGTD|LO?NG?{_BEHIND}"),
    "latitude": re.compile(rf"{_PLACE}LAT(I|IT|ITU|ITUD|ITUDE)?|LATITUD|LATIT|LAT{_BEHIND}"),
    "elevation": re.compile(
        rf"{_PLACE}(ELE?V(AT|ATI|ATIO|ATN)?|HGT|HEIGHT|ALT(IT|ITU|ITUD)?)|(ELE?V|HGT|ALT){_BEHIND}"
    ),
}
"""Names of other cards that hold the place of an observatory."""
_NAMES = ("OBSERVAT", "SITENAME", "SITE", "OBSERVATORY")
"""Cards that name a place; no list of places is asked, since such names are ambiguous and lists change."""
_HIGHEST = 6000.0
"""Meters above the sea, of any telescope."""
_SIDE = re.compile(r"([NSEW]?)\s*([+-]?\d[^NSEWnsew]*?)\s*([NSEW]?)", re.I)
_EARTH = (6.3e6, 6.4e6)
"""Meters from its middle to a place on the Earth."""
_UNITS = re.compile(r"\b(km|kilomet(er|re)s?|ft|feet|foot)\b", re.I)
_METERS = {"k": 1000.0, "f": 0.3048}
"""Units of elevation by their first letter, in meters."""
_CLOSE = 2.0
"""Degrees by which the longitude may miss what sidereal time and date give; half a degree is two minutes."""
_ZONE = 45.0
"""Degrees by which a longitude may miss that of its time zone, with summer time."""
_NEAR, _MOST_HOURS = 0.02, 14.0
"""Hours by which two clocks may differ, and that a zone is ahead of UTC at most."""
_OFFSET = re.compile(r"(?<=\d:\d\d)(\.\d*)?[+-]\d\d:?\d\d$|(?<=\d:\d\d:\d\d)[+-]\d\d$")
"""What a date says of its own zone: held against the date in UTC like that of a date that says nothing."""
_MERIDIEM = ("%m/%d/%Y %I:%M:%S.%f %p", "%m/%d/%Y %I:%M:%S %p")
"""How CCDSoft and MaxIm write the local time."""
_WEST = re.compile(r"\bwest\b|\+ ?W\b|\(W\)|\bdeg(rees)?\.? W\b", re.I)
_COUNTS_WEST = re.compile(
    r"\b(positive|plus) (is |to |for |towards )?(the )?w(est)?\b|\bw(est)? ?(is |=|:)? ?(positive|plus|\+)"
    r"|\+(ve)? ?(is|=|for|to|:)? ?(the )?w(est)?\b"
    r"|(-|\bneg(ative)?|\bminus) ?(if|is|=|for|to)? ?(the )?east\b|\beast ?(is |=)?(neg\w*|minus)",
    re.I,
)
"""Comments of cards whose negative longitudes are in the east."""
_EAST = re.compile(r"\beast\b|(west|W) ?(is|=)? ?(-|neg|minus)|-(ve)? ?(for|is|=|to)? ?(the )?west|neg\w* west", re.I)
_COUNTS_EAST = re.compile(r"N\.?I\.?N\.?A|ZWO|ASIAIR|KStars|Ekos|INDI\b", re.I)
"""Programs whose longitudes are those of ASCOM or INDI, east of Greenwich."""
_IN_HOURS = re.compile(r"\bhours?\b|\bhrs?\b|\[h\]|\bh:m", re.I)
_UNIT_OF_TIME = re.compile(r"\[?\b(h|hr|hours?|deg(rees)?)\b", re.I)
_CLOCK = re.compile(r"\b\d{1,2}:\d\d:\d\d(\.\d*)?")
_SECOND = 1.0
_SECONDS = re.compile(r"\[s\]|\bsec(onds?)?\b", re.I)
_DEGREES = re.compile(r"\bdeg", re.I)


def find_site(cards: Cards, begin: Finding) -> list[Finding]:
    """Return longitude (degrees east), latitude (degrees north) and elevation (m).

    Parameters
    ----------
    cards : Cards
        The header.
    begin : Finding
        When the exposure began: with the sidereal time it tells the longitude, and so which way a card counts it.
    """
    if (whole := _geocentric(cards)) is not None:
        return whole
    return [
        _longitude(cards, begin),
        _plain(cards, "latitude", (*_LATITUDES, f"{_ESO}GEOLAT", *_called(cards, "latitude")), 90.0),
        _plain(
            cards, "elevation", (*_ELEVATIONS, f"{_ESO}GEOELEV", *_called(cards, "elevation")), _HIGHEST / _METERS["f"]
        ),
    ]


def _geocentric(cards: Cards) -> list[Finding] | None:
    """Return the site from its place relative to the middle of the Earth, m or km; None if cards do not show it."""
    names = ("OBSGEO-X", "OBSGEO-Y", "OBSGEO-Z")
    values = [cards.get(name) for name in names]
    if not all(isinstance(value, int | float) and not isinstance(value, bool) for value in values):
        return None
    unit = next((unit for unit in (1.0, _METERS["k"]) if _EARTH[0] < unit * math.hypot(*values) < _EARTH[1]), None)
    if unit is None:
        return None
    longitude, latitude, height = (float(value) for value in erfa.gc2gd(1, [unit * value for value in values]))
    source = " ".join(names)
    return [
        Finding("longitude", math.degrees(longitude), source),
        Finding("latitude", math.degrees(latitude), source),
        Finding("elevation", height, source),
    ]


def _stated(cards: Cards, names: Sequence[str], largest: float) -> tuple[str, float, bool] | None:
    """Return the first card with a value that can be, the value, and whether a letter gives its side."""
    for name in names:
        text, sign = str(cards.get(name)).strip(), 0
        match = _SIDE.fullmatch(text)
        side = "" if match is None else (match[1] or match[3]).upper()
        if match is not None and side:
            sign = -1 if side in "SW" else 1
            text = match[2]
        try:
            value = read_number(text.replace("°", ":").replace("'", ":").rstrip(':"'))
        except FileFormatError:
            continue
        if 0.0 < abs(value) <= largest:
            return name, sign * abs(value) if sign else value, bool(sign)
    return None


def _called(cards: Cards, quantity: str) -> list[str]:
    """Return the other cards of a header whose names are made like those of a place."""
    return [name for name in cards if _CALLED[quantity].fullmatch(name)]


def _plain(cards: Cards, quantity: str, names: Sequence[str], largest: float) -> Finding:
    if quantity == "elevation":
        names = [name for name in names if not _is_angle(cards, name)]
    stated = _stated(cards, names, largest)
    if stated is None:
        return Finding.unknown(quantity)
    sure: Confidence = "guess" if cards.reason_to_doubt(stated[0]) else "likely"
    card = cards.find(stated[0])
    unit = _UNITS.search(card.comment) if quantity == "elevation" and card is not None else None
    value = stated[1] * (_METERS[unit[0].lower()[0]] if unit is not None else 1.0)
    if quantity == "elevation" and value > _HIGHEST:
        return Finding.unknown(quantity, f"{stated[0]} says {value:.0f} m")
    return Finding(quantity, value, stated[0], sure, f"the card is in {unit[0]}" if unit is not None else "")


def _is_angle(cards: Cards, name: str) -> bool:
    """Whether a card that may hold the elevation of the site holds where the telescope points."""
    card = cards.find(name)
    if card is None or not re.search(r"ALT|ELEVATIO|HEIGHT|^(TEL|SCOPE)", name):
        return False
    if re.search(r"\bdeg|telescope|pointing|horizon|\bangle|zenith|object|target", card.comment, re.I):
        return not re.search(r"\bm\b|meters?|metres?|sea level|\basl\b|site|observatory", card.comment, re.I)
    if name == "HEIGHT" and not re.search(r"sea level|\basl\b|site|observatory|elevation|\[m\]", card.comment, re.I):
        return True
    is_told = "SITE" in name or re.search(r"\bm\b|meters?|metres?|sea level|\basl\b", card.comment, re.I)
    try:
        return not is_told and abs(read_number(card.value)) <= 90.0
    except FileFormatError:
        return False


def _longitude(cards: Cards, begin: Finding) -> Finding:
    stated = _stated(cards, (*_LONGITUDES, f"{_ESO}GEOLON", *_called(cards, "longitude")), 360.0)
    if stated is None:
        place = next((f"{name} = '{cards.get(name)}'" for name in _NAMES if str(cards.get(name, "")).strip()), "")
        return Finding.unknown(
            "longitude", f"{place} is only a name: write the place into translator.py" if place else ""
        )
    name, value, has_side = stated
    if (counted := cards.find(name)) is not None and _IN_HOURS.search(counted.comment):
        value *= 15.0
    # A card that counts to the west from 0 to 360 is positive, whatever its value is within 180 degrees.
    is_positive = value > 0.0
    value = (value + 180.0) % 360.0 - 180.0
    sidereal = _sidereal_time(cards)
    if sidereal is None or begin.confidence in ("guess", "not known"):
        if has_side:
            return Finding("longitude", value, name, "likely", "the letter gives the side")
        return _without_sidereal_time(cards, name, value, is_positive, begin)
    card, hours = sidereal
    real = (15.0 * (hours - greenwich_hours(parse_date(str(begin.value)))) + 180.0) % 360.0 - 180.0
    for sign, note in ((1.0, f"{card} agrees"), (-1.0, f"{card} agrees, if the card counts to the west")):
        if abs((sign * value - real + 180.0) % 360.0 - 180.0) < _CLOSE:
            return Finding("longitude", sign * value, name, lower_confidence("certain", begin.confidence), note)
    return Finding("longitude", value, name, "guess", f"{card} and the date give {real:.1f}")


def _without_sidereal_time(cards: Cards, name: str, value: float, is_positive: bool, begin: Finding) -> Finding:
    """Return the longitude by the local time, the program, or the comment, as far as these tell the side."""
    if (zone := _zone(cards, begin)) is not None and begin.confidence in ("certain", "likely"):
        source, hours = zone
        fits = [sign for sign in (1.0, -1.0) if abs((sign * value - 15.0 * hours + 180.0) % 360.0 - 180.0) < _ZONE]
        if len(fits) == 1:
            note = f"{source} agrees{'' if fits[0] > 0 else ', if the card counts to the west'}"
            return Finding("longitude", fits[0] * value, name, "likely", note)
    card = cards.find(name)
    comment = "" if card is None else card.comment
    is_west = is_positive and _WEST.search(comment) and not _EAST.search(comment)
    if is_west or _COUNTS_WEST.search(comment):
        return Finding("longitude", -value, name, "likely", "its comment counts to the west")
    if any(_COUNTS_EAST.search(str(cards.get(program, ""))) for program in ("SWCREATE", "CREATOR", "PROGRAM")):
        return Finding("longitude", value, name, "likely", "the program counts to the east")
    # A comment that claims east does not help: cards are known that do so and count to the west.
    return Finding("longitude", value, name, "guess", NO_SIDE)


def _zone(cards: Cards, begin: Finding) -> tuple[str, float] | None:
    """Return the card of the local time, and by how many hours it is ahead of UTC; None where no card gives."""
    for name in ("DATE-LOC", "LOCALTIM"):
        text = re.sub(r"\s+(STD|DST)$", "", str(cards.get(name, "")).strip())
        offset = _OFFSET.search(text)
        try:
            local = parse_date(text[: offset.start()] if offset else text, *(_MERIDIEM if text.endswith("M") else ()))
            hours = (local - parse_date(str(cards.get("DATE-OBS", begin.value)))) / timedelta(hours=1)
        except FileFormatError:
            continue
        rounded = round(hours * 4.0) / 4.0
        if abs(hours - rounded) < _NEAR and abs(rounded) <= _MOST_HOURS:
            return name, rounded
    return None


def _hours_in_unit(card: Card) -> float:
    """Return the hours of one unit of a sidereal time that is a number; 0 where its comment does not tell."""
    if _UNIT_OF_TIME.search(card.comment):
        return 1.0 / 15.0 if _DEGREES.search(card.comment) else 1.0
    clock = _CLOCK.search(card.comment)  # ESO has the text behind the seconds
    is_seconds = clock is not None and abs(3600.0 * read_number(clock[0]) - float(card.value)) < _SECOND
    return 1.0 / 3600.0 if is_seconds or _SECONDS.search(card.comment) else 0.0


def _sidereal_time(cards: Cards) -> tuple[str, float] | None:
    """Return the card of the local sidereal time, and hours; from hour angle and right ascension where it has to be."""
    for name in _SIDEREAL:
        value = cards.get(name)
        if isinstance(value, str) and re.match(r"\s*\d{1,2}[: ]\d", value):
            try:
                return name, read_number(value)
            except FileFormatError:
                continue
        card = cards.find(name)
        if isinstance(value, int | float) and card is not None and (unit := _hours_in_unit(card)):
            hours = float(value) * unit
            if 0.0 < hours < 24.0:
                return name, hours
    for ra, angle in (("TELRA", "HA"), ("RA", "HA")):
        values = cards.get(ra), cards.get(angle)
        if all(isinstance(value, str) and ":" in value for value in values):
            try:
                return f"{ra} + {angle}", (read_number(values[0]) + read_number(values[1])) % 24.0
            except FileFormatError:
                continue
    return None
