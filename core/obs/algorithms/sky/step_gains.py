"""Tell steps of the gain between amplifiers from steps of the level, by the noise on both sides.

Another level adds nothing to the noise, light adds its own, so that the variance grows as the level does, and another
gain multiplies noise and level alike, so that the variance grows as the square of the level.
"""

import itertools

import numpy as np
from numpy.typing import NDArray

from obs.algorithms.pixels.statistics import robust_sigma
from obs.algorithms.sky.level_steps import LevelSteps

__all__ = ["measure_step_gains"]

LAG = 4
"""Distance of the pixels whose differences give the noise."""

SAMPLE = 400_000
"""Pixels of each side that give it."""

ERROR = 0.003
"""Least relative error of a variance: sources and their own read noise make those of amplifiers differ."""

SIGNIFICANT = 5.0
"""Least logarithm of a factor, in errors of that of the variance, of which the kind can be seen."""

AGREES = 0.35
"""Largest difference of the variance's logarithm from twice that of the factor, in units of the latter; light has 1."""

LEAST_LEVEL = 5.0
"""Least level of the sky, in its noise, whose ratios mean something."""


def measure_step_gains(
    image: NDArray[np.float32], variance: NDArray[np.float32], bad: NDArray[np.bool_], steps: LevelSteps
) -> NDArray[np.float64] | None:
    """Return the factor of each column, float64, shape (nx,), if steps between columns are gains; None if not.

    Parameters
    ----------
    image, variance : ndarray of float32, shape (ny, nx)
        Pixels with their sky, and their variance. Factors are one where both agree best.
    bad : ndarray of bool, shape (ny, nx)
        Pixels to leave out.
    steps : LevelSteps
        Steps of the level.
    """
    edges = [0, *map(int, steps.places), image.shape[1]]
    parts = [slice(low, high) for low, high in itertools.pairwise(edges)]
    noise, n_pair, predicted, middle = np.array([_measure(image[:, p], variance[:, p], bad[:, p]) for p in parts]).T
    offset = steps.offsets(image.shape[1])[edges[:-1]].astype(np.float64)
    level = np.median(middle - offset) + offset
    if not (noise > 0).all() or not (level > LEAST_LEVEL * noise).all():
        return None
    reference = int(np.argmin(np.abs(np.log(noise**2 / predicted))))
    factor, error = np.log(level / level[reference]), np.hypot(1.65 / np.sqrt(n_pair), ERROR)
    error = np.hypot(error, error[reference])
    seen = np.abs(factor) > SIGNIFICANT * error
    growth = 2 * np.log(noise / noise[reference])
    if not seen.any() or (np.abs(growth - 2 * factor) > AGREES * np.abs(factor) + 2 * error)[seen].any():
        return None
    return np.repeat(np.exp(factor), np.diff(edges))


def _measure(
    image: NDArray[np.float32], variance: NDArray[np.float32], bad: NDArray[np.bool_]
) -> tuple[float, float, float, float]:
    """Return the noise of a pixel, the number of pairs that give it, the median variance, and that of the pixels."""
    columns = slice(None, None, max(1, image.size // SAMPLE))
    image, bad = image[:, columns], bad[:, columns]
    pairs = (image[LAG:] - image[:-LAG])[~(bad[LAG:] | bad[:-LAG])]
    if len(pairs) < 2:
        return 0.0, 1.0, 1.0, 0.0
    predicted = max(float(np.median(variance[:, columns][~bad])), 1e-30)
    return robust_sigma(pairs) / np.sqrt(2.0), float(len(pairs)), predicted, float(np.median(image[~bad]))
