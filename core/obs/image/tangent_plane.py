"""The gnomonic projection between the sky and the plane that touches it."""

import numpy as np
from numpy.typing import NDArray

__all__ = ["from_plane", "to_plane"]

Positions = NDArray[np.float64]


def from_plane(crval: tuple[float, float], xi: Positions, eta: Positions) -> tuple[Positions, Positions]:
    """Deproject coordinates of the tangent plane to the sky, degrees.

    Parameters
    ----------
    crval : tuple of float
        Right ascension and declination at which the plane touches the sky, degrees.
    xi, eta : ndarray of float64
        Coordinates toward east and north, degrees.

    Returns
    -------
    ra, dec : ndarray of float64
        Degrees; right ascension is from 0 to below 360.
    """
    dec_0 = np.deg2rad(crval[1])
    xi, eta = np.deg2rad(xi), np.deg2rad(eta)
    forward = np.cos(dec_0) - eta * np.sin(dec_0)
    ra = np.rad2deg(np.arctan2(xi, forward)) + crval[0]
    dec = np.rad2deg(np.arctan2(np.sin(dec_0) + eta * np.cos(dec_0), np.hypot(xi, forward)))
    ra = np.mod(ra, 360.0)
    return np.where(ra == 360.0, 0.0, ra), dec


def to_plane(crval: tuple[float, float], ra: Positions, dec: Positions) -> tuple[Positions, Positions]:
    """Project onto the tangent plane, degrees; NaN for the far half of the sky.

    Parameters
    ----------
    crval : tuple of float
        Right ascension and declination at which the plane touches the sky, degrees.
    ra, dec : ndarray of float64
        Positions on the sky, degrees.

    Returns
    -------
    xi, eta : ndarray of float64
        Coordinates toward east and north, degrees.
    """
    dec_0, delta, dec = np.deg2rad(crval[1]), np.deg2rad(ra - crval[0]), np.deg2rad(dec)
    depth = np.sin(dec) * np.sin(dec_0) + np.cos(dec) * np.cos(dec_0) * np.cos(delta)
    depth = np.where(depth > 0, depth, np.nan)
    xi = np.cos(dec) * np.sin(delta) / depth
    eta = (np.sin(dec) * np.cos(dec_0) - np.cos(dec) * np.sin(dec_0) * np.cos(delta)) / depth
    return np.rad2deg(xi), np.rad2deg(eta)
