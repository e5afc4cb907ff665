"""Combine frames of the same thing, pixel by pixel, with outliers rejected.

A pixel is judged by the noise that its variance predicts, not by the scatter of the few values at its place: with five
frames the scatter includes the outlier, and cannot tell it. How far the noise really is from the prediction is measured
from differences of frames over many pixels (`measure_noise_factor`).

Frames come as stacks of some rows of all of them, so that memory does not grow with their number or size.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from obs.algorithms.pixels.statistics import clipped_statistics

__all__ = [
    "BYTES_PER_VALUE",
    "Combined",
    "Stack",
    "combine_rows",
    "combine_stack",
    "measure_noise_factor",
    "separate_scales",
]

_CLIP = 3.0
#: Standard deviation of a Gaussian cut at 3 sigma, in units of its own.
_CLIPPED_SIGMA = 0.98658
_OUTLIER_FACTOR = 2.0
"""Positive outliers further off than this many times the clipping limit take their surroundings with them."""

BYTES_PER_VALUE = 40
"""Memory that `combine_stack` needs at most for each value of a stack, its input included, bytes."""


class Stack(NamedTuple):
    """Some rows of all frames.

    Attributes
    ----------
    image, variance : ndarray of float32, shape (n_frame, n_row, n_x)
        Values, and their variance.
    rejected : ndarray of bool, shape (n_frame, n_row, n_x)
        Values that must not be used.
    """

    image: NDArray[np.float32]
    variance: NDArray[np.float32]
    rejected: NDArray[np.bool_]


class Combined(NamedTuple):
    """Mean of the frames.

    Attributes
    ----------
    image, variance : ndarray of float32, shape (n_row, n_x)
        Weighted mean of what was not rejected, NaN where nothing is left, and its variance.
    n_used : ndarray of int32, shape (n_row, n_x)
        Number of values in it.
    n_clipped : int
        Number of values that were rejected as outliers.
    """

    image: NDArray[np.float32]
    variance: NDArray[np.float32]
    n_used: NDArray[np.int32]
    n_clipped: int


def combine_rows(
    read: Callable[[int, int], Stack],
    shape: tuple[int, int],
    n_frame: int,
    *,
    weights: NDArray[np.float64],
    noise_factor: Callable[[int, int], NDArray[np.float32]],
    clip: float = _CLIP,
    n_iteration: int = 3,
    grow: int = 0,
    memory: int = 1 << 28,
) -> Combined:
    """Combine frames some rows at a time.

    Parameters
    ----------
    read : callable
        Given the first row and the row behind the last, returns them of all frames.
    shape : tuple of int
        Shape (ny, nx) of a frame.
    n_frame : int
        Number of frames.
    weights : ndarray of float64, shape (n_frame,)
        Weight of each frame.
    noise_factor : callable
        Given the same rows, returns by how much the noise exceeds what the variance tells, shape (n_row, nx).
    clip : float, optional
        Values further from the mean than this many sigma are rejected.
    n_iteration : int, optional
        Number of clippings.
    grow : int, optional
        Distance from a strong positive outlier within which values of the same frame are rejected, pixels.
    memory : int, optional
        Memory for the stack and what is computed of it, bytes; one row of all frames is the least that is read.

    Returns
    -------
    Combined
    """
    height, width = shape
    step = max(1, memory // (BYTES_PER_VALUE * max(n_frame, 1) * width) - 2 * grow)
    image, variance = np.empty(shape, np.float32), np.empty(shape, np.float32)
    n_used, n_clipped = np.empty(shape, np.int32), 0
    for start in range(0, height, step):
        end = min(start + step, height)
        low, high = max(start - grow, 0), min(end + grow, height)
        part = combine_stack(
            read(low, high),
            weights=weights,
            noise_factor=noise_factor(low, high),
            clip=clip,
            n_iteration=n_iteration,
            grow=grow,
        )
        inner = slice(start - low, end - low)
        image[start:end], variance[start:end] = part.image[inner], part.variance[inner]
        n_used[start:end] = part.n_used[inner]
        n_clipped += part.n_clipped
    return Combined(image, variance, n_used, n_clipped)


def combine_stack(
    stack: Stack,
    *,
    weights: NDArray[np.float64],
    noise_factor: NDArray[np.float32] | float = 1.0,
    clip: float = _CLIP,
    n_iteration: int = 3,
    grow: int = 0,
) -> Combined:
    """Return the clipped weighted mean of a stack.

    The first center is the median (of an even number the lower of the two in the middle, so that of two values that
    disagree the lower one stays: light and cosmic rays only add).

    Parameters
    ----------
    stack : Stack
        Values; left as they are.
    weights : ndarray of float64, shape (n_frame,)
        Weight of each frame.
    noise_factor : ndarray of float32, shape (n_row, n_x), or float, optional
        By how much the noise exceeds what the variance tells.
    clip, n_iteration, grow
        As of `combine_rows`.

    Returns
    -------
    Combined
    """
    values = stack.image
    sigma = np.sqrt(np.maximum(stack.variance, 0)) * np.asarray(noise_factor, np.float32)
    good = ~stack.rejected & np.isfinite(values) & np.isfinite(sigma)
    n_good = good.sum(axis=0, dtype=np.int32)
    center = _median(values, good, n_good)
    weight = weights.astype(np.float32)[:, None, None]
    # The median of few values is itself uncertain: of two, as much as the other one.
    of_center = 2 * np.where(good, np.square(sigma), np.float32(0)).sum(axis=0) / np.square(np.maximum(n_good, 2))
    keep = good & (np.abs(values - center) <= clip * np.sqrt(np.square(sigma) + of_center, dtype=np.float32))
    center = _weighted_mean(values, keep, weight, center)
    for _ in range(n_iteration - 1):
        keep = good & (np.abs(values - center) <= np.float32(clip) * sigma)
        center = _weighted_mean(values, keep, weight, center)
    if grow:
        hit = good & (values - center > _OUTLIER_FACTOR * clip * sigma)
        grown = keep & ~_grown(hit, grow)
        # Where every frame has a hit nearby, what stands out by itself is all that can be rejected.
        keep = np.where(grown.any(axis=0), grown, keep)
        center = _weighted_mean(values, keep, weight, center)
    n_used = keep.sum(axis=0, dtype=np.int32)
    total = (weight * keep).sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        squares = np.where(keep, np.square(weight * sigma), np.float32(0)).sum(axis=0)
        variance = np.where(n_used > 0, squares / np.square(total), np.float32(np.nan))
    image = np.where(n_used > 0, center, np.float32(np.nan))
    return Combined(image.astype(np.float32), variance.astype(np.float32), n_used, int(n_good.sum() - n_used.sum()))


def _median(values: NDArray[np.float32], good: NDArray[np.bool_], n_good: NDArray[np.int32]) -> NDArray[np.float32]:
    """Return the (lower) median of the good values along the first axis; NaN for none."""
    ordered = np.where(good, values, np.float32(np.inf))
    ordered.sort(axis=0)
    middle = np.take_along_axis(ordered, (np.maximum(n_good, 1)[None] - 1) // 2, axis=0)[0]
    return np.where(n_good > 0, middle, np.float32(np.nan))


def _weighted_mean(
    values: NDArray[np.float32], keep: NDArray[np.bool_], weight: NDArray[np.float32], fallback: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Return the mean along the first axis, and ``fallback`` where nothing is kept.

    Values are taken relative to the fallback, so that float32 is exact enough.
    """
    total = (weight * keep).sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        shift = np.where(keep, weight * (values - fallback), np.float32(0)).sum(axis=0) / total
    return np.where(total > 0, fallback + shift, fallback)


