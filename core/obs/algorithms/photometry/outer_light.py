"""Light of stars beyond a circle, from the sum of the pixels about all bright stars.

No profile is assumed: diffraction spikes, halos and wide wings count alike. What is beyond the furthest ring stays
unknown, and the brightness in that ring is taken for the sky, so the result is a lower limit.
"""

from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from obs.algorithms.pixels.statistics import weighted_median
from obs.algorithms.pixels.window import plane_windows

__all__ = ["REACH", "OuterLight", "measure_outer_light"]

RINGS = (1.0, 1.4, 2.0, 2.9, 4.5)
"""Radii of the rings, in units of the circle's. The last ring shows the sky."""

REACH = RINGS[-2]
"""Radius within which light counts, in units of the circle's."""

LEAST_PIXELS = 0.3
"""Part of the pixels of each ring that has to be usable."""

MEDIAN_ERROR = 1.2533
"""Error of a median in errors of a mean."""

PIXELS_AT_ONCE = 4_000_000


class OuterLight(NamedTuple):
    """Light of stars beyond a circle, and its error.

    Parameters
    ----------
    part : float
        Light between the circle and the last ring, in units of that within; NaN for fewer than two stars.
    error : float
        Its standard error.
    n_star : int
        Number of stars.
    """

    part: float
    error: float
    n_star: int


def measure_outer_light(
    image: NDArray[np.float32],
    labels: NDArray[np.int32],
    usable: NDArray[np.bool_],
    *,
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    label: NDArray[np.int64],
    flux: NDArray[np.float64],
    radius: float,
    noise: float,
) -> OuterLight:
    """Measure the light about stars between a circle and a multiple of its radius.

    Parameters
    ----------
    image : ndarray of float32, shape (ny, nx)
        Background-subtracted pixels.
    labels : ndarray of int32, shape (ny, nx)
        Number of the footprint of each pixel, 0 where there is none. Footprints of other sources do not count.
    usable : ndarray of bool, shape (ny, nx)
        Pixels without defect.
    x, y : ndarray of float64, shape (n,)
        Positions of the stars, pixels; finite.
    label : ndarray of int64, shape (n,)
        Number of the footprint of each.
    flux : ndarray of float64, shape (n,)
        Light within the circle, positive.
    radius : float
        Radius of the circle, pixels.
    noise : float
        Standard deviation of the sky in a pixel.

    Returns
    -------
    OuterLight
    """
    edges = radius * np.array(RINGS)
    half = int(np.ceil(edges[-1]))
    offset = np.arange(-half, half + 1)
    distance = np.hypot(offset[:, None], offset)
    rings = [np.flatnonzero((distance >= low) & (distance < high)) for low, high in pairwise(edges)]
    row, column = np.rint(y).astype(np.int64), np.rint(x).astype(np.int64)
    mean, error = np.full((2, len(x), len(rings)), np.nan)
    step = max(1, PIXELS_AT_ONCE // len(offset) ** 2)
    for first in range(0, len(x), step):
        part = slice(first, first + step)
        windows = (plane_windows(plane, row[part], column[part], half) for plane in (image, labels, usable))
        values, owner, good = (window.reshape(-1, len(offset) ** 2) for window in windows)
        good = good & np.isfinite(values) & ((owner == 0) | (owner == label[part, None]))
        for k, ring in enumerate(rings):
            n = good[:, ring].sum(1)
            total = np.where(good[:, ring], values[:, ring], 0.0).sum(1, dtype=np.float64)
            with np.errstate(divide="ignore", invalid="ignore"):
                enough = n >= LEAST_PIXELS * len(ring)
                mean[part, k] = np.where(enough, total / n, np.nan)
                error[part, k] = np.where(enough, noise / np.sqrt(n), np.nan)
    known = np.isfinite(mean).all(1)
    if known.sum() < 2:
        return OuterLight(np.nan, np.nan, int(known.sum()))
    area = np.pi * (edges[1:] ** 2 - edges[:-1] ** 2)
    # what is in every ring alike is the sky, or light of neighbors
    excess = ((mean[:, :-1] - mean[:, -1:]) * area[:-1])[known].sum(1) / flux[known]
    variance = ((error[:, :-1] * area[:-1]) ** 2).sum(1) + (error[:, -1] * area[:-1].sum()) ** 2
    sigma = np.sqrt(variance[known]) / flux[known]
    # neighbors that are not known are of no star's noise: this keeps the brightest star from deciding alone
    weight = 1.0 / (sigma**2 + (0.5 * np.quantile(sigma, 0.25)) ** 2)
    return OuterLight(weighted_median(excess, weight), MEDIAN_ERROR / float(np.sqrt(weight.sum())), int(known.sum()))
