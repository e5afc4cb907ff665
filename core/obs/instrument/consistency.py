"""Whether the circumstances of an exposure can be, and agree with each other: ranges, times, pointing, airmass.

The contract suite and ``obs doctor`` judge by the same rules, which are here.
"""

import math
import warnings
from collections.abc import Iterator
from datetime import datetime, timedelta

import erfa

from obs.errors import FileFormatError
from obs.frozen import frozen
from obs.image.visit_info import VisitInfo
from obs.instrument.card_values import date_to_mjd, parse_date
from obs.instrument.plausible import RANGES

__all__ = [
    "DEGREE",
    "Direction",
    "compare_direction",
    "compute_airmass",
    "compute_azimuth_altitude",
    "missing_time",
    "visit_faults",
]

DEGREE = 1.0
"""How far pointing and horizon may differ, degrees: refraction, precession since the equinox of the header, UT1."""

_TURN = 15.0 / 3600.0
"""Degrees by which the sky turns in a second: headers tell the airmass of another moment than the altitude."""

_LOWEST = 10.0
"""Altitude, degrees, below which the airmass is no longer the secant of the zenith distance."""
_JD_ZERO = 2400000.5


def visit_faults(info: VisitInfo, *, on_sky: bool = True) -> Iterator[str]:
    """Look for what cannot be.

    Parameters
    ----------
    info : VisitInfo
        The circumstances; what is not known is not judged.
    on_sky : bool
        Whether the telescope followed the sky, so that pointing, horizon and airmass have to agree.

    Yields
    ------
    str
        The two values that disagree.
    """
    for name, (lowest, highest, unit) in RANGES.items():
        value = getattr(info, name)
        if not math.isnan(value) and not lowest <= value <= highest:
            yield f"{name} is {value:g}, not from {lowest:g} to {highest:g} {unit}".rstrip()
    try:
        yield from _date_faults(info)
    except FileFormatError as error:
        yield f"date: {error}"
        return
    if on_sky:
        yield from _airmass_faults(info)
        yield from _pointing_faults(info)


def _date_faults(info: VisitInfo) -> Iterator[str]:
    if not info.date_begin or not info.date_end:
        return
    begin, end = parse_date(info.date_begin), parse_date(info.date_end)
    if end < begin:
        yield f"date_end {info.date_end} is before date_begin {info.date_begin}"
    elif missing_time(info) > 0:
        yield (
            f"date_end {info.date_end} is earlier than date_begin {info.date_begin} and the exposure time of "
            f"{info.exposure_time:g} s allow"
        )
    rounding = _rounding(info)
    if info.date_avg and not begin - rounding <= parse_date(info.date_avg) <= end + rounding:
        yield f"date_avg {info.date_avg} is not between {info.date_begin} and {info.date_end}"


def _rounding(info: VisitInfo) -> timedelta:
    """Return how far dates may be off: those of whole seconds are rounded."""
    return timedelta(seconds=0.01 if "." in info.date_begin and "." in info.date_end else 1.0)


def missing_time(info: VisitInfo) -> float:
    """Return by how many seconds an exposure ends too early for its begin and its exposure time; 0 if it does not.

    Parameters
    ----------
    info : VisitInfo
        Begin, end, and exposure time, seconds.

    Raises
    ------
    FileFormatError
        If begin or end are not dates.
    """
    if not info.date_begin or not info.date_end or not 0 <= info.exposure_time < math.inf:
        return 0.0
    wanted = parse_date(info.date_begin) + timedelta(seconds=info.exposure_time)
    missing = wanted - parse_date(info.date_end)
    return missing.total_seconds() if missing > _rounding(info) else 0.0


def compute_airmass(info: VisitInfo) -> float | None:
    """Return the airmass at the given altitude if it is not the given one; None if they agree, or one is not known.

    Parameters
    ----------
    info : VisitInfo
        Airmass, altitude of the boresight in degrees, and exposure time.
    """
    altitude = info.boresight_altitude
    if math.isnan(altitude + info.airmass) or not _LOWEST < altitude <= RANGES["boresight_altitude"][1]:
        return None
    seconds = info.exposure_time if 0 < info.exposure_time < math.inf else 0.0
    step = DEGREE + min(seconds * _TURN, altitude / 2)
    highest, lowest, expected = (_secant(altitude + change) for change in (-step, step, 0.0))
    return None if lowest - 0.01 <= info.airmass <= highest + 0.01 else expected


