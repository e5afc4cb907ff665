"""Characterize an exposure: its background, its PSF, and how PSF and aperture fluxes compare.

What calibration needs before the faint sources are looked at, from the bright ones.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from obs.algorithms.measure.shape import psf_elongation, psf_sigma
from obs.algorithms.photometry.aperture_correction import ApertureCorrection
from obs.algorithms.pixels.grow import grow
from obs.algorithms.psf.scale import SourceSizes, common_size, measure_source_sizes
from obs.algorithms.psf.width import half_maximum_width, light_radius
from obs.config.base import TaskConfig, setting
from obs.errors import MeasurementError
from obs.frozen import frozen
from obs.geom import Box
from obs.image.background import Background
from obs.image.catalog import Catalog
from obs.image.exposure import Exposure
from obs.image.gaussian_psf import gaussian_psf
from obs.image.known_psf import KnownPsf
from obs.image.psf import PixelPsf, Psf
from obs.tasks.amplifier_steps import AmplifierStepsConfig
from obs.tasks.aperture_correction import (
    ApertureCorrectionConfig,
    apply_aperture_correction,
    fit_aperture_corrections,
)
from obs.tasks.background import BackgroundConfig, bad_pixels, clip_few_counts, subtract_background
from obs.tasks.detect import DetectionConfig, detect_sources
from obs.tasks.explain_psf import explain_no_stars, warn_of_double_images, warn_of_poor_psf
from obs.tasks.measure import (
    DeblendConfig,
    MeasurementConfig,
    measure_catalog,
    set_sky_coordinates,
)
from obs.tasks.noise import NoiseConfig
from obs.tasks.prepare_sky import SkyReport, prepare_sky
from obs.tasks.psf_model import Origin, PsfConfig, PsfModel, add_psf_rung, has_similar_width, model_psf
from obs.tasks.psf_over_frame import warn_of_uneven_psf
from obs.tasks.psf_sizes import FWHM_PER_SIGMA, ORDINARY_FWHM, psf_stamp_size, scale_background
from obs.tasks.psf_stars import (
    ENOUGH_STARS,
    FAINTER,
    BrightSources,
    StarConfig,
    blended_sources,
    choose_stars,
    isolated_sources,
    reserve_stars,
)
from obs.tasks.repair import CosmicRayConfig, find_hits, repair_cosmic_rays, repair_dark_pixels
from obs.tasks.streaks import StreakConfig

__all__ = ["CharacterizeConfig", "Characterized", "PsfConfig", "StarConfig", "characterize"]

ASSUMED_FWHM = 3.5
"""Width of the PSF, pixels, of an image that shows none."""

SHARPEST_FWHM = 0.8
"""Width of the sharpest stars that there are, pixels, before pixels add theirs."""

FIRST_HIT_WIDTH = 0.6
"""Before the PSF is known, what is sharper than a star of this part of the sources' width is a cosmic ray."""

LEAST_ISOLATED = 0.05
"""Where a smaller part of the bright peaks is isolated, light of the others is taken for the sky of those few, too."""

UNKNOWN_PLANES = ["BAD", "SAT", "NO_DATA", "UNMASKEDNAN", "INTRP", "CR"]


