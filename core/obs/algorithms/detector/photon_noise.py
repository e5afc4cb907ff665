"""Gain and read noise of amplifiers from pairs of frames, by their photon noise.

Two frames of the same light differ by noise alone. With the signal ``m`` above the overscan, the variance of the
difference of two flats is ``2 m / gain + 2 read_noise^2`` in ADU, from which the gain follows; that of two biases is
the read noise's part alone.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Estimate", "PixelNoise", "estimate_gain", "estimate_noise", "estimate_pixel_noise", "estimate_sky_gain"]

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


@dataclass(frozen=True)
class Estimate:
    """A number and its standard error."""

    value: float
    error: float


@dataclass(frozen=True)
class PixelNoise:
    """Gain, electrons per ADU, None where there is no light to tell it; and the noise without light, ADU."""

    gain: float | None
    read_noise: float


def _blocks(*images: NDArray[np.float64]) -> Iterator[tuple[NDArray[np.float64], ...]]:
    """Yield the same block of each image, without the outermost pixels."""
    ny, nx = images[0].shape
    edge = 2 if min(ny, nx) > 3 * _BLOCK else 0
    for y in range(edge, ny - edge - _BLOCK + 1, _BLOCK):
        for x in range(edge, nx - edge - _BLOCK + 1, _BLOCK):
            yield tuple(image[y : y + _BLOCK, x : x + _BLOCK] for image in images)


def _clipped_variance(values: NDArray[np.float64]) -> float:
    """Return the variance of what is not an outlier, such as a cosmic ray."""
    center = np.median(values)
    sigma = max(1.4826 * float(np.median(np.abs(values - center))), 0.5)
    good = np.abs(values - center) < 4.5 * sigma
    return float(np.var(values[good], ddof=1)) if good.sum() > 2 else float("nan")


def _summary(values: list[float]) -> Estimate | None:
    found = np.array([value for value in values if np.isfinite(value) and value > 0])
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
    gains = []
    for one, other in _blocks(first, second):
        level, fainter = float(np.mean(one)), float(np.mean(other))
        if min(level, fainter) < 10.0 * np.sqrt(read_variance) + 50.0 or max(level, fainter) > ceiling:
            continue
        # The lamp need not be as bright in both.
        ratio = level / fainter
        variance = _clipped_variance(one - ratio * other) - read_variance * (1.0 + ratio**2)
        gains.append(level * (1.0 + ratio) / variance if variance > 0 else float("nan"))
    return _summary(gains)


def estimate_noise(first: NDArray[np.float64], second: NDArray[np.float64]) -> Estimate | None:
    """Return the noise of a pixel without light, ADU, from two biases."""
    return _summary([float(np.sqrt(_clipped_variance(one - other) / 2.0)) for one, other in _blocks(first, second)])


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
    gains, electrons = [], []
    for (block,) in _blocks(data):
        level = float(np.median(block))
        variance = _clipped_variance(np.diff(block, axis=1).ravel()) / 2.0 - read_variance
        if level < 3.0 * np.sqrt(read_variance) or variance <= 0.5 * read_variance:
            continue
        gains.append(level / variance)
        electrons.append(level**2 / variance)
    found = _summary(gains)
    return found if found is not None and np.median(electrons) < _FEW_ELECTRONS else None


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
    blocks = [block for (block,) in _blocks(np.asarray(data[:_LARGEST, :_LARGEST], np.float64))]
    blocks = [block for block in blocks if np.isfinite(block).all()]
    levels = np.array([max(float(np.median(block)), 0.0) for block in blocks])
    variances = np.array([_clipped_variance(np.diff(block, axis=1).ravel()) / 2.0 for block in blocks])
    is_noisy = np.isfinite(variances) & (variances > 0)
    levels, variances = levels[is_noisy], variances[is_noisy]
    if not len(levels):
        return PixelNoise(None, _ROUNDING)
    if gain is None and np.median(levels) > _LIGHT * np.sqrt(np.median(variances)):
        gain = float(np.median(levels) / np.median(np.maximum(variances - read_noise**2, 0.1 * variances)))
    light = levels / gain if gain is not None else 0.0
    floor = float(np.percentile(variances - light, 25))
    return PixelNoise(gain, float(np.sqrt(max(floor, _ROUNDING**2))))
