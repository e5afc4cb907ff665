"""Settings of `obs simulate`: the sky, the optics and the detectors."""

from obs.config.base import TaskConfig, setting
from obs.simulator.changes_config import ChangesConfig, SatelliteConfig

__all__ = [
    "CosmicRayConfig",
    "DetectorConfig",
    "OpticsConfig",
    "PointingConfig",
    "ReferenceConfig",
    "SimulateConfig",
    "SkyConfig",
    "SourceConfig",
]

#: Moonless sky of a dark place, AB mag/arcsec^2.
_DARK_SKY = {"u": 22.7, "g": 22.0, "r": 21.1, "i": 20.4, "z": 19.4, "y": 18.5}


class SkyConfig(TaskConfig):
    """The sky's own light, and how much of all light is detected."""

    brightness: dict[str, float] = setting(
        dict(_DARK_SKY), "Surface brightness by band; other bands are as r.", unit="mag/arcsec2"
    )
    level: float | None = setting(
        None, "Sky in every science frame; from brightness and zero point if null.", unit="electron/pixel", ge=0
    )
    zero_point: float = setting(26.5, "AB magnitude that gives one electron a second, in any band.", unit="mag")
    zero_point_scatter: float = setting(
        0.02, "Standard deviation of the zero point from exposure to exposure.", unit="mag", ge=0
    )
    lowest_transparency: float = setting(
        1.0, "Clouds let pass between this fraction of the light and all of it, evenly spread.", gt=0, le=1
    )
    brightness_scatter: float = setting(
        0.0, "Standard deviation of the sky's brightness from exposure to exposure.", unit="mag", ge=0
    )


class SourceConfig(TaskConfig):
    """Stars and galaxies, of which the same are at the same place for one seed."""

    density: float = setting(30000.0, "Number of simulated sources for each area of the sky.", unit="1/deg2", ge=0)
    galaxy_fraction: float = setting(0.4, "Fraction of the sources that are galaxies.", ge=0, le=1)
    bright: float = setting(14.0, "Magnitude of the brightest stars in r.", unit="mag")
    galaxy_bright: float = setting(17.0, "Magnitude of the brightest galaxies in r.", unit="mag")
    faint: float = setting(24.0, "Magnitude of the faintest sources in r.", unit="mag")
    slope: float = setting(0.25, "Slope of the logarithm (base 10) of counts against magnitude.", gt=0)
    galaxy_size: float = setting(0.45, "Median half-light radius of galaxies at the faint end.", unit="arcsec", gt=0)
    cutoff: float = setting(
        0.02,
        "Level below which the wings of a source are not drawn. Lower values take more time.",
        unit="electron/pixel",
        gt=0,
    )
    catalog: str | None = setting(
        None, "File of sources in place of the simulated ones: columns as in the truth catalogs."
    )


class OpticsConfig(TaskConfig):
    """The PSF, and the light that the optics lose off the axis."""

    seeing: float = setting(0.8, "Median full width at half maximum at 500 nm in the zenith.", unit="arcsec", gt=0)
    seeing_scatter: float = setting(0.1, "Relative standard deviation of the seeing from exposure to exposure.", ge=0)
    fixed_seeing: float | None = setting(
        None, "Width of the PSF on the axis in every exposure, whatever band and airmass.", unit="arcsec", gt=0
    )
    seeing_range: tuple[float, float] | None = setting(
        None,
        "Narrowest and widest PSF on the axis, evenly spread over the exposures; null for the scatter above.",
        unit="arcsec",
    )
    beta: float = setting(
        3.0, "Exponent of the Moffat profile of the stars, a number. Lower values give brighter wings.", gt=1.5
    )
    growth: float = setting(0.08, "Relative growth of the PSF from the axis to the edge of the field.", ge=0)
    gradient: float = setting(0.01, "Relative change of the PSF's width from the center to the edge, along x.")
    ellipticity: float = setting(
        0.01, "Reduced shear of the PSF on the axis, as a ratio. Its direction changes from exposure to exposure.", ge=0
    )
    astigmatism: float = setting(
        0.03, "Reduced shear along the radius that the edge of the field adds, as a ratio.", ge=0
    )
    vignetting: float = setting(0.15, "Fraction of the light that is lost at the edge of the field.", ge=0, lt=1)


