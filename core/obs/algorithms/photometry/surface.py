"""Smooth surfaces over a detector: Chebyshev polynomials in x and y."""

import numpy as np
from numpy.polynomial import chebyshev
from numpy.typing import ArrayLike, NDArray

from obs.frozen import frozen

__all__ = ["Surface", "design_matrix", "interpolate_surface", "surface_nodes", "triangle"]


@frozen(eq=False)
class Surface:
    """A product of Chebyshev polynomials over a detector.

    Parameters
    ----------
    coefficients : ndarray of float64, shape (k, k)
        Coefficient ``[i, j]`` of ``T_i(x) T_j(y)``.
    shape : tuple of int
        Shape (ny, nx) of the detector, over which the polynomials run from -1 to 1.
    """

    coefficients: NDArray[np.float64]
    shape: tuple[int, int]

    def evaluate(self, *, x: ArrayLike, y: ArrayLike) -> NDArray[np.float64]:
        """Return the surface at positions in pixels, shape of ``x``.

        Parameters
        ----------
        x, y : array_like of float
            Positions on the detector, 0-based pixels.
        """
        u, v = _unit_square(x, y, self.shape)
        return np.asarray(chebyshev.chebval2d(u, v, self.coefficients), np.float64)


def triangle(order: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the pairs i, j with ``i + j <= order``, i outer.

    Parameters
    ----------
    order : int
        Total order of the polynomial.

    Returns
    -------
    i, j : ndarray of int64, shape (n_term,)
        Exponents, with ``n_term = (order + 1) (order + 2) / 2``.
    """
    i, j = np.meshgrid(np.arange(order + 1), np.arange(order + 1), indexing="ij")
    inside = i + j <= order
    return i[inside], j[inside]


def design_matrix(x: ArrayLike, y: ArrayLike, shape: tuple[int, int], order: int) -> NDArray[np.float64]:
    """Return the polynomials up to a total order at positions.

    Parameters
    ----------
    x, y : array-like, shape (...)
        Positions, pixels.
    shape : tuple of int
        Shape (ny, nx) of the detector.
    order : int
        Total order.

    Returns
    -------
    ndarray of float64, shape (..., n_term)
        Values of ``T_i(x) T_j(y)`` in the order of `triangle`.
    """
    u, v = _unit_square(x, y, shape)
    i, j = triangle(order)
    return np.asarray(chebyshev.chebvander(u, order)[..., i] * chebyshev.chebvander(v, order)[..., j], np.float64)


def surface_nodes(shape: tuple[int, int], n: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the positions, pixels, shape (n * n,), at which `interpolate_surface` wants its values.

    Parameters
    ----------
    shape : tuple of int
        Shape (ny, nx) of the detector.
    n : int
        Number of nodes along each axis.

    Returns
    -------
    x, y : ndarray of float64, shape (n * n,)
        0-based pixels; y varies fastest.
    """
    node = chebyshev.chebpts1(n)
    u, v = (axis.ravel() for axis in np.meshgrid(node, node, indexing="ij"))
    return 0.5 * (u + 1.0) * shape[1] - 0.5, 0.5 * (v + 1.0) * shape[0] - 0.5


def interpolate_surface(values: NDArray[np.float64], shape: tuple[int, int]) -> Surface:
    """Return the surface through values at the nodes.

    Parameters
    ----------
    values : ndarray of float64, shape (n * n,)
        Values at the positions of `surface_nodes`.
    shape : tuple of int
        Shape (ny, nx) of the detector.

    Returns
    -------
    Surface
        Of order ``n - 1`` in x and in y.
    """
    n = int(np.sqrt(len(values)))
    inverse = np.linalg.inv(chebyshev.chebvander(chebyshev.chebpts1(n), n - 1))
    return Surface(inverse @ values.reshape(n, n) @ inverse.T, shape)


def _unit_square(x: ArrayLike, y: ArrayLike, shape: tuple[int, int]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Map the outer edges of the detector to -1 and 1."""
    u = (np.asarray(x, np.float64) + 0.5) / shape[1] * 2.0 - 1.0
    v = (np.asarray(y, np.float64) + 0.5) / shape[0] * 2.0 - 1.0
    return u, v
