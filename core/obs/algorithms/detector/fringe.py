"""Subtract the pattern that lines of the night sky make by interference in thin detectors."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from obs.algorithms.pixels.statistics import IQR_TO_SIGMA, robust_sigma
from obs.errors import MeasurementError

__all__ = ["FringeFit", "fit_fringe"]

_SAMPLES = 15
"""Pixels taken along each side of a large box, whose mean needs no more."""
_FEWEST = 10


class FringeFit(NamedTuple):
    """How much of the fringe frame is in an image.

    Parameters
    ----------
    amplitude : float
        Factor for the fringe frame.
    error : float
        Its standard error, from the scatter of the boxes.
    n_box : int
        Boxes that were used.
    """

    amplitude: float
    error: float
    n_box: int


def fit_fringe(
    image: NDArray[np.float32],
    fringe: NDArray[np.float32],
    bad: NDArray[np.bool_],
    *,
    number: int = 30_000,
    small: int = 3,
    large: int = 30,
    clip: float = 3.0,
    n_iteration: int = 20,
    seed: int = 0,
) -> FringeFit:
    """Compare image and fringe frame in boxes at random places, each relative to its surroundings.

    Parameters
    ----------
    image, fringe : ndarray of float32, shape (ny, nx)
        The image, and the fringe frame, counts.
    bad : ndarray of bool, shape (ny, nx)
        Pixels to leave out.
    number : int, optional
        Number of boxes.
    small, large : int, optional
        Half the side of the boxes whose mean is compared, and of those whose mean is the surroundings, pixels.
    clip : float, optional
        Boxes further than this many standard deviations from the fit are left out.
    n_iteration : int, optional
        Fits at most.
    seed : int, optional
        Seed of the places.

    Returns
    -------
    FringeFit

    Raises
    ------
    MeasurementError
        If there are too few boxes with good pixels, or the fringe frame has no structure.
    """
    rng = np.random.default_rng(seed)
    margin = min(large, min(image.shape) // 2)
    x, y = (rng.integers(margin, max(size - margin, margin + 1), number) for size in (image.shape[1], image.shape[0]))
    offsets = [np.arange(-half, half + 1, max(1, (2 * half + 1) // _SAMPLES)) for half in (small, min(large, margin))]
    values = []
    for frame in (image, fringe):
        inner, outer = (_box_means(frame, bad, x, y, offset) for offset in offsets)
        values.append(inner - outer)
    known = np.isfinite(values[0]) & np.isfinite(values[1])
    signal, pattern = (value[known] for value in values)
    if len(signal) < _FEWEST or not np.any(pattern):
        raise MeasurementError(f"{len(signal)} of {number} boxes can be used to measure the fringes, too few")
    used = np.ones(len(signal), bool)
    amplitude, sigma = 0.0, float("nan")
    for _ in range(n_iteration):
        amplitude = float(np.dot(signal[used], pattern[used]) / np.dot(pattern[used], pattern[used]))
        residual = signal - amplitude * pattern
        sigma = robust_sigma(residual[used])
        latest = np.abs(residual) <= max(clip * sigma, 1e-30)
        if latest.sum() < _FEWEST or not np.any(pattern[latest]) or np.array_equal(latest, used):
            break
        used = latest
    return FringeFit(amplitude, sigma / float(np.sqrt(np.dot(pattern[used], pattern[used]))), int(used.sum()))


def _box_means(
    frame: NDArray[np.float32],
    bad: NDArray[np.bool_],
    x: NDArray[np.int64],
    y: NDArray[np.int64],
    offset: NDArray[np.int64],
    chunk: int = 4096,
) -> NDArray[np.float64]:
    """Clipped mean of the good pixels of boxes; NaN where fewer than half are good.

    Unlike a median, the mean of a wave does not depend on how much noise there is in it.
    """
    result = np.full(len(x), np.nan)
    for start in range(0, len(x), chunk):
        some = slice(start, start + chunk)
        rows = np.clip(y[some, None, None] + offset[:, None], 0, frame.shape[0] - 1)
        columns = np.clip(x[some, None, None] + offset, 0, frame.shape[1] - 1)
        values = np.where(bad[rows, columns], np.float32(np.nan), frame[rows, columns]).reshape(len(rows), -1)
        values.sort(axis=1)
        known = np.isfinite(values).sum(1)
        line, last = np.arange(len(values)), np.maximum(known - 1, 0)
        low, middle, high = (values[line, quarter * last // 4][:, None] for quarter in (1, 2, 3))
        kept = np.abs(values - middle) <= 3.0 * IQR_TO_SIGMA * (high - low)
        mean = np.where(kept, values, 0.0).sum(1, dtype=float) / np.maximum(kept.sum(1), 1)
        result[some] = np.where(2 * known > values.shape[1], mean, np.nan)
    return result
