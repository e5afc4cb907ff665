"""Characterize an exposure: its background, its PSF, and how PSF and aperture fluxes compare.

What calibration needs before the faint sources are looked at, from the bright ones.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from obs.algorithms.measure.shape import psf_sigma
from obs.algorithms.photometry.aperture_correction import ApertureCorrection
from obs.algorithms.pixels.window import plane_windows
from obs.algorithms.psf.fit import PsfFit, fit_psf
from obs.algorithms.psf.star_selection import reserve, select_stars
from obs.algorithms.psf.width import half_maximum_width
from obs.algorithms.sources.detection import Footprints
from obs.config.base import TaskConfig, setting
from obs.errors import MeasurementError
from obs.image.background import Background
from obs.image.catalog import Catalog
from obs.image.exposure import Exposure
from obs.image.psf import PixelPsf, Psf
from obs.tasks.aperture_correction import (
    ApertureCorrectionConfig,
    apply_aperture_correction,
    fit_aperture_corrections,
)
from obs.tasks.background import BackgroundConfig
from obs.tasks.detect import DetectionConfig, detect_sources
from obs.tasks.measure import (
    DeblendConfig,
    MeasurementConfig,
    measure_catalog,
    set_sky_coordinates,
)
from obs.tasks.noise import NoiseConfig
from obs.tasks.prepare_sky import SkyReport, prepare_sky
from obs.tasks.repair import CosmicRayConfig, repair_cosmic_rays

__all__ = ["CharacterizeConfig", "Characterized", "PsfConfig", "StarConfig", "characterize"]

FWHM_PER_SIGMA = 2.3548200450309493

BLEND_RATIO = 0.02
"""A star is blended if its footprint has a second peak of more than this part of its height."""


class StarConfig(TaskConfig):
    """Which sources are taken for stars."""

    minimum_signal_to_noise: float = setting(50.0, "Fainter sources are not considered.", gt=0)
    maximum_flux: float = setting(float("inf"), "Brighter sources are not considered.", unit="count", gt=0)
    maximum_number: int = setting(500, "Only the brightest are used.", ge=3)
    reserve_fraction: float = setting(0.2, "Part of the stars kept out of the PSF fit to test it.", ge=0, lt=1)


class PsfConfig(TaskConfig):
    """How the PSF is fitted."""

    stamp_size: int = setting(31, "Size of the stamps of stars, odd.", unit="pixel", ge=7, le=201)
    degree: int | None = setting(None, "Degree of the polynomial over the detector; by the number of stars if null.")
    sampling: float | None = setting(None, "Step of the model; chosen by the stars' width if null.", unit="pixel")
    minimum_stars: int = setting(3, "Fewer stars are no PSF.", ge=1)


class CharacterizeConfig(TaskConfig):
    """Settings of the step that finds background and PSF."""

    write_exposure: bool = setting(False, "Write the exposure as ``icExp``.")
    measure_psf: bool = setting(True, "Fit the PSF to stars; else the exposure must come with one.")
    psf_iterations: int = setting(2, "Rounds of detecting, measuring and fitting the PSF.", ge=1, le=10)
    initial_psf_fwhm: float = setting(
        3.5, "Width of the round Gaussian that the first round starts from.", unit="pixel", gt=0
    )
    background: BackgroundConfig = setting(BackgroundConfig(), "The background.")
    noise: NoiseConfig = setting(NoiseConfig(), "Comparison of the variance plane with the noise of the sky.")
    cosmic_rays: CosmicRayConfig = setting(CosmicRayConfig(), "Cosmic rays.")
    detection: DetectionConfig = setting(DetectionConfig(include_threshold_factor=10.0), "Detection of bright sources.")
    deblend: DeblendConfig = setting(DeblendConfig(enabled=False), "Blends among the bright sources.")
    measurement: MeasurementConfig = setting(MeasurementConfig(kron=False), "Measurement of the bright sources.")
    stars: StarConfig = setting(StarConfig(), "Star selection.")
    psf: PsfConfig = setting(PsfConfig(), "The fit of the PSF.")
    aperture_correction: ApertureCorrectionConfig = setting(ApertureCorrectionConfig(), "The aperture correction.")


@dataclass
class Characterized:
    """What is known of an exposure before its sources are calibrated.

    Parameters
    ----------
    exposure : Exposure
        Background-subtracted, with a PSF.
    backgrounds : list of Background
        What was subtracted, one after the other.
    catalog : Catalog
        The bright sources, ``icSrc``.
    sky : SkyReport
        Noise and other facts of the sky.
    corrections : dict of str to ApertureCorrection
        Flux name to aperture correction; empty if switched off.
    sigma : float
        Size of the PSF in the middle, from its adaptive moments, pixels.
    fwhm : float
        Its full width at half maximum, pixels.
    n_psf_star : int
        Stars that the PSF was fitted to; 0 if it was given.
    psf_size_residual : float
        Median relative error of the model's size on reserved stars; NaN if there are none.
    n_cosmic_ray_pixel : int
        Pixels that cosmic rays hit.
    """

    exposure: Exposure
    backgrounds: list[Background]
    catalog: Catalog
    sky: SkyReport = field(default_factory=SkyReport)
    corrections: dict[str, ApertureCorrection] = field(default_factory=dict)
    sigma: float = float("nan")
    fwhm: float = float("nan")
    n_psf_star: int = 0
    psf_size_residual: float = float("nan")
    n_cosmic_ray_pixel: int = 0


def characterize(
    exposure: Exposure, config: CharacterizeConfig, *, exposure_id: int = 0, exposure_id_bits: int = 32
) -> Characterized:
    """Find background, PSF and aperture correction.

    Parameters
    ----------
    exposure : Exposure
        Calibrated pixels with the sky in them; changed in place, as the task's own copy.
    config : CharacterizeConfig
        Settings.
    exposure_id, exposure_id_bits : int, optional
        Number of the exposure, for source ids and seeds.

    Returns
    -------
    Characterized

    Raises
    ------
    MeasurementError
        If there is no PSF and no star to fit one to.
    """
    sky = prepare_sky(exposure, config.background, config.noise)
    backgrounds = sky.backgrounds
    psf: Psf
    if config.measure_psf:
        psf = _gaussian_psf(config.initial_psf_fwhm / FWHM_PER_SIGMA, config.psf.stamp_size)
    elif exposure.psf is None:
        raise MeasurementError("the exposure comes without a PSF; switch characterize.measure_psf on")
    else:
        psf = exposure.psf
    fit: PsfFit | None = None
    n_cosmic_ray = 0
    if config.cosmic_rays.enabled:
        # while the PSF is not known only what is certainly sharper than any star is a cosmic ray
        sharp = _gaussian_psf(config.cosmic_rays.first_psf_fwhm / FWHM_PER_SIGMA, config.psf.stamp_size)
        n_cosmic_ray += repair_cosmic_rays(
            exposure.masked_image, sharp if config.measure_psf else psf, config.cosmic_rays
        )
    for _ in range(config.psf_iterations if config.measure_psf else 0):
        bright = _bright_sources(exposure, psf, _for_stars(config), backgrounds, exposure_id, exposure_id_bits)
        stars = _select(bright, config.stars)
        fit = _fit(exposure, bright, stars, _reserve(bright.catalog, stars, config.stars), config.psf)
        psf = fit.psf
        if config.cosmic_rays.enabled:
            n_cosmic_ray += repair_cosmic_rays(exposure.masked_image, psf, config.cosmic_rays)
    bright = _bright_sources(exposure, psf, config, backgrounds, exposure_id, exposure_id_bits)
    exposure.psf = psf
    catalog, stars = bright.catalog, _select(bright, config.stars)
    result = Characterized(exposure, backgrounds, catalog, sky=sky, sigma=bright.sigma, n_cosmic_ray_pixel=n_cosmic_ray)
    height, width = exposure.shape
    result.fwhm = half_maximum_width(psf, x=0.5 * (width - 1), y=0.5 * (height - 1))
    if fit is not None:
        reserved = _reserve(catalog, stars, config.stars)
        result.n_psf_star = int(fit.used.sum())
        result.psf_size_residual = _size_residual(catalog, reserved if reserved.any() else stars)
    else:
        reserved = np.zeros(len(stars), bool)
    catalog.add("calib_psf_candidate", stars, "", "the source is on the stellar locus")
    catalog.add("calib_psf_used", stars & ~reserved & (fit is not None), "", "the PSF was fitted to this star")
    catalog.add("calib_psf_reserved", reserved, "", "this star was kept out of the PSF fit, to test it")
    if config.aperture_correction.enabled:
        result.corrections = fit_aperture_corrections(
            catalog, stars, psf, exposure.shape, config.measurement, config.aperture_correction
        )
        apply_aperture_correction(catalog, result.corrections, config.measurement)
    set_sky_coordinates(catalog, exposure.wcs)
    return result


def _reserve(catalog: Catalog, stars: NDArray[np.bool_], config: StarConfig) -> NDArray[np.bool_]:
    """Stars kept out of the fit; chosen by their place on the detector, which a second round does not change."""
    x, y = (np.rint(catalog[f"base_SdssCentroid_{c}"]).astype(np.int64) for c in "xy")
    return reserve(stars, fraction=config.reserve_fraction, ids=(y << 20) + x)


def _gaussian_psf(sigma: float, size: int) -> PixelPsf:
    offset = np.arange(size) - size // 2
    profile = np.exp(-0.5 * (offset / sigma) ** 2)
    return PixelPsf(np.outer(profile, profile)[None].astype(np.float32), 0)


@dataclass(frozen=True)
class _Bright:
    """Bright sources, their footprints, and the size of the PSF that they were found with."""

    catalog: Catalog
    footprints: Footprints
    sigma: float


def _for_stars(config: CharacterizeConfig) -> CharacterizeConfig:
    """Leave out the measurements that the choice of stars does not look at."""
    only = {"apertures": [config.measurement.reference_aperture], "kron": False}
    return config.model_copy(update={"measurement": config.measurement.model_copy(update=only)})


def _bright_sources(
    exposure: Exposure,
    psf: Psf,
    config: CharacterizeConfig,
    backgrounds: list[Background],
    exposure_id: int,
    exposure_id_bits: int,
) -> _Bright:
    height, width = exposure.shape
    sigma = psf_sigma(psf, x=0.5 * (width - 1), y=0.5 * (height - 1))
    found = detect_sources(exposure.masked_image, sigma, config.detection, config.background)
    if found.background is not None:
        backgrounds.append(found.background)
    catalog = measure_catalog(
        exposure,
        found.footprints,
        psf,
        config.measurement,
        config.deblend,
        fwhm=FWHM_PER_SIGMA * sigma,
        exposure_id=exposure_id,
        exposure_id_bits=exposure_id_bits,
    )
    return _Bright(catalog, found.footprints, sigma)


def _select(bright: _Bright, config: StarConfig) -> NDArray[np.bool_]:
    catalog = bright.catalog
    bad = (catalog["deblend_nChild"] > 0) | catalog["base_SdssShape_flag"] | catalog["base_PsfFlux_flag"]
    bad = bad | (catalog["parent"] > 0)
    # footprints come first in the catalog, children after them
    bad[: bright.footprints.n] |= _blended(bright.footprints)
    for name in ("edge", "interpolatedCenter", "saturated", "crCenter", "bad", "suspectCenter"):
        bad = bad | catalog[f"base_PixelFlags_flag_{name}"]
    # relative to the PSF as far as it is known, whose change over the detector would else widen the locus
    size = np.sqrt(
        (catalog["base_SdssShape_xx"] + catalog["base_SdssShape_yy"])
        / (catalog["base_SdssShape_psf_xx"] + catalog["base_SdssShape_psf_yy"])
    )
    return select_stars(
        flux=catalog["base_PsfFlux_instFlux"],
        flux_err=catalog["base_PsfFlux_instFluxErr"],
        size=size,
        bad=bad,
        x=catalog["base_SdssCentroid_x"],
        y=catalog["base_SdssCentroid_y"],
        min_signal_to_noise=config.minimum_signal_to_noise,
        max_flux=config.maximum_flux,
        max_stars=config.maximum_number,
    )


def _blended(footprints: Footprints) -> NDArray[np.bool_]:
    """Whether a footprint, one a row, has a second peak that its first does not outshine."""
    peaks = footprints.peaks
    first = np.searchsorted(peaks.footprint, np.arange(1, footprints.n + 1))
    second = np.minimum(first + 1, len(peaks) - 1)
    several = (second > first) & (peaks.footprint[second] == peaks.footprint[first])
    return np.asarray(several & (peaks.value[second] > BLEND_RATIO * peaks.value[first]))


def _fit(
    exposure: Exposure,
    bright: _Bright,
    stars: NDArray[np.bool_],
    reserved: NDArray[np.bool_],
    config: PsfConfig,
) -> PsfFit:
    catalog, footprints = bright.catalog, bright.footprints
    n_star = int(stars.sum())
    if n_star < config.minimum_stars:
        raise MeasurementError(
            f"{n_star} stars are too few to fit the PSF, {config.minimum_stars} are needed; lower "
            "characterize.stars.minimum_signal_to_noise, or set characterize.initial_psf_fwhm nearer to the seeing"
        )
    masked_image = exposure.masked_image
    half = config.stamp_size // 2
    x, y = catalog["base_SdssCentroid_x"][stars], catalog["base_SdssCentroid_y"][stars]
    row, column = np.rint(y).astype(np.int64), np.rint(x).astype(np.int64)
    image, variance = (plane_windows(a, row, column, half) for a in (masked_image.image, masked_image.variance))
    mask, labels = (plane_windows(a, row, column, half) for a in (masked_image.mask.array, footprints.labels))
    # a footprint's number is its row in the catalog, from one; a variance of zero lies outside the image
    # sources too faint to be listed here have no footprint, but the mask knows where they are
    faint = (mask & masked_image.mask.known_bits(["DETECTED"])) != 0
    own = (labels == np.flatnonzero(stars)[:, None, None] + 1) | ((labels == 0) & ~faint)
    planes = masked_image.mask.known_bits(["BAD", "SAT", "INTRP", "CR", "NO_DATA", "SUSPECT", "UNMASKEDNAN"])
    good = own & ((mask & planes) == 0) & (variance > 0)
    return fit_psf(
        image,
        variance,
        good,
        x=x,
        y=y,
        shape=exposure.shape,
        use=~reserved[stars],
        degree=config.degree,
        sampling=config.sampling,
        min_stars=config.minimum_stars,
    )


def _size_residual(catalog: Catalog, stars: NDArray[np.bool_]) -> float:
    measured = catalog["base_SdssShape_xx"] + catalog["base_SdssShape_yy"]
    model = catalog["base_SdssShape_psf_xx"] + catalog["base_SdssShape_psf_yy"]
    ratio = np.sqrt(measured[stars] / model[stars])
    return float(np.median(ratio[np.isfinite(ratio)]) - 1) if np.isfinite(ratio).any() else float("nan")
