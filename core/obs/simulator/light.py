"""The light of sky, stars and galaxies that falls on a detector."""

import numpy as np
from numpy.typing import NDArray

from obs.camera.detector import Detector
from obs.frozen import frozen
from obs.image.catalog import Catalog
from obs.instrument.instrument import FilterDefinition, Instrument
from obs.simulator.changes import change_sky, mid_mjd
from obs.simulator.config import PointingConfig, SimulateConfig
from obs.simulator.electronics import known_gain
from obs.simulator.fixed_pattern import flat_field_error
from obs.simulator.galaxies import GalaxyShapes
from obs.simulator.moffat import MoffatShapes
from obs.simulator.optics import Optics, simulate_optics
from obs.simulator.pointing import Pointing
from obs.simulator.render import add_galaxies, add_stars
from obs.simulator.satellites import add_trails
from obs.simulator.seeds import generator
from obs.simulator.shots import Shot
from obs.simulator.sky import magnitudes, make_sky, select_circle

__all__ = ["Light", "simulate_light", "true_pointing"]

Image = NDArray[np.float32]

#: Sources whose center is so far outside of a detector, pixels, still shine into it.
_MARGIN = 100.0
_DARK_SKY_R = 21.1


@frozen
class Light:
    """What falls on a detector.

    Parameters
    ----------
    electrons : ndarray of float32, shape (ny, nx)
        Light of sky and sources as a perfect detector would see it, without noise, electrons.
    catalog : Catalog
        Sources on the detector and a little beyond, with positions in pixels, fluxes and the PSF; empty unless it is a
        science frame.
    sky : float
        Light of the sky, or of the flat-field lamp, electron/pixel.
    zero_point : float
        AB magnitude of a source that gives one electron in this exposure; NaN unless it is a science frame.
    seeing : float
        Full width at half maximum of the PSF on the axis, arcsec; NaN unless it is a science frame.
    """

    electrons: Image
    catalog: Catalog
    sky: float = 0.0
    zero_point: float = float("nan")
    seeing: float = float("nan")


def simulate_light(
    instrument: Instrument,
    shot: Shot,
    detector: Detector,
    config: SimulateConfig,
    *,
    seed: int,
    sources: Catalog | None = None,
) -> Light:
    """Return the light that falls on a detector in an exposure; arguments as of `simulate_exposure`.

    Parameters
    ----------
    instrument : Instrument
        The camera.
    shot : Shot
        The exposure.
    detector : Detector
        Detector of the frame.
    config : SimulateConfig
        Settings.
    seed : int
        Seed; everything follows from it and from the settings.
    sources : Catalog, optional
        Stars and galaxies with the columns of `make_sky`. By default they are simulated.

    Returns
    -------
    Light
        Electrons in each pixel; zero for biases and darks.
    """
    known = instrument.find_filter(shot.physical_filter)
    shape = detector.bbox.shape
    random = generator(seed, "exposure", shot.visit)
    if shot.image_type in ("bias", "dark"):
        return Light(np.zeros(shape, np.float32), Catalog())
    if shot.image_type == "flat":
        level = config.detector.flat_level * float(np.exp(0.02 * random.standard_normal()))
        return Light(np.full(shape, level, np.float32), Catalog(), sky=level)
    zero_point = config.sky.zero_point + config.sky.zero_point_scatter * random.standard_normal()
    zero_point += 2.5 * np.log10(shot.exposure_time * _transparency(config.sky.lowest_transparency, shot, seed))
    sky = (
        config.sky.level
        if config.sky.level is not None
        else _sky_level(instrument, detector, config, known, zero_point)
    )
    if config.sky.brightness_scatter:
        moon = generator(seed, "brightness", shot.visit).standard_normal()
        sky *= float(10.0 ** (0.4 * config.sky.brightness_scatter * moon))
    pointing = true_pointing(instrument, shot, config.pointing, seed=seed)
    optics = simulate_optics(
        config.optics,
        instrument.load_camera(),
        seed=seed,
        exposure=shot.visit,
        airmass=shot.airmass,
        wavelength=known.effective_wavelength,
    )
    mjd = mid_mjd(shot.date_begin, shot.exposure_time)
    catalog, psf = _observe(pointing, detector, optics, config, known, zero_point, seed, sources, mjd)
    electrons = np.zeros(shape, np.float32)
    _add_sources(electrons, catalog, psf, pointing, detector, config.sources.cutoff)
    electrons += np.float32(sky)
    trails = add_trails(electrons, config.satellites, shot.visit, generator(seed, "trails", shot.visit, detector.id))
    for number, (x, y, angle) in enumerate(trails):
        catalog.metadata[f"TRAIL{number}"] = f"x={x:.2f} y={y:.2f} angle={angle:.4f}"
    electrons *= flat_field_error(config.detector, detector, seed=seed, physical_filter=shot.physical_filter)
    return Light(electrons, catalog, sky, float(zero_point), optics.fwhm)


def true_pointing(instrument: Instrument, shot: Shot, config: PointingConfig, *, seed: int) -> Pointing:
    """Return where the telescope really points, which is not quite what the header says.

    Parameters
    ----------
    instrument : Instrument
        The camera.
    shot : Shot
        The exposure, with the pointing that its header will give, degrees.
    config : PointingConfig
        Errors of pointing (arcsec) and rotator (degrees).
    seed : int
        Seed. The error of a visit depends on its number and the seed only.
    """
    random = generator(seed, "pointing", shot.visit)
    east, north = random.normal(0.0, 1.0, 2) * config.error / 3600.0
    return Pointing(
        instrument.load_camera(),
        ra=shot.ra + east / max(np.cos(np.radians(shot.dec)), 1e-6),
        dec=float(np.clip(shot.dec + north, -90.0, 90.0)),
        rotation=shot.rotation + random.normal(0.0, 1.0) * config.rotation_error,
    )


