"""Pairs of sources that are each other's nearest neighbor, on the sky and on the detector."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from obs.algorithms.numeric.nearest import PointTree
from obs.frozen import frozen
from obs.sky_vectors import sky_vectors

__all__ = ["Matches", "match_pixels", "match_sky"]

_ARCSEC_PER_RADIAN = np.degrees(1.0) * 3600.0


@frozen(eq=False)
class Matches:
    """Pairs of two lists; every entry of either list occurs at most once.

    Parameters
    ----------
    first, second : ndarray of int64, shape (n_pair,)
        Index in the first and in the second list; ``first`` increases.
    separation : ndarray of float64, shape (n_pair,)
        Distance of the two, arcsec for `match_sky`, pixels for `match_pixels`.
    """

    first: NDArray[np.int64]
    second: NDArray[np.int64]
    separation: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.first)


def match_sky(ra1: ArrayLike, dec1: ArrayLike, ra2: ArrayLike, dec2: ArrayLike, *, radius: float) -> Matches:
    """Match two lists of sky positions.

    Parameters
    ----------
    ra1, dec1 : array-like, shape (n,)
        First list, degrees; entries that are not finite match nothing.
    ra2, dec2 : array-like, shape (m,)
        Second list, degrees.
    radius : float
        Largest separation, arcsec.

    Returns
    -------
    Matches
        Mutually nearest pairs not further apart than ``radius``, separation in arcsec.

    Raises
    ------
    ValueError
        If the two coordinates of a list differ in length or ``radius`` is negative.
    """
    _check_radius(radius)
    chord = 2.0 * np.sin(min(radius / _ARCSEC_PER_RADIAN, np.pi) / 2.0)
    pairs = _mutual(sky_vectors(*_columns(ra1, dec1).T), sky_vectors(*_columns(ra2, dec2).T), chord)
    separation = 2.0 * np.arcsin(np.minimum(pairs.separation / 2.0, 1.0)) * _ARCSEC_PER_RADIAN
    return Matches(pairs.first, pairs.second, separation)


def match_pixels(x1: ArrayLike, y1: ArrayLike, x2: ArrayLike, y2: ArrayLike, *, radius: float) -> Matches:
    """Match two lists of pixel positions.

    Parameters
    ----------
    x1, y1 : array-like, shape (n,)
        First list, pixels; entries that are not finite match nothing.
    x2, y2 : array-like, shape (m,)
        Second list, pixels.
    radius : float
        Largest separation, pixels.

    Returns
    -------
    Matches
        Mutually nearest pairs not further apart than ``radius``, separation in pixels.

    Raises
    ------
    ValueError
        If the two coordinates of a list differ in length or ``radius`` is negative.
    """
    _check_radius(radius)
    return _mutual(_columns(x1, y1), _columns(x2, y2), radius)


def _check_radius(radius: float) -> None:
    if not radius >= 0:
        raise ValueError(f"the match radius must not be negative, got {radius:g}")


def _columns(first: ArrayLike, second: ArrayLike) -> NDArray[np.float64]:
    """Return two coordinates as the columns of one array, shape (n, 2)."""
    a, b = np.atleast_1d(np.asarray(first, np.float64)), np.atleast_1d(np.asarray(second, np.float64))
    if a.shape != b.shape:
        raise ValueError(f"the coordinates of one list differ in length: {a.shape} and {b.shape}")
    return np.stack([a, b], axis=1)


def _mutual(a: NDArray[np.float64], b: NDArray[np.float64], radius: float) -> Matches:
    """Match points (n, d) and (m, d) by distance."""
    index_a, index_b = (np.flatnonzero(np.isfinite(points).all(axis=1)) for points in (a, b))
    if not len(index_a) or not len(index_b):
        return Matches(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0))
    points_a, points_b = a[index_a], b[index_b]
    separation, nearest = PointTree(points_b).nearest(points_a, below=float(np.nextafter(radius, np.inf)))
    hit = np.flatnonzero(np.isfinite(separation))
    back = PointTree(points_a).nearest(points_b[nearest[hit]])[1]
    # of points at one place only one can be the nearest: keep the pair whose way back returns
    hit = hit[back == hit]
    return Matches(index_a[hit], index_b[nearest[hit]], separation[hit])