class CharacterizeConfig(TaskConfig):
    """Settings of the step that finds background and PSF."""

    target: str | None = setting(
        None,
        "Function of an installed package that does this step instead, as package.module:function. It takes the "
        "arguments of obs.tasks.characterize.characterize and returns the same.",
    )
    write_exposure: bool = setting(False, "Write the characterized exposure as the dataset ``icExp``.")
    measure_psf: bool = setting(True, "Fit the PSF to stars; else the exposure must come with one.")
    psf_iterations: int = setting(
        2,
        "Rounds of detecting, measuring and fitting the PSF. More rounds help where the first width is wrong, and "
        "take longer.",
        ge=1,
        le=10,
    )
    initial_psf_fwhm: float | None = setting(
        None,
        "Width of the round Gaussian that the first round starts from; the width that the sources share if null.",
        unit="pixel",
        gt=0,
    )
    background: BackgroundConfig = setting(BackgroundConfig(), "The background.")
    noise: NoiseConfig = setting(NoiseConfig(), "Comparison of the variance plane with the noise of the sky.")
    amplifier_steps: AmplifierStepsConfig = setting(AmplifierStepsConfig(), "Steps of the sky between amplifiers.")
    streaks: StreakConfig = setting(StreakConfig(), "Trails of satellites and aircraft.")
    cosmic_rays: CosmicRayConfig = setting(CosmicRayConfig(), "Cosmic rays.")
    detection: DetectionConfig = setting(DetectionConfig(include_threshold_factor=10.0), "Detection of bright sources.")
    deblend: DeblendConfig = setting(DeblendConfig(enabled=False, companions=False), "Blends among the bright sources.")
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
    psf_origin : str
        Where the PSF comes from: ``given``, ``stars``, ``few stars`` (fewer than 10), ``nearest good exposure`` (that
        of another exposure), ``gaussian`` (the moments of the sources), ``assumed`` (nothing is known).
    psf_exposure : str
        The other exposure that the PSF comes from; empty if it is of this one.
    psf_trusted : bool
        Whether the PSF was fitted to enough stars, and holds for them.
    psf_size_residual : float
        Median relative error of the model's size on reserved stars; NaN if there are none.
    n_cosmic_ray_pixel : int
        Pixels that cosmic rays hit.
    warnings : list of str
        What the user should know.
    """

    exposure: Exposure
    backgrounds: list[Background]
    catalog: Catalog
    sky: SkyReport = field(default_factory=SkyReport)
    corrections: dict[str, ApertureCorrection] = field(default_factory=dict)
    sigma: float = float("nan")
    fwhm: float = float("nan")
    n_psf_star: int = 0
    psf_origin: Origin = "given"
    psf_exposure: str = ""
    psf_trusted: bool = False
    psf_size_residual: float = float("nan")
    n_cosmic_ray_pixel: int = 0
    warnings: list[str] = field(default_factory=list)


def characterize(
    exposure: Exposure,
    config: CharacterizeConfig,
    *,
    exposure_id: int = 0,
    exposure_id_bits: int = 32,
    find_psf: Callable[[], KnownPsf | None] | None = None,
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
    find_psf : callable, optional
        Returns the PSF of the nearest good exposure of the detector, or None. It is asked where no star can be fitted.

    Returns
    -------
    Characterized

    Raises
    ------
    MeasurementError
        If there are no good pixels, or the PSF should have come with the exposure and did not.
    """
    numbers = {"exposure_id": exposure_id, "exposure_id_bits": exposure_id_bits}
    sky = prepare_sky(exposure, config.background, config.noise, config.streaks, config.amplifier_steps)
    backgrounds = sky.backgrounds
    background = clip_few_counts(config.background, backgrounds[0], exposure.metadata)
    if background.clip > config.background.clip:
        background = background.model_copy(update={"follow": False})
    config = config.model_copy(update={"background": background})
    start = _start(exposure, config)
    if start.fwhm > ORDINARY_FWHM:
        # the first background took the light of wide stars for structure of the sky
        exposure.masked_image.image += backgrounds.pop().image()
        backgrounds.append(subtract_background(exposure.masked_image, scale_background(config.background, start.fwhm)))
    warnings: list[str] = []
    n_cosmic_ray = 0

    def repair(psf: Psf) -> int:
        if not config.cosmic_rays.enabled:
            return 0
        dark = repair_dark_pixels(exposure.masked_image, psf, config.cosmic_rays)
        if dark.warning and not warnings:
            warnings.append(dark.warning)
        rays = repair_cosmic_rays(exposure.masked_image, psf, config.cosmic_rays)
        if rays.warning and rays.warning not in warnings:
            warnings.append(rays.warning)
        return rays.n_pixel

    n_cosmic_ray += repair(start.sharpest)
    model = PsfModel(start.psf, "assumed" if config.measure_psf else "given")
    search = _Search(FAINTER[0], config.deblend.enabled)
    for turns_left in reversed(range(config.psf_iterations if config.measure_psf else 0)):
        bright, stars, search = _find_stars(exposure, model.psf, _for_stars(config), backgrounds, numbers, search)
        reserved = reserve_stars(bright.catalog, stars, config.stars)
        model = model_psf(exposure, bright, stars, reserved, config.psf, is_draft=turns_left > 0) or model
        search = replace(search, divide=search.divide or _is_crowd(bright))
        del bright  # its labels are a plane that the next detection has no use for
        if model.fit is not None:
            n_cosmic_ray += repair(model.psf)
    other = None
    if model.origin in ("gaussian", "assumed") and find_psf is not None and (other := find_psf()) is not None:
        if has_similar_width(other.psf, model, exposure.shape):
            model = PsfModel(other.psf, "nearest good exposure", exposure=str(other))
        else:
            warnings.append(f"the PSF of {other} is not used: the sources have another width")
    psf = exposure.psf = model.psf
    height, width = exposure.shape
    middle = {"x": 0.5 * (width - 1), "y": 0.5 * (height - 1)}
    fwhm, *reach = (measure(psf, **middle) for measure in (half_maximum_width, light_radius, psf_elongation))
    config = config.model_copy(update={"measurement": config.measurement.scaled(fwhm, *reach)})
    bright = _bright_sources(exposure, psf, config, backgrounds, numbers, search)
    catalog, stars = bright.catalog, choose_stars(bright, config.stars, search.part)
    reserved = reserve_stars(catalog, stars, config.stars) & (model.fit is not None)
    result = Characterized(exposure, backgrounds, catalog, sky=sky, sigma=bright.sigma, fwhm=fwhm)
    result.psf_origin, result.psf_exposure = model.origin, model.exposure
    result.n_cosmic_ray_pixel, result.warnings = n_cosmic_ray, warnings
    if model.fit is not None:
        result.n_psf_star = int(model.fit.used.sum())
        result.psf_size_residual = _size_residual(catalog, reserved if reserved.any() else stars)
        doubts = warn_of_poor_psf(bright, stars, model.fit, shape=exposure.shape, fwhm=fwhm)
        doubts += warn_of_uneven_psf(bright, stars, exposure.shape)
        result.psf_trusted = model.origin == "stars" and not doubts
        warnings.extend(doubts)
    if model.origin not in ("stars", "given"):
        warnings.append(explain_no_stars(bright, model, result.n_psf_star, fwhm=fwhm, n_cosmic_ray_pixel=n_cosmic_ray))
    double = warn_of_double_images(bright.catalog, bright.sigma)
    warnings.extend(double)
    result.psf_trusted &= not double
    catalog.add("calib_psf_candidate", stars, "", "the source is on the stellar locus")
    fitted = stars & ~reserved & (model.fit is not None)
    catalog.add("calib_psf_used", fitted, "", "the PSF was fitted to this star")
    catalog.add("calib_psf_reserved", reserved, "", "this star was kept out of the PSF fit, to test it")
    if config.aperture_correction.enabled:
        result.corrections = fit_aperture_corrections(
            catalog, stars, psf, exposure.shape, config.measurement, config.aperture_correction
        )
        apply_aperture_correction(catalog, result.corrections, config.measurement)
    add_psf_rung(catalog, model.origin)
    set_sky_coordinates(catalog, exposure.wcs)
    return result


