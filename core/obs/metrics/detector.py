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

from obs.algorithms.psf.width import half_maximum_width
from obs.geom import Box
from obs.image.exposure import Exposure
from obs.image.mask import UNUSABLE_PLANES
from obs.metrics.amplifiers import measure_amplifiers, measure_overscan
from obs.metrics.double_peak import measure_dip
from obs.metrics.evenness import corner_glow, sky_spot, sky_step
from obs.metrics.header import measure_ages, measure_header
from obs.metrics.lone_pixels import percent_alone
from obs.metrics.measured import FEWEST, SAMPLE_STEP, Measured
from obs.metrics.sources import (
    DEPTH_SNR,
    FEWEST_BRIGHT,
    measure_doubles,
    measure_shapes,
    measure_sources,
    measure_stars,
    percent_hit,
)
from obs.process_summary import ProcessSummary
from obs.tasks.calibrate import Calibrated
from obs.tasks.characterize import Characterized
from obs.tasks.psf_sizes import FWHM_PER_SIGMA

__all__ = ["Stage", "measure_detector"]

_PIXELS_PER_MEGAPIXEL = 1e6
#: Origins of a PSF that shows nothing of the seeing during the exposure.
_NOT_OF_THIS_FRAME = ("nearest good exposure", "assumed")
#: Pixels of one cosmic ray, which come together: a few hits scatter more than as many single pixels.
_PIXELS_PER_HIT = 10.0
#: Part of a column that is masked as a trail from which on the trail runs along it.
_WHOLE_LINE = 0.6
#: Places over the detector, as parts of its sides, at which the PSF model is looked at.
_GRID = (0.1, 0.5, 0.9)
_PHASES = ((0.0, 0.0), (0.25, 0.25), (0.5, 0.25), (0.5, 0.5))


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
    is_scale_known : bool
        Whether the camera's pixel scale is known, so that the solution can be held against it.
    """

    exposure: Exposure | None = None
    found: Characterized | None = None
    done: Calibrated | None = None
    is_scale_known: bool = True


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
        measure_doubles(out, deepest, summary.psf_sigma)
        _measure_mask(out, exposure, summary)
        _measure_sky(out, stage, summary)
    if stage.found is not None and amplifiers:
        measure_amplifiers(out, exposure, amplifiers)
    if stage.done is not None:
        measure_sources(out, stage.done, summary, is_scale_known=stage.is_scale_known)
        measure_stars(out, stage.done)
    return out


def _measure_psf(out: Measured, found: Characterized, summary: ProcessSummary) -> None:
    exposure, psf = found.exposure, found.exposure.psf
    origin = found.psf_origin
    if psf is None or origin in _NOT_OF_THIS_FRAME:
        reason = "no star and no source showed the width of the PSF"
        if origin != "assumed":
            reason = f"too few stars; the PSF is that of the {origin}"
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
    measure_shapes(out, catalog.select(stars))
    if "base_PixelFlags_flag_crCenter" in catalog and len(catalog):
        out.set(f"fewer than {FEWEST_BRIGHT} bright sources", stars_hit=percent_hit(catalog))


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
    out.set("fewer than 20 pixels were hit", cosmic_rays_single=percent_alone(mask.any_known(["CR"])))


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
    spot = 100.0 * sky_spot(cells[0]) / level if cells and level > 0 else math.nan
    out.set("no sky level, or too few cells", sky_spot=spot)
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
    pixels = found.exposure.masked_image
    glow = corner_glow(pixels.image, pixels.mask.array, pixels.mask.known_bits(["BAD", "SAT", "NO_DATA"]))
    out.set("the image is smaller than 320 pixels, or its corners are bad", corner_glow=glow / noise)
    flux = DEPTH_SNR * noise * math.sqrt(_psf_area(exposure))
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
