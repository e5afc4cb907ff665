"""What is wrong with a header whose WCS puts a frame elsewhere, as far as the frame's true place shows it."""

import numpy as np

from obs.algorithms.astrometry.compare import WcsChange

__all__ = ["describe_offset", "describe_scale"]

_FAR = 0.5  # degrees; nearer places are not worth a cause
_NEAR = 0.3  # degrees to which a cause must explain the place
_BINNED = 0.02  # relative tolerance of a scale that is off by a whole number


def describe_offset(found: tuple[float, float], header_pointing: tuple[float, float], offset: float) -> str:
    """Return how far a frame is from where its header puts it, and the mistake that explains it.

    Parameters
    ----------
    found, header_pointing : tuple of float
        Right ascension and declination of the middle of the frame on the sky, and according to the header, degrees.
    offset : float
        Distance of the two, arcsec.

    Examples
    --------
    >>> describe_offset((150.0, 30.0), (10.0, 30.0), 4.2e5)
    '116.67 degrees (the header has hours where degrees belong)'
    """
    if offset < 3600.0 * _FAR:
        return f"{offset / 60.0:.2f} arcmin"
    ra, dec = found
    mistakes = {
        "the header has right ascension and declination in each other's place": (dec, ra),
        "the header has hours where degrees belong": (ra / 15.0, dec),
        "the header has degrees where hours belong": (ra * 15.0, dec),
        "the sign of the header's declination is wrong": (ra, -dec),
        "the right ascension of the header is opposite": (ra + 180.0, dec),
    }
    causes = [cause for cause, place in mistakes.items() if _is_near(place, header_pointing)]
    return f"{offset / 3600.0:.2f} degrees" + (f" ({causes[0]})" if len(causes) == 1 else "")


def describe_scale(change: WcsChange) -> str:
    """Return the binning that explains a change of the pixel scale, in brackets; empty if none does.

    Parameters
    ----------
    change : WcsChange
        Its ``scale`` is the new pixel scale divided by that of the header.
    """
    for factor in (2, 3, 4):
        if abs(change.scale / factor - 1.0) < _BINNED:
            return f" (as if the frame were binned {factor} x {factor} and its header were not)"
        if abs(change.scale * factor - 1.0) < _BINNED:
            return f" (as if the header were that of a frame binned {factor} x {factor})"
    return ""


def _is_near(place: tuple[float, float], other: tuple[float, float]) -> bool:
    """Return whether two places on the sky are near, with right ascensions of any number of turns."""
    d_ra = (place[0] - other[0] + 180.0) % 360.0 - 180.0
    return bool(np.hypot(d_ra * np.cos(np.radians(other[1])), place[1] - other[1]) < _NEAR)
