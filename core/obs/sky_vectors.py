"""Positions on the sky as unit vectors, and back: distances and means without poles or a seam at RA 0."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["sky_positions", "sky_vectors"]


def sky_vectors(ra: ArrayLike, dec: ArrayLike) -> NDArray[np.float64]:
    """Return unit vectors of positions on the sky.

    Parameters
    ----------
    ra, dec : array_like of float, shape (n,)
        Positions, degrees.

    Returns
    -------
    ndarray of float64, shape (n, 3)
        The vectors.
    """
    ra, dec = np.radians(np.atleast_1d(ra)), np.radians(np.atleast_1d(dec))
    vectors: NDArray[np.float64] = np.stack(
        [np.cos(dec) * np.cos(ra), np.cos(dec) * np.sin(ra), np.sin(dec)], axis=-1, dtype=np.float64
    )
    return vectors


def sky_positions(vectors: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the positions on the sky of vectors of any length, which `sky_vectors` turns into vectors.

    Parameters
    ----------
    vectors : ndarray of float64, shape (n, 3)
        The vectors.

    Returns
    -------
    ra, dec : ndarray of float64, shape (n,)
        Positions, degrees, right ascensions from 0 to 360.
    """
    x, y, z = np.moveaxis(vectors, -1, 0)
    return np.degrees(np.arctan2(y, x)) % 360.0, np.degrees(np.arctan2(z, np.hypot(x, y)))
