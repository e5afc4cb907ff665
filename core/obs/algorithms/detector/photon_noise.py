"""Gain and read noise of amplifiers from pairs of frames, by their photon noise.

Two frames of the same light differ by noise alone. With the signal ``m`` above the overscan, the variance of the
difference of two flats is ``2 m / gain + 2 read_noise^2`` in ADU, from which the gain follows; that of two biases is
the read noise's part alone.
"""

import numpy as np
from numpy.typing import NDArray

from obs.frozen import frozen

__all__ = [
    "Estimate",
    "PixelNoise",
    "count_step",
    "estimate_gain",
    "estimate_noise",
    "estimate_pixel_noise",
    "estimate_sky_gain",
]

_BLOCK = 32
_LEAST = 6
"""Blocks without which there is no estimate."""

_LARGEST = 1024
"""Side of the part of an amplifier that is enough for the noise of its pixels."""

_LIGHT = 3.0
"""Level of the light, in units of the noise, from which on the noise is mostly that of light."""

_ROUNDING = 12.0**-0.5
"""Noise of rounding to whole numbers, ADU."""

_FEW_ELECTRONS = 3000.0
"""Up to so many electrons a pixel, pixels that differ in their sensitivity by a hundredth hardly add to the noise."""


@frozen
class Estimate:
    """A number and its standard error.

    Parameters
    ----------
    value : float
        The number.
    error : float
        Its standard error, in the same unit.
    """

    value: float
    error: float


@frozen
class PixelNoise:
    """Gain, electrons per ADU, None where there is no light to tell it; and the noise without light, ADU.

    Parameters
    ----------
    gain : float or None
        Electrons per ADU; None if there is too little light.
    read_noise : float
        Noise of a pixel without light, ADU.
    """

    gain: float | None
    read_noise: float


