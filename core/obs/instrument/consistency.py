"""Whether the circumstances of an exposure agree with each other: times, pointing, airmass."""

import math
import warnings
from collections.abc import Iterator
from datetime import datetime, timedelta

import erfa

from obs.errors import FileFormatError
from obs.image.visit_info import VisitInfo
from obs.instrument.card_values import date_to_mjd, parse_date

__all__ = ["horizontal", "visit_faults"]

_RANGES = {
    "exposure_time": (0.0, math.inf, "s"),
    "dark_time": (0.0, math.inf, "s"),
    "boresight_ra": (0.0, 360.0, "deg"),
    "boresight_dec": (-90.0, 90.0, "deg"),
    "boresight_altitude": (-90.0, 90.0, "deg"),
    "boresight_azimuth": (-360.0, 360.0, "deg"),
    "airmass": (0.99, 40.0, ""),
    "longitude": (-360.0, 360.0, "deg"),
    "latitude": (-90.0, 90.0, "deg"),
    "elevation": (-500.0, 9000.0, "m"),
    "air_temperature": (-90.0, 60.0, "C"),
    "air_pressure": (3e4, 1.1e5, "Pa"),
    "humidity": (0.0, 105.0, "%"),
}
_DEGREE = 1.0
"""How far pointing and horizon may differ, degrees: refraction, precession since the equinox of the header, UT1."""
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
    for name, (lowest, highest, unit) in _RANGES.items():
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
    # dates of whole seconds are rounded
    rounding = timedelta(seconds=0.01 if "." in info.date_begin and "." in info.date_end else 1.0)
    if end < begin:
        yield f"date_end {info.date_end} is before date_begin {info.date_begin}"
    elif info.exposure_time > 0 and end + rounding < begin + timedelta(seconds=info.exposure_time):
        yield (
            f"date_end {info.date_end} is earlier than date_begin {info.date_begin} and the exposure time of "
            f"{info.exposure_time:g} s allow"
        )
    if info.date_avg and not begin - rounding <= parse_date(info.date_avg) <= end + rounding:
        yield f"date_avg {info.date_avg} is not between {info.date_begin} and {info.date_end}"


def _airmass_faults(info: VisitInfo) -> Iterator[str]:
    altitude = info.boresight_altitude
    if math.isnan(altitude + info.airmass) or not 5.0 < altitude <= 90.0:
        return
    highest, lowest = (1.0 / math.sin(math.radians(min(altitude + step, 90.0))) for step in (-_DEGREE, _DEGREE))
    if not lowest - 0.01 <= info.airmass <= highest + 0.01:
        expected = 1.0 / math.sin(math.radians(altitude))
        yield f"airmass is {info.airmass:g}, at an altitude of {altitude:g} deg it is {expected:.3f}"


def _pointing_faults(info: VisitInfo) -> Iterator[str]:
    known = (info.boresight_ra, info.boresight_dec, info.longitude, info.latitude, info.boresight_altitude)
    if not info.date_begin or any(math.isnan(value) for value in known):
        return
    begin = parse_date(info.date_begin)
    length = info.exposure_time if 0 < info.exposure_time < math.inf else 0.0
    # Headers tell the horizon of the beginning, the middle or the end.
    places = [horizontal(info, begin + timedelta(seconds=length * part)) for part in (0.0, 0.5, 1.0)]
    if min(_distance(info, *there) for there in places) <= _DEGREE:
        return
    azimuth, altitude = places[0]
    given = f"altitude {info.boresight_altitude:.2f}"
    if not math.isnan(info.boresight_azimuth):
        given += f", azimuth {info.boresight_azimuth:.2f}"
    yield (
        f"{given} deg; but RA {info.boresight_ra:.4f}, Dec {info.boresight_dec:.4f} stood at altitude {altitude:.2f}, "
        f"azimuth {azimuth:.2f} deg on {info.date_begin} at longitude {info.longitude:g}, latitude {info.latitude:g}"
    )


def horizontal(info: VisitInfo, when: datetime) -> tuple[float, float]:
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
