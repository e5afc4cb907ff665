"""The middle of an exposure, and the moment at which its light passed the barycenter of the Solar System.

BJD_TDB follows Eastman, Siverd & Gaudi (2010, PASP 122, 935): the light travel time between observatory and barycenter
for sources at infinite distance, in barycentric dynamical time. Earth's place is that of `erfa.epv00`, which is good to
0.1 ms of light travel time. No table of Earth's rotation is downloaded: UT1 is taken as UTC, which changes the result
by less than 2 microseconds.
"""

import math

import erfa
import numpy as np
from numpy.typing import ArrayLike, NDArray

from obs.errors import FileFormatError
from obs.filtered_warnings import filtered_warnings
from obs.image.visit_info import VisitInfo
from obs.instrument.card_values import date_to_mjd, ignore_far_years, parse_date

__all__ = ["barycentric_julian_date", "mid_exposure_mjd"]

_MJD_ZERO = 2400000.5
_DAY = 86400.0
_AU_SECONDS = 499.0047838  # light travel time of an astronomical unit
_WGS84 = 1


def mid_exposure_mjd(info: VisitInfo | None) -> float:
    """Return the middle of an exposure as modified Julian day in UTC, or NaN if it is not known.

    Parameters
    ----------
    info : VisitInfo or None
        With the middle of the exposure, or its begin and the exposure time, in UTC, TAI or TT.

    Returns
    -------
    float
        Modified Julian day, UTC.
    """
    if info is None:
        return math.nan
    try:
        if info.date_avg:
            mjd = date_to_mjd(parse_date(info.date_avg))
        elif info.date_begin and 0 <= info.exposure_time < math.inf:
            mjd = date_to_mjd(parse_date(info.date_begin)) + 0.5 * info.exposure_time / _DAY
        else:
            return math.nan
    except FileFormatError:
        return math.nan
    with filtered_warnings(ignore_far_years):
        match info.time_scale.strip().upper():
            case "UTC" | "":
                return mjd
            case "TAI":
                return _to_mjd(erfa.taiutc(_MJD_ZERO, mjd))
            case "TT":
                return _to_mjd(erfa.taiutc(*erfa.tttai(_MJD_ZERO, mjd)))
    return math.nan


def barycentric_julian_date(mjd: float, ra: ArrayLike, dec: ArrayLike, info: VisitInfo | None) -> NDArray[np.float64]:
    """Return the barycentric Julian date, BJD_TDB, of one moment for sources of any direction.

    Parameters
    ----------
    mjd : float
        Modified Julian day, UTC.
    ra, dec : array_like of float
        ICRS, degrees.
    info : VisitInfo or None
        Place of the observatory. If it is not known, the middle of the Earth is used: an error of up to 0.021 s.

    Returns
    -------
    ndarray of float64, shape of ``ra``
        Julian days, TDB; NaN where the moment or the direction is not known.
    """
    ra, dec = np.radians(np.asarray(ra, np.float64)), np.radians(np.asarray(dec, np.float64))
    if not math.isfinite(mjd):
        return np.full(ra.shape, np.nan)
    with filtered_warnings(ignore_far_years):
        terrestrial = erfa.taitt(*erfa.utctai(_MJD_ZERO, mjd))
        to_sky = np.swapaxes(erfa.c2t06a(*terrestrial, _MJD_ZERO, mjd, 0.0, 0.0), -1, -2)
        # The difference between TDB and TT, at most 1.7 ms, at the middle of the Earth.
        offset = float(erfa.dtdb(*terrestrial, mjd % 1.0, 0.0, 0.0, 0.0))
        barycentric = erfa.epv00(terrestrial[0], terrestrial[1] + offset / _DAY)[1]["p"]
    place = barycentric + to_sky @ _observatory(info) / erfa.DAU
    direction = np.stack([np.cos(dec) * np.cos(ra), np.cos(dec) * np.sin(ra), np.sin(dec)], axis=-1)
    seconds = offset + _AU_SECONDS * (direction @ place)
    return np.asarray((terrestrial[1] + seconds / _DAY) + terrestrial[0])


def _observatory(info: VisitInfo | None) -> NDArray[np.float64]:
    """Return the place of an observatory from the middle of the Earth, m, shape (3,); zeros if it is not known."""
    if info is None or not (math.isfinite(info.longitude) and math.isfinite(info.latitude)):
        return np.zeros(3)
    height = info.elevation if math.isfinite(info.elevation) else 0.0
    return np.asarray(erfa.gd2gc(_WGS84, math.radians(info.longitude), math.radians(info.latitude), height))


def _to_mjd(parts: tuple[float, float]) -> float:
    return float((parts[0] - _MJD_ZERO) + parts[1])
