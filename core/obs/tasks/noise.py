"""Hold the variance plane against the noise that the sky shows, and fix it where they differ.

A variance plane is a line: what the light adds, its slope the inverse of the gain, and what is there without light. The
noise of the sky is one point that the line must go through. Where it does not, what the header says tells which line
does: counts per second, electrons, a mean of several exposures. If none does, the line is turned (the gain is wrong,
or the counts are scaled) or moved (the sky was subtracted, or a pedestal added), whichever is plausible.
"""

import math
import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from obs.algorithms.pixels.statistics import robust_sigma
from obs.algorithms.sky.scatter import SkyScatter, measure_scatter
from obs.config.base import TaskConfig, setting
from obs.frozen import frozen
from obs.image.exposure import Exposure

__all__ = ["LARGEST_READ_NOISE", "NoiseCheck", "NoiseConfig", "check_noise"]

BAD_PLANES = ("BAD", "SAT", "NO_DATA", "UNMASKEDNAN", "INTRP", "CR")

BRIGHT = 20.0
"""Pixels higher than this above the sky, in its noise, give the slope of the variance."""

MOST_BRIGHT = 2000
UNEVEN = 0.3
"""Largest scatter of the slopes of bright pixels, as a fraction of their median."""

MOST_STRUCTURE = 3.0
"""Where pixels four apart scatter by this many times more than neighbors, their scatter is not noise but crowding."""

WHITE = 0.9
"""Ratio of the noise of neighbors to that of pixels four apart from which pixels are independent."""

PATTERN = 1.3
"""Ratio of the scatter of neighbors to that of pixels four apart from which a pattern of two or four pixels repeats."""

AGREES = 0.12
"""Fraction within which an explanation from the header must predict the noise."""

FAR_BELOW = 0.1
"""Variance of the sky, relative to that of the read noise, below which counts are scaled: no read noise is so wrong."""

NO_SKY = 0.3
"""A sky lower than this, in its noise, was subtracted."""

LARGEST_READ_NOISE = 50.0
"""Electrons. Where the noise of the sky asks for more, the gain is wrong and not the read noise."""

_RATE = re.compile(r"/\s*s(ec(ond)?s?)?\b|\bs(ec)?\s*(\^|\*\*)?\s*-1|per\s+s", re.I)
_ELECTRONS = re.compile(r"electron|\be-|\be/", re.I)
_COMBINED = ("NCOMBINE", "NSTACK", "NIMAGES", "STACKCNT", "NEXP", "NFRAMES")
_SECONDS = ("EXPTIME", "EXPOSURE", "TEXPTIME")


class NoiseConfig(TaskConfig):
    """How the noise of the sky is compared with the variance plane."""

    enabled: bool = setting(
        True,
        "Compare the noise of the sky with the variance plane. If they differ, warn and use the measured noise.",
    )
    maximum_ratio: float = setting(
        1.3, "Largest ratio of measured to predicted noise, or its inverse, that is left alone.", gt=1
    )


@frozen
class NoiseCheck:
    """Noise of the sky, measured and predicted.

    Parameters
    ----------
    ratio : float
        Measured noise of a pixel over the predicted one, before correction; NaN if unknown.
    gain, read_noise : float
        Gain and read noise that the variance plane rests on now, electrons per count and electrons; NaN if the
        variance does not depend on the light.
    warning : str
        What the user should know; empty if the noise is as predicted.
    """

    ratio: float = math.nan
    gain: float = math.nan
    read_noise: float = math.nan
    warning: str = ""


class _Line(NamedTuple):
    """Variance as a function of counts: ``slope * counts + floor``."""

    slope: float
    floor: float

    def at(self, level: float) -> float:
        return self.slope * max(level, 0.0) + self.floor


