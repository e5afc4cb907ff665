"""Gain and read noise that no header gives, measured from pairs of flats and biases among the files."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from obs.algorithms.detector.photon_noise import Estimate, count_step, estimate_gain, estimate_noise
from obs.frozen import frozen
from obs.geom import Box
from obs.inspection.amplifier_facts import OF_ONE_AMPLIFIER, AmplifierFacts, DetectorFacts
from obs.inspection.finding import Confidence, Finding
from obs.inspection.frame_facts import FileFacts
from obs.inspection.header.processed import find_corrected, is_in_electrons, is_stack
from obs.inspection.raw_file import RawImage

__all__ = ["SHORT_DARK", "Exposure", "measure_noise"]

_LARGEST_OF_16_BITS = 65535.0
_FULL = 0.7
"""Part of the range of the converter above which flats are not used."""
_PILE = 20
"""Pixels at the highest value that make it the level of saturation."""
SHORT_DARK = 10.0
"""Seconds of the longest darks that show read noise more than dark current."""
_WORST_ERROR = 0.1
"""Relative standard error up to which a gain is believed."""
_GAINS = (0.005, 50.0)
_DISAGREEMENT = 0.15
"""Relative difference from which on a measured gain replaces that of the header."""
_OF_A_SETTING = 0.05
"""Likewise, of a multiple of one half, the name of a setting rather than its gain, if less is measured: flats have more
noise than photons, or less (charge repels charge), and only the latter looks like a larger gain."""
_GOOD_ERROR = 0.05
"""Relative standard error up to which a measured gain replaces that of another amplifier."""
_ROUNDING = 1.0 / 12.0
"""Variance of rounding to integers, ADU^2."""
_FINEST = 0.45
"""Part of the step of the counts below which their rounding hides the noise."""


@frozen
class Exposure:
    """The images of one detector in one file, and what the file says of the exposure.

    Of a color mosaic, every ``step``-th pixel along both axes is one color; boxes are those of one color.

    Parameters
    ----------
    images : tuple of RawImage
        Raw images of one detector.
    facts : FileFacts
        Facts of the exposure.
    step : int, default: 1
        Distance of pixels of one color along both axes.
    """

    images: tuple[RawImage, ...]
    facts: FileFacts
    step: int = 1

    @property
    def kind(self) -> str:
        """Image type of this file, if it is known."""
        return str(self.facts.image_type[0].value)

    @property
    def name(self) -> str:
        """Name of the file of this frame."""
        return self.images[0].path.name


def measure_noise(facts: DetectorFacts, exposures: Sequence[Exposure]) -> DetectorFacts:
    """Return what is known of a detector, with gains and read noises that pairs of its frames show.

    A measured value fills what is not known. A gain of the header that is not certain is replaced where the photon
    noise contradicts it.

    Parameters
    ----------
    facts : DetectorFacts
        The detector.
    exposures : sequence of Exposure
        Its frames in the files; those that were processed already are left out.
    """
    if not any(_is_open(amp) for amp in facts.amplifiers):
        return facts
    raw = [exposure for exposure in exposures if _is_raw(exposure)]
    biases = ([exposure for exposure in raw if exposure.kind == "bias"] or _short_darks(raw))[:2]
    flats = _best_flats([exposure for exposure in raw if exposure.kind == "flat"])
    if len(biases) < 2 and not flats:
        return facts
    amplifiers = tuple(_measured(amp, flats, biases) if _is_open(amp) else amp for amp in facts.amplifiers)
    for exposure in (*flats, *biases):
        for image in exposure.images:
            image.release()
    return replace(facts, amplifiers=amplifiers)


def _is_raw(exposure: Exposure) -> bool:
    cards = exposure.images[0].cards
    return not (is_stack(cards) or find_corrected(cards) or is_in_electrons(cards) or cards.get("PEDESTAL"))


def _short_darks(raw: Sequence[Exposure]) -> list[Exposure]:
    """Return the darks that can stand in for biases: the shortest, of equal times, if they are of a few seconds."""
    times = [exposure.facts.exposure[0].value for exposure in raw]
    darks = [(t, exposure) for t, exposure in zip(times, raw, strict=True) if exposure.kind == "dark" and t is not None]
    shortest = min((time for time, _ in darks), default=math.inf)
    return [exposure for time, exposure in darks if time == shortest <= SHORT_DARK]


def _is_open(amp: AmplifierFacts) -> bool:
    gain, noise = amp.findings["gain"], amp.findings["read_noise"]
    return not gain.is_known or not noise.is_known or gain.confidence != "certain" or _is_of_another(noise)


def _is_of_another(finding: Finding) -> bool:
    """Whether a value may be that of another amplifier."""
    return finding.confidence == "guess" and finding.note.startswith(OF_ONE_AMPLIFIER)


def _best_flats(flats: Sequence[Exposure]) -> tuple[Exposure, ...]:
    """Return the two flats of a filter whose exposure times are nearest to each other; none if there are none."""
    pairs = [pair for pair in combinations(flats, 2) if pair[0].facts.glass[0].value == pair[1].facts.glass[0].value]
    return min(pairs, key=_difference, default=())


def _difference(pair: tuple[Exposure, Exposure]) -> float:
    first, second = (exposure.facts.exposure[0].value for exposure in pair)
    return abs(first - second) if first is not None and second is not None else math.inf


def _measured(amp: AmplifierFacts, flats: Sequence[Exposure], biases: Sequence[Exposure]) -> AmplifierFacts:
    findings = dict(amp.findings)
    pair = [_pixels(bias, amp, amp.data) for bias in biases] if len(biases) == 2 else []
    dark = estimate_noise(*pair) if pair else None
    gain = _gain(amp, flats, biases, dark) if len(flats) == 2 else None
    if gain is not None:
        findings["gain"] = _judge_gain(findings["gain"], gain, _source("photon noise", flats))
    noise = findings["read_noise"]
    if dark is not None and findings["gain"].is_known and (not noise.is_known or _is_of_another(noise)):
        measured = _read_noise(dark, count_step(*pair), findings["gain"].value, biases)
        findings["read_noise"] = measured if measured.is_known or not noise.is_known else noise
    return replace(amp, findings=findings)


def _read_noise(dark: Estimate, step: float, gain: float, biases: Sequence[Exposure]) -> Finding:
    """Return the read noise by two biases, less what the rounding of their counts adds."""
    variance = dark.value**2 - _ROUNDING * step**2
    if variance < (_FINEST * step) ** 2:
        return Finding.unknown("read_noise", f"it is less than {_FINEST:g} of the step of the counts, {step:g} ADU")
    note = f"the counts come in steps of {step:g}" if step > 1.0 else ""
    return Finding("read_noise", _rounded(math.sqrt(variance) * gain), _source("noise", biases), "likely", note)


def _gain(
    amp: AmplifierFacts, flats: Sequence[Exposure], biases: Sequence[Exposure], dark: Estimate | None
) -> Estimate | None:
    levels = list(_dark_levels(amp, flats, biases))
    if len(levels) < 2:
        return None
    read_variance = dark.value**2 if dark is not None else levels[0][1]
    data = [_pixels(flat, amp, amp.data) for flat in flats]
    ceiling = min(_ceiling(amp, pixels) for pixels in data) - max(level for level, _ in levels)
    light = [pixels - level for pixels, (level, _) in zip(data, levels, strict=True)]
    found = estimate_gain(light[0], light[1], read_variance=read_variance, ceiling=ceiling)
    if found is None or found.error > _WORST_ERROR * found.value or not _GAINS[0] < found.value < _GAINS[1]:
        return None
    return found


def _dark_levels(
    amp: AmplifierFacts, flats: Sequence[Exposure], biases: Sequence[Exposure]
) -> Iterator[tuple[float, float]]:
    """Yield level and variance without light for each flat, by its overscan, else by a bias; ADU and its square."""
    for flat in flats:
        if not amp.overscan.is_empty:
            pixels = _pixels(flat, amp, amp.overscan)
        elif biases:
            pixels = _pixels(biases[0], amp, amp.data)
        else:
            return
        differences = np.diff(pixels, axis=0 if len(pixels) >= pixels.shape[1] else 1)
        spread = 1.4826 * float(np.median(np.abs(differences - np.median(differences))))
        yield float(np.median(pixels)), spread**2 / 2.0


def _ceiling(amp: AmplifierFacts, pixels: NDArray[np.float64]) -> float:
    """Return the level above which a flat is not used, ADU, bias included."""
    saturation = amp.findings["saturation"]
    known = float(saturation.value) if saturation.is_known else _LARGEST_OF_16_BITS
    highest = float(pixels.max())
    if np.count_nonzero(pixels == highest) >= _PILE:
        known = min(known, highest)
    return _FULL * known


def _pixels(exposure: Exposure, amp: AmplifierFacts, box: Box) -> NDArray[np.float64]:
    """Return pixels of an amplifier, shape (ny, nx), ADU; empty where the file has none."""
    image = next((image for image in exposure.images if amp.raw_hdu in (0, image.hdu)), None)
    pixels = None if image is None else image.pixels
    return (
        np.zeros((0, 0))
        if pixels is None
        else np.asarray(pixels[:: exposure.step, :: exposure.step][box.slices], np.float64)
    )


def _judge_gain(header_gain: Finding, measured: Estimate, source: str) -> Finding:
    value = _rounded(measured.value)
    if not header_gain.is_known:
        return Finding("gain", value, source, "likely", f"standard error {measured.error:.2g}")
    if _is_of_another(header_gain) and measured.error < _GOOD_ERROR * measured.value:
        note = (
            f"{header_gain.source} = {header_gain.value:g} is {header_gain.note}; standard error {measured.error:.2g}"
        )
        return Finding("gain", value, source, "likely", note)
    apart, error = abs(measured.value / header_gain.value - 1.0), 5.0 * measured.error / measured.value
    is_setting = float(2.0 * header_gain.value).is_integer() and measured.value < header_gain.value
    if apart > (_OF_A_SETTING if is_setting else _DISAGREEMENT) + error:
        return Finding("gain", value, source, "likely", f"{header_gain.source} = {header_gain.value:g} is not the gain")
    sure: Confidence = "guess" if apart > _DISAGREEMENT / 2.0 + error else "likely"
    return replace(header_gain, confidence=sure, note=f"{source} gives {value:g}")


def _source(what: str, pair: Sequence[Exposure]) -> str:
    return f"{what} of {pair[0].name} and {pair[1].name}"


def _rounded(value: float) -> float:
    return float(f"{value:.3g}")
