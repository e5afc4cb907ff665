"""On which side of Greenwich a telescope is, by the airmass of what it looked at."""

import math
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from obs.frozen import frozen
from obs.inspection.finding import Finding
from obs.instrument.card_values import parse_date

__all__ = ["NO_SIDE", "Look", "greenwich_hours", "settle_side"]

NO_SIDE = "no sidereal time, so that east and west cannot be distinguished"
"""What a longitude says of itself whose sign nothing has confirmed."""
_J2000 = datetime(2000, 1, 1, 12)
_LOWEST, _HIGHEST = 1.0, 3.0
"""Airmasses that are used, without the ends: 1 fills cards, and formulas differ near the horizon."""
_FORMULA = 0.003
"""By what formulas and refraction change an airmass, times its square."""
_CLOCK = 60.0
"""Seconds before and after an exposure at which programs ask for the airmass."""


@frozen
class Look:
    """Where and when a frame was taken, and what its header says of the airmass.

    Parameters
    ----------
    begin, exposure, ra, dec, airmass : Finding
        As the header has them; right ascension and declination of J2000.
    """

    begin: Finding
    exposure: Finding
    ra: Finding
    dec: Finding
    airmass: Finding


def greenwich_hours(date: datetime) -> float:
    """Return the mean sidereal time in Greenwich, hours; good to a second.

    Parameters
    ----------
    date : datetime
        UTC.
    """
    return (18.697374558 + 24.06570982441908 * ((date - _J2000) / timedelta(days=1))) % 24.0


def settle_side(longitude: Finding, latitude: Finding, looks: Sequence[Look]) -> Finding:
    """Return the longitude with the sign by which the airmasses come out, where they do by one sign only.

    Parameters
    ----------
    longitude, latitude : Finding
        The site, degrees.
    looks : sequence of Look
        The frames.
    """
    if longitude.note != NO_SIDE or not latitude.is_known:
        return longitude
    fits = dict.fromkeys((1.0, -1.0), 0)
    for look in looks:
        if not _is_told(look):
            continue
        ours = [sign for sign in fits if _agrees(look, sign * float(longitude.value), float(latitude.value))]
        if not ours:  # one number of the header is not what it seems
            return longitude
        for sign in ours if len(ours) == 1 else ():
            fits[sign] += 1
    if (fits[1.0] > 0) == (fits[-1.0] > 0):
        return longitude
    sign = 1.0 if fits[1.0] else -1.0
    note = f"the airmass agrees{'' if sign > 0 else ', if the card counts to the west'}"
    return replace(longitude, value=sign * float(longitude.value), confidence="likely", note=note)


def _is_told(look: Look) -> bool:
    """Whether a header tells all that an airmass follows from."""
    parts = (look.begin, look.ra, look.dec, look.airmass)
    return (
        all(part.is_known and part.confidence in ("certain", "likely") for part in parts)
        and _LOWEST < float(look.airmass.value) < _HIGHEST
    )


def _agrees(look: Look, longitude: float, latitude: float) -> bool:
    """Whether the airmass of a frame is that of its field over a place, within its digits."""
    begin, stated = parse_date(str(look.begin.value)), float(look.airmass.value)
    lasted = float(look.exposure.value) if look.exposure.is_known else 0.0
    moments = (begin + timedelta(seconds=seconds) for seconds in (-_CLOCK, 0.5 * lasted, lasted + _CLOCK))
    masses = [_airmass(moment, float(look.ra.value), float(look.dec.value), longitude, latitude) for moment in moments]
    _, _, digits = f"{stated:.6g}".partition(".")
    near = 0.5 * 10.0 ** -len(digits) + _FORMULA * stated**2
    return min(masses) - near <= stated <= max(masses) + near


def _airmass(date: datetime, ra: float, dec: float, longitude: float, latitude: float) -> float:
    """Return the secant of the zenith distance; infinite below the horizon."""
    angle = math.radians(15.0 * greenwich_hours(date) + longitude - ra)
    up, north = math.radians(dec), math.radians(latitude)
    sine = math.sin(north) * math.sin(up) + math.cos(north) * math.cos(up) * math.cos(angle)
    return 1.0 / sine if sine > 0.0 else math.inf
