"""The zero point of an exposure, from a reference catalog."""

import re
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from obs.algorithms.astrometry.match import Matches
from obs.algorithms.photometry.zero_point import ZeroPoint, fit_zero_point
from obs.algorithms.photometry.zero_point_trends import Trends, fit_color_slope, measure_trends
from obs.algorithms.psf.width import half_maximum_width
from obs.errors import MeasurementError
from obs.image.catalog import Catalog
from obs.image.exposure import Exposure
from obs.image.photo_calib import PhotoCalib
from obs.plural import count_of
from obs.tasks.filter_magnitudes import color_fluxes, magnitudes_by_term, usable_color_term
from obs.tasks.photometry_config import ColorTerm, PhotometryConfig
from obs.tasks.reference import (
    NO_REFERENCE,
    ReferenceConfig,
    magnitude_system,
    reference_flux_name,
    reference_magnitude,
    usable_sources,
)

__all__ = ["solve_photometry"]

FEW_STARS = 3
"""Fewer stars do not show whether one of them is wrong."""

LARGE_SCATTER = 0.1
"""Stars of S/N 20 scatter by half of this, magnitudes; more has another cause."""

SMALL_SHARE = 0.7
"""Fewer of the matched stars than this agree where the matches or the reference magnitudes are doubtful."""

LARGE_TREND = 0.05
"""Change of the zero point over the frame, or with brightness, magnitudes, from which on there is a warning."""

SURE = 2.0
"""Standard errors by which a change must be larger than that."""

APERTURE_WIDTHS = 1.8
"""Radius of the aperture that PSF fluxes are compared with, in widths of the PSF: smaller ones lose light."""

_APERTURE = re.compile(r"base_CircularApertureFlux_(\d+_\d+)_instFlux")


def solve_photometry(
    exposure: Exposure,
    catalog: Catalog,
    reference: Catalog,
    matches: Matches,
    band: str,
    config: PhotometryConfig,
    reference_config: ReferenceConfig,
) -> tuple[ZeroPoint, list[str]]:
    """Fit the zero point of an exposure and write it where readers look for it.

    Parameters
    ----------
    exposure : Exposure
        Gets a photometric calibration, or loses the one it came with where the fit fails: what it came with is no
        measurement. Its metadata get ``MAGZERO`` (magnitude of one count per second), ``MAGZERO_RMS`` and
        ``MAGZERO_NOBJ``.
    catalog : Catalog
        Sources; gains ``calib_photometry_used``.
    reference : Catalog
        Reference sources, fluxes in nanojansky; may be empty.
    matches : Matches
        Rows of both that belong together.
    band : str
        Band of the exposure.
    config : PhotometryConfig
        Settings of the fit.
    reference_config : ReferenceConfig
        Settings of the reference catalog.

    Returns
    -------
    zero_point : ZeroPoint
        NaN without a fit.
    problems : list of str
        What the user should know: why there is no fit, or no color term, or why to doubt it; empty if all is well.

    Raises
    ------
    MeasurementError
        If there is no fit and the settings require one.
    """
    metadata = exposure.metadata
    metadata.update(MAGZERO=float("nan"), MAGZERO_RMS=float("nan"), MAGZERO_NOBJ=0)
    metadata.update(COLORTERM1=0.0, COLORTERM2=0.0, COLORTERM3=0.0)
    nan, used = float("nan"), np.zeros(len(catalog), bool)
    nothing = ZeroPoint(nan, nan, nan, nan, 0, used)
    if not config.enabled:
        if exposure.photo_calib is not None:
            metadata["MAGZERO"] = _per_second(exposure.photo_calib.zero_point, exposure)
        return nothing, []
    exposure.photo_calib = None
    try:
        term, problem = usable_color_term(reference, exposure.physical_filter, config)
        fit, rows = _fit(exposure, catalog, reference, matches, band, config, reference_config, term)
    except MeasurementError as error:
        if config.required:
            raise MeasurementError(
                f"no zero point: {error}; give a reference catalog of this field, or set calibrate.photometry.required "
                "to false"
            ) from error
        catalog.add("calib_photometry_used", used, "", "the zero point was fitted to this source")
        return nothing, [f"no zero point: {error}"]
    used[rows[fit.used]] = True
    catalog.add("calib_photometry_used", used, "", "the zero point was fitted to this source")
    name = f"{term.primary}_flux" if term is not None else reference_flux_name(reference, band, reference_config)
    exposure.photo_calib = PhotoCalib.from_zero_point(fit.zero_point, fit.error, magnitude_system(reference, name))
    metadata.update(MAGZERO=_per_second(fit.zero_point, exposure), MAGZERO_RMS=fit.rms, MAGZERO_NOBJ=fit.n_star)
    if term is not None:
        metadata.update(COLORTERM1=term.c0, COLORTERM2=term.c1, COLORTERM3=term.c2)
    return fit, [text for text in (problem, *_doubts(fit), *_describe_trends(fit.trends)) if text]


