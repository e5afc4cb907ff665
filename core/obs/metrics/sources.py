"""Metrics of the sources of a detector image: their shapes, fluxes, companions and depth."""

import math

import numpy as np
from numpy.typing import NDArray

from obs.algorithms.photometry.zero_point_trends import Trends
from obs.algorithms.pixels.statistics import robust_sigma
from obs.image.catalog import Catalog
from obs.metrics.evenness import crowd_significance
from obs.metrics.measured import FEWEST, Measured
from obs.metrics.pointing import share_of_field
from obs.process_summary import ProcessSummary
from obs.tasks.calibrate import Calibrated
from obs.tasks.explain_psf import find_companion

__all__ = [
    "DEPTH_SNR",
    "FEWEST_BRIGHT",
    "measure_doubles",
    "measure_shapes",
    "measure_sources",
    "measure_stars",
    "percent_hit",
]

#: Signal-to-noise ratio of stars that are counted, and up to which the error of a source is that of the sky.
_STAR_SNR, _FAINT_SNR = 20.0, 15.0
#: Signal-to-noise ratio of a source at the depth.
DEPTH_SNR = 5.0
#: Reference stars this much brighter than the depth should be found.
_SURE = 1.5
#: Among fewer sources, one that is hit by chance is a large part.
FEWEST_BRIGHT = 40
#: Standard error of a median in that of a mean, for normal errors.
MEDIAN_ERROR = 1.25
#: A color term is compared if its error is smaller, mag/mag, or so many times smaller than itself.
_COLOR_ERROR, _SIGNIFICANT = 0.03, 5.0


def measure_sources(out: Measured, done: Calibrated, summary: ProcessSummary, *, is_scale_known: bool = True) -> None:
    """Note zero point and astrometry, and against how many reference stars they stand.

    Parameters
    ----------
    out : Measured
        Receives values and reasons.
    done : Calibrated
        Calibrated exposure.
    summary : ProcessSummary
        Numbers of the fits of WCS and zero point.
    is_scale_known : bool, default: True
        Whether the camera gives the pixel scale, without which a change of it means nothing.
    """
    no_reference = "no reference catalog covers the frame" if not len(done.reference) else "no match"
    out.set("", n_sources=summary.n_source)
    number = {"n_reference": summary.n_reference, "zp_n_stars": summary.n_zero_point}
    out.set(no_reference, **(number if len(done.reference) else dict.fromkeys(number, math.nan)))
    seconds = done.exposure.visit_info.exposure_time if done.exposure.visit_info is not None else math.nan
    rate = summary.zero_point - 2.5 * math.log10(seconds) if seconds > 0 else math.nan
    out.set(no_reference, zero_point=summary.zero_point, zp_scatter=summary.zero_point_rms)
    out.set(no_reference, zp_error=done.zero_point.error)
    _measure_trends(out, done.zero_point.trends, no_reference)
    out.set(no_reference if not math.isfinite(summary.zero_point) else "no exposure time", zero_point_rate=rate)
    out.set(no_reference, astrom_scatter=1000.0 * summary.astrometric_scatter)
    fitted = "the WCS was not fitted" if len(done.reference) else no_reference
    out.set(fitted, astrom_matched=summary.wcs_matched, pointing_error=summary.wcs_offset)
    out.set(fitted, rotation_error=summary.wcs_rotation)
    unknown = "the pixel scale of the camera is not known"
    out.set(fitted if is_scale_known else unknown, scale_ratio=summary.wcs_scale if is_scale_known else math.nan)
    if done.exposure.wcs is not None:
        scale = done.exposure.wcs.pixel_scale
        out.set(fitted, pointing_share=share_of_field(summary.wcs_offset, shape=done.exposure.shape, pixel_scale=scale))


