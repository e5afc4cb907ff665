"""Steps of instrument-signature removal that look for useless pixels in the raw image, before anything changes them."""

import numpy as np
from numpy.typing import NDArray

from obs.algorithms.detector.constant_pixels import find_constant_pixels
from obs.algorithms.detector.flat_tops import find_flat_tops
from obs.algorithms.detector.wrapped_counts import find_wrapped_counts
from obs.algorithms.pixels.statistics import clipped_statistics
from obs.camera.amplifier import Amplifier
from obs.image.masked_image import MaskedImage
from obs.tasks.isr_work import Work
from obs.tasks.unusable_pixels import fill_wrapped_counts, warn_of_lost_values
from obs.threads import map_threads

__all__ = ["find_saturation", "mask_constant"]

_SAMPLE = 200_000
"""Pixels that give the sky of an amplifier."""

_DEAD = 0.99
"""An amplifier is dead if more than this fraction of its pixels is constant."""

_WORTH_A_WARNING = 1e-3
"""Fraction of constant pixels from which the user is warned."""

_KNOWN = ("SAT", "BAD", "NO_DATA")
_NO_VALUE = ("BAD", "NO_DATA")


def find_saturation(work: Work) -> None:
    """Mask SAT the tops of stars that are cut off at a level which several share, and cores whose counts wrap.

    Parameters
    ----------
    work : Work
        Pixels in ADU, whose mask is changed, and which receive a warning. The lowest level found is kept as
        ``flat_top``.
    """
    levels: set[float] = set()
    known: set[float] = set()
    number = 0
    for hdu, pixels in work.images.items():
        light, bad, noise, sky = _above_sky(work, hdu)
        if not noise > 0:
            continue
        if _mask_wraps(work, hdu, sky, noise):
            continue
        found = find_flat_tops(light, bad, sky=0.0, noise=noise)
        if not len(found.levels):
            continue
        saturated = found.saturated & ~bad
        pixels.mask.set(saturated, "SAT")
        levels.update(float(level) for level in found.levels)
        known.update(_given_saturation(work, hdu))
        number += int(np.count_nonzero(saturated))
    if not levels:
        return
    work.flat_top = min(levels)
    shown = ", ".join(f"{level:.6g}" for level in sorted(levels))
    if known:
        source = "amplifiers.csv" if work.config.saturation is None else "isr.saturation"
        given = f"below the saturation of {min(known):g} ADU that {source} gives"
        advice = "Correct the saturation of the amplifiers, or set isr.saturation"
    else:
        given = "where no saturation is given (amplifiers.csv has none)"
        advice = "Write it into amplifiers.csv (obs doctor names it), or set isr.saturation"
    work.warn(f"stars are cut off at {shown} ADU above the sky, {given}: {number} pixels masked SAT. {advice}")


def _given_saturation(work: Work, hdu: int) -> set[float]:
    """Return the levels that the setting or the camera gives; the highest number of the file is none of them."""
    if work.config.saturation is not None:
        return {work.config.saturation}
    levels = {amp.nominal.saturation for amp in _working(work) if amp.raw_hdu == hdu}
    return {level for level in levels if np.isfinite(level)}


def _mask_wraps(work: Work, hdu: int, sky: float, noise: float) -> bool:
    """Mask SAT the stars of a raw image whose counts begin again at the lowest number, and return whether any do."""
    pixels = work.images[hdu]
    outside = np.ones(pixels.shape, bool)
    for amp in _working(work):
        if amp.raw_hdu == hdu:
            outside[amp.raw_data_bbox.slices] = work.data(amp).mask.any_known(_NO_VALUE)
    found = find_wrapped_counts(pixels.image, outside, sky=sky, noise=noise)
    if found is not None:
        work.warn(fill_wrapped_counts(pixels, found))
    return found is not None


def _above_sky(work: Work, hdu: int) -> tuple[NDArray[np.float32], NDArray[np.bool_], float, float]:
    """Return a raw image less the sky of each amplifier, the pixels that are not light, noise and level of the sky."""
    pixels = work.images[hdu]
    light, bad = np.zeros(pixels.shape, np.float32), np.ones(pixels.shape, bool)

    def look(amp: Amplifier) -> tuple[float, float]:
        data = work.data(amp)
        out = data.mask.any_known(_KNOWN)
        out |= ~np.isfinite(data.image)
        step = max(1, out.size // _SAMPLE)
        sky = clipped_statistics(data.image[::step][~out[::step]])
        if sky.sigma > 0:
            light[amp.raw_data_bbox.slices] = data.image - np.float32(sky.mean)
            bad[amp.raw_data_bbox.slices] = out
        return sky.sigma, sky.mean

    found = map_threads(look, [amp for amp in _working(work) if amp.raw_hdu == hdu])
    known = [pair for pair in found if pair[0] > 0]
    noise, level = np.median(known, axis=0) if known else (0.0, 0.0)
    return light, bad, float(noise), float(level)


def mask_constant(work: Work) -> None:
    """Mask BAD and NO_DATA areas of exactly equal pixels: dead amplifiers and columns, lines that were not read out.

    Parameters
    ----------
    work : Work
        Frame whose mask is changed. Amplifiers of which nearly all pixels are equal join ``bad_amplifiers``.
    """
    number, size, dead = 0, 0, []
    lost: dict[str, str] = {}
    amplifiers = _working(work)
    found = map_threads(lambda amp: _constant_pixels(work.data(amp)), amplifiers)
    for amp, constant in zip(amplifiers, found, strict=True):
        data = work.data(amp)
        if constant.mean() > _DEAD:
            dead.append(amp.name)
            work.bad_amplifiers.add(amp.name)
            constant[:] = True
        data.mask.set(constant, "BAD", "NO_DATA")
        number, size = number + int(np.count_nonzero(constant)), size + constant.size
    for amp, texts in zip(
        amplifiers, map_threads(lambda amp: warn_of_lost_values(work.data(amp)), amplifiers), strict=True
    ):
        if texts:
            lost[amp.name] = texts[0]
    if lost:
        name, text = next(iter(lost.items()))
        others = f" and {len(lost) - 1} more" if len(lost) > 1 else ""
        work.warn(f"amplifier '{name}'{others}: {text}")
    if dead:
        names = ", ".join(f"'{name}'" for name in dead)
        work.warn(f"all pixels are equal in amplifier {names}: masked BAD and NO_DATA")
    elif number > _WORTH_A_WARNING * size:
        work.warn(
            f"{100 * number / size:.1f} % of the pixels have exactly equal neighbors, as dead columns and lines that "
            "were not read out: masked BAD and NO_DATA"
        )


def _constant_pixels(data: MaskedImage) -> NDArray[np.bool_]:
    constant = find_constant_pixels(data.image)
    constant &= ~data.mask.any_known(_KNOWN)
    return constant


def _working(work: Work) -> list[Amplifier]:
    """Return the amplifiers that are not bad as a whole."""
    return [amp for amp in work.detector.amplifiers if amp.name not in work.bad_amplifiers]