def _describe_trends(trends: Trends) -> list[str]:
    """Return warnings where one zero point does not hold for all of the frame, or for all stars."""
    warnings = []
    if trends.over_frame - SURE * trends.over_frame_error > LARGE_TREND:
        warnings.append(
            f"the zero point changes by {trends.over_frame:.2f} mag over the frame: a cloud, a wrong flat, scattered "
            "light in the flat, or a WCS that is wrong in a part of it. Magnitudes far from the middle are off by half "
            "of this; compare with other exposures, and build the flat again if they show the same"
        )
    if trends.of_psf - SURE * trends.of_psf_error > LARGE_TREND:
        warnings.append(
            f"PSF magnitudes change by {trends.of_psf:.2f} mag over the frame against those of apertures: the PSF "
            "model does not follow the stars, as where they are undersampled or the focus changes. Prefer "
            "base_CircularApertureFlux with a radius that holds the light"
        )
    if abs(trends.bright) > LARGE_TREND:
        how = "too faint" if trends.bright < 0 else "too bright"
        cause = "they are saturated, or the detector is" if trends.bright < 0 else "the detector is"
        warnings.append(
            f"the brightest stars are {abs(trends.bright):.2f} mag {how} for the zero point of the others: {cause} not "
            "linear. Correct the saturation in the camera's amplifiers.csv, or set "
            "calibrate.photometry.minimum_signal_to_noise so that stars of other brightness decide"
        )
    return warnings


def _doubts(fit: ZeroPoint) -> list[str]:
    """Return what contradicts a zero point, judged by all matched stars and not by those that were kept."""
    if fit.n_considered < FEW_STARS:
        return [
            f"the zero point rests on {count_of(fit.n_considered, 'star')}: nothing shows whether one of them is wrong"
        ]
    doubts = []
    if fit.n_star < SMALL_SHARE * fit.n_considered:
        doubts.append(
            f"the zero point rests on {fit.n_star} of {fit.n_considered} matched stars, the others disagree: check the "
            "WCS, crowding, and whether the reference catalog is deep enough"
        )
    if fit.overall_scatter > LARGE_SCATTER:
        doubts.append(
            f"matched stars scatter by {fit.overall_scatter:.2f} mag about the zero point: check that the reference "
            "flux is that of the exposure's filter (calibrate.reference.flux_names), color terms, and clouds"
        )
    return doubts


