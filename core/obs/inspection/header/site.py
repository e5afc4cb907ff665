"""Where the observatory is, held against the sidereal time in the header."""

import re
from collections.abc import Sequence
from datetime import datetime, timedelta

from obs.errors import FileFormatError
from obs.inspection.cards import Cards
from obs.inspection.finding import Confidence, Finding, lower_confidence
from obs.instrument.card_values import parse_date, read_number

__all__ = ["find_site"]

_LONGITUDES = ("OBS-LONG", "LONGITUD", "SITELONG", "GEOLON", "OBSLONG", "LONG-OBS", "OBSLON", "LON-OBS", "LON_OBS")
_LATITUDES = ("OBS-LAT", "LATITUDE", "SITELAT", "GEOLAT", "OBSLAT", "LAT-OBS", "LAT_OBS", "TELLAT")
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
)
_SIDEREAL = ("LST-OBS", "LST-STR", "LST-BEG", "LST_OBS", "LST", "SIDTIME", "SIDEREAL", "ST")
_ESO = "ESO TEL "
_CLOSE = 2.0
"""Degrees by which the longitude may miss what sidereal time and date give; half a degree is two minutes."""
_J2000 = datetime(2000, 1, 1, 12)


def find_site(cards: Cards, begin: Finding) -> list[Finding]:
    """Return longitude (degrees east), latitude (degrees north) and elevation (m).

    Parameters
    ----------
    cards : Cards
        The header.
    begin : Finding
        When the exposure began: with the sidereal time it tells the longitude, and so which way a card counts it.
    """
    return [
        _longitude(cards, begin),
        _plain(cards, "latitude", (*_LATITUDES, f"{_ESO}GEOLAT"), 90.0),
        _plain(cards, "elevation", (*_ELEVATIONS, f"{_ESO}GEOELEV"), 6000.0),
    ]


def _stated(cards: Cards, names: Sequence[str], largest: float) -> tuple[str, float] | None:
    for name in names:
        try:
            value = read_number(cards.get(name))
        except FileFormatError:
            continue
        if 0.0 < abs(value) <= largest:
            return name, value
    return None


def _plain(cards: Cards, quantity: str, names: Sequence[str], largest: float) -> Finding:
    stated = _stated(cards, names, largest)
    if stated is None:
        return Finding.unknown(quantity)
    sure: Confidence = "guess" if cards.reason_to_doubt(stated[0]) else "likely"
    return Finding(quantity, stated[1], stated[0], sure)


def _longitude(cards: Cards, begin: Finding) -> Finding:
    stated = _stated(cards, (*_LONGITUDES, f"{_ESO}GEOLON"), 360.0)
    if stated is None:
        return Finding.unknown("longitude")
    name, value = stated
    value = (value + 180.0) % 360.0 - 180.0
    sidereal = _sidereal_time(cards)
    if sidereal is None or begin.confidence in ("guess", "not known"):
        # Comments do not help: cards are known that claim to count to the east and do not.
        return Finding("longitude", value, name, "guess", "no sidereal time to tell east from west")
    card, hours = sidereal
    real = (15.0 * (hours - _greenwich(parse_date(str(begin.value)))) + 180.0) % 360.0 - 180.0
    for sign, note in ((1.0, f"{card} agrees"), (-1.0, f"{card} agrees, if the card counts to the west")):
        if abs((sign * value - real + 180.0) % 360.0 - 180.0) < _CLOSE:
            return Finding("longitude", sign * value, name, lower_confidence("certain", begin.confidence), note)
    return Finding("longitude", value, name, "guess", f"{card} and the date give {real:.1f}")


def _sidereal_time(cards: Cards) -> tuple[str, float] | None:
    """Return the card of the local sidereal time, and hours; from hour angle and right ascension where it has to be."""
    for name in _SIDEREAL:
        value = cards.get(name)
        if isinstance(value, str) and re.match(r"\s*\d{1,2}[: ]\d", value):
            try:
                return name, read_number(value)
            except FileFormatError:
                continue
    for ra, angle in (("TELRA", "HA"), ("RA", "HA")):
        values = cards.get(ra), cards.get(angle)
        if all(isinstance(value, str) and ":" in value for value in values):
            try:
                return f"{ra} + {angle}", (read_number(values[0]) + read_number(values[1])) % 24.0
            except FileFormatError:
                continue
    return None


def _greenwich(date: datetime) -> float:
    """Return the mean sidereal time in Greenwich, hours; good to a second."""
    return (18.697374558 + 24.06570982441908 * ((date - _J2000) / timedelta(days=1))) % 24.0
