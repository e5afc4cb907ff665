"""Calibrate an exposure: all its sources, their place on the sky, and the zero point."""

import logging
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from obs.algorithms.aperture_correction import ApertureCorrection
from obs.algorithms.astrometry import fit_astrometry
from obs.algorithms.match import Matches, match_pixels, match_sky
from obs.algorithms.measure.shape import psf_sigma
from obs.algorithms.statistics import robust_sigma
from obs.algorithms.zero_point import ZeroPoint, fit_zero_point
from obs.config.base import TaskConfig, setting
from obs.errors import MeasurementError
from obs.image.background import Background
from obs.image.catalog import Catalog
from obs.image.exposure import Exposure
from obs.image.photo_calib import PhotoCalib
from obs.image.wcs import TanSipWcs
from obs.tasks.background import BackgroundConfig
from obs.tasks.characterize import FWHM_PER_SIGMA
from obs.tasks.detect import DetectionConfig, detect_sources
from obs.tasks.measure import (
    ApertureCorrectionConfig,
    DeblendConfig,
    MeasurementConfig,
    apply_aperture_correction,
    fit_aperture_corrections,
    measure_catalog,
    set_sky_coordinates,
)

__all__ = [
    "AstrometryConfig",
    "CalibrateConfig",
    "Calibrated",
    "ColourTerm",
    "PhotometryConfig",
    "ReferenceConfig",
    "calibrate",
    "field_circle",
]

logger = logging.getLogger(__name__)

NANOJANSKY_ZERO_POINT = 31.4

_NO_REFERENCE = "there is no reference catalog of this part of the sky"


class ReferenceConfig(TaskConfig):
    """The reference catalog."""

    name: str | None = setting(
        None, "Name of the folder under ``ref_cats``; null takes the only one there is, if there is only one."
    )
    flux_names: dict[str, str] = setting(
        {}, "Band of the exposure to name of the flux in the catalog; a band that is absent is called as it is."
    )
    margin: float = setting(30.0, "How far beyond the frame reference sources are loaded.", unit="arcsec", ge=0)


class AstrometryConfig(TaskConfig):
    """The place on the sky."""

    enabled: bool = setting(True, "Match to the reference catalog and fit the WCS.")
    required: bool = setting(True, "An exposure that cannot be matched fails; else it keeps the WCS it came with.")
    force_known_wcs: bool = setting(False, "Keep the WCS that the exposure came with; only match.")
    order: int = setting(3, "Largest order of the distortion polynomial.", ge=1, le=6)
    max_offset: float = setting(250.0, "Largest error of the WCS that the exposure came with.", unit="pixel", gt=0)
    match_radius: float = setting(
        2.0, "Sources and reference sources nearer than this are the same.", unit="arcsec", gt=0
    )
    minimum_signal_to_noise: float = setting(10.0, "Fainter sources are not matched for the fit.", gt=0)
    minimum_stars: int = setting(8, "Fewer matches are no fit.", ge=3)
    maximum_scatter: float = setting(0.5, "A larger scatter is a false match.", unit="arcsec", gt=0)


class ColourTerm(TaskConfig):
    """From the reference catalog's bands to the camera's: primary + c0 + c1 colour + c2 colour^2."""

    primary: str = setting("", "Flux of the reference catalog nearest to the filter.")
    secondary: str = setting("", "The other flux of the colour primary - secondary.")
    c0: float = setting(0.0, "Constant.", unit="mag")
    c1: float = setting(0.0, "Linear term.")
    c2: float = setting(0.0, "Quadratic term.", unit="1/mag")


class PhotometryConfig(TaskConfig):
    """The zero point."""

    enabled: bool = setting(True, "Fit the zero point to the reference catalog.")
    required: bool = setting(False, "An exposure without a zero point fails; else it is written without.")
    minimum_signal_to_noise: float = setting(20.0, "Fainter stars are left out.", gt=0)
    clip: float = setting(3.0, "Stars further off are left out.", unit="sigma", gt=0)
    sigma_max: float = setting(0.25, "Largest standard deviation to clip with.", unit="mag", gt=0)
    flux: str = setting(
        "base_PsfFlux",
        "Flux that the zero point is fitted with; those that the aperture correction covers have the least noise.",
    )
    colour_terms: dict[str, ColourTerm] = setting({}, "Physical filter to colour term; none where absent.")


