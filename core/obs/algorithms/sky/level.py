"""How bright the sky is, and how even."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from obs.algorithms.pixels.statistics import clipped_statistics
from obs.algorithms.sky.background import fit_background

__all__ = ["SkyStatistics", "measure_sky"]


_CELL = 64
"""Pixels taken along each side of a cell, which are enough to tell its level to a sixtieth of the noise."""


class SkyStatistics(NamedTuple):
    """Level of the sky, and how it changes over the image.

    Parameters
    ----------
    level, sigma : float
        Median of the pixels, and their clipped standard deviation, image units.
    flatness_range, flatness_rms : float
        Highest less lowest level of the cells of a mesh, and their standard deviation, both relative to the level.
    n_x, n_y : int
        Number of cells.
    """

    level: float
    sigma: float
    flatness_range: float
    flatness_rms: float
    n_x: int
    n_y: int


def measure_sky(
    image: NDArray[np.float32], bad: NDArray[np.bool_], *, mesh: int = 256, clip: float = 3.0
) -> SkyStatistics:
    """Measure level and flatness of the sky of an image.

    Parameters
    ----------
    image : ndarray of float32, shape (ny, nx)
        Counts.
    bad : ndarray of bool, shape (ny, nx)
        Pixels to leave out.
    mesh : int, optional
        Largest size of the cells, pixels.
    clip : float, optional
        Pixels further from the mean than this many standard deviations are left out.

    Returns
    -------
    SkyStatistics
        NaN where there is no good pixel.
    """
    step = max(1, mesh // _CELL)
    image, bad = image[::step, ::step], bad[::step, ::step]
    good = image[~bad & np.isfinite(image)]
    if not len(good):
        nan = float("nan")
        return SkyStatistics(nan, nan, nan, nan, 0, 0)
    level, sigma = float(np.median(good)), clipped_statistics(good, clip).sigma
    cells = fit_background(image, bad, bin_size=max(mesh // step, 1), clip=clip).level
    known = cells[np.isfinite(cells)]
    spread, rms = (
        (float(np.ptp(known) / level), float(np.std(known) / level)) if len(known) and level else (np.nan,) * 2
    )
    return SkyStatistics(level, sigma, spread, rms, cells.shape[1], cells.shape[0])
