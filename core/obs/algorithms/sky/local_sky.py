"""Level of the sky in an annulus about each source."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from obs.algorithms.pixels.window import plane_windows
from obs.algorithms.sky.background import clip_cells

__all__ = ["LocalSky", "measure_local_sky"]

PIXELS_AT_ONCE = 4_000_000

CLIP, ROUNDS = 3.0, 3


class LocalSky(NamedTuple):
    """Sky about sources; NaN where too few pixels of the annulus show it.

    Parameters
    ----------
    level : ndarray of float64, shape (n,)
        Clipped mean, image units.
    error : ndarray of float64, shape (n,)
        Its standard error.
    """

    level: NDArray[np.float64]
    error: NDArray[np.float64]


def measure_local_sky(
    image: NDArray[np.float32],
    blank: NDArray[np.bool_],
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    *,
    inner: float,
    outer: float,
    minimum_fraction: float = 0.2,
) -> LocalSky:
    """Measure the sky between two radii about each source.

    Parameters
    ----------
    image : ndarray of float32, shape (ny, nx)
        Pixels.
    blank : ndarray of bool, shape (ny, nx)
        Pixels without source and defect.
    x, y : ndarray of float64, shape (n,)
        Positions, pixels; finite.
    inner, outer : float
        Radii, pixels.
    minimum_fraction : float, optional
        Least fraction of the annulus that must be blank.

    Returns
    -------
    LocalSky
    """
    half = int(np.ceil(outer))
    offset = np.arange(-half, half + 1)
    distance = np.hypot(offset[:, None], offset)
    ring = np.flatnonzero((distance >= inner) & (distance <= outer))
    row, column = np.rint(y).astype(np.int64), np.rint(x).astype(np.int64)
    step = max(1, PIXELS_AT_ONCE // len(offset) ** 2)
    level, error = np.full(len(x), np.nan), np.full(len(x), np.nan)
    for first in range(0, len(x), step):
        part = slice(first, first + step)
        values, good = (
            plane_windows(plane, row[part], column[part], half).reshape(-1, len(offset) ** 2)[:, ring]
            for plane in (image, blank)
        )
        pixels = np.where(good & np.isfinite(values), values, np.float32(np.nan))
        mean, sigma, n = clip_cells(pixels, CLIP, ROUNDS, minimum_fraction)
        level[part], error[part] = mean, sigma / np.sqrt(np.maximum(n, 1))
    return LocalSky(level, error)
