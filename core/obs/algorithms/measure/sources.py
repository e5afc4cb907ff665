"""All measurements of all sources, in batches whose memory is bounded.

A batch holds stamps of `BATCH` sources; sources too large for them are cut again, larger, for those measurements that
need it.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from obs.algorithms.measure.aperture_flux import (
    SINC_MARGIN,
    SubpixelShifts,
    aperture_name,
    measure_aperture_flux,
    measure_ellipse_flux,
    sinc_half,
)
from obs.algorithms.measure.batch import BATCH, Batch, portions
from obs.algorithms.measure.centroid import Centroids, measure_centroid
from obs.algorithms.measure.correlated_errors import ErrorFactors
from obs.algorithms.measure.fluxes import Fluxes, flux_columns
from obs.algorithms.measure.kron_flux import kron_ellipse, measure_kron_radius
from obs.algorithms.measure.psf_centroid import find_along_trail, fit_centroid, reach_of_fit
from obs.algorithms.measure.psf_flux import measure_psf_flux
from obs.algorithms.measure.shape import Shapes, half_maximum_moments, measure_shape
from obs.algorithms.measure.spread import measure_spread
from obs.algorithms.measure.wide_aperture_flux import WideApertures
from obs.algorithms.pixels.bins import sum_bins
from obs.algorithms.sky.correlation import NoiseCorrelation
from obs.algorithms.sources.stamps import SourceList, StampCutter, Stamps
from obs.frozen import frozen
from obs.image.psf import Psf
from obs.threads import map_threads

__all__ = ["APERTURES", "Measurements", "measure_sources"]

APERTURES = (3.0, 4.5, 6.0, 9.0, 12.0, 17.0, 25.0)
LARGEST_BIN = 16

LARGEST_SHAPE_BIN = 4
"""What is still too wide for its stamp in bins of this size is not a source but a slope of the background."""

KRON_SIGMA = 6.0

FWHM_PER_SIGMA = 2.3548200450309493

WIDEST_STAMP = 25.0
"""Circles with a larger radius, pixels, are measured without stamps."""


@frozen
class Measurements:
    """Columns by name, each with one value a source; the names are LSST's.

    Parameters
    ----------
    columns : dict of str to ndarray, shape (n,)
        Name of the column to its values.
    """

    columns: dict[str, NDArray[np.generic]]

    def __getitem__(self, name: str) -> NDArray[np.generic]:
        return self.columns[name]


def measure_sources(
    cutter: StampCutter,
    sources: SourceList,
    labels: NDArray[np.int32],
    psf: Psf,
    *,
    apertures: Sequence[float] = APERTURES,
    maximum_sinc_radius: float = 10.0,
    kron: bool = True,
    which: NDArray[np.int64] | None = None,
    noise: NoiseCorrelation | None = None,
    correlated_fluxes: bool = True,
    positions: tuple[NDArray[np.float64], NDArray[np.float64]] | None = None,
) -> Measurements:
    """Measure centroid, shape and fluxes.

    Parameters
    ----------
    cutter : StampCutter
        Source of stamps.
    sources : SourceList
        What to measure.
    labels : ndarray of int32, shape (ny, nx)
        Footprint of each pixel: a centroid that wanders out of its footprint is set back to the peak.
    psf : Psf
        Point-spread function.
    apertures : sequence of float, optional
        Radii of the circular apertures, pixels.
    maximum_sinc_radius : float, optional
        Larger circles are integrated over pixels, not over the band-limited image.
    kron : bool, optional
        Measure Kron fluxes.
    which : ndarray of int64, optional
        Indices of the sources to measure; all if absent.
    noise : NoiseCorrelation, optional
        Noise that pixels share, which errors are to include; independent pixels if absent.
    correlated_fluxes : bool, optional
        Include it in the errors of fluxes too, not only in those of positions and moments.
    positions : tuple of ndarray of float64, each of shape (n_source,), optional
        x and y at which sources are measured, instead of their centroids on this image; NaN for the centroid.

    Returns
    -------
    Measurements
    """
    chosen = np.arange(len(sources)) if which is None else which
    batches = [chosen[k : k + BATCH] for k in range(0, len(chosen), BATCH)] or [chosen]
    narrow = [radius for radius in apertures if radius <= WIDEST_STAMP]
    parts = map_threads(
        lambda batch: _measure_batch(cutter, sources, labels, psf, batch, narrow, maximum_sinc_radius, kron, positions),
        batches,
    )
    columns = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    wide = [radius for radius in apertures if radius > WIDEST_STAMP]
    if wide:
        columns.update(_wide_apertures(cutter, sources, columns, chosen, wide))
    if noise is not None:
        height, width = labels.shape
        factors = ErrorFactors(noise, psf.evaluate(x=[0.5 * (width - 1)], y=[0.5 * (height - 1)])[0])
        radii = {aperture_name(radius): radius for radius in apertures}
        columns.update(factors.widen(columns, radii, fluxes=correlated_fluxes))
    return Measurements(columns)


def _wide_apertures(
    cutter: StampCutter,
    sources: SourceList,
    columns: dict[str, NDArray[np.generic]],
    chosen: NDArray[np.int64],
    radii: Sequence[float],
) -> dict[str, NDArray[np.generic]]:
    x, y = sources.x.astype(float), sources.y.astype(float)
    x[chosen], y[chosen] = columns["base_SdssCentroid_x"], columns["base_SdssCentroid_y"]
    circles = WideApertures(cutter.empty, cutter.variance, cutter.iterate_source_pixels, x, y)
    result: dict[str, NDArray[np.generic]] = {}
    for radius, found in zip(radii, circles.measure(radii), strict=True):
        kept = Fluxes(found.flux[chosen], found.flux_err[chosen], found.failed[chosen], found.edge[chosen])
        result.update(flux_columns(aperture_name(radius), kept, "apertureTruncated"))
    return result


def _measure_batch(
    cutter: StampCutter,
    sources: SourceList,
    labels: NDArray[np.int32],
    psf: Psf,
    which: NDArray[np.int64],
    apertures: Sequence[float],
    maximum_sinc_radius: float,
    kron: bool,
    positions: tuple[NDArray[np.float64], NDArray[np.float64]] | None,
) -> dict[str, NDArray[np.generic]]:
    room = [radius + (SINC_MARGIN if radius <= maximum_sinc_radius else 3) for radius in apertures]
    batch = Batch(cutter, which, int(np.ceil(max([psf.stamp_shape[0] // 2 + 3, *room]))))
    peak_x, peak_y = sources.x[which].astype(float), sources.y[which].astype(float)
    kernels = psf.evaluate(x=peak_x, y=peak_y)
    psf_shape = measure_shape(kernels, np.ones_like(kernels), batch.dx, batch.dy)
    area = psf_shape.xx * psf_shape.yy - psf_shape.xy**2
    sigma = np.where(psf_shape.failed, half_maximum_moments(kernels)[:, 0] ** 0.5, np.maximum(area, 0.0) ** 0.25)
    given = np.zeros(len(which), bool) if positions is None else np.isfinite(positions[0][which])
    # an image without sources has no positions either
    if not given.any() or not given.all():
        columns, dx, dy = _free_centroids(batch, sources, labels, psf, kernels, psf_shape, sigma)
    if positions is not None and given.any():
        fixed, fixed_dx, fixed_dy = _given_centroids(batch, sources, positions)
        if not given.all():
            fixed = {name: np.where(given, value, columns[name]) for name, value in fixed.items()}
            fixed_dx, fixed_dy = np.where(given, fixed_dx, dx), np.where(given, fixed_dy, dy)
        columns, dx, dy = fixed, fixed_dx, fixed_dy
    x, y = columns["base_SdssCentroid_x"].astype(float), columns["base_SdssCentroid_y"].astype(float)
    batch.center(dx, dy)

    start = np.c_[psf_shape.xx, psf_shape.yy, psf_shape.xy]
    start[psf_shape.failed] = half_maximum_moments(kernels[psf_shape.failed])
    shape = _shapes(batch, start)
    for name in ("xx", "yy", "xy"):
        columns[f"base_SdssShape_{name}"] = getattr(shape, name)
    for name in ("xx", "yy", "xy"):
        columns[f"base_SdssShape_{name}Err"] = getattr(shape, f"{name}_err")
    for name in ("xx", "yy", "xy"):
        columns[f"base_SdssShape_psf_{name}"] = getattr(psf_shape, name)
    columns["base_SdssShape_flag"] = shape.failed
    columns["base_GaussianFlux_instFlux"] = shape.flux
    columns["base_GaussianFlux_instFluxErr"] = shape.flux_err
    columns["base_GaussianFlux_flag"] = shape.failed | ~np.isfinite(shape.flux_err)

    columns.update(_fixed_fluxes(batch, psf, x, y, apertures, maximum_sinc_radius, sigma))
    if kron:
        columns.update(_kron(batch, shape, psf_shape, kernels))
    return columns


def _free_centroids(
    batch: Batch,
    sources: SourceList,
    labels: NDArray[np.int32],
    psf: Psf,
    kernels: NDArray[np.float32],
    psf_shape: Shapes,
    sigma: NDArray[np.float64],
) -> tuple[dict[str, NDArray[np.generic]], NDArray[np.float64], NDArray[np.float64]]:
    """Return columns of measured centroids, and their distances in x and y from the peak pixels."""
    which = batch.which
    peak_x, peak_y = sources.x[which].astype(float), sources.y[which].astype(float)
    centroid, binned = _centroids(batch, kernels, sigma)
    find_along_trail(batch.stamps.image, kernels, psf_shape.xx, psf_shape.yy, psf_shape.xy, centroid)
    # sources that were binned are wider than any PSF
    reach = reach_of_fit(psf_shape.xx, psf_shape.yy, psf_shape.xy, ~centroid.failed & ~binned)
    fit_centroid(batch.stamps.image, batch.stamps.variance, psf, peak_x, peak_y, centroid, reach)
    columns: dict[str, NDArray[np.generic]] = {}

    x, y = np.rint(peak_x + centroid.dx).astype(int), np.rint(peak_y + centroid.dy).astype(int)
    inside = (x >= 0) & (x < labels.shape[1]) & (y >= 0) & (y < labels.shape[0])
    there = labels[np.where(inside, y, 0), np.where(inside, x, 0)]
    strayed = ~centroid.failed & (~inside | (there != sources.footprint[which]))
    edge = _at_edge(batch.stamps, np.ceil(3 * sigma).astype(int) + 2)
    reset = strayed | centroid.failed | edge
    dx, dy = np.where(reset, 0.0, centroid.dx), np.where(reset, 0.0, centroid.dy)
    x, y = peak_x + dx, peak_y + dy
    columns["base_SdssCentroid_x"], columns["base_SdssCentroid_y"] = x, y
    unknown = np.float32(np.nan)
    columns["base_SdssCentroid_xErr"] = np.where(reset, unknown, centroid.x_err)
    columns["base_SdssCentroid_yErr"] = np.where(reset, unknown, centroid.y_err)
    columns["base_SdssCentroid_flag"] = reset
    columns["base_SdssCentroid_flag_edge"] = edge
    columns["base_SdssCentroid_flag_resetToPeak"] = strayed
    return columns, dx, dy


def _given_centroids(
    batch: Batch, sources: SourceList, positions: tuple[NDArray[np.float64], NDArray[np.float64]]
) -> tuple[dict[str, NDArray[np.generic]], NDArray[np.float64], NDArray[np.float64]]:
    """Return columns of positions from elsewhere, whose errors are not known here, as `_free_centroids` does."""
    x, y = (axis[batch.which] for axis in positions)
    no, unknown = np.zeros(len(batch), bool), np.full(len(batch), np.nan, np.float32)
    columns: dict[str, NDArray[np.generic]] = {
        "base_SdssCentroid_x": x,
        "base_SdssCentroid_y": y,
        "base_SdssCentroid_xErr": unknown,
        "base_SdssCentroid_yErr": unknown.copy(),
        "base_SdssCentroid_flag": no,
        "base_SdssCentroid_flag_edge": no.copy(),
        "base_SdssCentroid_flag_resetToPeak": no.copy(),
    }
    return columns, x - sources.x[batch.which], y - sources.y[batch.which]


def _at_edge(stamps: Stamps, reach: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Whether the image ends within ``reach`` pixels of the middle of a stamp."""
    half, rows = stamps.inside.shape[1] // 2, np.arange(len(reach))
    low, high = half - np.minimum(reach, half), half + np.minimum(reach, half)
    corner = stamps.inside[rows, low, low] & stamps.inside[rows, high, high]
    return np.asarray(~(corner & stamps.inside[rows, low, high] & stamps.inside[rows, high, low]))


