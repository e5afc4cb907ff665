"""Functions that are not elementary.

Without the compiled functions, those of ``scipy.special`` are used, whose import takes a tenth of a second.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from obs.kernels.library import Kernel

__all__ = ["bessel", "normal_quantile", "poisson_above", "poisson_up_to", "variance_ratio_above"]

Float = NDArray[np.float64]

_BESSEL = Kernel("bessel_first", "int", "float64", "int", "float64")
_POISSON = Kernel("poisson_tail", "int", "float64", "float64", "int", "float64")
_RATIO = Kernel("ratio_tail", "float", "float", "float", "float64")


def bessel(order: int, x: Float) -> Float:
    """Return a Bessel function of the first kind, of order 0 or 1, in the shape of ``x``.

    Parameters
    ----------
    order : int
        0 or 1.
    x : ndarray of float64
        Arguments.

    Raises
    ------
    ValueError
        For another order.
    """
    if order not in (0, 1):
        raise ValueError(f"the order of a Bessel function must be 0 or 1, got {order}")
    if not _BESSEL:
        from scipy.special import j0, j1  # noqa: PLC0415 - slow to import, needed without compiled kernels only

        return np.asarray((j0, j1)[order](x), np.float64)
    values = np.ascontiguousarray(x, np.float64)
    result = np.empty(values.shape)
    _BESSEL(order, values, values.size, result)
    return result


def normal_quantile(part: Float) -> Float:
    """Return what a part of normally distributed values is below, in standard deviations; parts are in (0, 1).

    Parameters
    ----------
    part : ndarray of float64
        Fractions of the values, greater than 0 and less than 1.

    Returns
    -------
    ndarray of float64
        Of the shape of ``part``: 0 for 0.5, 1 for 0.841.
    """
    from statistics import NormalDist  # noqa: PLC0415 - seldom needed

    # counts of few pixels give few different parts
    different, which = np.unique(part, return_inverse=True)
    quantile = np.array([NormalDist().inv_cdf(each) for each in different.tolist()], np.float64)
    return quantile[which].reshape(part.shape)


def poisson_above(count: ArrayLike, mean: ArrayLike) -> Float:
    """Return the probability of more than ``count`` events where ``mean`` are expected.

    Parameters
    ----------
    count : array_like
        Numbers of events, not negative.
    mean : array_like
        Expected numbers.

    Returns
    -------
    ndarray of float64
        Of the shape to which both broadcast.
    """
    return _poisson(count, mean, above=True)


def poisson_up_to(count: ArrayLike, mean: ArrayLike) -> Float:
    """Return the probability of at most ``count`` events where ``mean`` are expected; see `poisson_above`.

    Parameters
    ----------
    count : array_like
        Numbers of events, not negative.
    mean : array_like
        Expected numbers.

    Returns
    -------
    ndarray of float64
        Of the shape to which both broadcast.
    """
    return _poisson(count, mean, above=False)


def _poisson(count: ArrayLike, mean: ArrayLike, above: bool) -> Float:
    counts, means = np.broadcast_arrays(np.asarray(count, np.float64), np.asarray(mean, np.float64))
    if not _POISSON:
        from scipy.special import pdtr, pdtrc  # noqa: PLC0415 - slow to import, needed without compiled kernels only

        return np.asarray((pdtrc if above else pdtr)(counts, means), np.float64)
    result = np.empty(counts.shape)
    _POISSON(int(above), np.ascontiguousarray(counts), np.ascontiguousarray(means), counts.size, result)
    return result


def variance_ratio_above(above: float, below: float, ratio: float) -> float:
    """Return the probability that chance makes a ratio of two variances larger (the F distribution).

    Parameters
    ----------
    above, below : float
        Degrees of freedom of the variance above the fraction bar, and of the one below it.
    ratio : float
        The ratio, not negative.
    """
    if not _RATIO:
        from scipy.special import fdtrc  # noqa: PLC0415 - slow to import, needed without compiled kernels only

        return float(fdtrc(above, below, ratio))
    result = np.empty(1)
    _RATIO(float(above), float(below), float(ratio), result)
    return float(result[0])