def _fit(
    exposure: Exposure,
    catalog: Catalog,
    reference: Catalog,
    matches: Matches,
    band: str,
    config: PhotometryConfig,
    reference_config: ReferenceConfig,
    term: ColorTerm | None,
) -> tuple[ZeroPoint, NDArray[np.int64]]:
    if not len(reference):
        raise MeasurementError(NO_REFERENCE)
    if not len(matches):
        raise MeasurementError(f"none of the {len(reference)} reference sources matches a source")
    if f"{config.flux}_instFlux" not in catalog:
        raise MeasurementError(f"the catalog has no flux '{config.flux}'; set calibrate.photometry.flux")
    flux_name = reference_flux_name(reference, band, reference_config)
    magnitude, error = magnitudes_by_term(reference, flux_name, term, band)
    rows, second = matches.first, matches.second
    good = usable_sources(catalog, config.minimum_signal_to_noise)[rows] & ~catalog[f"{config.flux}_flag"][rows]
    good &= catalog["base_ClassificationExtendedness_value"][rows] < 0.5
    flux, flux_err = (catalog[f"{config.flux}_{name}"][rows] for name in ("instFlux", "instFluxErr"))
    fit = fit_zero_point(
        flux=flux,
        flux_err=flux_err,
        ref_magnitude=magnitude[second],
        ref_magnitude_err=error[second],
        use=good,
        clip=config.clip,
        sigma_max=config.sigma_max,
    )
    if not fit.n_star:
        raise MeasurementError(f"none of the {len(rows)} matched sources is a star bright enough to calibrate with")
    if fit.n_considered >= FEW_STARS and fit.overall_scatter > config.maximum_scatter:
        raise MeasurementError(
            f"the {fit.n_considered} matched stars scatter by {fit.overall_scatter:.2f} mag about it, "
            f"calibrate.photometry.maximum_scatter allows {config.maximum_scatter:g}: check that the WCS is right and "
            "that the reference catalog has the exposure's filter"
        )
    with np.errstate(divide="ignore", invalid="ignore"):
        single = magnitude[second] + 2.5 * np.log10(flux)
        single_err = np.hypot(2.5 / np.log(10.0) * flux_err / flux, np.nan_to_num(error[second]))
    x, y = (np.asarray(catalog[f"base_SdssCentroid_{axis}"][rows], np.float64) for axis in "xy")
    single[~good] = np.nan
    trends = measure_trends(
        *(single, single_err),
        x=x,
        y=y,
        flux=np.asarray(flux, np.float64),
        shape=exposure.shape,
        psf_minus_aperture=_psf_minus_aperture(exposure, catalog, rows) if config.flux == "base_PsfFlux" else None,
    )
    if (names := color_fluxes(reference, flux_name, term)) is not None:
        first, other = (reference_magnitude(reference, name)[0][second] for name in names)
        slope, slope_error = fit_color_slope(single, single_err, first - other)
        named = " - ".join(name.removesuffix("_flux") for name in names)
        trends = trends._replace(color=slope, color_error=slope_error, color_name=named)
    return replace(fit, trends=trends), rows


def _psf_minus_aperture(exposure: Exposure, catalog: Catalog, rows: NDArray[np.intp]) -> NDArray[np.float64] | None:
    """Return PSF minus aperture magnitudes of sources, in the smallest aperture that holds most of their light."""
    if exposure.psf is None:
        return None
    height, width = exposure.shape
    least = APERTURE_WIDTHS * half_maximum_width(exposure.psf, x=0.5 * (width - 1), y=0.5 * (height - 1))
    radii = {
        float(found[1].replace("_", ".")): name for name in catalog.columns if (found := _APERTURE.fullmatch(name))
    }
    wide = [radius for radius in sorted(radii) if radius >= least]
    if not wide:
        return None
    name = radii[wide[0]]
    with np.errstate(divide="ignore", invalid="ignore"):
        magnitude: NDArray[np.float64] = -2.5 * np.log10(catalog["base_PsfFlux_instFlux"][rows] / catalog[name][rows])
    return magnitude


def _per_second(zero_point: float, exposure: Exposure) -> float:
    """Return the zero point of one count per second, as the stack writes it; NaN without an exposure time."""
    if str(exposure.metadata.get("BUNIT", "")).endswith("/s"):
        return zero_point
    time = exposure.visit_info.exposure_time if exposure.visit_info is not None else float("nan")
    return zero_point - 2.5 * float(np.log10(time)) if time > 0 else float("nan")
