"""A simulated frame all the way: file, ingest, signature removal; and what differs from the truth."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from obs.camera.amplifier import Amplifier
from obs.camera.detector import Detector
from obs.errors import PluginError
from obs.frozen import frozen
from obs.image.catalog import Catalog
from obs.image.exposure import Exposure
from obs.image.mask import Mask
from obs.image.masked_image import MaskedImage
from obs.image.visit_info import VisitInfo
from obs.ingest.raws import IngestOptions, ingest_raws
from obs.ingest.repository import make_repository
from obs.ingest.translation import load_translator
from obs.instrument.instrument import Instrument
from obs.policy.data_id import format_data_id
from obs.raw_exposure import remove_raw_signature
from obs.repo.butler import Butler
from obs.repo.fits_catalog import write_catalog
from obs.repo.fits_exposure import write_exposure
from obs.simulator.config import SimulateConfig
from obs.simulator.electronics import known_gain, known_saturation
from obs.simulator.exposure import Simulated, simulate_exposure
from obs.simulator.files import RawFrame, write_raw
from obs.simulator.settings import simulator_settings
from obs.tasks.isr_config import IsrConfig
from obs.tasks.process_settings import process_settings
from obs.testing.cut_out import cut_instrument
from obs.testing.simulated_header import SECONDS, first_filter, plan_shot

__all__ = ["frame_faults", "smallest_detector"]

Image = NDArray[np.float32]

_SEED = 20200904
_SKY = 2000.0
"""Light of the sky, electrons, or less where the amplifiers do not hold it."""
_READ_NOISE = 5.0
"""For amplifiers whose table has none, electrons."""
_SIZE = 256
"""Columns and rows of data of an amplifier that are simulated."""
_SIGMAS = 5.0
_LEAST_RESPONSE = np.float32(0.05)
_NOT_SIMULATED = (
    *("do_brighter_fatter", "do_fringe", "do_stray_light", "do_illumination_correction"),
    *("do_attach_transmission_curve", "do_camera_specific_masking"),
)
_NOT_WANTED = ("do_interpolate", "do_set_bad_regions", "do_vignette")
"""Steps that change pixels beyond recognition, or mask them."""


def smallest_detector(instrument: Instrument) -> Detector:
    """Return the science detector with the fewest pixels.

    Parameters
    ----------
    instrument : Instrument
        The camera.

    Raises
    ------
    PluginError
        If there is none.
    """
    science = [detector for detector in instrument.load_camera() if detector.type == "SCIENCE"]
    if not science:
        raise PluginError(f"camera '{instrument.name}' has no detector of type SCIENCE")
    return min(science, key=lambda detector: detector.bbox.width * detector.bbox.height)


def frame_faults(instrument: Instrument, folder: Path) -> Iterator[str]:
    """Simulate a frame of the smallest science detector, ingest it, remove its signature, and compare.

    Bias, dark, flat and defects are the true ones; the settings are the camera's own.

    Parameters
    ----------
    instrument : Instrument
        The camera.
    folder : Path
        An empty folder.

    Yields
    ------
    str
        What is not as it was simulated.
    """
    several = bool(load_translator(instrument).extensions)  # one file holds all detectors
    chosen = list(instrument.load_camera()) if several else [smallest_detector(instrument)]
    instrument = cut_instrument(instrument, chosen, size=_SIZE)
    detector = smallest_detector(instrument)
    shot = plan_shot("science", first_filter(instrument), visit=7, seed=_SEED)
    process = _settings(instrument)
    noisy = replace(detector, amplifiers=tuple(_with_noise(amp) for amp in detector.amplifiers))
    config = _light(instrument, noisy, process)
    frame = simulate_exposure(instrument, shot, noisy, config, seed=_SEED)
    files = [RawFrame(frame.images, frame.header, detector)]
    for other in instrument.load_camera():
        if other.id != detector.id:
            made = simulate_exposure(instrument, shot, other, config, seed=_SEED)
            files.append(RawFrame(made.images, made.header, other))
    raw = folder / "raw.fits"
    write_raw(raw, files, multi_extension=several)
    make_repository(folder / "data", instrument)
    butler = Butler(folder / "data", instrument=instrument)
    report = ingest_raws(butler, [raw], IngestOptions()).files[0]
    if report.status != "ingested":
        yield f"a simulated file is not ingested: {report.reason}"
        return
    keys = instrument.detector_keys(detector)
    data_id = next((found for found in report.data_ids if keys.items() <= found.items()), None)
    if data_id is None:
        yield f"the header of {format_data_id(dict(keys))} is ingested as {format_data_id(report.data_ids[0])}"
        return
    isr = _with_truth(process, frame, folder)
    warnings: list[str] = []
    exposure = remove_raw_signature(butler, data_id, isr, warn=warnings.append)
    yield from _compare(_Comparison(frame, isr, exposure))


def _settings(instrument: Instrument) -> IsrConfig:
    """Return the camera's settings of signature removal, without what is not simulated."""
    layers = process_settings(instrument)
    for name in (*_NOT_SIMULATED, *_NOT_WANTED):
        layers.set(f"isr.{name}=false")
    # The simulator adds ghosts of the sky too.
    layers.set("isr.crosstalk.background=None")
    return layers.build().isr