class CosmicRayConfig(TaskConfig):
    """Charged particles in the detectors."""

    rate: float = setting(0.08, "Number of cosmic-ray tracks for each area and time.", unit="1/cm2/s", ge=0)
    count: int | None = setting(None, "Number of tracks in every exposure; from the rate if null.", ge=0)
    thickness: float = setting(
        0.1, "Thickness of the silicon that collects charge. Thicker silicon gives longer tracks.", unit="mm", gt=0
    )
    ionization: float = setting(80000.0, "Charge that a cosmic ray frees along its track.", unit="electron/mm", gt=0)
    diffusion: float = setting(
        0.3,
        "Sigma of the Gaussian by which charge of cosmic rays spreads on its way to the pixels.",
        unit="pixel",
        ge=0,
    )
    curled: float = setting(0.25, "Fraction of the tracks that are those of slow electrons, which curl.", ge=0, le=1)


class DetectorConfig(TaskConfig):
    """What the detectors do to the light. Gain, read noise, saturation and linearity are the camera's own."""

    bias_level: float = setting(1000.0, "Level of the amplifiers in an exposure without light.", unit="adu", ge=0)
    bias_scatter: float = setting(
        20.0, "Standard deviation of that level from amplifier to amplifier.", unit="adu", ge=0
    )
    bias_structure: float = setting(2.0, "Amplitude of the fixed pattern in bias frames.", unit="adu", ge=0)
    drift: float = setting(1.0, "Drift of the zero from row to row, where there is overscan.", unit="adu", ge=0)
    dark_current: float = setting(0.01, "Dark current of a pixel that is not hot.", unit="electron/s", ge=0)
    hot_fraction: float = setting(2e-5, "Fraction of the pixels that are hot.", ge=0, le=1)
    hot_current: float = setting(20.0, "Dark current of a typical hot pixel.", unit="electron/s", ge=0)
    dead_fraction: float = setting(1e-5, "Fraction of the pixels that see a tenth of the light.", ge=0, le=1)
    bad_columns: float = setting(1.0, "Mean number of columns, or parts of columns, that see no light.", ge=0)
    pixel_response: float = setting(
        0.004, "Standard deviation of the sensitivities of the pixels, relative to their mean.", ge=0
    )
    amplifier_response: float = setting(
        0.01, "Standard deviation of the sensitivities of the amplifiers, relative to their mean.", ge=0
    )
    flat_error: float = setting(
        0.0, "Relative standard deviation of a smooth pattern in the response that flats do not have.", ge=0, lt=0.5
    )
    crosstalk: list[list[float]] = setting(
        [], "Part of each amplifier's signal (row) that is seen in each other (column); none if empty."
    )
    flat_level: float = setting(20000.0, "Level of light in flat frames.", unit="electron/pixel", gt=0)
    full_well: float = setting(1.05, "Charge at which pixels bleed, as multiple of that at saturation.", gt=0)


class PointingConfig(TaskConfig):
    """How far the telescope points from where its headers say."""

    error: float = setting(1.5, "Standard deviation of the pointing along each axis.", unit="arcsec", ge=0)
    rotation_error: float = setting(0.01, "Standard deviation of the angle of the rotator.", unit="deg", ge=0)


class ReferenceConfig(TaskConfig):
    """The reference catalog of the simulated stars."""

    name: str = setting("simulated", "Name of the reference catalog that is written.", min_length=1)
    faint: float = setting(21.5, "Magnitude of the faintest sources in r.", unit="mag")
    margin: float = setting(
        0.05, "Distance to which the reference catalog extends beyond the exposures.", unit="deg", ge=0
    )
    error: float = setting(0.002, "Error of the magnitudes, which is also applied to them.", unit="mag", ge=0)
    position_error: float = setting(
        0.0, "Standard error of the positions of reference stars along each axis.", unit="arcsec", ge=0
    )


class SimulateConfig(TaskConfig):
    """All settings of the simulator."""

    sky: SkyConfig = setting(SkyConfig(), "Light of the sky.")
    sources: SourceConfig = setting(SourceConfig(), "Stars and galaxies.")
    optics: OpticsConfig = setting(OpticsConfig(), "Telescope and atmosphere.")
    cosmic_rays: CosmicRayConfig = setting(CosmicRayConfig(), "Cosmic rays.")
    changes: ChangesConfig = setting(ChangesConfig(), "Variable stars, transients, moving objects, proper motions.")
    satellites: SatelliteConfig = setting(SatelliteConfig(), "Trails of satellites.")
    detector: DetectorConfig = setting(DetectorConfig(), "Detectors and electronics.")
    pointing: PointingConfig = setting(PointingConfig(), "Errors of pointing.")
    reference: ReferenceConfig = setting(ReferenceConfig(), "Reference catalog.")
