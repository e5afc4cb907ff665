"""Estimate magnitudes in other bands from Gaia's three.

Polynomials of the color BP - RP for G minus the other band, valid only in a range of that color. The coefficients are
those of the documentation of Gaia DR3, section 5.5.1 (J. M. Carrasco and M. Bellazzini, 2022, tables 5.8 to 5.10),
fitted to Stetson's standards (Johnson-Cousins, Vega magnitudes) and to SDSS DR12 (AB magnitudes).
"""

import numpy as np
from numpy.polynomial import polynomial
from numpy.typing import NDArray

from obs.frozen import frozen

__all__ = ["GAIA_RELATIONS", "BandRelation", "estimate_band"]

Array = NDArray[np.float64]


@frozen
class BandRelation:
    """G minus another band as a polynomial of BP - RP.

    Parameters
    ----------
    coefficients : tuple of float
        From the constant upwards, mag.
    bluest, reddest : float
        Range of BP - RP in which the relation holds, mag.
    scatter : float
        Scatter of stars about it, mag.
    system : {"Vega", "AB"}
        Magnitude system of the other band.
    """

    coefficients: tuple[float, ...]
    bluest: float
    reddest: float
    scatter: float
    system: str


GAIA_RELATIONS = {
    "B": BandRelation((0.01448, -0.6874, -0.3604, 0.06718, -0.006061), -0.5, 4.0, 0.0633, "Vega"),
    "V": BandRelation((-0.02704, 0.01424, -0.2156, 0.01426), -0.5, 5.0, 0.03017, "Vega"),
    "R": BandRelation((-0.02275, 0.3961, -0.1243, -0.01396, 0.003775), 0.0, 4.0, 0.03167, "Vega"),
    "I": BandRelation((0.01753, 0.76, -0.0991), -0.5, 4.5, 0.03765, "Vega"),
    "g": BandRelation((0.2199, -0.6365, -0.1548, 0.0064), 0.3, 3.0, 0.0745, "AB"),
    "r": BandRelation((-0.09837, 0.08592, 0.1907, -0.1701, 0.02263), 0.0, 3.0, 0.03776, "AB"),
    "i": BandRelation((-0.293, 0.6404, -0.09609, -0.002104), 0.5, 2.0, 0.04092, "AB"),
}
"""Band to its relation. A band of lower case is one of SDSS, of upper case one of Johnson and Cousins."""


def estimate_band(band: str, *, g: Array, bp: Array, rp: Array, g_error: Array) -> tuple[Array, Array]:
    """Return the magnitudes of stars in a band, and their errors.

    Parameters
    ----------
    band : str
        One of `GAIA_RELATIONS`.
    g, bp, rp : ndarray of float64, shape (n,)
        Gaia's magnitudes.
    g_error : ndarray of float64, shape (n,)
        Standard errors of ``g``, mag.

    Returns
    -------
    magnitude, error : ndarray of float64, shape (n,)
        NaN outside the range of colors in which the relation holds. The error contains the scatter of the relation.
    """
    relation = GAIA_RELATIONS[band]
    color = np.asarray(bp, np.float64) - np.asarray(rp, np.float64)
    with np.errstate(invalid="ignore"):
        valid = (color >= relation.bluest) & (color <= relation.reddest)
    difference = polynomial.polyval(np.where(valid, color, 0.0), relation.coefficients)
    magnitude = np.where(valid, np.asarray(g, np.float64) - difference, np.nan)
    error = np.where(valid, np.hypot(np.nan_to_num(g_error), relation.scatter), np.nan)
    return magnitude, error
