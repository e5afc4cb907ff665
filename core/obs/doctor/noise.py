"""Gain, read noise and saturation of the camera against what the pixels show."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from obs.algorithms.detector.photon_noise import Estimate, estimate_gain, estimate_noise, estimate_sky_gain
from obs.camera.amplifier import Amplifier
from obs.doctor.check import Check, MeasuredValue, Verdict
from obs.doctor.exposure import RawFrame
from obs.doctor.geometry import collect_amplifier_facts
from obs.doctor.levels import amplifier_image, measure_level
from obs.doctor.places import amplifier_place
from obs.inspection.header.gains import find_gain

__all__ = ["check_noise", "check_pairs"]

_GAIN_TOLERANCE, _SKY_FACTOR = 0.1, 2.0
_NOISE_FACTOR, _COARSE_FACTOR = 1.35, 1.6
_PILE = 20
"""Pixels at the highest value that make it a level of saturation."""


def check_pairs(exposures: Sequence[RawFrame]) -> Iterator[tuple[RawFrame, Check]]:
    """Yield checks of gains by pairs of flats, and of read noises by pairs of biases, with the first frame of each.

    Parameters
    ----------
    exposures : sequence of RawFrame
        Raw frames of any detectors; only those of one detector are compared.
    """
    groups: dict[str, list[RawFrame]] = {}
    for exposure in exposures:
        groups.setdefault(exposure.detector.name, []).append(exposure)
    for group in groups.values():
        biases = [exposure for exposure in group if exposure.image_type == "bias"]
        flats = _best_flats([exposure for exposure in group if exposure.image_type == "flat"])
        gains: dict[str, float] = {}
        if flats is not None:
            for check, amp, gain in _gains(*flats, biases):
                yield flats[0], check
                if gain is not None:
                    gains[amp] = gain
        if len(biases) > 1:
            for check in _read_noises(biases[0], biases[1], gains, flats or ()):
                yield biases[0], check
        elif flats is not None:
            for check in _overscan_noises(flats, gains):
                yield flats[0], check


def _best_flats(flats: Sequence[RawFrame]) -> tuple[RawFrame, RawFrame] | None:
    """Return the two flats of a filter whose exposure times are nearest to each other."""
    pairs = [pair for pair in combinations(flats, 2) if pair[0].filter_name == pair[1].filter_name]
    return min(pairs, key=_difference, default=None)


def _difference(pair: tuple[RawFrame, RawFrame]) -> float:
    difference = abs(pair[0].number("exposure_time") - pair[1].number("exposure_time"))
    return difference if math.isfinite(difference) else 0.0


def _data(exposure: RawFrame, amp: Amplifier, level: float = 0.0) -> NDArray[np.float64]:
    """Return the data of an amplifier above a level, ADU."""
    return np.asarray(amplifier_image(exposure.raw, amp)[amp.raw_data_bbox.slices], np.float64) - level


def _dark_level(exposure: RawFrame, amp: Amplifier, biases: Sequence[RawFrame]) -> tuple[float, float] | None:
    """Return level and variance of a pixel without light, by the overscan, else by a bias; ADU and its square."""
    found = measure_level(exposure.raw, amp, amp.raw_serial_overscan_bbox)
    if found is None and biases:
        found = measure_level(biases[0].raw, amp, amp.raw_data_bbox)
    return None if found is None else (found.level, found.noise**2)


def _gains(first: RawFrame, second: RawFrame, biases: Sequence[RawFrame]) -> Iterator[tuple[Check, str, float | None]]:
    source = f"{first.path.name} and {second.path.name}"
    for amp in first.detector.amplifiers:
        name = f"gain of {amp.name}"
        dark, other = (_dark_level(flat, amp, biases) for flat in (first, second))
        if dark is None or other is None:
            note = "without overscan the level of no light is not known: give biases too"
            yield Check("noise", name, _gain_text(amp), source, "not known", note), amp.name, None
            continue
        saturation = amp.nominal.saturation
        ceiling = 0.7 * (saturation if math.isfinite(saturation) else 65535.0) - dark[0]
        light = _data(first, amp, dark[0]), _data(second, amp, other[0])
        found = estimate_gain(*light, read_variance=dark[1], ceiling=ceiling)
        if found is None:
            note = "the flats are too faint, too bright, or too small to measure it"
            yield Check("noise", name, _gain_text(amp), source, "not known", note), amp.name, None
            continue
        yield _compare_gain((first, second), amp, found, source), amp.name, found.value


def _gain_text(amp: Amplifier) -> str:
    gain = amp.nominal.gain
    return f"{gain:g} e-/ADU" if math.isfinite(gain) else ""


def _compare_gain(flats: tuple[RawFrame, RawFrame], amp: Amplifier, found: Estimate, source: str) -> Check:
    exposure, gain = flats[0], amp.nominal.gain
    name = f"gain of {amp.name}"
    place = amplifier_place(exposure.instrument, exposure.detector, amp, "gain")
    digits = f"{found.value:.3g}"
    reason = f"the noise of {source} says {digits} e-/ADU"
    measured = _measured(exposure, amp, "gain", digits, flats)
    if not math.isfinite(gain):
        note = f"the cell is empty, though {reason}"
        return Check("noise", name, "", source, "wrong", note, f"{place}: {digits}", measured)
    if abs(found.value / gain - 1.0) > _GAIN_TOLERANCE + 5.0 * found.error / found.value:
        remedy = f"{place}: {digits} in place of {gain:g}"
        return Check("noise", name, _gain_text(amp), source, "wrong", reason, remedy, measured)
    return Check("noise", name, f"{_gain_text(amp)}; photon noise {digits}", source)


def _measured(exposure: RawFrame, amp: Amplifier, column: str, value: str, frames: Sequence[RawFrame]) -> MeasuredValue:
    files = tuple(dict.fromkeys(frame.path for frame in frames))
    return MeasuredValue(exposure.detector.name, amp.name, column, value, files)


def _read_noises(
    first: RawFrame, second: RawFrame, gains: dict[str, float], flats: Sequence[RawFrame]
) -> Iterator[Check]:
    source = f"{first.path.name} and {second.path.name}"
    for amp in first.detector.amplifiers:
        found = estimate_noise(_data(first, amp), _data(second, amp))
        if found is not None:
            gain, frames = gains.get(amp.name), (*flats, first, second)
            yield _compare_noise(first, amp, found.value, source, gain, _NOISE_FACTOR, frames)


def _overscan_noises(flats: Sequence[RawFrame], gains: dict[str, float]) -> Iterator[Check]:
    """Yield checks of read noises by the overscan of flats that gave the gains."""
    for amp in flats[0].detector.amplifiers:
        found = measure_level(flats[0].raw, amp, amp.raw_serial_overscan_bbox)
        if found is not None and amp.name in gains:
            yield _compare_noise(flats[0], amp, found.noise, "overscan", gains[amp.name], _COARSE_FACTOR, flats)


def _compare_noise(
    exposure: RawFrame,
    amp: Amplifier,
    sigma: float,
    source: str,
    measured_gain: float | None,
    factor: float,
    frames: Sequence[RawFrame] = (),
) -> Check:
    """Compare the noise of a pixel without light, ADU, with that of the camera; ``frames`` show it and the gain."""
    name, noise = f"read noise of {amp.name}", amp.nominal.read_noise
    gain = amp.nominal.gain if measured_gain is None else measured_gain
    if not math.isfinite(gain):
        return Check("noise", name, f"{sigma:.2f} ADU", source, "not known", "the gain is not known: give two flats")
    # Whole counts add the noise of their rounding, which is not the amplifier's.
    rounding = 1.0 / 12.0 if np.issubdtype(amplifier_image(exposure.raw, amp).dtype, np.integer) else 0.0
    electrons = math.sqrt(max(sigma**2 - rounding, 0.0)) * gain
    place = amplifier_place(exposure.instrument, exposure.detector, amp, "read_noise")
    measured = _measured(exposure, amp, "read_noise", f"{electrons:.3g}", frames or (exposure,))
    if not math.isfinite(noise):
        note = "the cell is empty; this can fill it"
        return Check("noise", name, f"{electrons:.2f} e-", source, "ok", note, place, measured)
    if 1.0 / factor < electrons / noise < factor:
        return Check("noise", name, f"{noise:g} e-; {source} {electrons:.2f}", source)
    verdict: Verdict = "wrong" if factor == _NOISE_FACTOR else "doubtful"
    note = f"{sigma:.2f} ADU at {gain:.3g} e-/ADU are {electrons:.3g} e-"
    remedy = f"{place}: {electrons:.3g} in place of {noise:g}"
    return Check("noise", name, f"{noise:g} e-", source, verdict, note, remedy, measured if frames else None)


def check_noise(exposure: RawFrame) -> Iterator[Check]:
    """Yield checks of gain, read noise and saturation by one frame: coarser than those of pairs.

    Parameters
    ----------
    exposure : RawFrame
        Raw frame of one detector.
    """
    for amp in exposure.detector.amplifiers:
        overscan = measure_level(exposure.raw, amp, amp.raw_serial_overscan_bbox)
        yield from _check_gain(exposure, amp, None if overscan is None else (overscan.level, overscan.noise**2))
        if overscan is not None:
            yield _compare_noise(exposure, amp, overscan.noise, "overscan", None, _COARSE_FACTOR)
        yield _check_saturation(exposure, amp)


def _check_gain(exposure: RawFrame, amp: Amplifier, dark: tuple[float, float] | None) -> Iterator[Check]:
    """Compare the gain with the header's, and with the noise of the sky."""
    gain = amp.nominal.gain
    place = amplifier_place(exposure.instrument, exposure.detector, amp, "gain")
    facts = collect_amplifier_facts(exposure, amp)
    header_gain = facts.findings.get("gain") if facts is not None else find_gain(exposure.cards, amp.name)
    plane = exposure.detector.color_plane
    if plane is not None and header_gain is not None and header_gain.is_known:  # the header's is that of one pixel
        header_gain = replace(header_gain, value=float(header_gain.value) * len(plane.positions))
    sky = None
    if dark is not None and exposure.image_type in ("science", "sky"):
        sky = estimate_sky_gain(_data(exposure, amp, dark[0]), read_variance=dark[1])
    if not math.isfinite(gain):
        note = f"the sky's noise suggests {sky.value:.2g}" if sky is not None else "two flats would measure it"
        yield Check("noise", f"gain of {amp.name}", "", "amplifiers.csv", "not known", note, place)
        return
    if header_gain is not None and header_gain.is_known and abs(float(header_gain.value) / gain - 1.0) > 0.05:
        note = f"{header_gain.source} says {header_gain.value:g} e-/ADU"
        if sky is not None and header_gain.confidence == "guess" and _is_nearer(sky.value, gain, header_gain.value):
            text = f"{_gain_text(amp)}; noise of the sky {sky.value:.2g}"
            yield Check("noise", f"gain of {amp.name}", text, "sky", note=f"{note}, which the noise of the sky refutes")
            return
        agrees = sky is not None and _is_nearer(sky.value, float(header_gain.value), gain)
        sure = header_gain.confidence == "certain" or agrees
        how = f"{place}: {header_gain.value:g} in place of {gain:g}, if the header is right"
        verdict: Verdict = "wrong" if sure else "doubtful"
        yield Check("noise", f"gain of {amp.name}", _gain_text(amp), header_gain.source, verdict, note, how)
        return
    if sky is None:
        yield Check(
            "noise", f"gain of {amp.name}", _gain_text(amp), "amplifiers.csv", "not known", "two flats measure it"
        )
    elif not 1.0 / _SKY_FACTOR < sky.value / gain < _SKY_FACTOR:
        note = f"the noise of the sky says about {sky.value:.2g} e-/ADU; two flats measure it better"
        how = f"{place}: about {sky.value:.2g} in place of {gain:g}"
        yield Check("noise", f"gain of {amp.name}", _gain_text(amp), "sky", "wrong", note, how)
    else:
        yield Check("noise", f"gain of {amp.name}", f"{_gain_text(amp)}; noise of the sky {sky.value:.2g}", "sky")


