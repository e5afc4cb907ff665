"""Where the usual bands are located in the spectrum."""

import re
from collections.abc import Iterable

__all__ = ["BAND_WAVELENGTHS", "nearest_band"]

BAND_WAVELENGTHS = {
    **{"u": 355.0, "g": 475.0, "r": 622.0, "i": 763.0, "z": 905.0, "y": 1000.0},
    **{"U": 366.0, "B": 436.0, "V": 545.0, "R": 641.0, "I": 798.0, "J": 1250.0, "H": 1650.0, "K": 2200.0},
    **{"BP": 511.0, "G": 622.0, "RP": 777.0, "BT": 420.0, "VT": 532.0},
}
"""Effective wavelengths of the bands of SDSS, of Johnson and Cousins (Bessell 2005, ARA&A 43, 293), and of Gaia, nm."""


_WORDS = {"rc": "R", "ic": "I", "red": "R", "green": "V", "blue": "B", "luminance": "V", "lum": "V", "l": "V"}
"""Filters that are not called by the name of a band, in small letters."""
_FAMILIES = re.compile(
    r"(sloan|sdss|johnson|cousins|bessell?|astrodon|baader|ps1|hsc|des)[ ._-]*|['`]|[ ._-]*band", re.I
)


def _wavelength(band: str) -> float | None:
    """Return the effective wavelength of a band, nm, whose name may have that of its family; None if not known."""
    name = _FAMILIES.sub("", band.strip())
    return BAND_WAVELENGTHS.get(name, BAND_WAVELENGTHS.get(_WORDS.get(name.lower(), "")))


def nearest_band(band: str, others: Iterable[str]) -> str | None:
    """Return the band that is nearest in wavelength to one of `BAND_WAVELENGTHS`, or to a filter of such a name.

    Parameters
    ----------
    band : str
        Name of the band or filter, for example ``"V"``, ``"Rc"``, or ``"Sloan r'"``.
    others : iterable of str
        Bands to choose from. Those without a known wavelength are ignored.

    Returns
    -------
    str or None
        None if the wavelength of ``band``, or of all others, is not known.
    """
    wavelength = _wavelength(band)
    known = [other for other in others if other in BAND_WAVELENGTHS]
    if wavelength is None or not known:
        return None
    return min(known, key=lambda other: abs(BAND_WAVELENGTHS[other] - wavelength))
