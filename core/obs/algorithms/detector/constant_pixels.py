"""Find pixels that hold no data because they all have one value: padding, dead amplifiers, dead columns."""

import math

import numpy as np
from numpy.typing import NDArray

__all__ = ["find_constant_pixels"]

SMALLEST_BLOCK = 5
"""Least side, pixels, of a square of equal pixels."""

SHORTEST_RUN = 20
"""Least length, pixels, of a run of equal pixels along a row or column."""

CHANCE = 1e-2
"""Squares, or runs, that an image may have by chance."""


def find_constant_pixels(image: NDArray[np.floating]) -> NDArray[np.bool_]:
    """Find squares and long runs of exactly equal pixels.

    Noise makes neighboring pixels differ. In images of few photons, or of counts coarser than their noise, equal
    neighbors are common: squares and runs must be so large that chance makes none.

    Parameters
    ----------
    image : ndarray of float, shape (ny, nx)
        Pixels as they were read; NaN is not equal to anything.

    Returns
    -------
    ndarray of bool, shape (ny, nx)
    """
    across, up = image[:, 1:] == image[:, :-1], image[1:] == image[:-1]
    found = np.zeros(image.shape, bool)
    if not (_has_run(across, SMALLEST_BLOCK) or _has_run(up.T, SMALLEST_BLOCK)):
        return found
    block, run = SMALLEST_BLOCK, SHORTEST_RUN
    while True:
        repeat = _repetition(across, _blocks(across, up, 2 * block))
        # a square of side k needs k * k pixels that repeat, a run as many as it has
        needed = math.log(CHANCE / image.size) / math.log(repeat) if 0 < repeat < 1 else image.size * repeat
        wider, longer = max(block, math.ceil(math.sqrt(needed))), max(run, math.ceil(needed))
        if (wider, longer) == (block, run):
            return _blocks(across, up, block) | _runs(across, run) | _runs(up.T, run).T
        block, run = wider, longer


def _has_run(same: NDArray[np.bool_], length: int) -> bool:
    return bool(_all_of_next(same, length - 1).any()) if same.shape[1] >= length - 1 else False


def _repetition(same: NDArray[np.bool_], constant: NDArray[np.bool_]) -> float:
    """Return an upper limit, outside of constant squares, of the probability that one more pixel has the same value.

    If a share q of the pixels has the most common value, at least q^2 of all pairs are equal.
    """
    outside = ~constant[:, 1:]
    n = int(np.count_nonzero(outside))
    return math.sqrt(int(np.count_nonzero(same & outside)) / n) if n else 0.0


def _all_of_next(same: NDArray[np.bool_], n: int) -> NDArray[np.bool_]:
    """Return, for each place along a row, whether it and the next ``n - 1`` are all true; ``n - 1`` columns fewer."""
    result, have = same, 1
    while have < n:
        step = min(have, n - have)
        result = result[:, : result.shape[1] - step] & result[:, step:]
        have += step
    return result


def _any_of_last(hit: NDArray[np.bool_], n: int) -> NDArray[np.bool_]:
    """Return whether a place or one of the ``n - 1`` before it is true; ``n - 1`` columns more."""
    padded = np.pad(hit, ((0, 0), (n - 1, n - 1)))
    return ~_all_of_next(~padded, n)


def _runs(same: NDArray[np.bool_], length: int) -> NDArray[np.bool_]:
    """Return which pixels are in a run of at least ``length`` equal ones along a row, shape (ny, nx)."""
    if same.shape[1] < length - 1:
        return np.zeros((same.shape[0], same.shape[1] + 1), bool)
    first = _all_of_next(same, length - 1)
    return _any_of_last(first, length) if first.any() else np.zeros((same.shape[0], same.shape[1] + 1), bool)


def _blocks(across: NDArray[np.bool_], up: NDArray[np.bool_], side: int) -> NDArray[np.bool_]:
    """Return which pixels are in a square of equal ones, shape (ny, nx)."""
    shape = across.shape[0], up.shape[1]
    if min(shape) < side:
        return np.zeros(shape, bool)
    rows = _all_of_next(_all_of_next(across, side - 1).T, side).T
    columns = _all_of_next(_all_of_next(up.T, side - 1).T, side)
    first = rows & columns
    return _any_of_last(_any_of_last(first, side).T, side).T if first.any() else np.zeros(shape, bool)
