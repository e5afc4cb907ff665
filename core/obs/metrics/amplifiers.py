"""Metrics of the amplifiers of a detector: overscan, level and noise of the sky in each, and those that are dead."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from obs.algorithms.pixels.statistics import robust_sigma
from obs.geom import Box
from obs.image.exposure import Exposure
from obs.image.mask import UNUSABLE_PLANES
from obs.image.masked_image import MaskedImage
from obs.metrics.measured import FEWEST, SAMPLE_STEP, Measured

__all__ = ["measure_amplifiers", "measure_overscan"]

#: Below this part of the noise expected, or of the noise of the others, an amplifier sees no light.
_DEAD_NOISE, _DARK_NOISE = 0.2, 0.4
#: Above this part of its pixels it is masked.
_DEAD_MASKED = 0.5
#: Bands of rows of an amplifier that are looked at alone, and the fewest quiet pixels of one.
_BANDS, _FEWEST_IN_BAND = 8, 50


def measure_overscan(out: Measured, exposure: Exposure) -> None:
    """Note level and noise of the overscan, from the cards that its subtraction wrote.

    Parameters
    ----------
    out : Measured
        Receives values and reasons.
    exposure : Exposure
        Exposure whose metadata has the cards ``ISR_OSCAN_*`` (ADU) and ``ISR_GAIN*`` (electrons per ADU).
    """
    cards = exposure.metadata
    prefix = "ISR_OSCAN_LEVEL"
    names = [key.removeprefix(prefix) for key in cards if key.startswith(prefix)]
    levels = np.array([_number(cards.get(prefix + name)) for name in names])
    sigmas = np.array([_number(cards.get(f"ISR_OSCAN_SIGMA{name}")) for name in names])
    gains = np.array([_number(cards.get(f"ISR_GAIN{name}")) for name in names])
    known = levels[np.isfinite(levels)]
    out.set("no overscan was subtracted", overscan_level=float(np.median(known)) if known.size else math.nan)
    noise = (sigmas * gains)[np.isfinite(sigmas * gains)]
    out.set("no overscan was subtracted", read_noise=float(np.median(noise)) if noise.size else math.nan)
    shapes, patterns = (
        [value for name in names if math.isfinite(value := _number(cards.get(f"ISR_OSCAN_{kind}{name}")))]
        for kind in ("SHAPE", "PATTERN")
    )
    reason = "no overscan was subtracted, or it has too few pixels"
    out.set(reason, read_noise_shape=max(shapes, key=lambda shape: abs(shape - 1.0), default=math.nan))
    out.set(reason, read_noise_pattern=max(patterns, default=math.nan))
    left = [100.0 * _number(value) for key, value in cards.items() if key.startswith("ISR_DEFERRED_")]
    reason = "no overscan behind the data, or too little light"
    out.set(reason, deferred_charge=max(left, key=abs, default=math.nan))
    if (gain := _known_gain(cards)) > 0:
        out.details["gain"] = _rounded(gain)
    assumed = [_number(value) for key, value in cards.items() if key.startswith("ISR_READNOISE")]
    if known_noise := [value for value in assumed if math.isfinite(value)]:
        out.details["read_noise"] = _rounded(float(np.median(known_noise)))
    if names:
        rows = zip(names, levels, sigmas * gains, strict=True)
        out.details["overscan"] = [[name, _rounded(level), _rounded(sigma)] for name, level, sigma in rows]


def _known_gain(cards: Mapping[str, Any]) -> float:
    """Return the median gain of the amplifiers whose gain is known, else the one that the sky gave; NaN if unknown."""
    prefix = "ISR_GAIN_SOURCE"
    names = {key.removeprefix("ISR_GAIN") for key in cards if key.startswith("ISR_GAIN") and not key.startswith(prefix)}
    if not names:
        return _number(cards.get("GAIN"))
    gains = {name: gain for name in names if math.isfinite(gain := _number(cards[f"ISR_GAIN{name}"]))}
    known = [gain for name, gain in gains.items() if cards.get(prefix + name) != "assumed"]
    if known:
        return float(np.median(known))
    measured = _number(cards.get("GAIN"))
    return math.nan if measured in gains.values() else measured


def measure_amplifiers(out: Measured, exposure: Exposure, amplifiers: Sequence[tuple[str, Box]]) -> None:
    """Compare the amplifiers of a detector: level and noise beside sources, and what is masked.

    Parameters
    ----------
    out : Measured
        Receives values and reasons.
    exposure : Exposure
        Exposure with variances and the planes of sources and defects.
    amplifiers : sequence of tuple of str and Box
        Names, and boxes in 0-based pixels of the image. Nothing is measured if a box leaves the image.
    """
    pixels = exposure.masked_image
    height, width = pixels.shape
    lost = pixels.mask.known_bits(UNUSABLE_PLANES)
    sources = pixels.mask.known_bits(["DETECTED"])
    found: list[_Quiet] = []
    for name, box in amplifiers:
        if box.x_max > width or box.y_max > height:
            return  # a cutout, or another binning
        cut = (slice(box.y_min, box.y_max, SAMPLE_STEP), slice(box.x_min, box.x_max, SAMPLE_STEP))
        bits = pixels.mask.array[cut]
        quiet = (bits & (lost | sources)) == 0
        masked = np.count_nonzero(bits & lost) / max(bits.size, 1)
        found.append(_measure_quiet(name, pixels.image[cut][quiet], pixels.variance[cut][quiet], masked))
    dead = [amp.name for amp in found if _is_dead(amp, found)]
    parts = _dark_parts(pixels, amplifiers, found, dead, lost | sources)
    dead = [name for name in dead if name not in parts]
    alive = [amp for amp in found if amp.name not in dead]
    levels = [amp.level / amp.expected for amp in alive if amp.expected > 0]
    ratios = [amp.noise / amp.expected for amp in alive if amp.expected > 0]
    known = np.array(levels)[np.isfinite(levels)]
    several = "the detector has one amplifier" if len(amplifiers) < 2 else "too few quiet pixels"
    out.set(several, amp_step=float(np.ptp(known)) if len(known) > 1 else math.nan)
    finite = [ratio for ratio in ratios if math.isfinite(ratio)]
    out.set("too few quiet pixels", amp_noise_low=min(finite) if finite else math.nan)
    out.set("", amp_dead=len(dead) + sum(parts.values()))
    noises = [amp.noise for amp in alive if math.isfinite(amp.noise)]
    out.set("too few quiet pixels", sky_noise=float(np.median(noises)) if noises else math.nan)
    rows = [(amp.name, *map(_rounded, (amp.level, amp.noise, 100.0 * amp.masked))) for amp in found]
    out.details["amplifiers"] = [list(row) for row in rows]
    if dead:
        out.details["dead_amplifiers"] = dead
    if parts:
        out.details["dark_parts"] = {name: round(part, 3) for name, part in parts.items()}


def _dark_parts(
    pixels: MaskedImage, amplifiers: Sequence[tuple[str, Box]], found: Sequence["_Quiet"], dead: Sequence[str], bad: int
) -> dict[str, float]:
    """Return the part of each amplifier that sees no light, of those that see some in the rest.

    Bands of an eighth of its rows are compared with the noise of the other amplifiers, or of the other bands. A band
    without data, whose pixels are all equal, sees none either. An amplifier whose noise as a whole is that of a dead
    one may be half alive.
    """
    empty = pixels.mask.known_bits(["NO_DATA"])
    usual = {amp.name: amp.noise for amp in found if math.isfinite(amp.noise) and amp.name not in dead}
    looked_at = {amp.name for amp in found if amp.masked <= _DEAD_MASKED}
    parts = {}
    for name, box in amplifiers:
        if name not in looked_at:
            continue
        noise = np.full(_BANDS, math.nan)
        edges = np.linspace(box.y_min, box.y_max, _BANDS + 1).astype(int)
        for band in range(_BANDS):
            cut = (slice(edges[band], edges[band + 1], SAMPLE_STEP), slice(box.x_min, box.x_max, SAMPLE_STEP))
            bits = pixels.mask.array[cut]
            quiet = pixels.image[cut][(bits & bad) == 0]
            if np.count_nonzero(bits & empty) > _DEAD_MASKED * bits.size:
                noise[band] = 0.0
            elif quiet.size >= _FEWEST_IN_BAND:
                noise[band] = robust_sigma(quiet)
        others = [value for other, value in usual.items() if other != name]
        known = noise[np.isfinite(noise)]
        if not known.size:
            continue
        light = max(float(np.median(others)) if others else 0.0, float(known.max()))
        part = float(np.mean(noise < _DARK_NOISE * light))
        if 0 < part < 1:
            parts[name] = part
    return parts


class _Quiet(NamedTuple):
    """The pixels of an amplifier beside sources: level, noise, noise expected, and the part of all that is masked."""

    name: str
    level: float
    noise: float
    expected: float
    masked: float


def _measure_quiet(name: str, values: NDArray[Any], variance: NDArray[Any], masked: float) -> _Quiet:
    if values.size < FEWEST:
        return _Quiet(name, math.nan, math.nan, math.nan, masked)
    expected = math.sqrt(max(float(np.median(variance)), 0.0))
    return _Quiet(name, float(np.median(values)), robust_sigma(values), expected, masked)


def _is_dead(amp: _Quiet, every: Sequence[_Quiet]) -> bool:
    """Whether an amplifier is masked, or has no noise of light: less than expected, or far less than the others."""
    if amp.masked > _DEAD_MASKED or amp.noise < _DEAD_NOISE * amp.expected:
        return True
    others = [other.noise for other in every if other is not amp and math.isfinite(other.noise)]
    return bool(others) and amp.noise < _DARK_NOISE * float(np.median(others))


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) else math.nan


def _rounded(value: float) -> float | None:
    return round(float(value), 4) if math.isfinite(value) else None
