"""Which pixel values are drawn black and white."""

import numpy as np
from numpy.typing import NDArray

from obs.errors import ConfigError

__all__ = ["find_limits", "parse_scale", "zscale_limits"]

_SAMPLE = 200  # samples a side, at most
_ZSCALE_SAMPLES = 1000
_CONTRAST = 0.25
_ITERATIONS = 5
_REJECT = 2.5
_FEWEST = 5
_PADDING = 0.05  # share of pixels of one value


def parse_scale(scale: str) -> float | None:
    """Return the percentage of a scale, 100 for ``minmax``, None for ``zscale``.

    Parameters
    ----------
    scale : str
        "zscale", "minmax", or a percentage with or without the sign.

    Raises
    ------
    ConfigError
        If the text is none of them.
    """
    if scale == "zscale":
        return None
    if scale == "minmax":
        return 100.0
    try:
        percent = float(scale.removesuffix("%"))
    except ValueError:
        percent = float("nan")
    if not 0.0 < percent <= 100.0:
        raise ConfigError(f"scale: expected zscale, minmax or a percentage such as 99.5, got '{scale}'")
    return percent


def find_limits(image: NDArray[np.float32], scale: str = "zscale") -> tuple[float, float]:
    """Return the levels between which an image is drawn.

    Parameters
    ----------
    image : ndarray of float32, shape (ny, nx)
        Image; pixels that are not finite do not count, nor does one value that pads the image.
    scale : str, optional
        ``zscale``, ``minmax``, or the percentage of pixels that lie between the levels, such as ``99.5``. Except for
        ``minmax``, a grid of 40,000 pixels is looked at.

    Returns
    -------
    low, high : float
        Image units, ``low < high``; 0 and 1 where no pixel is finite.

    Raises
    ------
    ConfigError
        If the scale is unknown.
    """
    percent = parse_scale(scale)
    steps = (1, 1) if percent == 100.0 else tuple(max(1, size // _SAMPLE) for size in image.shape)
    sample = image[:: steps[0], :: steps[1]].ravel()
    sample = sample[np.isfinite(sample)]
    if not sample.size:
        sample = image[np.isfinite(image)]
    if not sample.size:
        return 0.0, 1.0
    if percent != 100.0 and sample.size > _ZSCALE_SAMPLES:
        sample = _without_padding(sample)
    if percent is None:
        low, high = zscale_limits(sample)
    else:
        low, high = np.percentile(sample.astype(np.float64), [50.0 - percent / 2.0, 50.0 + percent / 2.0])
    if not low < high:  # most pixels are equal, as in a map of counts
        low, high = float(sample.min()), float(sample.max())
    if not low < high:
        half = max(abs(low) * 0.1, 0.5)
        return float(low - half), float(low + half)
    return float(low), float(high)


def _without_padding(sample: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the values without the one that many pixels share where hardly any others are equal: it is not data."""
    values, counts = np.unique(sample, return_counts=True)
    common = int(np.argmax(counts))
    n_other = sample.size - int(counts[common])
    if counts[common] < _PADDING * sample.size or values.size - 1 < 0.5 * n_other or not n_other:
        return sample
    kept: NDArray[np.float32] = sample[sample != values[common]]
    return kept


def zscale_limits(values: NDArray[np.float32]) -> tuple[float, float]:
    """Return the levels that IRAF's ``zscale`` and DS9 find.

    A line is fitted, with rejection, to the sorted values. Its slope divided by the contrast of 0.25 gives the levels
    on both sides of the median.

    Parameters
    ----------
    values : ndarray of float32, shape (n,)
        Finite values, at least one.

    Returns
    -------
    low, high : float

    References
    ----------
    D. Tody (1986), The IRAF data reduction and analysis system, SPIE 627, 733.
    """
    step = max(1, values.size // _ZSCALE_SAMPLES)
    ordered = np.sort(values[::step].astype(np.float64))
    n, lowest, highest = ordered.size, ordered[0], ordered[-1]
    fewest = max(_FEWEST, n // 2)
    place = np.arange(n) - 0.5 * (n - 1)
    good = np.ones(n, bool)
    slope, intercept = 0.0, float(np.median(ordered))
    for _ in range(_ITERATIONS):
        if good.sum() < fewest:
            break
        slope, intercept = np.polyfit(place[good], ordered[good], 1)
        residual = ordered - (intercept + slope * place)
        bad = good & (np.abs(residual) > _REJECT * residual[good].std())
        if not bad.any():
            break
        good &= ~np.convolve(bad, np.ones(max(1, n // 100)), mode="same").astype(bool)
    if good.sum() < fewest:
        return float(lowest), float(highest)
    median, slope = float(np.median(ordered)), slope / _CONTRAST
    low = max(lowest, median - slope * (n - 1) / 2.0)
    high = min(highest, median + slope * (n - 1) / 2.0)
    return float(low), float(high)
