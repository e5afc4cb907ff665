"""Quads: groups of four stars, and the numbers that describe their shape whatever the scale, rotation and position.

The most distant two of the four stars, A and B, define a frame in which A is at 0 and B at 1. The complex positions of
the other two, C and D, are the code of the quad (Lang et al. 2010, AJ 139, 1782). A mirror image has the complex
conjugate as its code.
"""

from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

__all__ = ["Quads", "form_quads", "tangent_basis"]

Float = NDArray[np.float64]
Complex = NDArray[np.complex128]
Index = NDArray[np.int64]

#: The pairs of four stars, and the two stars that each pair leaves over.
_PAIRS = np.array(list(combinations(range(4), 2)))
_HASH = np.array([0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9, 0xD6E8FEB86659FD93], np.uint64)
_OTHERS = np.array([[k for k in range(4) if k not in pair] for pair in combinations(range(4), 2)])


@dataclass(frozen=True, slots=True, eq=False)
class Quads:
    """Quads of one list of stars.

    Parameters
    ----------
    members : ndarray of int64, shape (n_quad, 4)
        The stars A, B, C, D.
    places : ndarray of complex128, shape (n_quad, 4)
        Their positions in a plane around ``origin``, in the unit of the list (radians for stars on the sky).
    origin : ndarray of int64, shape (n_quad,)
        The star at which that plane touches the sky.
    code : ndarray of float64, shape (n_quad, 4)
        Real and imaginary part of C, then of D, where A is 0 and B is 1.
    """

    members: Index
    places: Complex
    origin: Index
    code: Float

    def __len__(self) -> int:
        return len(self.members)

    @property
    def length(self) -> Float:
        """Distance from A to B, shape (n_quad,)."""
        return np.abs(self.places[:, 1] - self.places[:, 0])


def tangent_basis(vectors: Float) -> tuple[Float, Float]:
    """Return unit vectors toward east and north, shape (n, 3), at directions of shape (n, 3)."""
    east = np.stack([-vectors[:, 1], vectors[:, 0], np.zeros(len(vectors))], axis=1)
    east[np.hypot(east[:, 0], east[:, 1]) == 0] = (0.0, 1.0, 0.0)  # at a pole
    east /= np.linalg.norm(east, axis=1, keepdims=True)
    return east, np.cross(vectors, east)


def form_quads(points: Float, n_neighbor: int, max_length: float) -> Quads:
    """Form the quads of each star and any three of its nearest neighbors.

    Parameters
    ----------
    points : ndarray of float64, shape (n, 2) or (n, 3)
        Positions in a plane, or directions on the sky.
    n_neighbor : int
        Number of nearest neighbors.
    max_length : float
        Longest quad, in the unit of the positions.

    Returns
    -------
    Quads
        Each group of four stars once.
    """
    n = len(points)
    n_neighbor = min(n_neighbor, n - 1)
    if n_neighbor < 3:
        return Quads(np.zeros((0, 4), np.int64), np.zeros((0, 4), complex), np.zeros(0, np.int64), np.zeros((0, 4)))
    near = cKDTree(points).query(points, n_neighbor + 1)[1]
    near[:, 0] = np.arange(n)  # of stars at one place
    if points.shape[1] == 2:
        flat = points[:, 0] + 1j * points[:, 1]
        local = flat[near] - flat[:, None]
    else:
        east, north = tangent_basis(points)
        around = points[near]
        depth = np.einsum("nkc,nc->nk", around, points)
        local = np.einsum("nkc,nc->nk", around, east) + 1j * np.einsum("nkc,nc->nk", around, north)
        local /= np.where(depth > 0, depth, np.nan)
    chosen = np.array([(0, *three) for three in combinations(range(1, n_neighbor + 1), 3)])
    members, places = near[:, chosen].reshape(-1, 4), local[:, chosen].reshape(-1, 4)
    # a product that wraps around tells groups of stars apart: sorting whole rows takes five times as long
    _, first = np.unique(np.sort(members, axis=1).astype(np.uint64) @ _HASH, return_index=True)
    origin = np.repeat(np.arange(n), len(chosen))[first]
    return _arrange(members[first], places[first], origin, max_length)


def _arrange(members: Index, places: Complex, origin: Index, max_length: float) -> Quads:
    """Put the four stars of each quad into the order A, B, C, D, so that equal quads have equal codes."""
    distance = np.abs(places[:, _PAIRS[:, 0]] - places[:, _PAIRS[:, 1]])
    longest = np.argmax(np.nan_to_num(distance), axis=1)
    order = np.concatenate([_PAIRS[longest], _OTHERS[longest]], axis=1)
    order = _reorder(order, places)
    places, members = np.take_along_axis(places, order, axis=1), np.take_along_axis(members, order, axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        code = (places[:, 2:] - places[:, :1]) / (places[:, 1:2] - places[:, :1])
    length = np.abs(places[:, 1] - places[:, 0])
    usable = np.isfinite(code).all(axis=1) & (length > 0) & (length <= max_length)
    parts = np.stack([code[:, 0].real, code[:, 0].imag, code[:, 1].real, code[:, 1].imag], axis=1)
    return Quads(members[usable], places[usable], origin[usable], parts[usable])


def _reorder(order: Index, places: Complex) -> Index:
    """Swap A and B where C and D are nearer to B, and C and D so that C is nearer to A along the line AB."""
    a, b, c, d = np.take_along_axis(places, order, axis=1).T
    with np.errstate(divide="ignore", invalid="ignore"):
        along_c, along_d = ((c - a) / (b - a)).real, ((d - a) / (b - a)).real
    swap = along_c + along_d > 1.0
    order[swap, 0], order[swap, 1] = order[swap, 1].copy(), order[swap, 0].copy()
    along_c, along_d = np.where(swap, 1 - along_c, along_c), np.where(swap, 1 - along_d, along_d)
    swap = along_c > along_d
    order[swap, 2], order[swap, 3] = order[swap, 3].copy(), order[swap, 2].copy()
    return order