def _grown(hit: NDArray[np.bool_], distance: int) -> NDArray[np.bool_]:
    """Return pixels within a distance (a square) of hits of the same frame; hits are few."""
    grown = hit.copy()
    frame, y, x = np.nonzero(hit)
    _, height, width = hit.shape
    for dy in range(-distance, distance + 1):
        for dx in range(-distance, distance + 1):
            grown[frame, np.clip(y + dy, 0, height - 1), np.clip(x + dx, 0, width - 1)] = True
    return grown


def measure_noise_factor(stacks: Sequence[Stack]) -> float:
    """Return the ratio of the noise in differences of successive frames to what their variance predicts.

    Parameters
    ----------
    stacks : sequence of Stack
        Samples of rows.

    Returns
    -------
    float
        1 where it cannot be told: from one frame, or from frames without any difference.
    """
    ratios = []
    for stack in stacks:
        good = ~stack.rejected & np.isfinite(stack.image) & (stack.variance > 0)
        both = good[1:] & good[:-1]
        difference = np.diff(stack.image, axis=0)[both]
        ratios.append(difference / np.sqrt(stack.variance[1:] + stack.variance[:-1])[both])
    sample = np.concatenate(ratios) if ratios else np.empty(0, np.float32)
    if not len(sample):
        return 1.0
    sigma = clipped_statistics(sample, clip=_CLIP, n_iteration=5).sigma / _CLIPPED_SIGMA
    return sigma if np.isfinite(sigma) and sigma > 0 else 1.0


def separate_scales(
    levels: NDArray[np.float64], n_iteration: int = 10
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Separate levels into a scale for each exposure and one for each detector, whose product they are.

    Parameters
    ----------
    levels : ndarray of float64, shape (n_exposure, n_detector)
        Level of each frame, positive; NaN where there is no frame.
    n_iteration : int, optional
        Number of iterations, which only frames that are missing make necessary.

    Returns
    -------
    exposure_scale : ndarray of float64, shape (n_exposure,)
        Level of each exposure.
    detector_scale : ndarray of float64, shape (n_detector,)
        Level of each detector relative to the others; their mean is 1.
    """
    logs = np.log(np.where(levels > 0, levels, np.nan))
    known = np.isfinite(logs)
    logs = np.where(known, logs, 0.0)
    exposure, detector = np.zeros(len(logs)), np.zeros(logs.shape[1])
    for _ in range(n_iteration):
        exposure = _mean((logs - detector) * known, known, 1)
        detector = _mean((logs - exposure[:, None]) * known, known, 0)
    scale = np.nanmean(np.exp(detector))
    return np.exp(exposure) * scale, np.exp(detector) / scale


def _mean(values: NDArray[np.float64], known: NDArray[np.bool_], axis: int) -> NDArray[np.float64]:
    number = known.sum(axis=axis)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean: NDArray[np.float64] = np.where(number > 0, values.sum(axis=axis) / number, np.nan)
    return mean
