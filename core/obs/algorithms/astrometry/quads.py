"""Quads: groups of four stars, and the numbers that describe their shape whatever the scale, rotation and position.

The most distant two of the four stars, A and B, define a frame in which A is at 0 and B at 1. The complex positions of
the other two, C and D, are the code of the quad (Lang et al. 2010, AJ 139, 1782). A mirror image has the complex
conjugate as its code.
"""

from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from obs.algorithms.numeric.nearest import PointTree
from obs.frozen import frozen

__all__ = ["Quads", "form_quads", "tangent_basis"]

Float = NDArray[np.float64]
Complex = NDArray[np.complex128]
Index = NDArray[np.int64]

#: The pairs of four stars, and the two stars that each pair leaves over.
_PAIRS = np.array(list(combinations(range(4), 2)))
_HASH = np.uint64(0x9E3779B97F4A7C15)
_OTHERS = np.array([[k for k in range(4) if k not in pair] for pair in combinations(range(4), 2)])


@frozen(eq=False)
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
    """Return unit vectors toward east and north, shape (n, 3), at directions of shape (n, 3).

    Parameters
    ----------
    vectors : ndarray of float64, shape (n, 3)
        Unit vectors. At a pole, where no direction is east, +y counts as east.

    Returns
    -------
    east, north : ndarray of float64, shape (n, 3)
        Unit vectors.
    """
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
    near = PointTree(points).nearest(points, n_neighbor + 1)[1]
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
    chosen = np.array([(0, *three) for three in combinations(range(1, n_neighbor + 1), 3)]).T
    first = _first_of_each(near, chosen)
    origin, group = np.divmod(first, chosen.shape[1])
    stars = chosen[:, group]
    return _arrange(near[origin, stars], local[origin, stars], origin, max_length)


def _first_of_each(near: Index, chosen: Index) -> Index:
    """Return where each group of stars comes first, among the ``chosen`` columns of each row of ``near``."""
    # a sum that wraps around, of a random number for each star, is the same for any order of the stars
    random = (np.arange(1, len(near) + 1, dtype=np.uint64) * _HASH) ^ (np.arange(len(near), dtype=np.uint64) << 29)
    random = ((random ^ (random >> 31)) * _HASH)[near]
    group = np.sum([random[:, column] for column in chosen], axis=0).ravel()
    # numbers that end in the place of the group: to sort them takes a tenth of the time of a stable sort of places
    bits = np.uint64(len(group).bit_length())
    ordered = np.sort((group << bits) | np.arange(len(group), dtype=np.uint64))
    new = np.r_[True, (ordered[1:] >> bits) != (ordered[:-1] >> bits)]
    return np.asarray(ordered[new] & ((np.uint64(1) << bits) - np.uint64(1))).astype(np.int64)


def _arrange(members: Index, places: Complex, origin: Index, max_length: float) -> Quads:
    """Put the stars of each quad, shape (4, n), into the order A, B, C, D, so that equal quads have equal codes."""
    distance = [_square(places[k] - places[j]) for j, k in _PAIRS]
    longest, length = np.zeros(places.shape[1], np.int64), distance[0]
    for k, other in enumerate(distance[1:], 1):
        longest[other > length] = k
        length = np.fmax(length, other)
    usable = np.flatnonzero((length > 0) & (length <= max_length**2) & np.isfinite(places.sum(axis=0)))
    order = np.concatenate([_PAIRS, _OTHERS], axis=1)[longest[usable]].T
    members, places = members[order, usable], places[order, usable]
    code = (places[2:] - places[0]) / (places[1] - places[0])
    # A is the nearer one to C and D, and C is nearer to A along the line AB
    turned = code.real.sum(axis=0) > 1.0
    code[:, turned] = 1.0 - code[:, turned]
    swapped = code[0].real > code[1].real
    code[:, swapped] = code[::-1, swapped]
    for values in (members, places):
        values[:2, turned] = values[1::-1, turned]
        values[2:, swapped] = values[:1:-1, swapped]
    parts = np.stack([code[0].real, code[0].imag, code[1].real, code[1].imag], axis=1)
    return Quads(np.ascontiguousarray(members.T), np.ascontiguousarray(places.T), origin[usable], parts)


def _square(values: Complex) -> Float:
    """Return squares of absolute values."""
    return np.asarray(values.real**2 + values.imag**2)
