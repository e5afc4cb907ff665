"""Calibrate an exposure: all its sources, their place on the sky, and the zero point."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from obs.algorithms.astrometry.match import Matches, match_pixels
from obs.algorithms.measure.shape import psf_elongation, psf_sigma
from obs.algorithms.photometry.aperture_correction import ApertureCorrection
from obs.algorithms.photometry.zero_point import ZeroPoint
from obs.algorithms.psf.width import half_maximum_width, light_radius
from obs.config.base import TaskConfig, setting
from obs.errors import MeasurementError
from obs.image.background import Background
from obs.image.catalog import Catalog
from obs.image.exposure import Exposure
from obs.image.psf import Psf
from obs.instrument.barycenter import mid_exposure_mjd
from obs.tasks.aperture_correction import (
    PSF_LIGHT_CARD,
    ApertureCorrectionConfig,
    apply_aperture_correction,
    fit_aperture_corrections,
    warn_of_poor_correction,
)
from obs.tasks.astrometry import AstrometrySolution, match_reference
from obs.tasks.astrometry_config import AstrometryConfig
from obs.tasks.background import BackgroundConfig, check_background, clip_few_counts
from obs.tasks.calibrated_columns import add_magnitudes, add_times
from obs.tasks.crowding import warn_of_crowding
from obs.tasks.dashes import mask_dashes
from obs.tasks.detect import DetectionConfig, detect_sources
from obs.tasks.explain_psf import find_companion, warn_of_double_images
from obs.tasks.fine_structure import warn_of_fine_structure
from obs.tasks.measure import (
    DeblendConfig,
    MeasurementConfig,
    measure_catalog,
    set_sky_coordinates,
)
from obs.tasks.outer_light import check_outer_light
from obs.tasks.photometry import solve_photometry
from obs.tasks.photometry_config import PhotometryConfig
from obs.tasks.proper_motion import solve_at_epoch, warn_of_wrong_epoch
from obs.tasks.psf_model import Origin, add_psf_rung
from obs.tasks.psf_sizes import FWHM_PER_SIGMA, scale_background
from obs.tasks.reference import ReferenceConfig
from obs.tasks.sky_edges import mask_sky_edges
from obs.tasks.sky_search import FindReference
from obs.tasks.star_galaxy import classify_by_spread
from obs.tasks.star_trends import NO_TRENDS, StarTrends, measure_star_trends
from obs.tasks.unseparated import flag_unseparated

__all__ = ["CalibrateConfig", "Calibrated", "calibrate"]

MATCH_PIXELS = 1.5  # radius of a match, at least; one in arcsec means nothing where pixels are large


class CalibrateConfig(TaskConfig):
    """Settings of the step that measures all sources and calibrates them."""

    target: str | None = setting(
        None,
        "Function of an installed package that does this step instead, as package.module:function. It takes the "
        "arguments of obs.tasks.calibrate.calibrate and returns the same.",
    )
    write: bool = setting(True, "Write calexp, src and what belongs to them.")
    write_matches: bool = setting(
        True, "Write the matches with the reference catalog as ``srcMatch`` and ``srcMatchFull``."
    )
    parquet: bool = setting(False, "Write the catalog as Parquet too, as ``sourceTable``.")
    magnitudes: bool = setting(
        True, "Add magnitudes to the catalog, and the middle of the exposure as MJD (UTC) and as BJD (TDB)."
    )
    # most stars lie in the light of sources too faint to be seen and of others' wings, which counts as their sky
    background: BackgroundConfig = setting(BackgroundConfig(grow=2), "The background, looked at again.")
    detection: DetectionConfig = setting(DetectionConfig(), "Detection of all sources.")
    deblend: DeblendConfig = setting(DeblendConfig(), "Division of blends.")
    measurement: MeasurementConfig = setting(MeasurementConfig(), "Measurement of all sources.")
    aperture_correction: ApertureCorrectionConfig = setting(ApertureCorrectionConfig(), "The aperture correction.")
    reference: ReferenceConfig = setting(ReferenceConfig(), "The reference catalog.")
    astrometry: AstrometryConfig = setting(AstrometryConfig(), "The place on the sky.")
    photometry: PhotometryConfig = setting(PhotometryConfig(), "The zero point.")
    flag_match_radius: float = setting(
        3.0, "Radius within which a bright source of the PSF fit is found again.", unit="pixel", gt=0
    )


@dataclass
class Calibrated:
    """A calibrated exposure with its catalogs.

    Parameters
    ----------
    exposure : Exposure
        ``calexp``.
    backgrounds : list of Background
        All that was subtracted, ``calexpBackground``.
    catalog : Catalog
        ``src``.
    reference : Catalog
        Reference sources about the frame; empty if there are none.
    matches : Matches
        Rows of ``catalog`` (first) and of ``reference`` (second).
    zero_point : ZeroPoint
        The photometric fit.
    astrometric_scatter : float
        Robust standard deviation of matched positions per axis, arcsec; NaN without matches.
    astrometry : AstrometrySolution or None
        The fit of the WCS.
    background_residual : float
        What the background leaves in cells beside the sources, standard deviation beyond their errors, in noise of a
        pixel.
    outer_light : float
        Light of stars beyond the reference aperture, in units of that within; NaN where it was not measured.
    outer_light_error : float
        Its standard error.
    trends : StarTrends
        What stars show of the detector.
    warnings : list of str
        What the user should know.
    """

    exposure: Exposure
    backgrounds: list[Background]
    catalog: Catalog
    reference: Catalog
    matches: Matches
    zero_point: ZeroPoint
    astrometric_scatter: float = float("nan")
    astrometry: AstrometrySolution | None = None
    background_residual: float = float("nan")
    outer_light: float = float("nan")
    outer_light_error: float = float("nan")
    trends: StarTrends = NO_TRENDS
    warnings: list[str] = field(default_factory=list)


def calibrate(
    exposure: Exposure,
    backgrounds: list[Background],
    bright: Catalog,
    corrections: dict[str, ApertureCorrection],
    reference: Catalog | None,
    band: str,
    config: CalibrateConfig,
    *,
    exposure_id: int = 0,
    exposure_id_bits: int = 32,
    find_reference: FindReference | None = None,
    psf_origin: Origin = "given",
) -> Calibrated:
    """Detect and measure all sources, match them, and fit WCS and zero point.

    Parameters
    ----------
    exposure : Exposure
        Characterized; changed in place.
    backgrounds : list of Background
        What was subtracted so far.
    bright : Catalog
        Sources of the characterization, whose ``calib_psf_*`` flags are carried over.
    corrections : dict of str to ApertureCorrection
        Aperture corrections of the characterization, used where this catalog has too few stars for its own.
    reference : Catalog or None
        Reference sources about the frame, with ``coord_ra`` and ``coord_dec`` in degrees and ``*_flux`` in nanojansky;
        None if there is no reference catalog.
    band : str
        Band of the exposure, which names the flux in the reference catalog.
    config : CalibrateConfig
        Settings.
    exposure_id, exposure_id_bits : int, optional
        Number of the exposure, for source ids and seeds.
    find_reference : callable, optional
        Returns the reference sources within a circle (right ascension, declination, radius, degrees), for exposures
        that are not where their WCS puts them.
    psf_origin : str, optional
        Where the PSF comes from, for the catalog.

    Returns
    -------
    Calibrated

    Raises
    ------
    MeasurementError
        If a required fit is not possible.
    """
    psf = exposure.psf
    if psf is None:
        raise MeasurementError("the exposure has no PSF to measure with; characterize it first")
    height, width = exposure.shape
    middle = {"x": 0.5 * (width - 1), "y": 0.5 * (height - 1)}
    sizes = psf_sigma, half_maximum_width, light_radius, psf_elongation
    sigma, fwhm, *reach = (measure(psf, **middle) for measure in sizes)
    chosen = config.measurement.reference_aperture is not None
    config = config.model_copy(update={"measurement": config.measurement.scaled(fwhm, *reach)})
    background = scale_background(config.background, FWHM_PER_SIGMA * sigma)
    if backgrounds:
        background = clip_few_counts(background, backgrounds[0], exposure.metadata)
    found = detect_sources(exposure.masked_image, sigma, config.detection, background)
    if found.background is not None:
        backgrounds = [*backgrounds, found.background]
    edges = mask_sky_edges(exposure.masked_image, found.footprints.peaks, fwhm)
    edges += mask_dashes(exposure.masked_image, found.footprints.peaks, fwhm)
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
    crowded = warn_of_crowding(catalog, exposure.shape, fwhm)
    cause = "this is the light of stars that are not resolved" if crowded else ""
    residual, uneven = check_background(exposure.masked_image, background, cause)
    fine = [] if crowded or uneven else warn_of_fine_structure(exposure.masked_image, background)
    _carry_flags(bright, catalog, max(config.flag_match_radius, 0.5 * fwhm))
    # bright sources alone show no second images that are much fainter
    warnings = [] if find_companion(bright, sigma) is not None else warn_of_double_images(catalog, sigma)
    outer, outer_error = float("nan"), float("nan")
    applied: dict[str, ApertureCorrection] = {}
    if config.aperture_correction.enabled:
        applied = _fit_apertures(exposure, psf, catalog, corrections, config, crowded=bool(crowded))
        warnings += warn_of_poor_correction(applied["base_PsfFlux"], crowded=bool(crowded))
        if not crowded and not chosen:
            radius, labels = config.measurement.reference_radius, found.footprints.labels
            stars = _psf_stars(catalog)
            outer, outer_error, applied, doubts = check_outer_light(
                exposure.masked_image, labels, catalog, stars, radius, fwhm, applied
            )
            warnings += doubts
        apply_aperture_correction(catalog, applied, config.measurement)
    _note_counted_light(exposure, applied.get("base_PsfFlux"), config.photometry.flux)
    trends = NO_TRENDS if crowded else measure_star_trends(exposure.masked_image, catalog, _psf_stars(catalog), fwhm)
    classify_by_spread(catalog, _psf_stars(catalog), exposure.shape)
    flag_unseparated(catalog, _psf_stars(catalog))
    known = reference if reference is not None else Catalog()
    solution = solve_at_epoch(exposure, catalog, known, band, config.astrometry, config.reference, find=find_reference)
    known = solution.reference
    add_psf_rung(catalog, psf_origin)
    set_sky_coordinates(catalog, exposure.wcs)
    scale = exposure.wcs.pixel_scale if exposure.wcs is not None else 0.0
    matches, scatter = match_reference(
        catalog,
        known,
        minimum_signal_to_noise=config.detection.threshold,
        radius=max(config.astrometry.match_radius, MATCH_PIXELS * scale),
    )
    moved = warn_of_wrong_epoch(catalog, known, matches, mid_exposure_mjd(exposure.visit_info)) if solution.fit else []
    zero_point, doubts = solve_photometry(exposure, catalog, known, matches, band, config.photometry, config.reference)
    if config.magnitudes:
        add_magnitudes(catalog, exposure.photo_calib)
        add_times(catalog, exposure.visit_info)
    warnings = [
        *solution.warnings,
        *moved,
        *doubts,
        *edges,
        *filter(None, (crowded, uneven)),
        *fine,
        *warnings,
        *trends.warnings,
    ]
    return Calibrated(
        exposure,
        backgrounds,
        catalog,
        known,
        matches,
        zero_point,
        scatter,
        solution,
        background_residual=residual,
        outer_light=outer,
        outer_light_error=outer_error,
        trends=trends,
        warnings=warnings,
    )


def _fit_apertures(
    exposure: Exposure,
    psf: Psf,
    catalog: Catalog,
    corrections: dict[str, ApertureCorrection],
    config: CalibrateConfig,
    *,
    crowded: bool,
) -> dict[str, ApertureCorrection]:
    """Fit the aperture corrections again, now that faint neighbors are known.

    Neighbors below the threshold of the characterization lie in the apertures of its stars and in its sky. Where too
    few of its stars are found again its corrections stand.
    """
    fresh = fit_aperture_corrections(
        catalog,
        _psf_stars(catalog),
        psf,
        exposure.shape,
        config.measurement,
        config.aperture_correction,
        crowded=crowded,
    )
    # in a crowd the apertures of the characterization hold neighbors, too
    return {name: fit if fit.n_star or crowded else corrections.get(name, fit) for name, fit in fresh.items()}


def _note_counted_light(exposure: Exposure, correction: ApertureCorrection | None, flux: str) -> None:
    """Note the part of the light of the PSF model that the zero point counts, for coadds, if a PSF flux fits it."""
    exposure.metadata.pop(PSF_LIGHT_CARD, None)
    if flux == "base_PsfFlux":
        y, x = (0.5 * (size - 1) for size in exposure.shape)
        light = 1.0 if correction is None else float(correction.growth.evaluate(x=x, y=y))
        exposure.metadata[PSF_LIGHT_CARD] = round(light, 5)


def _psf_stars(catalog: Catalog) -> NDArray[np.bool_]:
    """Return which sources were stars enough for the PSF."""
    if "calib_psf_candidate" not in catalog:
        return np.zeros(len(catalog), bool)
    return catalog["calib_psf_candidate"]


def _carry_flags(bright: Catalog, catalog: Catalog, radius: float) -> None:
    primary = np.flatnonzero(catalog["detect_isPrimary"])
    pairs = match_pixels(
        bright["base_SdssCentroid_x"],
        bright["base_SdssCentroid_y"],
        catalog["base_SdssCentroid_x"][primary],
        catalog["base_SdssCentroid_y"][primary],
        radius=radius,
    )
    for name in ("calib_psf_candidate", "calib_psf_used", "calib_psf_reserved"):
        if name in bright:
            flag = np.zeros(len(catalog), bool)
            flag[primary[pairs.second]] = bright[name][pairs.first]
            catalog.add(name, flag, "", bright.columns[name].description)
