"""Combine frames of the same thing, pixel by pixel, with outliers rejected.

A pixel is judged by the noise that its variance predicts, not by the scatter of the few values at its place: with five
frames the scatter includes the outlier, and hides it. How far the noise of each frame is from the prediction is
measured from differences of frames over many pixels (`obs.algorithms.combine.noise_factors`).

Frames come as stacks of some rows of all of them, so that memory does not grow with their number or size.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from obs.algorithms.combine.rejection import TIE, TIE_SIGMA, find_outliers, weighted_mean
from obs.kernels.library import Kernel
from obs.threads import map_threads

__all__ = [
    "BYTES_PER_VALUE",
    "Combined",
    "Stack",
    "combine_rows",
    "combine_stack",
    "separate_scales",
]

_COMPILED = Kernel(
    "combine_values",
    *("float32", "float32", "float32", "bool", "int", "int", "float", "float", "float", "float"),
    *("bool", "bool", "float32", "float32"),
)

_CLIP = 3.0
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
    """Weighted mean of the frames of one type.

    Attributes
    ----------
    image, variance : ndarray of float32, shape (n_row, n_x)
        Weighted mean of the values that were not rejected, NaN where none is left, and its variance.
    n_used : ndarray of int32, shape (n_row, n_x)
        Number of values in it.
    n_clipped : ndarray of int64, shape (n_frame,)
        Number of values of each frame that were rejected as outliers.
    """

    image: NDArray[np.float32]
    variance: NDArray[np.float32]
    n_used: NDArray[np.int32]
    n_clipped: NDArray[np.int64]


def combine_rows(
    read: Callable[[int, int], Stack],
    shape: tuple[int, int],
    n_frame: int,
    *,
    weights: Callable[[int, int], NDArray[np.float32]],
    clip: float = _CLIP,
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
    weights : callable
        Given the same rows, returns the weights of the values, shape (n_frame, n_row, nx) or one that broadcasts to it.
    clip : float, optional
        Values that differ from the mean of the others by more than this many sigma are rejected.
    grow : int, optional
        Distance from a strong positive outlier within which values of the same frame are rejected, pixels.
    memory : int, optional
        Memory for the stack and what is computed of it, bytes, for each thread; one row of all frames is the least that
        is read.

    Returns
    -------
    Combined
    """
    height, width = shape
    step = max(1, memory // (BYTES_PER_VALUE * max(n_frame, 1) * width) - 2 * grow)
    image, variance = np.empty(shape, np.float32), np.empty(shape, np.float32)
    n_used, n_clipped = np.empty(shape, np.int32), np.zeros(n_frame, np.int64)

    def combine(start: int) -> NDArray[np.int64]:
        end = min(start + step, height)
        low, high = max(start - grow, 0), min(end + grow, height)
        inner = slice(start - low, end - low)
        part = combine_stack(read(low, high), weights=weights(low, high), clip=clip, grow=grow, counted=inner)
        image[start:end], variance[start:end] = part.image[inner], part.variance[inner]
        n_used[start:end] = part.n_used[inner]
        return part.n_clipped

    for clipped in map_threads(combine, range(0, height, step)):
        n_clipped += clipped
    return Combined(image, variance, n_used, n_clipped)


def combine_stack(
    stack: Stack,
    *,
    weights: NDArray[np.floating],
    clip: float = _CLIP,
    grow: int = 0,
    counted: slice = slice(None),
) -> Combined:
    """Return the weighted mean of a stack without outliers.

    Parameters
    ----------
    stack : Stack
        Values; left as they are.
    weights : ndarray of float, shape (n_frame,), or one that broadcasts to that of the stack
        Weight of each frame.
    clip : float, optional
        Values that differ from the mean of the others by more than this many sigma are rejected.
    grow : int, default: 0
        Distance from a strong positive outlier within which values of the same frame are rejected, pixels.
    counted : slice, optional
        Rows whose values that were rejected are counted; all by default.

    Returns
    -------
    Combined
    """
    values = stack.image
    weight = np.asarray(weights, np.float32)
    weight = np.broadcast_to(weight[:, None, None] if weight.ndim == 1 else weight, values.shape)
    found = _reject_and_average(stack, weight, clip)
    image, mean_variance, keep = found.image, found.variance, found.keep
    if grow and found.hit.any():
        grown = keep & ~_grown(found.hit, grow)
        # Where every frame has a hit nearby, what stands out by itself is all that can be rejected.
        grown = np.where(grown.any(axis=0), grown, keep)
        y, x = np.nonzero((grown != keep).any(axis=0))
        variance = np.maximum(stack.variance[:, y, x], np.float32(0))
        image[y, x], mean_variance[y, x], _ = weighted_mean(values[:, y, x], variance, weight[:, y, x], grown[:, y, x])
        keep = grown
    good = _good(stack)
    n_clipped = (good & ~keep)[:, counted].sum(axis=(1, 2), dtype=np.int64)
    return Combined(image, mean_variance, keep.sum(axis=0, dtype=np.int32), n_clipped)


class _Averaged(NamedTuple):
    """Mean and its variance, shape (n_row, n_x); which values count and which stand far out, (n_frame, n_row, n_x)."""

    image: NDArray[np.float32]
    variance: NDArray[np.float32]
    keep: NDArray[np.bool_]
    hit: NDArray[np.bool_]


def _reject_and_average(stack: Stack, weight: NDArray[np.float32], clip: float) -> _Averaged:
    """Return the mean without outliers."""
    values, far = stack.image, _OUTLIER_FACTOR * clip
    if _COMPILED:
        keep, hit = np.empty(values.shape, np.bool_), np.empty(values.shape, np.bool_)
        image, mean_variance = np.empty(values.shape[1:], np.float32), np.empty(values.shape[1:], np.float32)
        planes = (np.ascontiguousarray(plane) for plane in (values, stack.variance, weight, stack.rejected))
        status = _COMPILED(*planes, len(values), image.size, clip, TIE, TIE_SIGMA, far, keep, hit, image, mean_variance)
        if status < 0:
            raise MemoryError(f"no memory for the values of {len(values)} frames")
        return _Averaged(image, mean_variance, keep, hit)
    good, variance = _good(stack), np.maximum(stack.variance, np.float32(0))
    keep = good & ~find_outliers(values, variance, weight, good, clip=clip)
    image, mean_variance, _ = weighted_mean(values, variance, weight, keep)
    return _Averaged(image, mean_variance, keep, good & (values - image > far * np.sqrt(variance)))


def _good(stack: Stack) -> NDArray[np.bool_]:
    return ~stack.rejected & np.isfinite(stack.image) & np.isfinite(stack.variance)


def _grown(hit: NDArray[np.bool_], distance: int) -> NDArray[np.bool_]:
    """Return pixels within a distance (a square) of hits of the same frame; hits are few."""
    grown = hit.copy()
    frame, y, x = np.nonzero(hit)
    _, height, width = hit.shape
    for dy in range(-distance, distance + 1):
        for dx in range(-distance, distance + 1):
            grown[frame, np.clip(y + dy, 0, height - 1), np.clip(x + dx, 0, width - 1)] = True
    return grown


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
