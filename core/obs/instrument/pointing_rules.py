"""How cards tell where the telescope points, and in which equinox."""

import math
import re
from datetime import datetime
from typing import Any

import erfa
import numpy as np

from obs.errors import FileFormatError
from obs.frozen import frozen
from obs.instrument.card_values import UNITS, date_to_mjd, is_sexagesimal, read_number
from obs.instrument.date_rules import CardReader

__all__ = ["PointingRule", "parse_year", "to_j2000"]

_JULIAN = 365.25
_J2000_MJD = 51544.5
_MJD_ZERO = 2400000.5
_BESSELIAN = re.compile(r"B\s*(\d{4}(?:\.\d*)?)|FK4", re.I)
_MANY = 24.0


def parse_year(value: Any) -> float | None:  # noqa: ANN401 - header values are of any type
    """Return the equinox that a card holds, years, negative for Besselian ones; None if it holds none.

    Parameters
    ----------
    value : object
        Value of a card, for example 2000.0, "J2000", "B1950" or "FK4". Years before 1984 count as Besselian.
    """
    text = str(value).strip()
    match = _BESSELIAN.fullmatch(text)
    if match is not None:
        return -float(match[1] or 1950.0)
    try:
        year = read_number(text.lstrip("Jj"))
    except FileFormatError:
        return None
    if not 1800.0 < year < 2200.0:
        return None
    return -year if year < 1984.0 else year


@frozen
class PointingRule:
    """One way in which a header tells where the telescope points.

    Parameters
    ----------
    ra, dec : str
        Keywords. Hours, minutes and seconds are right ascension, degrees, minutes and seconds declination.
    ra_unit : {"deg", "hourangle", "rad", ""}
        Unit of a right ascension that is a number; empty where none was seen: then one above 24 is in degrees.
    dec_unit : {"deg", "rad"}
        Unit of a declination that is a number.
    equinox : float or str
        Of the coordinates: a year, negative for Besselian ones; the keyword that holds it (2000 where it is missing);
        or ``"date"`` for that of the exposure.
    hour_angle : str
        Keyword of the hour angle, where ``ra`` is that of the local sidereal time: the right ascension is their
        difference. Empty where a card has the right ascension.
    """

    ra: str
    dec: str
    ra_unit: str = "deg"
    dec_unit: str = "deg"
    equinox: float | str = 2000.0
    hour_angle: str = ""

    def read(self, cards: CardReader, begin: datetime | None = None) -> tuple[float, float]:
        """Return right ascension and declination of J2000, degrees.

        Parameters
        ----------
        cards : CardReader
            The header.
        begin : datetime, optional
            When the exposure began, where the equinox is that of the date.

        Raises
        ------
        FileFormatError
            If the cards are not there, or cannot be a pointing.
        """
        ra, dec = self._angle(cards, self.ra, self.ra_unit, 15.0), self._angle(cards, self.dec, self.dec_unit, 1.0)
        if self.hour_angle:
            ra = (ra - self._angle(cards, self.hour_angle, self.ra_unit, 15.0)) % 360.0
        if not (0.0 <= ra <= 360.0 and -90.0 <= dec <= 90.0):
            raise FileFormatError(f"{self.ra}, {self.dec} are {ra:g}, {dec:g} degrees, which is nowhere on the sky")
        if ra == dec == 0.0:
            raise FileFormatError(f"{self.ra} and {self.dec} are zero: nobody filled them in")
        if ra == 0.0 and abs(dec) == 90.0:
            raise FileFormatError(
                f"{self.ra} and {self.dec} are those of a pole: the mount is parked, or not connected"
            )
        return to_j2000(ra, dec, self._year(cards, begin))

    def _angle(self, cards: CardReader, keyword: str, unit: str, sexagesimal: float) -> float:
        value = cards.get(keyword)
        if value is None or value == "" or isinstance(value, bool):
            raise FileFormatError(f"the header does not have {keyword}")
        try:
            number = read_number(value)
        except FileFormatError as error:
            raise FileFormatError(f"{keyword} = {error}") from None
        if is_sexagesimal(value):
            return sexagesimal * number
        if not unit:
            if number <= _MANY:
                raise FileFormatError(f"{keyword} = {number:g} may be in hours or degrees")
            return number
        return UNITS[unit].to_standard(number)

    def _year(self, cards: CardReader, begin: datetime | None) -> float:
        if isinstance(self.equinox, float | int):
            return float(self.equinox)
        if self.equinox == "date":
            return 2000.0 if begin is None else _year_of_date(begin)
        year = parse_year(cards.get(self.equinox))
        return 2000.0 if year is None else year

    def write(self, ra: float, dec: float, begin: datetime) -> dict[str, Any]:
        """Return cards that tell a pointing of J2000, degrees: what `read` reads.

        Parameters
        ----------
        ra, dec : float
            Pointing in J2000, degrees.
        begin : datetime
            Begin of the exposure, UTC; decides the equinox of rules with coordinates of date.
        """
        if self.equinox == "date" or (isinstance(self.equinox, float | int) and self.equinox != 2000.0):
            ra, dec = _from_j2000(ra, dec, self._year({}, begin))
        right = UNITS[self.ra_unit].from_standard(ra) if self.ra_unit else _as_text(ra)
        zero = {self.hour_angle: "00:00:00"} if self.hour_angle else {}
        return {**zero, self.ra: right, self.dec: UNITS[self.dec_unit].from_standard(dec)}