def _blocks(image: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return an image in blocks, without the outermost pixels and those that fill no block.

    Returns
    -------
    ndarray of float64, shape (n, rows of a block, columns of a block)
    """
    edge = 2 if min(image.shape) > 3 * _BLOCK else 0
    ny, nx = ((length - 2 * edge) // _BLOCK for length in image.shape)
    inside = image[edge : edge + ny * _BLOCK, edge : edge + nx * _BLOCK]
    return inside.reshape(ny, _BLOCK, nx, _BLOCK).swapaxes(1, 2).reshape(-1, _BLOCK, _BLOCK)


def _medians(blocks: NDArray[np.float64]) -> NDArray[np.float64]:
    found: NDArray[np.float64] = np.median(blocks.reshape(-1, _BLOCK**2), axis=1)
    return found


def count_step(first: NDArray[np.float64], second: NDArray[np.float64]) -> float:
    """Return the step of the counts of two frames: 16 where a converter of 12 bits fills 16; 1 where they have none.

    Parameters
    ----------
    first, second : ndarray of float64, shape (ny, nx)
        Frames, ADU.

    Returns
    -------
    float
        Greatest common divisor of their differences, ADU; 1 if a difference is not an integer.
    """
    differences = first - second
    whole = np.rint(differences).astype(np.int64)
    return float(max(np.gcd.reduce(whole, axis=None), 1)) if np.array_equal(whole, differences) else 1.0


def _clipped_variances(blocks: NDArray[np.float64], step: float = 1.0) -> NDArray[np.float64]:
    """Return the variance in each block of what is not an outlier, such as a cosmic ray; NaN where nothing is left.

    Counts that come in steps and lie one ``step`` from the middle are kept.
    """
    values = blocks.reshape(len(blocks), blocks.shape[1] * blocks.shape[2])
    offsets = values - np.median(values, axis=1, keepdims=True)
    sigma = np.maximum(1.4826 * np.median(np.abs(offsets), axis=1, keepdims=True), 0.5 * step)
    good = np.abs(offsets) < 4.5 * sigma
    count = good.sum(axis=1)
    means = np.sum(offsets, axis=1, where=good) / np.maximum(count, 1)
    squares = np.sum((offsets - means[:, None]) ** 2, axis=1, where=good)
    return np.where(count > 2, squares / np.maximum(count - 1, 1), np.nan)


def _pixel_variances(blocks: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the variance of a pixel in each block, from the differences of neighbors in a row."""
    return _clipped_variances(np.diff(blocks, axis=2)) / 2.0


def _summary(values: NDArray[np.float64]) -> Estimate | None:
    found = values[np.isfinite(values) & (values > 0)]
    if len(found) < _LEAST:
        return None
    scatter = 1.4826 * float(np.median(np.abs(found - np.median(found))))
    return Estimate(float(np.median(found)), 1.2533 * scatter / np.sqrt(len(found)))


def estimate_gain(
    first: NDArray[np.float64], second: NDArray[np.float64], *, read_variance: float, ceiling: float
) -> Estimate | None:
    """Return the gain, electrons per ADU, from two flats.

    Parameters
    ----------
    first, second : ndarray of float64, shape (ny, nx)
        The data of an amplifier above the overscan, ADU.
    read_variance : float
        Variance of a pixel without light, ADU^2.
    ceiling : float
        Blocks whose mean is above this are left out, ADU: they are saturated.

    Returns
    -------
    Estimate or None
        None where there is too little light.
    """
    one, other = _blocks(first), _blocks(second)
    level, fainter = one.mean(axis=(1, 2)), other.mean(axis=(1, 2))
    is_lit = (np.minimum(level, fainter) >= 10.0 * np.sqrt(read_variance) + 50.0) & (
        np.maximum(level, fainter) <= ceiling
    )
    one, other, level, fainter = one[is_lit], other[is_lit], level[is_lit], fainter[is_lit]
    ratio = level / fainter  # the lamp need not be as bright in both
    variance = _clipped_variances(one - ratio[:, None, None] * other) - read_variance * (1.0 + ratio**2)
    return _summary(level * (1.0 + ratio) / np.where(variance > 0, variance, np.nan))


def estimate_noise(first: NDArray[np.float64], second: NDArray[np.float64]) -> Estimate | None:
    """Return the noise of a pixel without light, ADU, from two biases.

    Parameters
    ----------
    first, second : ndarray of float64, shape (ny, nx)
        The same region of two bias frames, ADU.

    Returns
    -------
    Estimate or None
        The noise of one frame, so the scatter of the difference divided by the square root of 2.
    """
    step = count_step(first, second)
    return _summary(np.sqrt(_clipped_variances(_blocks(first) - _blocks(second), step) / 2.0))


def estimate_sky_gain(data: NDArray[np.float64], *, read_variance: float) -> Estimate | None:
    """Return the gain, electrons per ADU, from the noise of a single frame's sky; coarse.

    Parameters
    ----------
    data : ndarray of float64, shape (ny, nx)
        The data of an amplifier above the overscan, ADU.
    read_variance : float
        Variance of a pixel without light, ADU^2.

    Returns
    -------
    Estimate or None
        None where the sky is too faint, or so bright that pixels differ by more than their photons' noise.
    """
    blocks = _blocks(data)
    level, variance = _medians(blocks), _pixel_variances(blocks) - read_variance
    is_lit = (level >= 3.0 * np.sqrt(read_variance)) & (variance > 0.5 * read_variance)
    level, variance = level[is_lit], variance[is_lit]
    found = _summary(level / variance)
    return found if found is not None and np.median(level**2 / variance) < _FEW_ELECTRONS else None


def estimate_pixel_noise(
    data: NDArray[np.float32], *, gain: float | None = None, read_noise: float = 0.0
) -> PixelNoise:
    """Return gain and read noise that explain the noise of a single frame; for use where nothing else is known.

    The noise of neighboring pixels is that of light and of one read. If neither gain nor read noise is known, all noise
    is taken for that of light, which makes the gain a lower limit. The read noise is what light
    leaves of the noise in the quarter of the blocks with the least, and never below that of rounding to whole numbers.

    Parameters
    ----------
    data : ndarray of float32, shape (ny, nx)
        The data of an amplifier above the level of no light, ADU.
    gain : float, optional
        Electrons per ADU, if known.
    read_noise : float, optional
        Noise of a pixel without light, ADU, if known.
    """
    blocks = _blocks(np.asarray(data[:_LARGEST, :_LARGEST], np.float64))
    blocks = blocks[np.isfinite(blocks).all(axis=(1, 2))]
    levels, variances = np.maximum(_medians(blocks), 0.0), _pixel_variances(blocks)
    is_noisy = np.isfinite(variances) & (variances > 0)
    levels, variances = levels[is_noisy], variances[is_noisy]
    if not len(levels):
        return PixelNoise(None, _ROUNDING)
    if gain is None and np.median(levels) > _LIGHT * np.sqrt(np.median(variances)):
        gain = float(np.median(levels) / np.median(np.maximum(variances - read_noise**2, 0.1 * variances)))
    light = levels / gain if gain is not None else 0.0
    floor = float(np.percentile(variances - light, 25))
    return PixelNoise(gain, float(np.sqrt(max(floor, _ROUNDING**2))))