def _centroids(
    batch: Batch, kernels: NDArray[np.float32], sigma: NDArray[np.float64]
) -> tuple[Centroids, NDArray[np.bool_]]:
    """Return centroids, and which sources were so wide that their pixels were binned."""
    found = measure_centroid(batch.stamps.image, batch.stamps.variance, kernels, sigma)
    binned = found.size > 0
    bin_size, todo = 2, np.flatnonzero(binned)
    while len(todo) and bin_size <= LARGEST_BIN:
        half = (kernels.shape[1] // 2 + 2) * bin_size
        for part in portions(todo, half):
            large = batch.cut(part, half)
            coarse = measure_centroid(large.image, large.variance, kernels[part], sigma[part], bin_size=bin_size)
            # where the coarser image has no maximum the finer one's stands
            better = ~coarse.failed
            for name in ("dx", "dy", "x_err", "y_err"):
                getattr(found, name)[part[better]] = getattr(coarse, name)[better]
            found.size[part] = np.where(better, coarse.size, 0)
        bin_size, todo = 2 * bin_size, todo[found.size[todo] > 0]
    return found, binned


def _shapes(batch: Batch, start: NDArray[np.float64]) -> Shapes:
    """Measure moments, the first weights of which are those of the PSF."""
    shapes = measure_shape(batch.stamps.image, batch.stamps.variance, batch.dx, batch.dy, start=start)
    half, bin_size = batch.half, 2
    while shapes.unfinished.any() and bin_size <= LARGEST_SHAPE_BIN:
        # a source that fills its stamp is smooth on the scale of a pixel: coarser pixels keep the work the same
        reach = half * bin_size + bin_size // 2
        for rows in portions(np.flatnonzero(shapes.unfinished), reach):
            large = batch.cut(rows, reach)
            skip = reach - half * bin_size - bin_size // 2
            image, variance = (sum_bins(a, skip, 2 * half + 1, bin_size) for a in (large.image, large.variance))
            # middle of the central bin, from the middle pixel
            middle = 0.5 * (bin_size - 1) - bin_size // 2
            x, y = ((d[rows] - middle) / bin_size for d in (batch.dx, batch.dy))
            first = start[rows] / bin_size**2 + np.array([1.0, 1.0, 0.0])
            shapes.replace(rows, measure_shape(image, variance, x, y, start=first).scaled(bin_size))
        bin_size *= 2
    return shapes


def _fixed_fluxes(
    batch: Batch,
    psf: Psf,
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    apertures: Sequence[float],
    maximum_sinc_radius: float,
    sigma: NDArray[np.float64],
) -> dict[str, NDArray[np.generic]]:
    """PSF flux, spread and circular apertures, whose size does not depend on the source."""
    stamps, middle = batch.stamps, np.full(len(batch), batch.half)
    rendered = psf.render(x=x, y=y)
    point = measure_psf_flux(stamps.image, stamps.variance, stamps.inside, rendered, middle, middle)
    columns = flux_columns("base_PsfFlux", point, "edge")
    spread, spread_err = measure_spread(stamps.image, stamps.variance, rendered, middle, middle, FWHM_PER_SIGMA * sigma)
    columns["base_ClassificationSpread_value"] = np.where(point.edge, np.nan, spread)
    columns["base_ClassificationSpread_valueErr"] = np.where(point.edge, np.nan, spread_err)
    widest = max((radius for radius in apertures if radius <= maximum_sinc_radius), default=0.0)
    shifts = SubpixelShifts.to(batch.dx, batch.dy, sinc_half(widest, stamps.image.shape[1]))
    for radius in apertures:
        circle = measure_aperture_flux(
            stamps.image,
            stamps.variance,
            stamps.inside,
            batch.dx,
            batch.dy,
            radius,
            sinc=radius <= maximum_sinc_radius,
            shifts=shifts,
        )
        columns.update(flux_columns(aperture_name(radius), circle, "apertureTruncated"))
    return columns


def _kron(
    batch: Batch, shape: Shapes, psf_shape: Shapes, kernels: NDArray[np.float32]
) -> dict[str, NDArray[np.generic]]:
    moments = np.c_[shape.xx, shape.yy, shape.xy]
    # the first radial moment of a round Gaussian is sqrt(pi / 2) sigma
    minimum = np.sqrt(np.pi / 2) * (psf_shape.xx * psf_shape.yy - psf_shape.xy**2) ** 0.25
    n = len(batch)
    radius, flux, flux_err = (np.full(n, np.nan) for _ in range(3))
    failed = np.ones(n, bool)
    reach = np.where(shape.failed, 0.0, KRON_SIGMA * np.sqrt(np.maximum(shape.xx, shape.yy))) + 1
    for rows, stamps in batch.by_size(reach):
        radius[rows] = measure_kron_radius(
            stamps.image,
            batch.dx[rows],
            batch.dy[rows],
            moments[rows],
            minimum_radius=minimum[rows],
            n_sigma=KRON_SIGMA,
        )
    known = np.isfinite(radius)
    a, b, theta = kron_ellipse(np.where(known, radius, 1.0), np.where(known[:, None], moments, [1.0, 1.0, 0.0]))
    for rows, stamps in batch.by_size(np.where(known, a, 0.0) + 1):
        at = batch.dx[rows], batch.dy[rows], a[rows], b[rows], theta[rows]
        found = measure_ellipse_flux(stamps.image, stamps.variance, stamps.inside, *at)
        flux[rows], flux_err[rows] = found.flux, found.flux_err
        failed[rows] = found.failed | found.edge
    failed |= ~known
    middle, ones = np.zeros(n), np.ones_like(kernels)
    of_psf = measure_ellipse_flux(kernels, ones, ones > 0, middle, middle, a, b, theta).flux
    of_psf = np.clip(of_psf / kernels.sum((1, 2), dtype=np.float64), 0.0, 1.0)
    return {
        "ext_photometryKron_KronFlux_radius": radius,
        "ext_photometryKron_KronFlux_instFlux": np.where(known, flux, np.nan),
        "ext_photometryKron_KronFlux_instFluxErr": np.where(known, flux_err, np.nan),
        "ext_photometryKron_KronFlux_psfFraction": np.where(known, of_psf, np.nan),
        "ext_photometryKron_KronFlux_flag": failed,
    }
