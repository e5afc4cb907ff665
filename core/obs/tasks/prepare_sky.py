"""First look at the sky of an exposure: subtract it, see whether it is as noisy as it should be, and find trails."""

from dataclasses import dataclass, field

import numpy as np

from obs.algorithms.sky.few_photons import count_photons
from obs.algorithms.sky.illumination import SkyShape, measure_sky_shape
from obs.image.background import Background
from obs.image.exposure import Exposure
from obs.tasks.amplifier_steps import AmplifierStepsConfig, level_amplifiers
from obs.tasks.background import BackgroundConfig, clip_few_counts, clip_no_photons, subtract_background
from obs.tasks.noise import NoiseCheck, NoiseConfig, check_noise
from obs.tasks.streaks import StreakConfig, mask_streaks

__all__ = ["SkyReport", "prepare_sky"]


@dataclass
class SkyReport:
    """What the sky of an exposure shows before any source is known.

    Parameters
    ----------
    backgrounds : list of Background
        What was subtracted.
    noise : NoiseCheck
        Noise, measured and predicted.
    n_streak : int
        Trails of satellites and aircraft.
    streak_fraction : float
        Fraction of the pixels in those trails.
    largest_step : float
        Largest step of the level that was removed, counts.
    shape : SkyShape
        How the sky changes over the frame.
    warnings : list of str
        What the user should know.
    """

    backgrounds: list[Background] = field(default_factory=list)
    noise: NoiseCheck = field(default_factory=NoiseCheck)
    n_streak: int = 0
    streak_fraction: float = 0.0
    largest_step: float = 0.0
    shape: SkyShape = field(default_factory=SkyShape)
    warnings: list[str] = field(default_factory=list)


def prepare_sky(
    exposure: Exposure,
    background: BackgroundConfig,
    noise: NoiseConfig,
    streaks: StreakConfig,
    amplifiers: AmplifierStepsConfig,
) -> SkyReport:
    """Level amplifiers, subtract the background, correct a variance plane that the noise contradicts, mask trails.

    Parameters
    ----------
    exposure : Exposure
        Pixels with the sky in them; changed in place.
    background, noise, streaks, amplifiers : BackgroundConfig, NoiseConfig, StreakConfig, AmplifierStepsConfig
        Settings.

    Returns
    -------
    SkyReport
    """
    whole = _one_readout(exposure)
    steps, largest = level_amplifiers(exposure.masked_image, amplifiers)
    dark = count_photons(exposure.masked_image.image)
    first = subtract_background(exposure.masked_image, background)
    if dark is not None:
        few = clip_no_photons(background, dark.counts, read_noise=0.0)
    else:
        few = clip_few_counts(background, first, exposure.metadata)
    if few.clip > background.clip:
        # clipped photons made structure where the sky has none, and stars, which are not known yet, would make more
        exposure.masked_image.image += first.image()
        first = subtract_background(exposure.masked_image, few.model_copy(update={"follow": False}))
    known = first.level[np.isfinite(first.level)]
    check = check_noise(exposure, float(np.median(known)) if len(known) else 0.0, noise, whole_counts=whole)
    if check.warning and np.isfinite(check.gain):
        exposure.metadata.update(GAIN=check.gain, RDNOISE=check.read_noise)
    found = mask_streaks(exposure.masked_image, streaks)
    warnings = [line for line in (*steps, check.warning, *found.warnings) if line]
    return SkyReport([first], check, len(found.streaks), found.fraction, largest, measure_sky_shape(first), warnings)


def _one_readout(exposure: Exposure) -> bool:
    """Whether the pixels are whole numbers, or come from a raw frame: a mean of several exposures is neither."""
    if any(name.startswith("ISR_GAIN") for name in exposure.metadata):
        return True
    sample = exposure.masked_image.image[:: max(1, exposure.shape[0] // 32)]
    sample = sample[np.isfinite(sample)]
    return bool(len(sample)) and bool((sample == np.rint(sample)).all())
