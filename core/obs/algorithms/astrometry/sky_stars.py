"""Reference stars on the sky, and the tangent planes in which frames see them."""

import numpy as np
from numpy.typing import NDArray

from obs.algorithms.astrometry.quads import tangent_basis
from obs.algorithms.numeric.nearest import PointTree

__all__ = ["SkyStars", "covered_area", "deproject"]

Float = NDArray[np.float64]
Complex = NDArray[np.complex128]
Index = NDArray[np.int64]

_AROUND = 1000  # brightest reference stars about a frame that are looked at
_COARSE, _IN_CELL = np.radians(0.25), 5  # smallest cells by which the area of a catalog is measured, and stars in them


class SkyStars:
    """Reference stars on the sky, the brightest first.

    Parameters
    ----------
    vectors : ndarray of float64, shape (n, 3)
        Directions.
    """

    def __init__(self, vectors: Float) -> None:
        self.vectors = vectors
        self.tree = PointTree(vectors)

    def brightest(self, n: int, cell: float) -> tuple[Index, float]:
        """Return the ``n`` brightest of each cell of a size in radians, and the area that the stars cover, sr.

        Parameters
        ----------
        n : int
            Number of stars taken from each cell.
        cell : float
            Side of a cell, radians.

        Returns
        -------
        rows : ndarray of int64
            Rows of the stars, in increasing order, so the brightest first.
        area : float
            Area of the cells that contain a star, steradians.
        """
        order, start = _cells(self.vectors, cell)
        rank = np.arange(len(order)) - np.repeat(start, np.diff(np.r_[start, len(order)]))
        return np.sort(order[rank < n]), float(len(start) * cell**2)

    def around(self, center: Float, radius: float) -> Complex:
        """Return the brightest stars within a radius, radians, in the plane that touches the sky at a direction.

        Parameters
        ----------
        center : ndarray of float64, shape (3,)
            Unit vector of the direction at which the plane touches the sky.
        radius : float
            Largest angle from it, radians. More than 1.5 counts as 1.5.

        Returns
        -------
        ndarray of complex128
            Radians east (real part) and north (imaginary part), the brightest star first.
        """
        rows = self.tree.list_within(center[None], 2 * np.sin(min(radius, 1.5) / 2))[1]
        near = self.vectors[rows[:_AROUND]]
        east, north = tangent_basis(center[None])
        return np.asarray((near @ east[0] + 1j * (near @ north[0])) / (near @ center))


def deproject(origin: Float, places: Complex) -> Float:
    """Return the directions, shape (n, 3), of positions in planes that touch the sky at ``origin``, (n or 1, 3).

    Parameters
    ----------
    origin : ndarray of float64, shape (n, 3) or (1, 3)
        Unit vectors at which the planes touch the sky.
    places : ndarray of complex128, shape (n,)
        Radians east (real part) and north (imaginary part).
    """
    east, north = tangent_basis(origin)
    vectors = origin + places.real[:, None] * east + places.imag[:, None] * north
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True))


def covered_area(vectors: Float) -> float:
    """Return the area of the sky that stars cover, sr; one smaller than a cell by the circle about it.

    Parameters
    ----------
    vectors : ndarray of float64, shape (n, 3)
        Unit vectors of the stars.
    """
    middle = vectors.mean(axis=0)
    middle /= max(float(np.linalg.norm(middle)), 1e-300)
    chord = float(np.sqrt(np.max(np.sum((vectors - middle) ** 2, axis=1))))
    cell = _COARSE
    while cell < chord and len(vectors) < _IN_CELL * len(_cells(vectors, cell)[1]):
        cell *= 2.0
    return float(min(len(_cells(vectors, cell)[1]) * cell**2, np.pi * chord**2))


def _cells(vectors: Float, cell: float) -> tuple[Index, Index]:
    """Return the order of stars by cells of the sky, the order of each kept, and where each cell begins."""
    z = np.arcsin(np.clip(vectors[:, 2], -1.0, 1.0))
    row = np.floor(z / cell)
    width = cell / np.cos(np.clip((row + 0.5) * cell, -1.5, 1.5))
    column = np.floor(np.arctan2(vectors[:, 1], vectors[:, 0]) / width)
    keys = (row * 2e7 + column).astype(np.int64)
    order = np.argsort(keys, kind="stable")
    return order, np.flatnonzero(np.r_[True, np.diff(keys[order]) != 0])
