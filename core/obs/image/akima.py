"""Akima's splines through the points of a mesh, evaluated for whole rows of pixels at once.

H. Akima (1970, J. ACM 17, 589). The conventions are those of scipy.interpolate, which takes a fifth of a second to
import and several passes over the image.
"""

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

__all__ = ["akima_spline"]

Real = NDArray[np.float64]

STRAIGHT = 1e-9
"""Changes of slope below this part of the largest one are none: there the slope is the mean of both sides."""


def akima_spline(points: Real, values: NDArray[np.floating], place: Real) -> NDArray[np.floating]:
    """Interpolate along the first axis.

    Parameters
    ----------
    points : ndarray of float64, shape (n,)
        Where the values are known, increasing; at least three.
    values : ndarray of float, shape (n, m)
        Values of m curves; the result has their type.
    place : ndarray of float64, shape (k,)
        Where they are wanted, increasing, between the first point and the last.

    Returns
    -------
    ndarray of float, shape (k, m)
    """
    y = np.asarray(values, np.float64)
    width = np.diff(points)[:, None]
    rise = np.diff(y, axis=0) / width
    slope = _slopes(rise)
    # coefficients of powers from 0 to 1 in each interval, which float32 holds as well as the values
    start, end = slope[:-1] * width, slope[1:] * width
    step = np.diff(y, axis=0)
    terms = np.stack([y[:-1], start, 3.0 * step - 2.0 * start - end, start + end - 2.0 * step], axis=1)
    terms = terms.astype(values.dtype, copy=False)
    result = np.empty((len(place), y.shape[1]), values.dtype)
    ends = np.append(np.searchsorted(place, points[:-1]), len(place))
    for k, (first, last) in enumerate(pairwise(ends)):
        powers = ((place[first:last] - points[k]) / width[k])[:, None] ** np.arange(4)
        # one product of small matrices an interval: its rows stay in the cache
        np.matmul(powers.astype(values.dtype, copy=False), terms[k], out=result[first:last])
    return result


def _slopes(rise: Real) -> Real:
    """Slopes at the points, shape (n, m), from those between them, shape (n - 1, m)."""
    first, second = 3.0 * rise[0] - 2.0 * rise[1], 2.0 * rise[0] - rise[1]
    last, beyond = 2.0 * rise[-1] - rise[-2], 3.0 * rise[-1] - 2.0 * rise[-2]
    m = np.concatenate([first[None], second[None], rise, last[None], beyond[None]])
    change = np.abs(np.diff(m, axis=0))
    before, after = change[:-2], change[2:]
    both = before + after
    bent = both > STRAIGHT * both.max()
    part = np.divide(before, both, out=np.zeros_like(both), where=bent)
    return np.asarray(np.where(bent, m[1:-2] + part * (m[2:-1] - m[1:-2]), 0.5 * (m[3:] + m[:-3])))
