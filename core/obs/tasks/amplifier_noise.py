"""Gain and read noise of an amplifier: what the camera says, else what was measured, and where it comes from."""

from typing import NamedTuple

import numpy as np

from obs.algorithms.detector.photon_noise import estimate_pixel_noise
from obs.camera.amplifier import Amplifier
from obs.tasks.isr_work import Work

__all__ = ["AmplifierNoise", "find_amplifier_noise"]

_ROUNDING = 12.0**-0.5
"""Noise of whole numbers, ADU: no read noise is below it."""


class AmplifierNoise(NamedTuple):
    """Gain and read noise, and their sources.

    Parameters
    ----------
    gain : float
        Electrons per ADU.
    read_noise : float
        Standard deviation of one read, electrons.
    gain_source, read_noise_source : str
        ``camera``, ``isr.gain``, ``isr.read_noise``, ``flat``, ``overscan``, ``bias``, ``pixels``; ``assumed`` for a
        gain of 1, ``rounding`` for a read noise that the light hides.
    """

    gain: float
    read_noise: float
    gain_source: str
    read_noise_source: str


def find_amplifier_noise(work: Work, amp: Amplifier) -> AmplifierNoise:
    """Return gain and read noise of an amplifier; warn of values that only this frame's pixels give.

    A gain that nothing else gives is that of the photon noise of the sky, and stays that of the frame's later steps. An
    unknown read noise is measured in the overscan, else it is that of the bias frames, else of the frame's pixels. It
    is never zero.

    Parameters
    ----------
    work : Work
        State of signature removal; receives the warnings, and a gain that is measured here.
    amp : Amplifier
        An amplifier of the detector.

    Returns
    -------
    AmplifierNoise
        Gain in electrons per ADU and read noise in electrons, and the source of each.
    """
    gain, gain_source = work.gain_and_source(amp)
    noise, noise_source = _known_read_noise(work, amp, gain)
    if gain_source == "assumed" or noise_source == "pixels":
        read_noise = noise / gain if noise_source in ("overscan", "bias") else 0.0
        known = None if gain_source == "assumed" else gain
        image = work.data(amp).image
        is_leveled = _is_leveled(work, amp)
        if not is_leveled:
            image = image - np.median(image)  # all of the noise counts as that of one read
        measured = estimate_pixel_noise(image, gain=known, read_noise=read_noise)
        if gain_source == "assumed":
            where = f"amplifier '{amp.name}': the gain is unknown, the camera's table has {amp.nominal.gain}"
            if measured.gain is None:
                cause = "" if is_leveled else ", because neither a bias nor overscan gives the level without light"
                work.warn(f"{where}, and taken as 1 electron/adu{cause}: {_remedy('gain')}")
            else:
                gain, gain_source = measured.gain, "pixels"
                work.measured_gains[amp.name] = gain
                noise, noise_source = _known_read_noise(work, amp, gain)
                work.warn(f"{where}, and taken as {gain:.3g} electron/adu from the noise of the sky: {_remedy('gain')}")
        if noise_source == "pixels":
            noise = measured.read_noise * gain
            if measured.read_noise > _ROUNDING:
                found = f"the read noise is unknown, and taken as {noise:.3g} electron from the noise of the pixels"
            else:  # the light explains all of the noise
                noise_source = "rounding"
                found = (
                    "the read noise is unknown, and too small beside the noise of the sky to be measured; "
                    f"{noise:.3g} electron are used, the noise of rounding to whole counts"
                )
            work.warn(f"amplifier '{amp.name}': {found}: {_remedy('read_noise')}")
    is_integer = np.issubdtype(work.raw.images[amp.raw_hdu].dtype, np.integer)
    if (is_integer or np.isfinite(work.raw.highest)) and noise_source not in ("camera", "isr.read_noise"):
        noise = max(noise, _ROUNDING * gain)
    return AmplifierNoise(gain, noise, gain_source, noise_source)


def _is_leveled(work: Work, amp: Amplifier) -> bool:
    """Whether counts begin at no light; else the photon noise of the sky does not give the gain."""
    is_bias_missing = work.config.allow_missing and work.calibrations.bias is None
    return amp.name in work.overscan or not is_bias_missing


def _remedy(name: str) -> str:
    return f"write it into amplifiers.csv (obs doctor measures it in flats and biases), or set isr.{name}"


def _known_read_noise(work: Work, amp: Amplifier, gain: float) -> tuple[float, str]:
    """Return read noise, electrons, and its source; NaN and ``pixels`` if only the pixels can tell it."""
    fit = work.overscan.get(amp.name)
    overscan = 0.0 if fit is None else fit.sigma * gain
    if work.config.do_empirical_read_noise and overscan > 0:
        return overscan, "overscan"
    if amp.nominal.read_noise > 0:
        return amp.nominal.read_noise, "camera"
    if work.config.read_noise is not None:
        return work.config.read_noise, "isr.read_noise"
    if overscan > 0:
        return overscan, "overscan"
    recorded = work.recorded("bias", f"CALIB_READNOISE_{amp.name}")
    return (float("nan"), "pixels") if recorded is None else (recorded * gain, "bias")
