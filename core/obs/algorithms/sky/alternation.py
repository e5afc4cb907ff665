"""Difference in level between even and odd rows, or columns, of the sky."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from obs.algorithms.pixels.statistics import robust_sigma

__all__ = ["Alternation", "measure_alternation"]


class Alternation(NamedTuple):
    """Level of odd lines minus that of even ones.

    Parameters
    ----------
    rows, columns : float
        Median over pairs of neighboring lines, image units; 0 if chance makes as much, NaN for fewer than ten pairs.
    """

    rows: float
    columns: float


FEWEST_PAIRS = 10
"""Pairs of lines."""

FEWEST_GOOD = 16
"""Pixels of a line that show the sky in both lines of a pair."""

CHANCE = 5.0
"""Errors of the median that chance does not reach."""

MEDIAN_NOISE = 1.25
"""Standard error of a median in that of a mean."""

PIXELS = 4_000_000
"""Of larger images every k-th pixel along the lines is looked at."""


def measure_alternation(image: NDArray[np.float32], good: NDArray[np.bool_]) -> Alternation:
    """Compare even rows and columns with odd ones.

    Parameters
    ----------
    image : ndarray of float32, shape (ny, nx)
        Background-subtracted pixels.
    good : ndarray of bool, shape (ny, nx)
        Pixels that show the sky.

    Returns
    -------
    Alternation
    """
    return Alternation(_alternation(image, good), _alternation(image.T, good.T))


def _alternation(image: NDArray[np.float32], good: NDArray[np.bool_]) -> float:
    step = max(1, image.size // PIXELS)
    pairs = image.shape[0] // 2
    upper, lower = slice(1, 2 * pairs, 2), slice(0, 2 * pairs, 2)
    both = good[upper, ::step] & good[lower, ::step]
    difference = np.where(both, image[upper, ::step] - image[lower, ::step], np.float32(0.0))
    n = both.sum(1)
    known = n >= FEWEST_GOOD
    if known.sum() < FEWEST_PAIRS:
        return float("nan")
    pairs_differ = difference.sum(1, dtype=np.float64)[known] / n[known]
    found = float(np.median(pairs_differ))
    error = MEDIAN_NOISE * robust_sigma(pairs_differ) / len(pairs_differ) ** 0.5
    return found if abs(found) > CHANCE * error else 0.0
