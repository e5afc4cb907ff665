"""Where Sun and Moon are, and how much moonlight brightens the sky.

Positions are good to an arcminute, which is enough to judge the sky. No file of ephemerides is downloaded.
"""

import math

import erfa
import numpy as np
from numpy.typing import NDArray

from obs.frozen import frozen

__all__ = ["SkyLights", "airmass_at", "find_lights", "moonlight"]

_MJD_ZERO = 2400000.5
#: Extinction in V, mag per airmass, and surface brightness of a dark sky in V, as in the paper's examples.
_EXTINCTION, _DARK_SKY = 0.172, 21.6
_TWO_PI = 2.0 * math.pi
_NO_MOON = 0.0


@frozen
class SkyLights:
    """Sun and Moon at one moment, degrees; NaN where the observatory's place or the field is not known.

    Attributes
    ----------
    sun_altitude, moon_altitude : float
        Altitudes of the centers, without refraction.
    moon_separation : float
        Angle between the Moon and the field.
    moon_phase : float
        Lit fraction of the Moon, percent.
    altitude : float
        Altitude of the field.
    hour_angle : float
        Hour angle of the field, hours, west positive.
    """

    sun_altitude: float
    moon_altitude: float
    moon_separation: float
    moon_phase: float
    altitude: float
    hour_angle: float = math.nan


def find_lights(mjd: float, *, ra: float, dec: float, longitude: float, latitude: float) -> SkyLights:
    """Return where Sun and Moon are.

    Parameters
    ----------
    mjd : float
        Time, modified Julian day, UTC.
    ra, dec : float
        The field, degrees.
    longitude, latitude : float
        Place of the observatory, degrees, east positive.

    Returns
    -------
    SkyLights
    """
    earth = erfa.epv00(_MJD_ZERO, mjd)[0]["p"]
    sun = _unit(-np.asarray(earth, float))
    moon_place = np.asarray(erfa.moon98(_MJD_ZERO, mjd)["p"], float)
    field = erfa.s2c(math.radians(ra), math.radians(dec))
    zenith = _zenith(mjd, longitude, latitude)
    # seen from the place, not from the middle of the Earth: the parallax of the Moon is a degree
    seen = moon_place - 4.2635e-5 * zenith if np.isfinite(zenith).all() else moon_place
    moon = _unit(seen)
    elongation = math.acos(max(-1.0, min(1.0, float(moon @ sun))))
    return SkyLights(
        sun_altitude=_altitude(sun, zenith),
        moon_altitude=_altitude(moon, zenith),
        moon_separation=_angle(moon, np.asarray(field)),
        moon_phase=50.0 * (1.0 - math.cos(elongation)),
        altitude=_altitude(np.asarray(field), zenith),
        hour_angle=_hour_angle(mjd, ra, longitude),
    )


def moonlight(lights: SkyLights) -> float:
    """Return how much the Moon brightens a dark sky at the field, mag/arcsec^2; 0 if it is down, NaN if not known.

    This is the model of Krisciunas & Schaefer (1991, PASP 103, 1033) for V, good to some 20 percent of the light.

    Parameters
    ----------
    lights : SkyLights
        Places of the Moon and of the field.
    """
    facts = (lights.moon_altitude, lights.moon_separation, lights.altitude)
    if lights.moon_altitude <= 0:
        return _NO_MOON
    if not all(map(math.isfinite, facts)) or lights.altitude <= 0:
        return math.nan
    phase_angle = math.degrees(math.acos(2.0 * lights.moon_phase / 100.0 - 1.0))
    separation = max(lights.moon_separation, 5.0)
    intensity = 10.0 ** (-0.4 * (3.84 + 0.026 * phase_angle + 4e-9 * phase_angle**4))
    rayleigh = 10.0**5.36 * (1.06 + math.cos(math.radians(separation)) ** 2)
    mie = 10.0 ** (6.15 - separation / 40.0)
    # the paper's path is 5 airmasses at the horizon, by which a Moon that rises would light up the sky at once
    path_moon, path_field = airmass_at(lights.moon_altitude), _path(lights.altitude)
    lit = (rayleigh + mie) * intensity * 10.0 ** (-0.4 * _EXTINCTION * path_moon)
    lit *= 1.0 - 10.0 ** (-0.4 * _EXTINCTION * path_field)
    dark = 34.08 * math.exp(20.7233 - 0.92104 * _DARK_SKY)  # nanolambert
    return 2.5 * math.log10((lit + dark) / dark)


def _path(altitude: float) -> float:
    """Airmass of scattering in the direction of an altitude, as the paper has it."""
    return 1.0 / math.sqrt(1.0 - 0.96 * math.sin(math.radians(90.0 - altitude)) ** 2)


def airmass_at(altitude: float) -> float:
    """Return the airmass at an altitude, degrees (Kasten & Young 1989, Applied Optics 28, 4735); 38 at the horizon.

    Parameters
    ----------
    altitude : float
        Altitude, degrees; below the horizon it counts as 0.
    """
    low = max(altitude, 0.0)
    return 1.0 / (math.sin(math.radians(low)) + 0.50572 * math.pow(low + 6.07995, -1.6364))


def _zenith(mjd: float, longitude: float, latitude: float) -> NDArray[np.float64]:
    """Return the unit vector of the zenith; UT1 is taken as UTC."""
    if not (math.isfinite(longitude) and math.isfinite(latitude)):
        return np.full(3, np.nan)
    angle = (erfa.era00(_MJD_ZERO, mjd) + math.radians(longitude)) % _TWO_PI
    return np.asarray(erfa.s2c(angle, math.radians(latitude)))


def _hour_angle(mjd: float, ra: float, longitude: float) -> float:
    if not (math.isfinite(ra) and math.isfinite(longitude)):
        return math.nan
    angle = math.degrees(float(erfa.era00(_MJD_ZERO, mjd))) + longitude - ra
    return ((angle + 180.0) % 360.0 - 180.0) / 15.0


def _unit(vector: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(vector / np.linalg.norm(vector))


def _altitude(direction: NDArray[np.float64], zenith: NDArray[np.float64]) -> float:
    return 90.0 - _angle(direction, zenith)


def _angle(first: NDArray[np.float64], second: NDArray[np.float64]) -> float:
    """Angle between two unit vectors, degrees; NaN if one is not known."""
    if not (np.isfinite(first).all() and np.isfinite(second).all()):
        return math.nan
    return math.degrees(2.0 * math.asin(min(1.0, 0.5 * float(np.linalg.norm(first - second)))))
