"""Metrics of one detector image, from what its processing has found already.

Nothing is detected or fitted again: catalogs, background cells, mask and the PSF model are read, in a hundredth of the
time that made them. Every number is either measured, or missing for a reason that is recorded.
"""

import math
import resource
import sys
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from obs.algorithms.photometry.zero_point_trends import Trends
from obs.algorithms.pixels.statistics import robust_sigma
from obs.algorithms.psf.width import half_maximum_width
from obs.geom import Box
from obs.image.catalog import Catalog
from obs.image.exposure import Exposure
from obs.image.mask import UNUSABLE_PLANES
from obs.metrics.amplifiers import measure_amplifiers, measure_overscan
from obs.metrics.double_peak import measure_dip
from obs.metrics.evenness import crowd_significance, sky_step
from obs.metrics.header import measure_ages, measure_header
from obs.metrics.measured import FEWEST, SAMPLE_STEP, Measured
from obs.metrics.pointing import share_of_field
from obs.process_summary import ProcessSummary
from obs.tasks.calibrate import Calibrated
from obs.tasks.characterize import Characterized
from obs.tasks.explain_psf import find_companion
from obs.tasks.psf_sizes import FWHM_PER_SIGMA

__all__ = ["Stage", "measure_detector", "percent_hit"]

_PIXELS_PER_MEGAPIXEL = 1e6
#: Pixels of one cosmic ray, which come together: a few hits scatter more than as many single pixels.
_PIXELS_PER_HIT = 10.0
#: Part of a column that is masked as a trail from which on the trail runs along it.
_WHOLE_LINE = 0.6
#: Places over the detector, as parts of its sides, at which the PSF model is looked at.
_GRID = (0.1, 0.5, 0.9)
_PHASES = ((0.0, 0.0), (0.25, 0.25), (0.5, 0.25), (0.5, 0.5))
#: Signal-to-noise ratio of stars that are counted, and up to which the error of a source is that of the sky.
_STAR_SNR, _FAINT_SNR = 20.0, 15.0
_DEPTH_SNR = 5.0
#: Reference stars this much brighter than the depth should be found.
_SURE = 1.5
#: Among fewer sources, one that is hit by chance is a large part.
_FEWEST_BRIGHT = 40
#: Standard error of a median in that of a mean, for normal errors.
MEDIAN_ERROR = 1.25
#: A color term is compared if its error is smaller, mag/mag, or so many times smaller than itself.
_COLOR_ERROR, _SIGNIFICANT = 0.03, 5.0


@dataclass
class Stage:
    """What the stages of a pipeline have made so far; None for those that have not run.

    Attributes
    ----------
    exposure : Exposure or None
        Detrended, later calibrated.
    found : Characterized or None
        Background, PSF, bright sources.
    done : Calibrated or None
        All sources, WCS, zero point.
    """

    exposure: Exposure | None = None
    found: Characterized | None = None
    done: Calibrated | None = None


def measure_detector(stage: Stage, summary: ProcessSummary, amplifiers: Sequence[tuple[str, Box]] = ()) -> Measured:
    """Return the metrics of a detector image, as far as its processing went.

    Parameters
    ----------
    stage : Stage
        What was made.
    summary : ProcessSummary
        What was measured on the way.
    amplifiers : sequence of (str, Box), optional
        Names and pixels of the amplifiers.

    Returns
    -------
    Measured
    """
    out = Measured()
    unit = 1024.0 if sys.platform != "darwin" else 1024.0**2
    out.set("", n_warnings=len(summary.warnings), seconds=sum(summary.seconds.values()))
    out.set("", peak_memory=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit)
    exposure = stage.exposure
    if exposure is None:
        return out
    measure_overscan(out, exposure)
    measure_header(out, exposure)
    measure_ages(out, exposure)
    if stage.found is not None:
        _measure_psf(out, stage.found, summary)
        # faint second images are sources of the deeper catalog alone
        deepest = stage.found.catalog if stage.done is None else stage.done.catalog
        _measure_doubles(out, deepest, summary.psf_sigma)
        _measure_mask(out, exposure, summary)
        _measure_sky(out, stage, summary)
    if stage.found is not None and amplifiers:
        measure_amplifiers(out, exposure, amplifiers)
    if stage.done is not None:
        _measure_sources(out, stage.done, summary)
        _measure_stars(out, stage.done)
    return out


