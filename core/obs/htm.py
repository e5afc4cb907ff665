"""The hierarchical triangular mesh: numbers for triangles on the sky, as reference catalogs are split by.

Eight spherical triangles, numbered 8 to 15, cover the sky; each is divided at the middles of its sides into four, whose
numbers are four times its own plus 0 to 3, and so on. At depth d the numbers are ``8 * 4**d`` to ``16 * 4**d - 1``.
(Kunszt, Szalay & Thakar 2001, in Mining the Sky.)
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from obs.sky_vectors import sky_vectors

__all__ = ["cover_circle", "htm_index"]

_CORNERS = np.array([[0, 0, 1], [1, 0, 0], [0, 1, 0], [-1, 0, 0], [0, -1, 0], [0, 0, -1]], np.float64)
#: Corners of the triangles 8 to 15, anticlockwise as seen from outside.
_ROOTS = _CORNERS[np.array([[1, 5, 2], [2, 5, 3], [3, 5, 4], [4, 5, 1], [1, 0, 4], [4, 0, 3], [3, 0, 2], [2, 0, 1]])]
#: Rounding of positions on a side must lose no triangle.
_MARGIN = 1e-12


def htm_index(*, ra: ArrayLike, dec: ArrayLike, depth: int) -> NDArray[np.int64]:
    """Return the number of the triangle in which each position lies.

    Parameters
    ----------
    ra, dec : array_like of float, shape (n,)
        Positions, degrees.
    depth : int
        How often the first eight triangles are divided.

    Returns
    -------
    ndarray of int64, shape (n,)
        The numbers.
    """
    points = sky_vectors(ra, dec)
    index = np.argmax(_depths(_ROOTS[None], points[:, None]), axis=1)
    corners = _ROOTS[index]
    numbers: NDArray[np.int64] = index.astype(np.int64) + 8
    for _ in range(depth):
        children = _divide(corners)
        child = np.argmax(_depths(children, points[:, None]), axis=1)
        corners = children[np.arange(len(points)), child]
        numbers = 4 * numbers + child
    return numbers


def cover_circle(*, ra: float, dec: float, radius: float, depth: int) -> NDArray[np.int64]:
    """Return the numbers of all triangles that a circle touches, sorted.

    Parameters
    ----------
    ra, dec : float
        Center, degrees.
    radius : float
        Radius, degrees; not negative.
    depth : int
        How often the first eight triangles are divided.

    Returns
    -------
    ndarray of int64, shape (n,)
        The numbers. A triangle that only comes within rounding of the circle may be among them.
    """
    center = sky_vectors(ra, dec)[0]
    radius = np.radians(min(radius, 180.0))
    corners, numbers = _ROOTS, np.arange(8, 16, dtype=np.int64)
    for level in range(depth + 1):
        if level:
            corners, numbers = _divide(corners).reshape(-1, 3, 3), (4 * numbers[:, None] + np.arange(4)).ravel()
        touched = _touches(corners, center, radius)
        corners, numbers = corners[touched], numbers[touched]
    return np.sort(numbers)


def _depths(corners: NDArray[np.float64], points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the sine of the angle from each point to the nearest side of its triangle (..., 3, 3), < 0 outside."""
    normals = np.cross(corners, np.roll(corners, -1, axis=-2))
    normals /= np.linalg.norm(normals, axis=-1, keepdims=True)
    deep: NDArray[np.float64] = np.einsum("...ij,...j->...i", normals, points).min(axis=-1)
    return deep


def _divide(corners: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the four children (n, 4, 3, 3) of triangles (n, 3, 3)."""
    middles = np.roll(corners, -1, axis=1) + np.roll(corners, -2, axis=1)
    middles /= np.linalg.norm(middles, axis=-1, keepdims=True)
    (v0, v1, v2), (w0, w1, w2) = corners.swapaxes(0, 1), middles.swapaxes(0, 1)
    groups = ((v0, w2, w1), (v1, w0, w2), (v2, w1, w0), (w0, w1, w2))
    return np.stack([np.stack(group, axis=1) for group in groups], axis=1)


def _touches(corners: NDArray[np.float64], center: NDArray[np.float64], radius: float) -> NDArray[np.bool_]:
    """Return which triangles a circle touches: it holds a corner, crosses a side, or lies within."""
    inside = _depths(corners, center[None]) >= -_MARGIN
    holds = (corners @ center >= np.cos(radius) - _MARGIN).any(axis=1)
    ends = np.roll(corners, -1, axis=1)
    normals = np.cross(corners, ends)
    normals /= np.linalg.norm(normals, axis=-1, keepdims=True)
    distance = normals @ center
    # The point of the side's great circle that is nearest to the center must be between the corners.
    nearest = center - distance[..., None] * normals
    between = np.einsum("ijk,ijk->ij", np.cross(corners, nearest), normals) >= -_MARGIN
    between &= np.einsum("ijk,ijk->ij", np.cross(nearest, ends), normals) >= -_MARGIN
    crosses = ((np.abs(distance) <= np.sin(min(radius, np.pi / 2)) + _MARGIN) & between).any(axis=1)
    touched: NDArray[np.bool_] = inside | holds | crosses
    return touched
