"""The image of a star through a turbulent atmosphere, long exposed: the profile of Kolmogorov turbulence.

Its transfer function is ``exp(-(k/k0)**(5/3))`` (Fried 1966, JOSA 56, 1372). Its core is like a Moffat profile of
exponent 4.8. Further out it falls as the power -11/3 of the distance, more slowly than any Moffat profile that fits the
core (Racine 1996, PASP 108, 699).
"""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from obs.algorithms.numeric.special import bessel

__all__ = ["kolmogorov_beyond", "kolmogorov_profile"]

Float = NDArray[np.float64]

FWHM = 2.920696535
"""Full width at half maximum in units of ``1 / k0``."""

REACH = 6.0
"""Distance in FWHM from which both follow their power laws, within 2 %."""

DISTANCES = np.geomspace(0.01, REACH, 160)
"""Distances of the tables, in FWHM; nearer the center nothing changes."""


def kolmogorov_profile(distance: Float, fwhm: float | Float) -> Float:
    """Return the light per pixel at distances from the center, of a whole of one.

    Parameters
    ----------
    distance : ndarray of float64
        Distances, pixels.
    fwhm : float or ndarray of float64
        Full width at half maximum, pixels; broadcast with the distances.

    Returns
    -------
    ndarray of float64
        Light per square pixel.
    """
    return _look_up(distance / fwhm, _tables()[0], -11.0 / 3.0) / np.square(fwhm)


def kolmogorov_beyond(radius: Float, fwhm: float | Float) -> Float:
    """Return the light beyond circles, of a whole of one; arguments as in `kolmogorov_profile`.

    Parameters
    ----------
    radius : ndarray of float64
        Radii of the circles, pixels.
    fwhm : float or ndarray of float64
        Full width at half maximum, pixels; broadcast with the radii.
    """
    return _look_up(radius / fwhm, _tables()[1], -5.0 / 3.0)


@lru_cache(maxsize=1)
def _tables() -> tuple[Float, Float]:
    """Profile and light beyond, at `DISTANCES`: Hankel transforms of the transfer function."""
    # in the cube root of k the transfer function is smooth at zero
    root = np.linspace(0.0, 14.0 ** (1.0 / 3.0), 3000)
    k = root**3
    weight = np.exp(-(k ** (5.0 / 3.0))) * 3.0 * root**2 * (root[1] - root[0])
    phase = FWHM * DISTANCES[:, None] * k
    profile = bessel(0, phase) @ (weight * k) / (2.0 * np.pi) * FWHM**2
    return profile, 1.0 - FWHM * DISTANCES * (bessel(1, phase) @ weight)


def _look_up(distance: Float, table: Float, power: float) -> Float:
    """Interpolate in logarithms; beyond the table, follow a power law."""
    logarithm = np.log(np.maximum(distance, DISTANCES[0]))
    inside = np.exp(np.interp(logarithm, np.log(DISTANCES), np.log(table)))
    return np.asarray(inside * np.maximum(distance / REACH, 1.0) ** power, np.float64)