def check_noise(exposure: Exposure, level: float, config: NoiseConfig, *, whole_counts: bool = True) -> NoiseCheck:
    """Compare the noise of the sky with the variance plane, and correct the plane where it is wrong.

    Parameters
    ----------
    exposure : Exposure
        Background-subtracted; its variance plane is replaced if it is wrong.
    level : float
        Level of the background that was subtracted, image units.
    config : NoiseConfig
        Settings.
    whole_counts : bool, optional
        The pixels came from one readout, as whole numbers or raw data do: they are not the mean of several exposures.

    Returns
    -------
    NoiseCheck
    """
    pixels = exposure.masked_image
    bad = pixels.mask.any_known(BAD_PLANES)
    bad |= ~np.isfinite(pixels.image)
    scatter = measure_scatter(pixels.image, pixels.variance, bad)
    if not (scatter.predicted > 0 and scatter.pixel > 0):
        return NoiseCheck()
    line = _line(pixels.image, pixels.variance, bad, level, scatter)
    if config.enabled and scatter.single > PATTERN * scatter.pixel:
        return NoiseCheck(scatter.pixel / scatter.predicted, *_gain_and_read_noise(line), _describe_pattern(scatter))
    ratio = scatter.pixel / scatter.predicted
    direction = _disagreement(scatter, config.maximum_ratio)
    if not config.enabled or not direction:
        return NoiseCheck(ratio, *_gain_and_read_noise(line))
    new, cause = _explain(line, level, scatter, direction, whole_counts, exposure.metadata)
    pixels.variance[:] = _moved(pixels.variance, line, new, scatter)
    gain, read_noise = _gain_and_read_noise(new if new.floor > 0 else line)
    used = f"; used: gain {gain:.3g}, read noise {read_noise:.3g} electrons" if math.isfinite(gain) else ""
    warning = (
        f"the sky scatters by {scatter.pixel:.3g} counts, gain and read noise predict {scatter.predicted:.3g}: {cause}."
        f" The measured noise is used{used}. Correct gain and read noise (process-file: -c gain=VALUE -c "
        "read_noise=VALUE; a camera: its amplifiers.csv), or set characterize.noise.enabled=false"
    )
    return NoiseCheck(ratio, gain, read_noise, warning)


def _describe_pattern(scatter: SkyScatter) -> str:
    return (
        f"neighboring pixels scatter by {scatter.single:.3g} counts, pixels four apart by {scatter.pixel:.3g}: the "
        "image is a color (Bayer) mosaic, or its columns or rows alternate between amplifiers. The flux of a star "
        "depends on the pixel that it falls on. Process each color by itself (obs new describes a color camera), or "
        "remove the pattern"
    )


def _disagreement(scatter: SkyScatter, limit: float) -> int:
    """Return 1 if the sky is noisier than predicted, -1 if quieter, 0 if neither is certain."""
    single, pixel, block = (part / scatter.predicted for part in (scatter.single, scatter.pixel, scatter.block))
    if single > limit and pixel < MOST_STRUCTURE * single:
        return 1
    independent = single > WHITE * pixel
    return -1 if block < 1 / limit or (independent and pixel < 1 / limit) else 0


def _line(
    image: NDArray[np.float32],
    variance: NDArray[np.float32],
    bad: NDArray[np.bool_],
    level: float,
    scatter: SkyScatter,
) -> _Line:
    """Fit variance against counts, from the sky and the bright pixels."""
    sky = scatter.predicted**2
    bright = np.flatnonzero((image > BRIGHT * scatter.pixel) & ~bad)
    if not len(bright):
        return _Line(0.0, sky)
    # in the brightest the light tells most
    bright = bright[np.argsort(image.ravel()[bright])[-MOST_BRIGHT:]]
    slopes = (variance.ravel()[bright] - sky) / image.ravel()[bright]
    slope = max(float(np.median(slopes)), 0.0)
    # a plane that varies for other reasons, as a map of weights, does not follow the light
    if robust_sigma(slopes) > UNEVEN * slope or slope * float(np.median(image.ravel()[bright])) < 1e-3 * sky:
        return _Line(0.0, sky)
    return _Line(slope, max(sky - slope * max(level, 0.0), 0.0))


def _gain_and_read_noise(line: _Line) -> tuple[float, float]:
    return (1 / line.slope, math.sqrt(line.floor) / line.slope) if line.slope > 0 else (math.nan, math.nan)


