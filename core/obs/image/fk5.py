"""FK5 of equinox 2000 and ICRS, which are turned against each other by some 20 mas."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from obs.image.wcs import TanSipWcs
from obs.sky_vectors import sky_positions, sky_vectors

__all__ = ["icrs_from_fk5", "icrs_wcs"]

_ANGLES = np.radians(np.array([19.9, 9.1, -22.9]) / 3.6e6)
"""Turns about x, y and z from ICRS to FK5: Kaplan (2005), U.S. Naval Observatory Circular 179, eq. 3.3 and 3.4."""


def _turn(axis: int, angle: float) -> NDArray[np.float64]:
    """Return the matrix that turns coordinates about an axis."""
    matrix, (i, j) = np.eye(3), [(1, 2), (2, 0), (0, 1)][axis]
    matrix[i, i] = matrix[j, j] = np.cos(angle)
    matrix[i, j], matrix[j, i] = np.sin(angle), -np.sin(angle)
    return matrix


_TO_FK5 = _turn(0, _ANGLES[0]) @ _turn(1, _ANGLES[1]) @ _turn(2, _ANGLES[2])


def icrs_from_fk5(ra: NDArray[np.float64], dec: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return positions of FK5, equinox 2000, in ICRS.

    Parameters
    ----------
    ra, dec : ndarray of float64, shape (n,)
        Positions, degrees.

    Returns
    -------
    ra, dec : ndarray of float64, shape (n,)
        Positions, degrees.
    """
    return sky_positions(sky_vectors(ra, dec) @ _TO_FK5)  # vectors are rows: this is the inverse


def icrs_wcs(wcs: TanSipWcs) -> TanSipWcs:
    """Return a WCS in ICRS; one in FK5 of equinox 2000 is turned, exactly.

    Parameters
    ----------
    wcs : TanSipWcs
        In either frame.

    Returns
    -------
    TanSipWcs
        `wcs` itself if it is in ICRS.
    """
    if wcs.frame != "FK5":
        return wcs
    ra, dec = np.radians(wcs.crval)
    north = np.array([-np.sin(dec) * np.cos(ra), -np.sin(dec) * np.sin(ra), np.cos(dec)]) @ _TO_FK5
    place = icrs_from_fk5(*(np.array([value]) for value in wcs.crval))
    crval = float(place[0][0]), float(place[1][0])
    ra, dec = np.radians(crval)
    sine = north @ (-np.sin(ra), np.cos(ra), 0.0)
    cosine = north @ (-np.sin(dec) * np.cos(ra), -np.sin(dec) * np.sin(ra), np.cos(dec))
    return replace(wcs, crval=crval, cd=np.array([[cosine, sine], [-sine, cosine]]) @ wcs.cd, frame="ICRS")