def _measure_psf(out: Measured, found: Characterized, summary: ProcessSummary) -> None:
    exposure, psf = found.exposure, found.exposure.psf
    origin = found.psf_origin
    if psf is None or origin == "assumed":
        reason = "no star and no source showed the width of the PSF"
        names = ("seeing", "fwhm", "psf_gradient", "psf_range", "psf_concentration", "psf_dip")
        out.set(reason, **dict.fromkeys(names, math.nan))
    else:
        height, width = exposure.shape
        places = [(x * (width - 1), y * (height - 1)) for y in _GRID for x in _GRID]
        widths = np.array([half_maximum_width(psf, x=x, y=y) for x, y in places])
        scale = exposure.wcs.pixel_scale if exposure.wcs is not None else math.nan
        low, middle, high = np.percentile(widths, [5, 50, 95])
        out.set("the PSF model has no width", fwhm=middle, psf_range=float(np.ptp(widths)))
        gradient = math.sqrt(max(high**2 - low**2, 0.0))
        out.set("no WCS, so the pixel scale is not known", seeing=middle * scale, psf_gradient=gradient * scale)
        concentration = FWHM_PER_SIGMA * found.sigma / found.fwhm if found.fwhm > 0 else math.nan
        out.set("the PSF model has no width", psf_concentration=concentration)
        middle_x, middle_y = round(0.5 * (width - 1)), round(0.5 * (height - 1))
        out.set("", psf_dip=measure_dip(psf.render(x=[middle_x], y=[middle_y])[0]))
    fitted = math.nan if origin == "given" else summary.n_psf_star
    out.set("the PSF came with the exposure", n_psf_stars=fitted)
    out.set(f"no reserved stars (PSF: {origin})", psf_size_residual=summary.psf_size_residual)
    catalog = found.catalog
    stars = catalog["calib_psf_candidate"] if "calib_psf_candidate" in catalog else np.zeros(len(catalog), bool)
    out.set("", n_psf_offered=float(np.count_nonzero(stars)))
    is_fitted = origin != "given" and "calib_psf_reserved" in catalog
    reserved = float(np.count_nonzero(catalog["calib_psf_reserved"])) if is_fitted else math.nan
    out.set("the PSF was not fitted to stars", n_psf_reserved=reserved)
    _measure_shapes(out, catalog.select(stars))
    if "base_PixelFlags_flag_crCenter" in catalog and len(catalog):
        out.set(f"fewer than {_FEWEST_BRIGHT} bright sources", stars_hit=percent_hit(catalog))


def percent_hit(catalog: Catalog) -> float:
    """Return which part of the bright sources has a cosmic ray in its center, percent; NaN if there are too few.

    Saturated ones do not count: the rim of a clipped top is sharper than the PSF.
    """
    bright = _signal_to_noise(catalog) > _STAR_SNR
    if "base_PixelFlags_flag_saturatedCenter" in catalog:
        bright &= ~catalog["base_PixelFlags_flag_saturatedCenter"]
    if np.count_nonzero(bright) < _FEWEST_BRIGHT:
        return math.nan
    return 100.0 * float(np.mean(catalog["base_PixelFlags_flag_crCenter"][bright]))


def _measure_doubles(out: Measured, catalog: Catalog, sigma: float) -> None:
    """Note which part of the bright sources has the same companion."""
    if not sigma > 0 or "deblend_nChild" not in catalog or not len(catalog):
        out.set("no sources, or no width of the PSF", double_images=math.nan)
        return
    found = find_companion(catalog, sigma)
    out.set("", double_images=100.0 * found.n_with / found.n_bright if found is not None else 0.0)


def _measure_shapes(out: Measured, stars: Catalog) -> None:
    """Measure ellipticities of stars, and how the model differs from them."""
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


def _measure_mask(out: Measured, exposure: Exposure, summary: ProcessSummary) -> None:
    mask = exposure.masked_image.mask
    # every fourth row is enough for a percentage, and a quarter of the time
    rows = mask.array[::SAMPLE_STEP]
    lost = mask.known_bits(name for name in UNUSABLE_PLANES if name not in ("CR", "INTRP"))
    out.set(
        "",
        masked=100.0 * np.count_nonzero(rows & lost) / rows.size,
        saturated=100.0 * np.count_nonzero(rows & mask.known_bits(["SAT"])) / rows.size,
        n_streaks=summary.n_streak,
        streaks=100.0 * summary.streak_fraction,
    )
    if summary.n_streak:
        out.details["streaks_along"] = _axis_of_streaks((rows & mask.known_bits(["STREAK"])) != 0)
    some = rows[:, ::SAMPLE_STEP].copy()
    planes = {name: 100.0 * np.count_nonzero(some & mask.bits(name)) / some.size for name in mask.planes}
    out.details["planes"] = {name: round(part, 3) for name, part in planes.items() if part > 0}
    seconds = exposure.visit_info.exposure_time if exposure.visit_info is not None else math.nan
    dose = seconds * mask.array.size / _PIXELS_PER_MEGAPIXEL if seconds > 0 else math.nan
    hit = summary.n_cosmic_ray_pixel
    out.set(
        "the exposure time is not known, or 0",
        cosmic_rays=hit / dose,
        cosmic_rays_error=math.sqrt(hit * _PIXELS_PER_HIT) / dose,
    )


