"""Where the usual bands are located in the spectrum."""

from collections.abc import Iterable

__all__ = ["BAND_WAVELENGTHS", "nearest_band"]

BAND_WAVELENGTHS = {
    **{"u": 355.0, "g": 475.0, "r": 622.0, "i": 763.0, "z": 905.0, "y": 1000.0},
    **{"U": 366.0, "B": 436.0, "V": 545.0, "R": 641.0, "I": 798.0, "J": 1250.0, "H": 1650.0, "K": 2200.0},
    **{"BP": 511.0, "G": 622.0, "RP": 777.0, "BT": 420.0, "VT": 532.0},
}
"""Effective wavelengths of the bands of SDSS, of Johnson and Cousins (Bessell 2005, ARA&A 43, 293), and of Gaia, nm."""


def nearest_band(band: str, others: Iterable[str]) -> str | None:
    """Return the band that is nearest in wavelength to one of `BAND_WAVELENGTHS`.

    Parameters
    ----------
    band : str
        Name of the band, for example ``"V"``.
    others : iterable of str
        Bands to choose from. Those without a known wavelength are ignored.

    Returns
    -------
    str or None
        None if the wavelength of ``band``, or of all others, is not known.
    """
    known = [other for other in others if other in BAND_WAVELENGTHS]
    if band not in BAND_WAVELENGTHS or not known:
        return None
    return min(known, key=lambda other: abs(BAND_WAVELENGTHS[other] - BAND_WAVELENGTHS[band]))