def _light(instrument: Instrument, detector: Detector, isr: IsrConfig) -> SimulateConfig:
    """Return the camera's settings of the simulator, with a sky that stands out of the noise everywhere."""
    config = simulator_settings(instrument).build()
    room = min((known_saturation(amp) - config.detector.bias_level) * known_gain(amp) for amp in detector.amplifiers)
    config.sky.level = min(_SKY, 0.2 * max(room, 1.0))
    config.cosmic_rays.count = 0
    # A drift is taken away as far as the overscan is fitted, which the truth does not know.
    config.detector.drift = 0.0
    if not isr.do_crosstalk:
        config.detector.crosstalk = []
    return config


def _with_noise(amp: Amplifier) -> Amplifier:
    if amp.nominal.read_noise > 0:
        return amp
    return replace(amp, nominal=replace(amp.nominal, read_noise=_READ_NOISE))


def _levels_stay(amp: Amplifier, isr: IsrConfig) -> bool:
    """Whether there is no overscan that takes the amplifier's zero away, so that the bias has it."""
    return not isr.do_overscan or amp.raw_serial_overscan_bbox.is_empty


def _with_truth(isr: IsrConfig, frame: Simulated, folder: Path) -> IsrConfig:
    """Write what perfect calibration frames would show, and return settings that use them."""
    pattern, detector = frame.truth.pattern, frame.detector
    gain, bias = np.ones(detector.bbox.shape, np.float32), pattern.bias.copy()
    for amp, level in zip(detector.amplifiers, pattern.levels, strict=True):
        gain[amp.bbox.slices] = known_gain(amp)
        if _levels_stay(amp, isr):
            bias[amp.bbox.slices] += np.float32(level)
    frames = {
        "bias": (bias, VisitInfo()),
        "dark": (pattern.dark / gain, VisitInfo(exposure_time=1.0, dark_time=1.0)),
        "flat": (np.maximum(pattern.response, _LEAST_RESPONSE), VisitInfo()),
    }
    paths = {}
    for name, (image, info) in frames.items():
        masked = MaskedImage(image, Mask.zeros(image.shape), np.zeros(image.shape, np.float32))
        write_exposure(Exposure(masked, visit_info=info), folder / f"{name}.fits")
        paths[f"{name}_path"] = str(folder / f"{name}.fits")
    rows, columns = np.nonzero(pattern.defects)
    table = Catalog()
    for column, values in {"x0": columns, "y0": rows, "width": rows * 0 + 1, "height": rows * 0 + 1}.items():
        table.add(column, values.astype(np.int32))
    write_catalog(table, folder / "defects.fits")
    paths["defects_path"] = str(folder / "defects.fits")
    return isr.model_copy(update=paths)