def _is_nearer(measured: float, gain: float, other: float) -> bool:
    """Whether a measured gain agrees with one, and better than with another."""
    off = abs(math.log(measured / gain))
    return off < math.log(_SKY_FACTOR) and off < abs(math.log(measured / other))


def _check_saturation(exposure: RawFrame, amp: Amplifier) -> Check:
    data, level = _data(exposure, amp), amp.nominal.saturation
    highest = float(np.nanmax(data))
    pile = int(np.sum(data == highest))
    name, value = f"saturation of {amp.name}", f"{level:g} ADU" if math.isfinite(level) else ""
    place = amplifier_place(exposure.instrument, exposure.detector, amp, "saturation")
    piles_up = pile >= _PILE and highest > 4.0 * float(np.median(data)) and highest > 1000.0
    if piles_up and not highest >= 0.99 * min(level, 65535.0 if math.isfinite(level) else math.inf):
        note = f"{pile} pixels pile up at {highest:g} ADU, the highest value there is"
        verdict: Verdict = "wrong" if math.isfinite(level) else "doubtful"
        return Check("noise", name, value, "pixels", verdict, note, f"{place}: not above {highest:g}")
    if not math.isfinite(level):
        note = "only flat tops of stars and the highest number that the file can hold are masked SAT"
        return Check("noise", name, "", "amplifiers.csv", "not known", note, place)
    return Check("noise", name, f"{value}; highest pixel {highest:g}", "pixels")
