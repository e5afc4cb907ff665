"""What the noise of a single frame tells of gain and read noise, to hold header cards against.

Photons scatter by the square root of their number, so that level and variance give the gain; what is not photons (flat
field, structure) only adds variance. Hence a range rather than a value: from all noise being photons, to as much of it
as can be being the flat field.
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from obs.frozen import frozen
from obs.inspection.amplifier_place import Place
from obs.inspection.finding import Finding, lower_confidence

__all__ = ["PixelNoise", "judge_gain", "judge_read_noise", "measure_pixel_noise"]

_BLOCK = 32
_FLAT_FIELD = 0.01
"""Scatter of the pixels' sensitivity that is allowed for."""
_FAINT = 3500.0
"""Level up to which the scatter of the sensitivity cannot be much of the noise, ADU."""
_MUCH = 2.5
_ERROR = 1.35
"""Factor by which the measured range may be off."""


@frozen
class PixelNoise:
    """Noise of an amplifier's pixels in one frame.

    Parameters
    ----------
    level : float
        Light in the data, ADU above the overscan.
    lowest_gain, highest_gain : float
        Range of the gain, electrons per ADU; NaN where there is too little light to tell.
    read_noise : float
        Scatter of the overscan, ADU; NaN without overscan.
    """

    level: float
    lowest_gain: float
    highest_gain: float
    read_noise: float

    @property
    def knows_gain(self) -> bool:
        """Whether there is light enough to tell the gain."""
        return self.lowest_gain == self.lowest_gain


def measure_pixel_noise(pixels: NDArray[np.float32], place: Place) -> PixelNoise | None:
    """Measure noise and level of an amplifier.

    Parameters
    ----------
    pixels : ndarray of float32, shape (ny, nx)
        The image, ADU.
    place : Place
        The amplifier.

    Returns
    -------
    PixelNoise or None
        None without overscan, or where pixels are too few.
    """
    if place.overscan.is_empty or min(place.data.width, place.data.height) < _BLOCK:
        return None
    dark = pixels[place.overscan.slices].astype(np.float64)
    data = pixels[place.data.slices].astype(np.float64)
    read = float(_variances(np.diff(dark, axis=0 if len(dark) > dark.shape[1] else 1)[None])[0])
    base = float(np.median(dark))
    ends = _gain_ranges(_blocks(data), base, read)
    low, high = (float(np.median(end)) if end.size else np.nan for end in ends)
    return PixelNoise(float(np.median(data)) - base, low, high, float(np.sqrt(read)))


def _blocks(data: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return some blocks of pixels, evenly spread: shape (n, side, side)."""
    ny, nx = (length // _BLOCK for length in data.shape)
    blocks = data[: ny * _BLOCK, : nx * _BLOCK].reshape(ny, _BLOCK, nx, _BLOCK).swapaxes(1, 2)
    chosen = np.arange(0, ny * nx, max(1, ny * nx // 100))
    spread: NDArray[np.float64] = blocks[chosen // nx, chosen % nx]
    return spread


def _variances(differences: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the variance of pixels of each block from the differences of neighbors, outliers left out."""
    values = differences.reshape(len(differences), -1)
    values = values - np.median(values, axis=1, keepdims=True)
    kept = np.ones(values.shape, bool)
    for _ in range(3):
        scatter = np.std(values, axis=1, keepdims=True, where=kept)
        kept &= np.abs(values) <= 3.0 * np.maximum(scatter, 0.5)
    return np.asarray(np.var(values, axis=1, where=kept)) / 2.0 * 1.03  # what the clipping takes away


def _gain_ranges(
    blocks: NDArray[np.float64], base: float, read: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return lowest and highest gains that blocks allow, those left out whose noise photons do not rule."""
    flat = blocks.reshape(len(blocks), -1)
    light = np.median(flat, axis=1) - base
    variance = np.minimum(*(_variances(np.diff(blocks, axis=axis)) for axis in (1, 2)))
    photons = variance - read
    low, high = np.percentile(flat, (16, 84), axis=1)
    is_structured = high - low > 3.0 * np.sqrt(variance)
    used = (light >= 20.0) & (photons >= 2.0 * max(read, 0.3)) & ~is_structured
    light, photons = light[used], photons[used]
    rest = photons - (_FLAT_FIELD * light) ** 2
    highest = np.divide(light, rest, out=np.full(light.shape, np.inf), where=rest > 0.1 * photons)
    return light / photons, highest


def judge_gain(found: Finding, noise: PixelNoise | None, where: str, warnings: list[str]) -> Finding:
    """Return the gain as sure as the noise of the pixels lets it be.

    Parameters
    ----------
    found : Finding
        Gain of the header, electrons per ADU.
    noise : PixelNoise or None
        Noise of the pixels; without it ``found`` is returned.
    where : str
        Beginning of warnings, for example the name of the amplifier.
    warnings : list of str
        Receives warnings.
    """
    if noise is None or not noise.knows_gain:
        return found
    about = (
        f"{noise.lowest_gain:.2g}"
        if noise.highest_gain < 1.5 * noise.lowest_gain
        else f"{noise.lowest_gain:.2g} or more"
    )
    if not found.is_known:
        return replace(
            found, note="; ".join(part for part in (found.note, f"the noise suggests about {about}") if part)
        )
    if noise.lowest_gain / _ERROR <= found.value <= noise.highest_gain * _ERROR:
        if found.value > _MUCH * noise.lowest_gain:  # the noise is more than that of photons: it tells no upper limit
            is_faint = noise.level < 3.0 * _FAINT
            sure = lower_confidence(found.confidence, "likely") if is_faint else found.confidence
            return replace(found, confidence=sure, note=f"the noise suggests about {about}" if is_faint else found.note)
        sure = "likely" if found.confidence == "guess" and "different values" not in found.note else found.confidence
        note = "; ".join(part for part in (found.note, "the noise of the pixels agrees") if part)
        return replace(found, confidence=sure, note=note)
    if (
        found.value > noise.highest_gain and noise.level > _FAINT
    ):  # more noise than that of photons has other sources, too
        return replace(
            found, confidence=lower_confidence(found.confidence, "likely"), note=f"the noise suggests about {about}"
        )
    text = f"{found.source} gives {found.value:.4g}, the noise of the pixels at {noise.level:.0f} ADU about {about}"
    warnings.append(f"{where}gain: {text}")
    return replace(found, confidence="guess", note=f"the noise suggests about {about}")


def judge_read_noise(
    found: Finding, gain: Finding, noise: PixelNoise | None, where: str, warnings: list[str]
) -> Finding:
    """Return the read noise as sure as the scatter of the overscan lets it be.

    Parameters
    ----------
    found : Finding
        Read noise of the header, electrons.
    gain : Finding
        Gain, electrons per ADU.
    noise : PixelNoise or None
        Scatter of the overscan; without it ``found`` is returned.
    where : str
        Beginning of warnings, for example the name of the amplifier.
    warnings : list of str
        Receives a warning if both differ by more than a factor of 2.
    """
    if noise is None or not gain.is_known or noise.read_noise < 0.4:
        return found
    measured = noise.read_noise * gain.value
    if not found.is_known:
        return replace(found, note=f"the overscan scatters by {measured:.2g}")
    if found.value / 2.0 <= measured <= found.value * 2.0:
        return found
    warnings.append(
        f"{where}read noise: {found.source} gives {found.value:.4g}, the overscan scatters by {measured:.2g} e-"
    )
    sure = lower_confidence(found.confidence, "guess")
    return replace(found, confidence=sure, note=f"the overscan scatters by {measured:.2g}")
