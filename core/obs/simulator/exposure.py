"""One detector's raw frame: instrument-signature removal, run backwards."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from obs.algorithms.pixels.row_blocks import row_blocks
from obs.camera.detector import Detector
from obs.frozen import frozen
from obs.image.catalog import Catalog
from obs.instrument.instrument import Instrument
from obs.simulator.config import SimulateConfig
from obs.simulator.cosmic_rays import cosmic_ray_charge, track_count
from obs.simulator.electronics import adu_from_charge, bleed_amplifiers, read_out
from obs.simulator.fixed_pattern import FixedPattern, make_fixed_pattern
from obs.simulator.headers import make_consistent_header
from obs.simulator.light import simulate_light
from obs.simulator.seeds import generator
from obs.simulator.shots import Shot

__all__ = ["Simulated", "Truth", "simulate_exposure"]

Image = NDArray[np.float32]

_MANY, _SELDOM = 10_000.0, 0.1
"""Electrons from which their number is normally distributed (skewness 0.01), and the largest part of others."""


@frozen
class Truth:
    """What a raw frame was made from. Images are those of the assembled detector.

    Parameters
    ----------
    catalog : Catalog
        Sources on the detector and a little beyond, with positions in pixels, fluxes and the PSF; empty unless it is a
        science frame.
    electrons : ndarray of float32, shape (ny, nx)
        Light of sky and sources as a perfect detector would see it, without noise, electrons.
    cosmic_rays : ndarray of float32, shape (ny, nx)
        Charge of cosmic rays, electrons.
    saturated : ndarray of bool, shape (ny, nx)
        Pixels that were filled to the brim.
    pattern : FixedPattern
        What perfect calibration frames would show.
    zero_point : float
        AB magnitude of a source that gives one electron in this exposure; NaN unless it is a science frame.
    sky : float
        Light of the sky, or of the flat-field lamp, electron/pixel.
    seeing : float
        Full width at half maximum of the PSF on the axis, arcsec; NaN unless it is a science frame.
    """

    catalog: Catalog
    electrons: Image
    cosmic_rays: Image
    saturated: NDArray[np.bool_]
    pattern: FixedPattern
    zero_point: float = float("nan")
    sky: float = 0.0
    seeing: float = float("nan")


@frozen
class Simulated:
    """A raw frame and its truth.

    Parameters
    ----------
    images : dict of int to ndarray of uint16, shape ``detector.raw_shape``
        As in a file, by HDU; all in HDU 0 unless amplifiers have HDUs of their own.
    header : dict
        Cards: value, or value and comment.
    data_id : dict
        What ingest makes of the header again.
    detector : Detector
        The detector.
    truth : Truth
        What it was made from.
    """

    images: dict[int, NDArray[np.uint16]]
    header: dict[str, Any]
    data_id: dict[str, Any]
    detector: Detector
    truth: Truth

    @property
    def raw(self) -> NDArray[np.uint16]:
        """The raw image, of a camera that has one a detector.

        Raises
        ------
        ValueError
            If it has several.
        """
        if len(self.images) > 1:
            raise ValueError(f"detector '{self.detector.name}' has {len(self.images)} raw images; see images")
        return next(iter(self.images.values()))


def simulate_exposure(
    instrument: Instrument,
    shot: Shot,
    detector: Detector,
    config: SimulateConfig,
    *,
    seed: int,
    sources: Catalog | None = None,
) -> Simulated:
    """Simulate the raw frame of one detector.

    Parameters
    ----------
    instrument : Instrument
        The camera.
    shot : Shot
        The exposure.
    detector : Detector
        Which detector.
    config : SimulateConfig
        Settings.
    seed : int
        Seed; everything follows from it and from the settings.
    sources : Catalog, optional
        Stars and galaxies with the columns that `make_sky` gives; by default those are simulated.

    Raises
    ------
    PluginError
        If the camera's translator cannot make headers, or its linearity cannot be turned round.
    """
    camera = instrument.load_camera()
    pattern = make_fixed_pattern(config, camera, detector, seed=seed, physical_filter=shot.physical_filter)
    light = simulate_light(instrument, shot, detector, config, seed=seed, sources=sources)
    random = generator(seed, "noise", camera.name, shot.visit, detector.id)
    charge = _collect(light.electrons, pattern, shot.visit_info.dark_time, random)
    cosmic_rays = _cosmic_rays(shot, detector, config, random)
    if cosmic_rays.any():
        charge += cosmic_rays
    saturated = bleed_amplifiers(charge, detector, list(pattern.levels), config.detector.full_well)
    # The charge is overwritten on its way: a detector may have a hundred million pixels.
    adu = adu_from_charge(charge, detector, config.detector.crosstalk)
    images = read_out(adu, detector, pattern, config.detector, random)
    data_id = shot.data_id(instrument, detector)
    header = make_consistent_header(instrument, shot, detector, data_id) | {"SIMSEED": (seed, "seed of the simulation")}
    truth = Truth(
        catalog=light.catalog,
        electrons=light.electrons,
        cosmic_rays=cosmic_rays,
        saturated=saturated,
        pattern=pattern,
        zero_point=light.zero_point,
        sky=light.sky,
        seeing=light.seeing,
    )
    return Simulated(images, header, data_id, detector, truth)


def _collect(electrons: Image, pattern: FixedPattern, dark_time: float, random: np.random.Generator) -> Image:
    """Return the charge that light and dark current leave, with their noise."""
    charge = np.zeros_like(electrons)
    for rows in row_blocks(charge.shape):
        light = electrons[rows]
        is_lit = bool(light.any())
        # nothing is drawn for pixels without light and dark current
        if not (is_lit or dark_time > 0):
            continue
        expected = light * pattern.response[rows] if is_lit else np.zeros_like(light)
        if dark_time > 0:
            expected += pattern.dark[rows] * np.float32(dark_time)
        charge[rows] = _photons(expected, random)
    return charge


def _photons(expected: Image, random: np.random.Generator) -> Image | NDArray[np.int64]:
    """Draw numbers of photons; where hardly any pixel expects few, from the normal distribution that they follow."""
    few = expected < _MANY
    if np.count_nonzero(few) > _SELDOM * few.size:
        return random.poisson(expected)
    drawn = random.standard_normal(expected.shape, np.float32)
    drawn *= np.sqrt(expected)
    drawn += expected
    np.rint(drawn, out=drawn)
    drawn[few] = random.poisson(expected[few])
    return drawn


def _cosmic_rays(shot: Shot, detector: Detector, config: SimulateConfig, random: np.random.Generator) -> Image:
    shape, pixel = detector.bbox.shape, float(np.sqrt(detector.pixel_size_x * detector.pixel_size_y))
    count = 0
    if shot.exposure_time > 0:
        seconds = shot.visit_info.dark_time
        count = track_count(config.cosmic_rays, shape=shape, pixel_size=pixel, dark_time=seconds, random=random)
    return cosmic_ray_charge(config.cosmic_rays, shape=shape, pixel_size=pixel, count=count, random=random)