def _explain(
    line: _Line,
    level: float,
    scatter: SkyScatter,
    direction: int,
    whole_counts: bool,
    metadata: Mapping[str, Any],
) -> tuple[_Line, str]:
    """Return the line that goes through the measured noise, and the likely cause."""
    measured = scatter.pixel**2
    if line.slope == 0:
        return _Line(0.0, measured), "the variance in the file is not that of its pixels"
    for candidate, cause in _told_by_header(line, metadata):
        if abs(math.sqrt(candidate.at(level) / measured) - 1) < AGREES:
            return candidate, cause
    turned = _turned(line, level, measured)
    moved = _Line(line.slope, line.floor + measured - line.at(level))
    gain = f"{1 / line.slope:.3g}"
    if level < NO_SKY * scatter.pixel:
        if not whole_counts and (rate := _as_rate(line, measured, metadata)) is not None:
            return rate
        return moved, "likely the sky was subtracted from the image before, or the read noise is wrong"
    if direction > 0:
        if math.sqrt(moved.floor) > LARGEST_READ_NOISE * line.slope:
            return turned, (
                f"likely the gain of {gain} electron/adu is a setting of the camera, not its gain, or the image was "
                f"rescaled; with the gain {1 / turned.slope:.3g} the noise fits"
            )
        return (
            moved,
            "likely part of the sky was subtracted before, or the read noise is wrong",
        )
    if measured < 0.9 * line.floor:
        return turned, (
            "it is less than the read noise alone: likely the image was rescaled, is in counts per second, or is a "
            f"mean of several; with the gain {1 / turned.slope:.3g} the noise fits"
        )
    if not whole_counts:
        return turned, (
            "likely the image is a mean of several exposures, was rescaled, or still has a pedestal; with the gain "
            f"{1 / turned.slope:.3g} the noise fits"
        )
    return moved, ("likely a pedestal (a bias level) is still in the image, or the gain is wrong")


def _told_by_header(line: _Line, metadata: Mapping[str, Any]) -> Iterator[tuple[_Line, str]]:
    """Yield lines that the header speaks for, and why."""
    unit = str(metadata.get("BUNIT", ""))
    seconds = next((t for name in _SECONDS if (t := _number(metadata.get(name))) > 0), math.nan)
    n = next((k for name in _COMBINED if (k := _number(metadata.get(name))) > 1), math.nan)
    electrons = _Line(1.0, line.floor / line.slope**2)
    rate = f"the image is in counts per second ({seconds:g} s)"
    options = [
        (electrons, "the image is in electrons already"),
        (_scaled(line, seconds), rate),
        (_scaled(electrons, seconds), rate.replace("counts", "electrons")),
        (_Line(line.slope / n, line.floor / n), f"the image is a mean of {n:g} exposures"),
    ]
    # the unit says which of them to try first
    if _RATE.search(unit):
        options = [*options[1:3], options[0], options[3]]
    if _ELECTRONS.search(unit) and _RATE.search(unit):
        options = [options[1], options[0], *options[2:]]
    yield from ((candidate, cause) for candidate, cause in options if math.isfinite(candidate.slope))


def _as_rate(line: _Line, measured: float, metadata: Mapping[str, Any]) -> tuple[_Line, str] | None:
    """Return the line of counts per second without sky, of which only the noise tells, and the cause; None if not."""
    seconds = next((t for name in _SECONDS if (t := _number(metadata.get(name))) > 1), math.nan)
    rate = _scaled(line, seconds)
    if measured > FAR_BELOW * line.floor or not rate.floor <= measured:
        return None  # also without an exposure time, and where the read noise of the rate alone is more
    cause = f"likely the image is in counts per second ({seconds:g} s), and the sky was subtracted from it"
    return _Line(rate.slope, measured), cause


def _scaled(line: _Line, divisor: float) -> _Line:
    """Return the line of counts divided by a number."""
    return _Line(line.slope / divisor, line.floor / divisor**2)


def _turned(line: _Line, level: float, measured: float) -> _Line:
    """Return the line of another gain, with the same read noise in electrons, through the measured variance."""
    read_noise = math.sqrt(line.floor) / line.slope
    square, sky = read_noise**2, max(level, 0.0)
    if square > 0:
        slope = (math.sqrt(sky**2 + 4 * square * measured) - sky) / (2 * square)
    else:
        slope = measured / sky if sky > 0 else line.slope
    return _Line(slope, square * slope**2)


def _moved(variance: NDArray[np.float32], old: _Line, new: _Line, scatter: SkyScatter) -> NDArray[np.float32]:
    """Return the variance plane of another line; never less than half of the noise of the sky."""
    if old.slope == 0:
        return variance * np.float32(new.floor / old.floor)
    plane = np.float32(new.slope / old.slope) * (variance - np.float32(old.floor)) + np.float32(new.floor)
    return np.asarray(np.maximum(plane, np.float32(0.5 * scatter.pixel**2)), np.float32)


def _number(value: object) -> float:
    try:
        return float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return math.nan