def _axis_of_streaks(where: NDArray[np.bool_]) -> str:
    """Return ``columns`` or ``rows`` if most pixels of trails are in those that are masked almost as a whole, or ""."""
    for name, axis in (("columns", 0), ("rows", 1)):
        share = where.mean(axis)
        if share[share > _WHOLE_LINE].sum() > 0.5 * share.sum():
            return name
    return ""


def _measure_sky(out: Measured, stage: Stage, summary: ProcessSummary) -> None:
    found, exposure = stage.found, stage.exposure
    if found is None or exposure is None:
        return
    backgrounds = stage.done.backgrounds if stage.done is not None else found.backgrounds
    cells = [background.level[np.isfinite(background.level)] for background in backgrounds]
    level = sum(float(np.median(known)) for known in cells if len(known)) if any(map(len, cells)) else math.nan
    seconds = exposure.visit_info.exposure_time if exposure.visit_info is not None else math.nan
    out.set("no cell of the background has enough good pixels", sky_level=level)
    out.set("the exposure time is not known, or 0", sky_rate=level / seconds if seconds > 0 else math.nan)
    gradient = math.nan
    if cells and len(cells[0]) >= FEWEST and level > 0:
        low, high = np.percentile(cells[0], [5, 95])
        gradient = 100.0 * float(high - low) / level
    out.set("no sky level, or too few cells", sky_gradient=gradient)
    step = 100.0 * max(sky_step(cells[0]), found.sky.largest_step) / level if cells and level > 0 else math.nan
    out.set("no sky level, or too few cells", sky_bimodal=step)
    out.set("noise of the sky was not measured", noise_ratio=summary.noise_ratio)
    out.set("too few cells beside sources", background_residual=summary.background_residual)
    zero_point = summary.zero_point
    area = exposure.wcs.pixel_scale**2 if exposure.wcs is not None else math.nan
    sky = zero_point - 2.5 * math.log10(level / area) if level > 0 and area > 0 else math.nan
    reason = "no zero point" if not math.isfinite(zero_point) else "the sky level is not positive, or there is no WCS"
    out.set(reason, sky=sky)
    noise = _sky_noise(exposure)
    flux = _DEPTH_SNR * noise * math.sqrt(_psf_area(exposure))
    depth = zero_point - 2.5 * math.log10(flux) if flux > 0 else math.nan
    out.set("no zero point" if not math.isfinite(zero_point) else "no PSF, or no noise", depth_predicted=depth)


def _psf_area(exposure: Exposure) -> float:
    """Return the area of the PSF in pixels: 1 over the sum of its squares, median over places and parts of a pixel."""
    if exposure.psf is None:
        return math.nan
    height, width = exposure.shape
    places = [
        (round(x * (width - 1)) + dx, round(y * (height - 1)) + dy) for x in _GRID for y in _GRID for dx, dy in _PHASES
    ]
    stamps = exposure.psf.render(x=[x for x, _ in places], y=[y for _, y in places]).astype(np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        areas = stamps.sum((1, 2)) ** 2 / (stamps**2).sum((1, 2))
    return float(np.median(areas[np.isfinite(areas)])) if np.isfinite(areas).any() else math.nan


def _sky_noise(exposure: Exposure) -> float:
    """Return the median noise of a pixel by the variance plane, from every fourth row and column."""
    variance = exposure.masked_image.variance[::SAMPLE_STEP, ::SAMPLE_STEP]
    known = variance[np.isfinite(variance) & (variance > 0)]
    return math.sqrt(float(np.median(known))) if known.size else math.nan


def _measure_sources(out: Measured, done: Calibrated, summary: ProcessSummary) -> None:
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
    out.set(fitted, rotation_error=summary.wcs_rotation, scale_ratio=summary.wcs_scale)
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


def _measure_stars(out: Measured, done: Calibrated) -> None:
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
        depth = float(calibration.mean.magnitude(_DEPTH_SNR * float(np.median(error[faint]))))
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