def _as_text(ra: float) -> str:
    """Return a right ascension in hours, minutes and seconds."""
    units = round(ra * 240.0 * 1e5) % (86400 * 100_000)
    seconds, fraction = divmod(units, 100_000)
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}.{fraction:05d}"


def _year_of_date(date: datetime) -> float:
    return 2000.0 + (date_to_mjd(date) - _J2000_MJD) / _JULIAN


def _precession(year: float) -> Any:  # noqa: ANN401 - erfa has no types
    """Return the matrix from J2000 to the mean equator and equinox of a Julian year (Lieske 1979)."""
    return erfa.pmat76(_MJD_ZERO, _J2000_MJD + (year - 2000.0) * _JULIAN)


def to_j2000(ra: float, dec: float, year: float) -> tuple[float, float]:
    """Return coordinates of an equinox in that of 2000.

    Parameters
    ----------
    ra, dec : float
        Degrees.
    year : float
        Julian year of the equinox; negative for a Besselian one, of the FK4 system.
    """
    if year == 2000.0:
        return ra, dec
    if year < 0.0:
        if year != -1950.0:  # first to 1950, as if FK4 precessed like FK5: good to arcseconds
            ra, dec = _turn(ra, dec, _precession(1950.0) @ _precession(-year).T)
        right, up = erfa.fk45z(math.radians(ra), math.radians(dec), 1950.0)
        return math.degrees(float(right)) % 360.0, math.degrees(float(up))
    return _turn(ra, dec, _precession(year).T)


def _from_j2000(ra: float, dec: float, year: float) -> tuple[float, float]:
    if year < 0.0:
        right, up, *_ = erfa.fk54z(math.radians(ra), math.radians(dec), 1950.0)
        ra, dec = math.degrees(float(right)) % 360.0, math.degrees(float(up))
        return (ra, dec) if year == -1950.0 else _turn(ra, dec, _precession(-year) @ _precession(1950.0).T)
    return _turn(ra, dec, _precession(year))


def _turn(ra: float, dec: float, matrix: Any) -> tuple[float, float]:  # noqa: ANN401 - erfa has no types
    direction = matrix @ erfa.s2c(math.radians(ra), math.radians(dec))
    right, up = erfa.c2s(np.asarray(direction))
    return math.degrees(float(right)) % 360.0, math.degrees(float(up))