class CalibrateConfig(TaskConfig):
    """Settings of the step that measures all sources and calibrates them."""

    write: bool = setting(True, "Write calexp, src and what belongs to them.")
    write_matches: bool = setting(True, "Write srcMatch and srcMatchFull.")
    parquet: bool = setting(False, "Write the catalog as Parquet too, as ``sourceTable``.")
    background: BackgroundConfig = setting(BackgroundConfig(), "The background, looked at again.")
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
    """A calibrated exposure.

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
    warnings: list[str] = field(default_factory=list)


def field_circle(wcs: TanSipWcs, shape: tuple[int, int], margin: float) -> tuple[float, float, float]:
    """Return centre (degrees) and radius (arcsec) of a circle that holds a frame and ``margin`` arcsec beyond it."""
    height, width = shape
    ra, dec = wcs.pixel_to_sky(x=0.5 * (width - 1), y=0.5 * (height - 1))
    corner_ra, corner_dec = wcs.pixel_to_sky(x=[0, width, 0, width], y=[0, 0, height, height])
    a, b = (_unit_vector(*position) for position in ((ra, dec), (corner_ra, corner_dec)))
    chord = np.sqrt(((b - np.ravel(a)[:, None]) ** 2).sum(0)).max()
    return float(np.ravel(ra)[0]), float(np.ravel(dec)[0]), float(np.degrees(2 * np.arcsin(chord / 2)) * 3600 + margin)


def _unit_vector(ra: NDArray[np.float64], dec: NDArray[np.float64]) -> NDArray[np.float64]:
    ra, dec = np.radians(ra), np.radians(dec)
    return np.array([np.cos(dec) * np.cos(ra), np.cos(dec) * np.sin(ra), np.sin(dec)])


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
    sigma = psf_sigma(psf, x=0.5 * (width - 1), y=0.5 * (height - 1))
    found = detect_sources(exposure.masked_image, sigma, config.detection, config.background)
    if found.background is not None:
        backgrounds = [*backgrounds, found.background]
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
    _carry_flags(bright, catalog, config.flag_match_radius)
    if config.aperture_correction.enabled:
        _correct_apertures(exposure, catalog, corrections, config)
    result = Calibrated(exposure, backgrounds, catalog, Catalog(), _no_matches(), _no_zero_point(len(catalog)))
    if reference is not None:
        result.reference = reference
    _astrometry(result, band, config)
    set_sky_coordinates(catalog, exposure.wcs)
    _match(result, config)
    _photometry(result, band, config)
    return result


def _no_matches() -> Matches:
    none = np.zeros(0, np.int64)
    return Matches(none, none, np.zeros(0))


def _no_zero_point(n: int) -> ZeroPoint:
    nan = float("nan")
    return ZeroPoint(nan, nan, nan, nan, 0, np.zeros(n, bool))


def _correct_apertures(
    exposure: Exposure, catalog: Catalog, corrections: dict[str, ApertureCorrection], config: CalibrateConfig
) -> None:
    """Fit the aperture corrections again, now that faint neighbours are known, and apply them.

    Neighbours below the threshold of the characterization lie in the apertures of its stars and in its sky. Where too
    few of its stars are found again its corrections stand.
    """
    stars = catalog["calib_psf_candidate"] if "calib_psf_candidate" in catalog else np.zeros(len(catalog), bool)
    fresh = fit_aperture_corrections(catalog, stars, exposure.shape, config.measurement, config.aperture_correction)
    best = {name: fit if fit.n_star else corrections.get(name, fit) for name, fit in fresh.items()}
    apply_aperture_correction(catalog, best, config.measurement)


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


def _usable(catalog: Catalog, minimum_signal_to_noise: float) -> NDArray[np.bool_]:
    """Return which sources are good enough to calibrate with: whole, measured, bright, and nowhere damaged."""
    flux, flux_err = catalog["base_PsfFlux_instFlux"], catalog["base_PsfFlux_instFluxErr"]
    good = catalog["detect_isPrimary"] & ~catalog["base_SdssCentroid_flag"] & ~catalog["base_PsfFlux_flag"]
    for name in ("edge", "saturated", "interpolatedCenter", "crCenter", "bad"):
        good = good & ~catalog[f"base_PixelFlags_flag_{name}"]
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(good & (flux > minimum_signal_to_noise * flux_err))


def _reference_flux_name(reference: Catalog, band: str, config: ReferenceConfig) -> str | None:
    name = f"{config.flux_names.get(band, band)}_flux"
    return name if name in reference else None


def _astrometry(result: Calibrated, band: str, config: CalibrateConfig) -> None:
    """Fit the WCS, if asked for."""
    settings, exposure, catalog, reference = config.astrometry, result.exposure, result.catalog, result.reference
    if not settings.enabled or settings.force_known_wcs:
        return
    problem = "the exposure has no WCS to start from" if exposure.wcs is None else ""
    if not problem and not len(reference):
        problem = _NO_REFERENCE
    if not problem and exposure.wcs is not None:
        bright = _usable(catalog, settings.minimum_signal_to_noise)
        flux = _reference_flux_name(reference, band, config.reference)
        try:
            fit = fit_astrometry(
                x=catalog["base_SdssCentroid_x"][bright],
                y=catalog["base_SdssCentroid_y"][bright],
                flux=catalog["base_PsfFlux_instFlux"][bright],
                ref_ra=reference["coord_ra"],
                ref_dec=reference["coord_dec"],
                ref_flux=reference[flux] if flux else np.full(len(reference), np.nan),
                wcs=exposure.wcs,
                shape=exposure.shape,
                max_order=settings.order,
                max_offset=settings.max_offset,
                min_stars=settings.minimum_stars,
                max_scatter=settings.maximum_scatter,
            )
        except MeasurementError as error:
            problem = str(error)
        else:
            exposure.wcs = fit.wcs
            used = np.zeros(len(catalog), bool)
            used[np.flatnonzero(bright)[fit.matches.first[fit.used]]] = True
            catalog.add("calib_astrometry_used", used, "", "the WCS was fitted to this source")
            return
    if settings.required:
        raise MeasurementError(
            f"no astrometry: {problem}; give a reference catalog of this field, or set "
            "calibrate.astrometry.required to false to keep the WCS that the exposure came with"
        )
    result.warnings.append(f"no astrometry, the WCS that the exposure came with is kept: {problem}")


def _match(result: Calibrated, config: CalibrateConfig) -> None:
    """Match the final positions to the reference catalog."""
    catalog, reference = result.catalog, result.reference
    if not len(reference):
        return
    usable = np.flatnonzero(_usable(catalog, config.detection.threshold))
    pairs = match_sky(
        catalog["coord_ra"][usable],
        catalog["coord_dec"][usable],
        reference["coord_ra"],
        reference["coord_dec"],
        radius=config.astrometry.match_radius,
    )
    result.matches = Matches(usable[pairs.first], pairs.second, pairs.separation)
    if len(pairs):
        ra, dec = (catalog[f"coord_{c}"][result.matches.first] for c in ("ra", "dec"))
        ref_ra, ref_dec = (reference[f"coord_{c}"][pairs.second] for c in ("ra", "dec"))
        d_ra = ((ra - ref_ra + 180) % 360 - 180) * np.cos(np.radians(ref_dec)) * 3600
        result.astrometric_scatter = robust_sigma(np.concatenate([d_ra, (dec - ref_dec) * 3600]))


def _photometry(result: Calibrated, band: str, config: CalibrateConfig) -> None:
    """Fit the zero point, and write it where readers look for it."""
    settings, exposure = config.photometry, result.exposure
    metadata = exposure.metadata
    metadata.update(MAGZERO=float("nan"), MAGZERO_RMS=float("nan"), MAGZERO_NOBJ=0)
    metadata.update(COLORTERM1=0.0, COLORTERM2=0.0, COLORTERM3=0.0)
    if not settings.enabled:
        if exposure.photo_calib is not None:
            metadata["MAGZERO"] = exposure.photo_calib.zero_point
        return
    # what the exposure came with is no measurement: without a fit there is no zero point
    exposure.photo_calib = None
    used = np.zeros(len(result.catalog), bool)
    problem = _fit_photometry(result, band, config, used)
    result.catalog.add("calib_photometry_used", used, "", "the zero point was fitted to this source")
    if problem and settings.required:
        raise MeasurementError(
            f"no zero point: {problem}; give a reference catalog of this field, or set calibrate.photometry.required "
            "to false"
        )
    if problem:
        result.warnings.append(f"no zero point: {problem}")


def _fit_photometry(result: Calibrated, band: str, config: CalibrateConfig, used: NDArray[np.bool_]) -> str:
    """Fit the zero point and mark the stars; return why it was not possible, or an empty text."""
    settings, exposure, catalog, reference = config.photometry, result.exposure, result.catalog, result.reference
    if not len(reference):
        return _NO_REFERENCE
    if not len(result.matches):
        return f"none of the {len(reference)} reference sources matches a source"
    term = settings.colour_terms.get(exposure.physical_filter)
    name = _reference_flux_name(reference, band, config.reference)
    if name is None and term is None:
        fluxes = ", ".join(column for column in reference if column.endswith("_flux"))
        return f"the reference catalog has no flux '{band}_flux' (it has {fluxes}); set calibrate.reference.flux_names"
    magnitude, error = _reference_magnitude(reference, name, term)
    rows, second = result.matches.first, result.matches.second
    if f"{settings.flux}_instFlux" not in catalog:
        return f"the catalog has no flux '{settings.flux}'; set calibrate.photometry.flux"
    flux, flux_err = catalog[f"{settings.flux}_instFlux"][rows], catalog[f"{settings.flux}_instFluxErr"][rows]
    good = _usable(catalog, settings.minimum_signal_to_noise)[rows] & ~catalog[f"{settings.flux}_flag"][rows]
    good &= catalog["base_ClassificationExtendedness_value"][rows] < 0.5
    fit = fit_zero_point(
        flux=flux,
        flux_err=flux_err,
        ref_magnitude=magnitude[second],
        ref_magnitude_err=error[second],
        use=good,
        clip=settings.clip,
        sigma_max=settings.sigma_max,
    )
    result.zero_point = fit
    if not fit.n_star:
        return f"none of the {len(rows)} matched sources is a star bright enough to calibrate with"
    used[rows[fit.used]] = True
    exposure.photo_calib = PhotoCalib.from_zero_point(fit.zero_point, fit.error)
    time = exposure.visit_info.exposure_time if exposure.visit_info is not None else float("nan")
    # as in the stack: the magnitude of one count per second
    exposure.metadata.update(MAGZERO=_per_second(fit.zero_point, time), MAGZERO_RMS=fit.rms, MAGZERO_NOBJ=fit.n_star)
    if term is not None:
        exposure.metadata.update(COLORTERM1=term.c0, COLORTERM2=term.c1, COLORTERM3=term.c2)
    return ""


def _per_second(zero_point: float, exposure_time: float) -> float:
    return zero_point - 2.5 * float(np.log10(exposure_time)) if exposure_time > 0 else float("nan")


def _reference_magnitude(
    reference: Catalog, name: str | None, term: ColourTerm | None
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """AB magnitudes of reference sources in the exposure's filter, and their errors."""
    if term is None:
        assert name is not None  # noqa: S101 - the caller has looked
        return _magnitude(reference, name)
    primary, error = _magnitude(reference, f"{term.primary}_flux")
    colour = primary - _magnitude(reference, f"{term.secondary}_flux")[0]
    return primary + term.c0 + colour * (term.c1 + colour * term.c2), error


def _magnitude(reference: Catalog, name: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    flux = np.asarray(reference[name], np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        magnitude = np.where(flux > 0, NANOJANSKY_ZERO_POINT - 2.5 * np.log10(flux), np.nan)
        if f"{name}Err" not in reference:
            return magnitude, np.full(len(flux), np.nan)
        return magnitude, 2.5 / np.log(10) * np.asarray(reference[f"{name}Err"], np.float64) / flux
