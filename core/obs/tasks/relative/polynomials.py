"""Polynomials in two variables, as columns of a design."""

import numpy as np
from numpy.polynomial.chebyshev import chebvander
from numpy.typing import NDArray

__all__ = ["n_terms", "polynomial_terms"]

Floats = NDArray[np.float64]


def n_terms(order: int) -> int:
    """Return the number of terms of a polynomial of a total order.

    Parameters
    ----------
    order : int
        Largest total order of two variables.
    """
    return (order + 1) * (order + 2) // 2


def polynomial_terms(u: Floats, v: Floats, order: int) -> Floats:
    """Return the Chebyshev terms of total order up to ``order``, shape (n, n_terms), the constant first.

    Parameters
    ----------
    u, v : ndarray of float64, shape (n,)
        Positions, scaled to -1 to 1.
    order : int
        Largest total order.
    """
    i, j = (part.ravel() for part in np.indices((order + 1, order + 1)))
    kept = np.flatnonzero(i + j <= order)
    kept = kept[np.argsort(i[kept] + j[kept], kind="stable")]
    # not chebvander2d, which fails without positions
    return np.asarray(chebvander(u, order)[..., i[kept]] * chebvander(v, order)[..., j[kept]])
