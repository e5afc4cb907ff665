"""Wavelengths of well-known bands, for filters whose camera does not say what they let pass."""

import math

__all__ = ["nominal_wavelength"]

#: Effective wavelengths, nm: Bessell (1990, 2005), and SDSS and Pan-STARRS rounded.
_BANDS = {
    **{"U": 366.0, "B": 436.0, "V": 545.0, "R": 641.0, "I": 798.0, "Z": 880.0, "Y": 1020.0},
    **{"J": 1220.0, "H": 1630.0, "K": 2190.0},
    **{"u": 357.0, "g": 475.0, "r": 622.0, "i": 760.0, "z": 900.0, "y": 980.0},
}
#: What stands behind or before the letter of a band in names of filters: primes of SDSS, makers of sets.
_DRESS = "'p_- "


def nominal_wavelength(name: str) -> float:
    """Return the wavelength of a band, nanometers; NaN for a name that is none.

    Parameters
    ----------
    name : str
        Name of a band or of a filter, such as ``r``, ``r'``, ``rp`` or ``V``.

    Examples
    --------
    >>> nominal_wavelength("g'"), nominal_wavelength("Clear")
    (475.0, nan)
    """
    return _BANDS.get(name.strip(_DRESS), math.nan)