def _measure_trends(out: Measured, trends: Trends, no_reference: str) -> None:
    """Note how the zero point changes; a color term only where its error is small enough to compare it."""
    few = "too few stars" if no_reference == "no match" else no_reference
    out.set(few, zp_trend=trends.over_frame, zp_bright=trends.bright)
    out.set("too few stars, or the zero point is not of PSF fluxes", psf_trend=trends.of_psf)
    errors = {"zp_trend_error": trends.over_frame_error, "psf_trend_error": trends.of_psf_error}
    out.set("the stars show no change", **{name: error or math.nan for name, error in errors.items()})
    is_known = trends.color_error < max(_COLOR_ERROR, abs(trends.color) / _SIGNIFICANT)
    reason = f"its error is {trends.color_error:.2g} mag/mag" if math.isfinite(trends.color_error) else few
    out.set(reason, color_term=trends.color if is_known else math.nan)
    out.set(few, color_term_error=trends.color_error)
    if trends.color_name:
        out.details["color"] = trends.color_name


def measure_stars(out: Measured, done: Calibrated) -> None:
    """Note number, depth and light of the stars of the catalog.

    Parameters
    ----------
    out : Measured
        Receives values and reasons.
    done : Calibrated
        Calibrated exposure, with its catalog.
    """
    catalog = done.catalog
    of_stars = ("halo", "halo_error", "star_tail", "star_growth")
    names = ("depth", "psf_minus_aperture", "stars_expected", "source_anomaly", *of_stars)
    if not len(catalog):
        out.set("", n_stars=0)
        out.set("no sources", **dict.fromkeys(names, math.nan))
        return
    snr = _signal_to_noise(catalog)
    single = catalog["detect_isPrimary"] & (catalog["deblend_nChild"] == 0)
    extended = catalog["base_ClassificationExtendedness_value"]
    stars = single & (snr > _STAR_SNR) & (extended < 0.5)
    out.set("", n_stars=float(np.count_nonzero(stars)))
    x, y = (np.asarray(catalog[f"base_SdssCentroid_{axis}"][single], float) for axis in "xy")
    out.set("too few sources", source_anomaly=crowd_significance(x, y, done.exposure.shape))
    error = np.asarray(catalog["base_PsfFlux_instFluxErr"], float)
    faint = single & (snr < _FAINT_SNR) & (snr > 0) & np.isfinite(error) & (error > 0)
    calibration = done.exposure.photo_calib
    depth = math.nan
    if calibration is not None and np.count_nonzero(faint) >= FEWEST:
        depth = float(calibration.mean.magnitude(DEPTH_SNR * float(np.median(error[faint]))))
    out.set("no zero point" if calibration is None else f"fewer than {FEWEST} faint sources", depth=depth)
    difference, its_error = _psf_minus_aperture(catalog, stars)
    out.set("too few bright stars", psf_minus_aperture=difference, psf_minus_aperture_error=its_error)
    halo, halo_error = 100.0 * done.outer_light, 100.0 * done.outer_light_error
    reason = "a crowded field, too few bright stars, or no aperture correction"
    out.set(reason, halo=halo, halo_error=halo_error)
    out.set(
        "a crowded field, or too few bright stars",
        star_tail=100.0 * done.trends.tail,
        star_growth=100.0 * done.trends.growth,
    )
    _count_expected(out, done, depth)


def _psf_minus_aperture(catalog: Catalog, stars: NDArray[np.bool_]) -> tuple[float, float]:
    """Return the median of PSF minus aperture magnitude in the aperture of 12 pixels, and its standard error."""
    name = "base_CircularApertureFlux_12_0_instFlux"
    if name not in catalog:
        return math.nan, math.nan
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.asarray(catalog["base_PsfFlux_instFlux"], float)[stars] / catalog[name][stars]
        magnitude = -2.5 * np.log10(ratio)
    known = magnitude[np.isfinite(magnitude)]
    if len(known) < FEWEST:
        return math.nan, math.nan
    return float(np.median(known)), MEDIAN_ERROR * robust_sigma(known) / math.sqrt(len(known))