def _transparency(lowest: float, shot: Shot, seed: int) -> float:
    """Return the fraction of the light that clouds let pass in an exposure."""
    return float(generator(seed, "clouds", shot.visit).uniform(lowest, 1.0)) if lowest < 1.0 else 1.0


def _sky_level(
    instrument: Instrument, detector: Detector, config: SimulateConfig, known: FilterDefinition, zero_point: float
) -> float:
    """Return the light of the sky, electron/pixel."""
    brightness = config.sky.brightness.get(known.band, config.sky.brightness.get("r", _DARK_SKY_R))
    area = detector.pixel_size_x * detector.pixel_size_y * instrument.load_camera().plate_scale ** 2
    return float(area * 10.0 ** (-0.4 * (brightness - zero_point)))


def _observe(
    pointing: Pointing,
    detector: Detector,
    optics: Optics,
    config: SimulateConfig,
    known: FilterDefinition,
    zero_point: float,
    seed: int,
    sources: Catalog | None,
    mjd: float,
) -> tuple[Catalog, MoffatShapes]:
    """Return the sources that shine into a detector, with what is true of them in this exposure, and their PSF."""
    circle = pointing.circle(detector, margin=_MARGIN)
    around = {"ra": circle.ra, "dec": circle.dec, "radius": circle.radius}
    found = make_sky(config.sources, seed=seed, **around) if sources is None else select_circle(sources, **around)
    found = change_sky(found, config.changes, **around, mjd=mjd, seed=seed)
    x, y = pointing.sky_to_pixel(detector, ra=found["coord_ra"], dec=found["coord_dec"])
    box = detector.bbox
    near = (x > -_MARGIN) & (x < box.width + _MARGIN) & (y > -_MARGIN) & (y < box.height + _MARGIN)
    catalog, x, y = found.select(near), x[near], y[near]
    magnitude = magnitudes(catalog, known)
    if "delta_magnitude" in catalog:
        magnitude = magnitude + catalog["delta_magnitude"]
    flux = 10.0 ** (-0.4 * (magnitude - zero_point))
    psf = optics.psf(detector, x=x, y=y)
    gain = np.full(len(catalog), np.nan)
    for amp in detector.amplifiers:
        inside = (x >= amp.bbox.x_min - 0.5) & (x < amp.bbox.x_max - 0.5)
        inside &= (y >= amp.bbox.y_min - 0.5) & (y < amp.bbox.y_max - 0.5)
        gain[inside] = known_gain(amp)
    catalog.add("x", x, "pixel", "true position, pixels of the detector, 0-based")
    catalog.add("y", y, "pixel", "true position, pixels of the detector, 0-based")
    catalog.add("magnitude", magnitude, "mag", f"AB magnitude in {known.physical_filter}")
    catalog.add("electrons", flux, "electron", "true flux before vignetting")
    catalog.add("counts", flux / gain, "adu", "true flux before vignetting; NaN beside the detector")
    catalog.add("psf_fwhm", psf.fwhm, "pixel", "full width at half maximum of the PSF, if it were round")
    catalog.add("psf_g1", psf.g1, "", "reduced shear of the PSF along x")
    catalog.add("psf_g2", psf.g2, "", "reduced shear of the PSF along the diagonal")
    catalog.metadata.update(ZEROPT=float(zero_point), SEEING=optics.fwhm, BETA=optics.config.beta)
    return catalog, psf


def _add_sources(
    electrons: Image, catalog: Catalog, psf: MoffatShapes, pointing: Pointing, detector: Detector, cutoff: float
) -> None:
    stars = np.flatnonzero(catalog["is_star"])
    galaxies = np.flatnonzero(~catalog["is_star"])
    x, y, flux = catalog["x"], catalog["y"], catalog["electrons"]
    add_stars(electrons, psf.select(stars), x=x[stars], y=y[stars], flux=flux[stars], cutoff=cutoff)
    shapes = _galaxy_shapes(catalog.select(galaxies), pointing, detector)
    place = {"x": x[galaxies], "y": y[galaxies], "flux": flux[galaxies]}
    add_galaxies(electrons, shapes, psf.select(galaxies), **place, cutoff=cutoff)


def _galaxy_shapes(galaxies: Catalog, pointing: Pointing, detector: Detector) -> GalaxyShapes:
    """Return galaxies as pixels see them: along the axes that the distorted field has at each place."""
    ra, dec = galaxies["coord_ra"], galaxies["coord_dec"]
    angle, longer = np.radians(galaxies["position_angle"]), galaxies["half_light_radius"] / 3600.0
    shorter = longer * galaxies["axis_ratio"]
    x, y = galaxies["x"], galaxies["y"]
    axes = []
    for length, direction in ((longer, angle), (shorter, angle + np.pi / 2.0)):
        east, north = length * np.sin(direction), length * np.cos(direction)
        moved = pointing.sky_to_pixel(detector, ra=ra + east / np.cos(np.radians(dec)), dec=dec + north)
        axes.append((moved[0] - x, moved[1] - y))
    (ax, ay), (bx, by) = axes
    return GalaxyShapes(ax**2 + bx**2, ax * ay + bx * by, ay**2 + by**2, galaxies["is_de_vaucouleurs"])