@frozen
class _Start:
    """The PSF of the first round, the sharpest that stars may have, and the width that they share, pixels."""

    psf: Psf
    sharpest: Psf
    fwhm: float = float("nan")


def _start(exposure: Exposure, config: CharacterizeConfig) -> _Start:
    """Return what is known before any source is."""
    if not config.measure_psf:
        if exposure.psf is None:
            raise MeasurementError("the exposure comes without a PSF; switch characterize.measure_psf on")
        return _Start(exposure.psf, exposure.psf)
    fwhm, first = config.initial_psf_fwhm, config.cosmic_rays.first_psf_fwhm
    if fwhm is None:
        shared = FWHM_PER_SIGMA * common_size(_source_sizes(exposure, config.cosmic_rays))
        fwhm = shared if shared > 0 else ASSUMED_FWHM
        first = min(first, FIRST_HIT_WIDTH * fwhm)
    # while the PSF is not known only what is certainly sharper than any star is a cosmic ray
    return _Start(_round_psf(fwhm, config), _round_psf(first, config), fwhm)


def _source_sizes(exposure: Exposure, config: CosmicRayConfig) -> SourceSizes:
    """Return the sizes of sources, without what is sharper than any star."""
    masked_image = exposure.masked_image
    seen = gaussian_psf(*_pixel_moments(SHARPEST_FWHM), 7)

    def find_bad(tile: tuple[slice, slice]) -> NDArray[np.bool_]:
        rows, columns = tile
        box = Box(columns.start, rows.start, columns.stop - columns.start, rows.stop - rows.start)
        part = masked_image.cutout(box)
        bad = bad_pixels(part, UNKNOWN_PLANES)
        return bad | grow(find_hits(part, seen, config), 1) if config.enabled else bad

    return measure_source_sizes(masked_image.image, find_bad)