def _count_expected(out: Measured, done: Calibrated, depth: float) -> None:
    """Count the reference stars inside the frame that should be seen, and those that are."""
    reference, wcs = done.reference, done.exposure.wcs
    flux_name = next((name for name in reference.columns if name.endswith("_flux")), None) if len(reference) else None
    if flux_name is None or wcs is None or not math.isfinite(depth):
        out.set("no reference catalog, or no depth", stars_expected=math.nan)
        return
    flux = np.asarray(reference[flux_name], float)
    x, y = wcs.sky_to_pixel(ra=reference["coord_ra"], dec=reference["coord_dec"])
    height, width = done.exposure.shape
    inside = (x > 0) & (x < width - 1) & (y > 0) & (y < height - 1) & (flux > 10 ** (0.4 * (31.4 - depth + _SURE)))
    seen = np.zeros(len(reference), bool)
    seen[done.matches.second] = True
    count = int(np.count_nonzero(inside))
    ratio = float(np.count_nonzero(inside & seen)) / count if count >= FEWEST else math.nan
    out.set(f"fewer than {FEWEST} reference stars bright enough", stars_expected=ratio)


def _signal_to_noise(catalog: Catalog) -> NDArray[np.float64]:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(catalog["base_PsfFlux_instFlux"] / catalog["base_PsfFlux_instFluxErr"], float)


def measure_doubles(out: Measured, catalog: Catalog, sigma: float) -> None:
    """Note which part of the bright sources has the same companion.

    Parameters
    ----------
    out : Measured
        Receives values and reasons.
    catalog : Catalog
        Sources of the exposure.
    sigma : float
        Standard deviation of the PSF, pixels; without a positive one nothing is measured.
    """
    if not sigma > 0 or "deblend_nChild" not in catalog or not len(catalog):
        out.set("no sources, or no width of the PSF", double_images=math.nan)
        return
    found = find_companion(catalog, sigma)
    out.set("", double_images=100.0 * found.n_with / found.n_bright if found is not None else 0.0)


def percent_hit(catalog: Catalog) -> float:
    """Return which part of the bright sources has a cosmic ray in its center, percent; NaN if there are too few.

    Saturated ones do not count: the rim of a clipped top is sharper than the PSF.

    Parameters
    ----------
    catalog : Catalog
        Sources of the exposure.
    """
    bright = _signal_to_noise(catalog) > _STAR_SNR
    if "base_PixelFlags_flag_saturatedCenter" in catalog:
        bright &= ~catalog["base_PixelFlags_flag_saturatedCenter"]
    if np.count_nonzero(bright) < FEWEST_BRIGHT:
        return math.nan
    return 100.0 * float(np.mean(catalog["base_PixelFlags_flag_crCenter"][bright]))


def measure_shapes(out: Measured, stars: Catalog) -> None:
    """Measure ellipticities of stars, and how the model differs from them.

    Parameters
    ----------
    out : Measured
        Receives values and reasons.
    stars : Catalog
        Stars, with adaptive moments of the image and of the PSF model.
    """
    names = [
        *("star_e", "star_e_coherent", "star_angle"),
        *("psf_e1_residual", "psf_e2_residual", "psf_e_scatter", "psf_size_scatter"),
    ]
    if "base_SdssShape_xx" in stars:
        first, size = _ellipticity(stars, "base_SdssShape_")
        model, model_size = _ellipticity(stars, "base_SdssShape_psf_")
        good = np.isfinite(first).all(axis=0) & np.isfinite(model).all(axis=0) & (size > 0) & (model_size > 0)
    else:
        good = np.zeros(0, bool)
    if np.count_nonzero(good) < FEWEST:
        out.set(f"fewer than {FEWEST} stars with shapes", **dict.fromkeys(names, math.nan))
        return
    first, model, size, model_size = first[:, good], model[:, good], size[good], model_size[good]
    e1, e2 = np.median(first, axis=1)
    difference = np.median(first - model, axis=1)
    out.set(
        "",
        star_e=float(np.median(np.hypot(*first))),
        star_e_coherent=math.hypot(e1, e2),
        star_angle=math.degrees(0.5 * math.atan2(e2, e1)),
        psf_e1_residual=difference[0],
        psf_e2_residual=difference[1],
        psf_e_scatter=max(robust_sigma(values) for values in first - model),
        psf_size_scatter=robust_sigma(np.sqrt(size / model_size)),
    )


def _ellipticity(stars: Catalog, prefix: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return e1 and e2, shape (2, n), and the sum of both moments."""
    xx, yy, xy = (np.asarray(stars[f"{prefix}{name}"], float) for name in ("xx", "yy", "xy"))
    size = xx + yy
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.stack([(xx - yy) / size, 2.0 * xy / size]), size
