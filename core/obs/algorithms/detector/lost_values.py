"""See from pixel values alone what a file cannot hold: noise below a lowest value, and light between coarse steps."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["LostValues", "find_lost_values"]

LEAST_SHARE = 0.02
"""Least fraction of the pixels at the lowest value that shows a cut. A Gaussian sky then reaches down to it."""

PILE_UP = 2.0
"""Pixels at the lowest value for each pixel at the next value, from which they piled up there."""

LEAST_STEPS = 1.5
"""Median of the higher values above the lowest one, in steps. Sparse photons, with most pixels empty, have one."""

NEAR = 2.5
"""Largest distance of the median from the lowest value, in units of the upper half of the noise."""

COARSE = 0.58
"""Noise in steps below which rounding loses light: a Gaussian of half a step has this after rounding."""

SEEN = 3
"""Distinct values on either side of the median whose distances give the step."""

FEWEST = 100
"""Fewer values show nothing."""


class LostValues(NamedTuple):
    """Values of pixels that are lost, as the pixels show.

    Parameters
    ----------
    lowest : float
        Value at which the noise is cut off; NaN if it is not.
    share : float
        Fraction of the pixels with this value.
    step : float
        Step between values that is too coarse for the noise; NaN if it is fine enough.
    noise : float
        Noise of the sky, unit of the values; NaN unless the step is too coarse.
    """

    lowest: float = float("nan")
    share: float = 0.0
    step: float = float("nan")
    noise: float = float("nan")


def find_lost_values(values: NDArray[np.floating]) -> LostValues:
    """Look for a lower cut and for coarse steps in the values of sky pixels.

    A cut makes the sky too bright and its noise too small. A step of more than twice the noise makes the response to
    faint light uneven. Neither can be undone.

    Parameters
    ----------
    values : ndarray of float, shape (n,)
        Finite pixel values of an image that is mostly sky, without padding.

    Returns
    -------
    LostValues
    """
    if len(values) < FEWEST:
        return LostValues()
    low, median, high = (float(value) for value in np.percentile(values, (15.87, 50.0, 84.13)))
    noise = max(0.5 * (high - low), high - median)
    distinct, count = np.unique(values, return_counts=True)
    if len(distinct) < 2:
        return LostValues()
    lowest, share, step, error = float("nan"), 0.0, float("nan"), float("nan")
    at_lowest = float(count[0] / len(values))
    piled = at_lowest > LEAST_SHARE and count[0] > PILE_UP * count[1] and median - distinct[0] <= NEAR * noise
    above = float(np.median(values[values > distinct[0]]) - distinct[0])
    if piled and above > LEAST_STEPS * float(distinct[1] - distinct[0]):
        lowest, share = float(distinct[0]), at_lowest
    middle = int(np.searchsorted(distinct, median))
    gap = float(np.median(np.diff(distinct[max(middle - SEEN, 0) : middle + SEEN + 1])))
    # quartiles of few distinct values say nothing; of sparse photons the median is the lowest value
    scatter = float(np.std(values[np.abs(values - median) <= 3.0 * max(noise, gap)], dtype=np.float64))
    if not np.isfinite(lowest) and median > float(distinct[0]) and scatter < COARSE * gap:
        step, error = gap, scatter
    return LostValues(lowest, share, step, error)
