"""Find points near other points.

Without the compiled tree, ``scipy.spatial.cKDTree`` is used. It takes a tenth of a second to import, a
twentieth of the time of a small frame.
"""

from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from obs.kernels.library import Kernel

if TYPE_CHECKING:
    from scipy.spatial import cKDTree

__all__ = ["PointTree"]

Float = NDArray[np.float64]
Index = NDArray[np.int64]

_TREE = ("float64", "int64", "uint8", "int", "int")
_BUILD = Kernel("build_tree", "float64", "int", "int", "int64", "uint8", "float64")
_NEAREST = Kernel("find_nearest", *_TREE, "float64", "int", "int", "float", "float64", "int64")
_WITHIN = Kernel("find_within", *_TREE, "float64", "int", "float64", "int", "int", "int64", "int64")

_MOST_AXES = 8
_TIES = 16
"""Points at the same distance among which the first one is looked for without the compiled tree."""


class PointTree:
    """Points in a k-d tree (Bentley 1975).

    Parameters
    ----------
    points : array_like of float64, shape (n, k)
        Finite positions in one to eight dimensions.

    Raises
    ------
    ValueError
        If a position is not finite, or the array does not have two axes.
    """

    def __init__(self, points: ArrayLike) -> None:
        self.points = _positions(points, None)
        self._tree: tuple[Float, Index, NDArray[np.uint8]] | None = None
        n, axes = self.points.shape
        if _BUILD and 0 < axes <= _MOST_AXES:
            self._tree = np.empty_like(self.points), np.empty(n, np.int64), np.zeros(n, np.uint8)
            _BUILD(self.points, n, axes, self._tree[1], self._tree[2], self._tree[0])

    @cached_property
    def _reference(self) -> "cKDTree":
        from scipy.spatial import cKDTree  # noqa: PLC0415 - slow to import, needed without compiled kernels only

        return cKDTree(self.points)

    def __len__(self) -> int:
        return len(self.points)

    def nearest(self, places: ArrayLike, count: int = 1, below: float = np.inf) -> tuple[Float, Index]:
        """Return the nearest points of places, the first one of those that are equally near.

        Parameters
        ----------
        places : array_like of float64, shape (m, k)
            Finite positions.
        count : int, default: 1
            Number of points wanted for each.
        below : float, optional
            Distance that they must be nearer than.

        Returns
        -------
        distance : ndarray of float64, shape (m,), or (m, count) if there are more than one
            In increasing order; infinite where there are fewer points.
        index : ndarray of int64, of the same shape
            Rows of the points; n where there are fewer.
        """
        at = _positions(places, self.points.shape[1])
        shape = (len(at),) if count == 1 else (len(at), count)
        if self._tree is not None:
            distance, index = np.empty(shape), np.empty(shape, np.int64)
            _NEAREST(*self._tree, *self.points.shape, at, len(at), count, float(below), distance, index)
            return distance, index
        distance, index = self._reference.query(at, range(1, count + _TIES), distance_upper_bound=below)
        order = np.lexsort((index, distance))[:, :count]
        distance, index = (np.take_along_axis(values, order, axis=1).reshape(shape) for values in (distance, index))
        return distance, index.astype(np.int64, copy=False)

    def count_within(self, places: ArrayLike, radius: ArrayLike, square: bool = False) -> Index:
        """Return how many points are within a radius of places, shape (m,).

        Parameters
        ----------
        places : array_like of float64, shape (m, k)
            Finite positions.
        radius : float, or array_like of float64, shape (m,)
            Largest distance, not negative, which counts as within.
        square : bool, default: False
            Whether each coordinate by itself has to be within the radius, not the distance.
        """
        return np.diff(self._find_within(places, radius, square)[0])

    def list_within(self, places: ArrayLike, radius: ArrayLike, square: bool = False) -> tuple[Index, Index]:
        """Return the points within a radius of places; arguments as in `count_within`.

        Parameters
        ----------
        places : array_like of float64, shape (m, k)
            Finite positions.
        radius : float, or array_like of float64, shape (m,)
            Largest distance, not negative, which counts as within.
        square : bool, default: False
            Whether each coordinate by itself has to be within the radius, not the distance.

        Returns
        -------
        start : ndarray of int64, shape (m + 1,)
            Where the points of each place begin and end.
        index : ndarray of int64, shape (start[m],)
            Rows of the points, increasing for each place.
        """
        start, at, radii = self._find_within(places, radius, square)
        index = np.empty(start[-1], np.int64)
        if self._tree is not None:
            _WITHIN(*self._tree, *self.points.shape, at, len(at), radii, int(square), 1, start, index)
        elif len(at):
            p = np.inf if square else 2.0
            found = self._reference.query_ball_point(at, radii, p=p, return_sorted=True)
            index = np.concatenate([np.asarray(each, np.int64) for each in found])
        return start, index

    def pairs_within(self, radius: float, square: bool = False) -> NDArray[np.int64]:
        """Return the pairs of points within a radius, shape (n_pair, 2), the lower row first, in increasing order.

        Parameters
        ----------
        radius : float
            Largest distance, not negative, which counts as within.
        square : bool, default: False
            Whether each coordinate by itself has to be within the radius, not the distance.
        """
        start, second = self.list_within(self.points, radius, square)
        first = np.repeat(np.arange(len(self.points)), np.diff(start))
        return np.stack([first, second], axis=1)[first < second]

    def _find_within(self, places: ArrayLike, radius: ArrayLike, square: bool) -> tuple[Index, Float, Float]:
        at = _positions(places, self.points.shape[1])
        radii = np.ascontiguousarray(np.broadcast_to(np.asarray(radius, np.float64), len(at)))
        start = np.zeros(len(at) + 1, np.int64)
        if self._tree is not None:
            _WITHIN(*self._tree, *self.points.shape, at, len(at), radii, int(square), 0, start, np.empty(0, np.int64))
        elif len(at):
            p = np.inf if square else 2.0
            start[1:] = self._reference.query_ball_point(at, radii, p=p, return_length=True)
        return np.cumsum(start), at, radii


def _positions(given: ArrayLike, axes: int | None) -> Float:
    positions = np.ascontiguousarray(given, np.float64)
    if positions.ndim != 2 or axes not in (None, positions.shape[1]):
        wanted = "(n, k)" if axes is None else f"(n, {axes})"
        raise ValueError(f"positions must have shape {wanted}, got {positions.shape}")
    if not np.isfinite(positions).all():
        raise ValueError("positions must be finite")
    return positions