@frozen
class _Comparison:
    """A frame, how its signature was removed, and what came out."""

    frame: Simulated
    isr: IsrConfig
    exposure: Exposure

    @property
    def good(self) -> NDArray[np.bool_]:
        """Pixels that nothing is wrong with, nor with their column: charge of saturated pixels runs along it."""
        truth = self.frame.truth
        bleeding = np.zeros_like(truth.saturated)
        for amp in self.frame.detector.amplifiers:
            bleeding[amp.bbox.slices] = truth.saturated[amp.bbox.slices].any(axis=0)
        good: NDArray[np.bool_] = (self.exposure.masked_image.mask.array == 0) & ~truth.pattern.defects & ~bleeding
        return good

    def expected(self, amp: Amplifier, level: float) -> tuple[Image, Image]:
        """Return what should have come out of an amplifier, and its variance, in the unit of the result."""
        truth, isr, where = self.frame.truth, self.isr, amp.bbox.slices
        gain, response = known_gain(amp), truth.pattern.response[where]
        dark = truth.pattern.dark[where] * np.float32(SECONDS)
        charge = truth.electrons[where] * response + dark
        value = (charge - dark if isr.do_dark else charge) / np.float32(gain)
        if not isr.do_bias:
            value += truth.pattern.bias[where] + np.float32(level if _levels_stay(amp, isr) else 0.0)
        # numbers in a file are whole
        variance = (charge + np.float32(amp.nominal.read_noise**2)) / np.float32(gain**2) + np.float32(1 / 12)
        factor = np.full_like(value, gain if isr.do_apply_gains else 1.0)
        if isr.do_flat:
            factor /= np.maximum(response, _LEAST_RESPONSE)
        return value * factor, variance * factor**2


def _compare(comparison: _Comparison) -> Iterator[str]:
    exposure, detector = comparison.exposure, comparison.frame.detector
    if exposure.shape != detector.bbox.shape:
        yield f"the result has {exposure.shape[1]} x {exposure.shape[0]} pixels, the detector {detector.bbox}"
        return
    good = comparison.good
    for amp, level in zip(detector.amplifiers, comparison.frame.truth.pattern.levels, strict=True):
        where = amp.bbox.slices
        chosen = good[where]
        name = f"detector '{detector.name}', amplifier '{amp.name}'"
        if chosen.mean() < 0.5:
            yield f"{name}: {1 - chosen.mean():.0%} of the pixels are masked"
            continue
        expected, variance = comparison.expected(amp, float(level))
        pixels = exposure.masked_image.image[where]
        residual = (pixels - expected)[chosen].astype(np.float64)
        sigma = np.sqrt(variance[chosen], dtype=np.float64)
        yield from (
            f"{name}: {fault}" for fault in _noise_faults(residual, sigma, _overscan_error(amp, comparison.isr))
        )
        is_light = comparison.isr.do_bias or not _levels_stay(amp, comparison.isr)
        if comparison.isr.do_variance and is_light:
            ratio = float(np.median(np.sqrt(exposure.masked_image.variance[where][chosen]) / sigma))
            if not abs(ratio - 1) < 0.05:
                yield f"{name}: the variance plane gives {ratio:.3f} times the true noise"


def _overscan_error(amp: Amplifier, isr: IsrConfig) -> float:
    """Return the standard deviation of the overscan's level, ADU."""
    if _levels_stay(amp, isr):
        return 0.0
    pixels = amp.raw_serial_overscan_bbox.width * amp.raw_serial_overscan_bbox.height
    one = np.sqrt((amp.nominal.read_noise / known_gain(amp)) ** 2 + 1 / 12)
    return float(1.2533 * one / np.sqrt(pixels))


def _noise_faults(residual: NDArray[np.float64], sigma: NDArray[np.float64], overscan: float) -> Iterator[str]:
    """Compare the mean and the scatter of the residuals with what noise allows."""
    n = residual.size
    offset, allowed = float(residual.mean()), _SIGMAS * float(np.hypot(np.sqrt((sigma**2).mean() / n), overscan))
    if not abs(offset) < allowed:
        yield f"the light is off by {offset:+.3g} on average, noise allows {allowed:.2g}"
    scatter = float(np.std((residual - offset) / sigma))
    if not abs(scatter - 1) < _SIGMAS / np.sqrt(2 * n) + 0.02:
        yield f"the light scatters by {scatter:.3f} times the noise about the truth"
