"""Whether the noise of the overscan is that of an amplifier: Gaussian, and the same at all frequencies."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["OverscanNoise", "describe_noise"]

#: Pixels beyond so many standard deviations are hits and trails of bright stars, not noise.
_OUTLIER = 6.0
_MAD_TO_SIGMA = 1.4826
#: Mean absolute deviation of a Gaussian over its standard deviation.
_MEAN_DEVIATION = float(np.sqrt(2.0 / np.pi))
#: Fractions of this number are evenly spread.
_GOLDEN = 0.6180339887498949
#: Shorter lines have too few frequencies to compare, fewer lines too much noise at each.
_SHORTEST, _FEWEST = 12, 30


class OverscanNoise(NamedTuple):
    """What the noise of an overscan looks like.

    Parameters
    ----------
    shape : float
        Standard deviation over mean absolute deviation, relative to a Gaussian: 1 for noise, less for two levels or a
        sine, more for spikes. NaN without scatter.
    pattern : float
        Power at the strongest frequency along the lines over the median power: about 1 for noise, large for a pattern.
        NaN for lines or numbers of lines that are too short.
    """

    shape: float
    pattern: float


def describe_noise(residual: NDArray[np.floating], step: float = 0.0) -> OverscanNoise:
    """Describe the noise of overscan pixels about their level.

    The shape is that of the read-noise check of the Keck Planet Finder (Gibson et al. 2020, Proc. SPIE 11447, 1144742),
    the power at single frequencies that of BANZAI (McCully et al. 2018, Proc. SPIE 10707, 107070K).

    Parameters
    ----------
    residual : ndarray of float, shape (m, k)
        Overscan pixels minus their level, one line after the other, ADU; NaN where one does not count.
    step : float, optional
        Distance of possible values, ADU. Values are spread over it, so that a noise of less than a step has a shape.
    """
    values = residual[np.isfinite(residual)].astype(np.float64)
    return OverscanNoise(_shape(values, step), _pattern(residual))


def _shape(values: NDArray[np.float64], step: float) -> float:
    if values.size < _FEWEST:
        return float("nan")
    if step > 0:
        values = values + step * ((np.arange(values.size) * _GOLDEN) % 1.0 - 0.5)
    values = values - np.median(values)
    size = np.abs(values)
    kept = values[size <= _OUTLIER * _MAD_TO_SIGMA * float(np.median(size))]
    kept = kept - kept.mean()
    deviation = float(np.abs(kept).mean())
    return _MEAN_DEVIATION * float(kept.std()) / deviation if deviation > 0 else float("nan")


def _pattern(residual: NDArray[np.floating]) -> float:
    lines = residual[np.isfinite(residual).all(axis=1)]
    if lines.shape[1] < _SHORTEST or len(lines) < _FEWEST:
        return float("nan")
    lines = lines - lines.mean(axis=1, keepdims=True)
    # the median over lines: few of them hold the trail of a bright star. The constant and the highest frequency have
    # power of another distribution
    power = np.median(np.abs(np.fft.rfft(lines, axis=1)[:, 1 : (lines.shape[1] - 1) // 2 + 1]) ** 2, axis=0)
    middle = float(np.median(power))
    return float(power.max()) / middle if middle > 0 else float("nan")
