"""How far the noise of each frame is from what its variance predicts, from the differences of frames."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from obs.algorithms.combine.frames import Stack
from obs.algorithms.numeric.nonnegative import solve_nonnegative
from obs.algorithms.pixels.statistics import clipped_statistics

__all__ = ["local_differences", "measure_noise_factors"]

_CLIP = 3.0
_CLIPPED_SIGMA = 0.98658
"""Standard deviation of a Gaussian cut at 3 sigma, in units of its own."""
_FURTHEST = 3
"""Each frame is compared with so many frames before and after it; of up to seven frames, each with each other one."""
_PRIOR = 0.1
"""Weight of a frame's most similar partner, relative to a pair. A pair gives the variance of its difference to some
percent: of a long dark beside short ones, which has a hundredth of that variance, it says nothing."""
_TELLS = 0.5
"""Partners of a frame are those in whose differences its share is at least so much of its largest one."""
_LEAST = 0.5
"""Least variance of a frame relative to that of its best pair: an empty frame must not get all of the weight."""


def measure_noise_factors(stacks: Sequence[Stack]) -> NDArray[np.float64]:
    """Return, for each frame, the ratio of its noise to what its variance predicts.

    The variance of the difference of two frames is the sum of theirs. With all pairs (of many frames, those that are
    near each other in the stack), the variance of each frame follows by least squares. Differences between frames that
    are not noise, such as a gradient or an offset, count as noise.

    Parameters
    ----------
    stacks : sequence of Stack
        Samples of rows.

    Returns
    -------
    ndarray of float64, shape (n_frame,)
        NaN for a frame that was compared with no other one: there is only one, or they do not differ at all.
    """
    n_frame = len(stacks[0].image) if stacks else 0
    image, variance, rejected = (
        (
            [np.concatenate([np.ravel(plane[frame]) for plane in planes]) for frame in range(n_frame)]
            for planes in zip(*stacks, strict=True)
        )
        if stacks
        else ([], [], [])
    )
    good = [~r & np.isfinite(i) & (v > 0) for i, v, r in zip(image, variance, rejected, strict=True)]
    pairs: list[tuple[int, int, float, float]] = []
    for one, other in _pairs(n_frame):
        both = good[one] & good[other]
        total = variance[one][both] + variance[other][both]
        ratio = _rms((image[one][both] - image[other][both]) / np.sqrt(total))
        if ratio > 0:
            pairs.append((one, other, float(np.mean(variance[one][both] / total)), ratio**2))
    return np.sqrt(_solve(pairs, n_frame))


def _pairs(n_frame: int) -> list[tuple[int, int]]:
    """Return pairs of frames that are near each other, the last and the first being neighbors."""
    near = {tuple(sorted((i, (i + step) % n_frame))) for i in range(n_frame) for step in range(1, _FURTHEST + 1)}
    return sorted((one, other) for one, other in near if one != other)


def _rms(values: NDArray[np.float32]) -> float:
    """Return the root mean square of values, in units of the noise expected, without outliers; NaN for none."""
    # With their negatives their mean is 0: an offset between frames is not an agreement. Counts that are coarser than
    # their noise make most differences equal: those that the noise expected explains are not outliers.
    both = np.concatenate([values, -values])
    return clipped_statistics(both, clip=_CLIP, n_iteration=5, least=_CLIP).sigma / _CLIPPED_SIGMA


def _solve(pairs: list[tuple[int, int, float, float]], n_frame: int) -> NDArray[np.float64]:
    """Return the factor of the variance of each frame, from pairs with the share of the first and their factor."""
    found, largest = np.full(n_frame, np.nan), np.zeros(n_frame)
    for one, other, share, _ in pairs:
        largest[[one, other]] = np.maximum(largest[[one, other]], [share, 1 - share])
    for one, other, share, factor in pairs:
        tells = np.array([share, 1 - share]) >= _TELLS * largest[[one, other]]
        found[[one, other]] = np.where(tells, np.fmin(found[[one, other]], factor), found[[one, other]])
    known = np.flatnonzero(np.isfinite(found))
    if not len(known):
        return found
    column = np.full(n_frame, -1)
    column[known] = np.arange(len(known))
    rows = np.zeros((len(pairs) + len(known), len(known)))
    for row, (one, other, share, factor) in zip(rows, pairs, strict=False):
        row[column[one]], row[column[other]] = share / factor, (1 - share) / factor
    rows[len(pairs) :] = np.diag(_PRIOR / found[known])
    wanted = np.concatenate([np.ones(len(pairs)), np.full(len(known), _PRIOR)])
    solution = solve_nonnegative(rows, wanted)
    found[known] = np.maximum(solution, _LEAST * found[known])
    return found


def local_differences(stack: Stack) -> Stack:
    """Return the differences of neighbors along rows, in which structure larger than pixels cancels.

    Parameters
    ----------
    stack : Stack
        Values, shape (n_frame, n_row, n_x).

    Returns
    -------
    Stack
        Shape (n_frame, n_row, n_x - 1). The differences are divided by the square root of 2, so that their noise and
        variance are those of a pixel.
    """
    image, variance, rejected = stack
    half = np.float32(0.5)
    return Stack(
        np.diff(image, axis=-1) * np.sqrt(half),
        (variance[..., 1:] + variance[..., :-1]) * half,
        rejected[..., 1:] | rejected[..., :-1],
    )