def _secant(altitude: float) -> float:
    return 1.0 / math.sin(math.radians(min(altitude, 90.0)))


def _airmass_faults(info: VisitInfo) -> Iterator[str]:
    expected = compute_airmass(info)
    if expected is not None:
        yield f"airmass is {info.airmass:g}, at an altitude of {info.boresight_altitude:g} deg it is {expected:.3f}"


@frozen
class Direction:
    """Where the boresight stood, by right ascension, declination, place and time.

    Parameters
    ----------
    azimuth, altitude : float
        At the begin of the exposure, degrees.
    distance : float
        How far that is from where the telescope is said to point, degrees: the least of begin, middle and end.
    """

    azimuth: float
    altitude: float
    distance: float


def compare_direction(info: VisitInfo) -> Direction | None:
    """Return where the boresight stood, and how far from where the telescope is said to point; None if not known.

    Parameters
    ----------
    info : VisitInfo
        Begin, pointing and altitude (degrees), exposure time, and position of the site.

    Raises
    ------
    FileFormatError
        If the begin is not a date.
    """
    known = (info.boresight_ra, info.boresight_dec, info.longitude, info.latitude, info.boresight_altitude)
    if not info.date_begin or any(math.isnan(value) for value in known):
        return None
    begin = parse_date(info.date_begin)
    length = info.exposure_time if 0 < info.exposure_time < math.inf else 0.0
    # Headers tell the horizon of the beginning, the middle or the end.
    places = [compute_azimuth_altitude(info, begin + timedelta(seconds=length * part)) for part in (0.0, 0.5, 1.0)]
    return Direction(*places[0], min(_distance(info, *there) for there in places))


def _pointing_faults(info: VisitInfo) -> Iterator[str]:
    stood = compare_direction(info)
    if stood is None or stood.distance <= DEGREE:
        return
    given = f"altitude {info.boresight_altitude:.2f}"
    if not math.isnan(info.boresight_azimuth):
        given += f", azimuth {info.boresight_azimuth:.2f}"
    yield (
        f"{given} deg; but RA {info.boresight_ra:.4f}, Dec {info.boresight_dec:.4f} stood at altitude "
        f"{stood.altitude:.2f}, azimuth {stood.azimuth:.2f} deg on {info.date_begin} at longitude {info.longitude:g}, "
        f"latitude {info.latitude:g}"
    )


def compute_azimuth_altitude(info: VisitInfo, when: datetime) -> tuple[float, float]:
    """Return where the boresight's RA and Dec (ICRS) stood, without refraction.

    Parameters
    ----------
    info : VisitInfo
        With pointing and place of the observatory.
    when : datetime
        UTC.

    Returns
    -------
    azimuth, altitude : float
        Degrees, the azimuth from north to east.
    """
    ra, dec, longitude, latitude = map(
        math.radians, (info.boresight_ra, info.boresight_dec, info.longitude, info.latitude)
    )
    height = 0.0 if math.isnan(info.elevation) else info.elevation
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", erfa.ErfaWarning)  # leap seconds after the last known ones do not matter here
        azimuth, zenith, *_ = erfa.atco13(
            *(ra, dec, 0.0, 0.0, 0.0, 0.0),
            *(_JD_ZERO, date_to_mjd(when), 0.0),
            *(longitude, latitude, height, 0.0, 0.0),
            *(0.0, 0.0, 0.0, 0.5),
        )
    return math.degrees(azimuth), 90.0 - math.degrees(zenith)


def _distance(info: VisitInfo, azimuth: float, altitude: float) -> float:
    """Return how far a place is from where the header has the telescope point, degrees."""
    if math.isnan(info.boresight_azimuth):
        return abs(altitude - info.boresight_altitude)
    one, other = map(math.radians, (altitude, info.boresight_altitude))
    between = math.radians(azimuth - info.boresight_azimuth)
    cosine = math.sin(one) * math.sin(other) + math.cos(one) * math.cos(other) * math.cos(between)
    return math.degrees(math.acos(max(-1.0, min(1.0, cosine))))
