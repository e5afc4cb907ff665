"""Compare the frames of a calibration: which are odd, which are noisy, and the gain and read noise that they show."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from obs.algorithms.combine.frames import Stack
from obs.algorithms.combine.noise_factors import local_differences, measure_noise_factors
from obs.algorithms.combine.odd_frames import (
    cell_places,
    find_odd_frames,
    measure_cells,
    smooth_differences,
)
from obs.algorithms.detector.photon_noise import estimate_gain
from obs.calibration_frames.odd_headers import find_other_modes, find_other_temperatures, find_stacks
from obs.calibration_frames.slow_shutter import GRADIENT, find_short_flats, warn_of_short_flats
from obs.geom import Box
from obs.repo.frame_stack import FrameStack
from obs.tasks.calibs_config import OddFramesConfig
from obs.tasks.combine_calibs import Master, sample_rows, typical_variance
from obs.threads import map_threads

__all__ = ["OddReasons", "describe_noise", "find_odd", "measure_gains", "measure_local_noise"]

_CAUSES = {
    "bias": "light, another offset, or a step",
    "dark": "light, another temperature, or glow",
    "flat": "another filter, clouds, stars, stray light, or a slow shutter",
}
"""What usually makes a frame of each type odd. Frames of the sky differ from one another anyway: a warning."""
_WITHOUT_LIGHT = ("bias", "dark")
"""Frames without a lamp, which could drift."""
_STAMP = 512
"""Side of the part of an amplifier that is enough for its gain."""


class OddReasons:
    """Why frames are odd, by their numbers.

    Attributes
    ----------
    leave_out, warn_of : dict of int to str
        Frames that spoil the result, and frames that may.
    warnings : list of str
        Remarks on all frames.
    """

    def __init__(self) -> None:
        self.leave_out: dict[int, str] = {}
        self.warn_of: dict[int, str] = {}
        self.warnings: list[str] = []


def find_odd(
    name: str,
    stack: FrameStack,
    headers: Sequence[Mapping[str, Any]],
    regions: Sequence[Box],
    config: OddFramesConfig,
    *,
    seconds: Sequence[float] = (),
) -> OddReasons:
    """Find the frames that differ from the others, by their headers and by their pixels.

    Parameters
    ----------
    name : str
        Type of calibration.
    stack : FrameStack
        The prepared frames.
    headers : sequence of mapping
        Cards of each.
    regions : sequence of Box
        Amplifiers.
    config : OddFramesConfig
        Settings.
    seconds : sequence of float, optional
        Exposure times of the frames.
    """
    reasons = OddReasons()
    reasons.leave_out |= find_stacks(headers) | find_other_modes(headers, config)
    temperatures = find_other_temperatures(headers, config)
    (reasons.leave_out if name == "dark" else reasons.warn_of).update(temperatures)
    left = [k for k in range(stack.n_frame) if k not in reasons.leave_out]
    if len(left) < 2:
        return reasons
    noise = np.nanmean(measure_local_noise(stack, regions), axis=0)[left]
    noise = np.where(np.isfinite(noise), noise, np.nanmedian(noise) if np.isfinite(noise).any() else 1.0)
    cells = map_threads(
        lambda one: measure_cells(stack.image(one[0]), stack.rejected(one[0]), regions, float(one[1])),
        zip(left, noise, strict=True),
    )
    means, number, places = (
        np.stack([mean for mean, _ in cells]),
        np.stack([number for _, number in cells]),
        cell_places(regions),
    )
    too_short = ""
    if name == "flat" and seconds:
        times = [seconds[k] for k in left]
        short, too_short = find_short_flats(means, places, times)
        if short:
            reasons.leave_out |= {left[k]: why for k, why in short.items()}
            long = [k for k in range(len(left)) if k not in short]
            left, means, number, noise = [left[k] for k in long], means[long], number[long], noise[long]
        too_short = too_short or warn_of_short_flats(times, config.shutter)
        reasons.warnings += [too_short] if too_short else []
    found = find_odd_frames(
        means,
        number,
        noise,
        limit=config.difference,
        light_only_adds=name in _WITHOUT_LIGHT,
    )
    if len(left) == 2:
        if found.is_odd.any():
            reasons.warnings.append(
                f"the two frames differ by {found.difference.max():.2g} times the noise of a pixel "
                f"({_CAUSES.get(name, 'objects or another sky')}), and two frames do not show which of them is wrong; "
                "add a third one"
            )
        return reasons
    n_alike = int(np.sum(~found.is_odd))
    for k, difference, level in zip(left, found.difference, found.level, strict=True):
        if difference > 0 and found.is_odd[left.index(k)]:
            text = (
                f"it differs from {n_alike} others by {difference:.2g} times the noise of a pixel, its level by "
                f"{level:+.3g} ({_CAUSES.get(name, 'objects or another sky')})"
            )
            (reasons.leave_out if name in _CAUSES else reasons.warn_of)[k] = text
    smooth = smooth_differences(means[~found.is_odd], places) if name == "flat" else np.zeros(1)
    if smooth.max() > GRADIENT and not too_short:
        reasons.warnings.append(
            f"{n_alike} flats differ from their mean by up to {100 * smooth.max():.2g} % from one side of the "
            "detector to the other (twilight, moonlight, haze, an uneven lamp, or a slow shutter in short exposures): "
            "the result is their mean, and fluxes are wrong by what does not cancel in it. Take flats of an even "
            "light, or choose those that agree with --id"
        )
    apart = float(found.difference[~found.is_odd].max())
    # a level that jitters is not a drift: the mean of such frames is as good as their number says
    agrees = found.majority <= config.difference
    if name in _WITHOUT_LIGHT and apart > config.difference and (found.drifts or not agrees):
        how = "and the more, the farther apart they were taken" if agrees else "and no majority agrees"
        reasons.warnings.append(
            f"{n_alike} frames differ from one another by up to {apart:.2g} times the noise of a pixel, {how}: they "
            "drift (a detector or electronics that warm up, or light), and the result is of none of them; "
            "take them again, or choose those that agree with --id"
        )
    return reasons


def measure_local_noise(stack: FrameStack, regions: Sequence[Box]) -> NDArray[np.float64]:
    """Return the noise of neighboring pixels of each frame, without structure, shape (n_region, n_frame).

    NaN for frames that are alone or without any difference.

    Parameters
    ----------
    stack : FrameStack
        Frames of one detector.
    regions : sequence of Box
        Amplifiers, 0-based pixels.
    """
    found = []
    for region in regions:
        samples: list[Stack] = [local_differences(sample) for sample in sample_rows(stack, region)]
        found.append(measure_noise_factors(samples) * np.sqrt(typical_variance(samples)))
    return np.array(found)


def measure_gains(
    stack: FrameStack,
    levels: Sequence[float],
    numbers: Sequence[int],
    regions: Sequence[Box],
    read_variances: Sequence[float],
) -> list[float]:
    """Return the gain of each region by the photon noise of up to three pairs of flats; NaN where it cannot be told.

    Parameters
    ----------
    stack : FrameStack
        Flats, each divided by its level.
    levels : sequence of float
        Level of each frame, ADU.
    numbers : sequence of int
        Frames that may be used.
    regions : sequence of Box
        Amplifiers.
    read_variances : sequence of float
        Variance of a pixel without light in each, ADU^2.
    """
    brightest = sorted(numbers, key=lambda k: -levels[k])[:4]
    gains = []
    for region, read_variance in zip(regions, read_variances, strict=True):
        rows, columns = (slice(part.start, min(part.stop, part.start + _STAMP)) for part in region.slices)
        images = stack.read(rows.start, rows.stop)[0]
        parts = [images[k][:, columns].astype(np.float64) * levels[k] for k in brightest]
        pairs = list(pairwise(parts))
        found = [estimate_gain(one, other, read_variance=read_variance, ceiling=float("inf")) for one, other in pairs]
        values = [estimate.value for estimate in found if estimate is not None]
        gains.append(float(np.median(values)) if values else float("nan"))
    return gains


def describe_noise(
    names: Mapping[int, str],
    master: Master,
    n_hit: NDArray[np.int64],
    n_pixel: int,
    config: OddFramesConfig,
    *,
    frames_differ: bool = False,
) -> list[str]:
    """Return warnings of frames that are noisier than predicted, or of which many values were rejected.

    Parameters
    ----------
    names : mapping of int to str
        Data IDs of the frames in use, by their numbers.
    master : Master
        The combination.
    n_hit : ndarray of int64, shape (n_frame,)
        Values of each frame that were rejected as cosmic rays before.
    n_pixel : int
        Number of pixels of a frame.
    config : OddFramesConfig
        Settings.
    frames_differ : bool, optional
        Whether another warning says already that the frames differ from one another.
    """
    numbers = list(names)
    lines = []
    if np.isfinite(master.noise_factors).any():
        with np.errstate(invalid="ignore"):
            factors = np.nanmedian(master.noise_factors[:, numbers], axis=0)
        usual = float(np.nanmedian(factors))
        if not 1 / config.noise < usual < config.noise:
            cause = "one of these is wrong (obs doctor measures both in two flats and two biases)"
            cause = "the frames differ from one another" if frames_differ and usual > 1 else cause
            cause += "" if frames_differ else ", or the frames all differ"
            lines.append(
                f"the noise of the frames is {usual:.2f} times the noise expected from gain and read noise: {cause}"
            )
        lines += [
            f"the noise of {names[k]} is {factor:.2f} times the noise expected, that of most frames {usual:.2f}; look "
            "at it, and leave it out with --id if it is bad"
            for k, factor in zip(numbers, factors, strict=True)
            if factor > config.noise * max(usual, 1.0)
        ]
    fraction = (master.combined.n_clipped + n_hit) / n_pixel
    lines += [
        f"{100 * fraction[k]:.0f} % of the values of {names[k]} were rejected: look at it, and leave it out with --id "
        "if it is bad"
        for k in numbers
        if fraction[k] > config.rejected
    ]
    return lines