def _pixel_moments(fwhm: float) -> tuple[float, float, float]:
    """Moments of a round Gaussian, seen by pixels."""
    moment = (fwhm / FWHM_PER_SIGMA) ** 2 + 1.0 / 12.0
    return moment, moment, 0.0


def _round_psf(fwhm: float, config: CharacterizeConfig) -> PixelPsf:
    """Return a round Gaussian whose width includes what pixels add."""
    moment = (fwhm / FWHM_PER_SIGMA) ** 2
    return gaussian_psf(moment, moment, 0.0, config.psf.stamp_size or psf_stamp_size(fwhm))


def _for_stars(config: CharacterizeConfig) -> CharacterizeConfig:
    """Leave out the measurements that the choice of stars does not look at."""
    only = {"apertures": [config.measurement.reference_radius], "kron": False}
    return config.model_copy(update={"measurement": config.measurement.model_copy(update=only)})


@frozen
class _Search:
    """How stars are looked for: the part of the limits in signal-to-noise ratio, and whether blends are divided."""

    part: float
    divide: bool


def _find_stars(
    exposure: Exposure,
    psf: Psf,
    config: CharacterizeConfig,
    backgrounds: list[Background],
    numbers: dict[str, Any],
    search: _Search,
) -> tuple[BrightSources, NDArray[np.bool_], _Search]:
    """Return bright sources, the stars among them, and how enough of them were found.

    Where there are few, fainter ones are taken, and then the parts of blends, the brightest first. In a crowd those
    are taken as soon as a first PSF is there to divide them with.
    """
    fainter = [_Search(part, search.divide) for part in FAINTER if part <= search.part]
    ways = fainter if search.divide else [*fainter, *(_Search(part, divide=True) for part in FAINTER)]
    best = None
    for way in ways:
        if way.divide and best is not None and not best[0].crowded and not blended_sources(best[0]).any():
            break
        bright = _bright_sources(exposure, psf, config, backgrounds, numbers, way)
        stars = choose_stars(bright, config.stars, way.part)
        if best is None or np.count_nonzero(stars) >= np.count_nonzero(best[1]):
            best = bright, stars, way
        if np.count_nonzero(stars) >= ENOUGH_STARS:
            break
    assert best is not None  # noqa: S101 - there is always one way
    return best


def _is_crowd(bright: BrightSources) -> bool:
    """Return whether parts of blends, with an offset under each, show the PSF better than the few isolated stars."""
    return bool(np.count_nonzero(isolated_sources(bright)) < LEAST_ISOLATED * len(bright.footprints.peaks))


def _bright_sources(
    exposure: Exposure,
    psf: Psf,
    config: CharacterizeConfig,
    backgrounds: list[Background],
    numbers: dict[str, Any],
    search: _Search,
) -> BrightSources:
    """Detect and measure what exceeds a part of the limit of this step."""
    height, width = exposure.shape
    sigma = psf_sigma(psf, x=0.5 * (width - 1), y=0.5 * (height - 1))
    fwhm = FWHM_PER_SIGMA * sigma
    factor = max(search.part * config.detection.include_threshold_factor, 1.0)
    detection = config.detection.model_copy(update={"include_threshold_factor": factor})
    found = detect_sources(exposure.masked_image, sigma, detection, scale_background(config.background, fwhm))
    if found.background is not None:
        backgrounds.append(found.background)
    divide = config.deblend.model_copy(update={"enabled": search.divide})
    catalog = measure_catalog(exposure, found.footprints, psf, config.measurement, divide, fwhm=fwhm, **numbers)
    return BrightSources(catalog, found.footprints, sigma, psf, search.divide and not config.deblend.enabled)


def _size_residual(catalog: Catalog, stars: NDArray[np.bool_]) -> float:
    measured = catalog["base_SdssShape_xx"] + catalog["base_SdssShape_yy"]
    model = catalog["base_SdssShape_psf_xx"] + catalog["base_SdssShape_psf_yy"]
    ratio = np.sqrt(measured[stars] / model[stars])
    return float(np.median(ratio[np.isfinite(ratio)]) - 1) if np.isfinite(ratio).any() else float("nan")
