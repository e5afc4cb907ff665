"""All measurements of all sources, in batches whose memory is bounded.

A batch holds stamps of `BATCH` sources; sources too large for them are cut again, larger, for those measurements that
need it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from obs.algorithms.measure.aperture_flux import measure_aperture_flux
from obs.algorithms.measure.centroid import Centroids, measure_centroid
from obs.algorithms.measure.kron_flux import measure_kron_flux
from obs.algorithms.measure.psf_flux import measure_psf_flux
from obs.algorithms.measure.shape import Shapes, measure_shape
from obs.algorithms.stamps import SourceList, StampCutter, Stamps
from obs.image.psf import Psf

__all__ = ["APERTURES", "Measurements", "measure_sources"]

APERTURES = (3.0, 4.5, 6.0, 9.0, 12.0, 17.0, 25.0)
BATCH = 400
LARGEST_BIN = 16
LARGEST_HALF = 240
KRON_SIGMA = 6.0


@dataclass(frozen=True)
class Measurements:
    """Columns by name, each with one value a source; the names are LSST's."""

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

    Returns
    -------
    Measurements
    """
    chosen = np.arange(len(sources)) if which is None else which
    batches = [chosen[k : k + BATCH] for k in range(0, len(chosen), BATCH)] or [chosen]
    parts = [
        _measure_batch(cutter, sources, labels, psf, batch, apertures, maximum_sinc_radius, kron) for batch in batches
    ]
    return Measurements({name: np.concatenate([part[name] for part in parts]) for name in parts[0]})


def _measure_batch(
    cutter: StampCutter,
    sources: SourceList,
    labels: NDArray[np.int32],
    psf: Psf,
    which: NDArray[np.int64],
    apertures: Sequence[float],
    maximum_sinc_radius: float,
    kron: bool,
) -> dict[str, NDArray[np.generic]]:
    psf_half = psf.stamp_shape[0] // 2
    half = max(psf_half + 3, int(np.ceil(max(apertures, default=0.0))) + 3)
    stamps = cutter.cut(which, half)
    peak_x, peak_y = sources.x[which].astype(float), sources.y[which].astype(float)
    kernels = psf.evaluate(x=peak_x, y=peak_y)
    still = np.zeros(len(which))
    psf_shape = measure_shape(kernels, np.ones_like(kernels), still, still)
    area = psf_shape.xx * psf_shape.yy - psf_shape.xy**2
    sigma = np.where(psf_shape.failed, 1.5, area**0.25)
    columns: dict[str, NDArray[np.generic]] = {}

    centroid = _centroids(cutter, which, stamps, kernels, sigma)
    dx, dy = centroid.dx, centroid.dy
    x, y = np.rint(peak_x + dx).astype(int), np.rint(peak_y + dy).astype(int)
    inside = (x >= 0) & (x < labels.shape[1]) & (y >= 0) & (y < labels.shape[0])
    there = labels[np.where(inside, y, 0), np.where(inside, x, 0)]
    strayed = ~centroid.failed & (~inside | (there != sources.footprint[which]))
    edge = _at_edge(stamps, np.ceil(3 * sigma).astype(int) + 2)
    reset = strayed | centroid.failed | edge
    dx, dy = np.where(reset, 0.0, dx), np.where(reset, 0.0, dy)
    columns["base_SdssCentroid_x"], columns["base_SdssCentroid_y"] = peak_x + dx, peak_y + dy
    unknown = np.float32(np.nan)
    columns["base_SdssCentroid_xErr"] = np.where(reset, unknown, centroid.x_err)
    columns["base_SdssCentroid_yErr"] = np.where(reset, unknown, centroid.y_err)
    columns["base_SdssCentroid_flag"] = reset
    columns["base_SdssCentroid_flag_edge"] = edge
    columns["base_SdssCentroid_flag_resetToPeak"] = strayed

    shape = _shapes(cutter, which, stamps, dx, dy)
    for name in ("xx", "yy", "xy"):
        columns[f"base_SdssShape_{name}"] = getattr(shape, name)
    for name in ("xx", "yy", "xy"):
        columns[f"base_SdssShape_{name}Err"] = getattr(shape, f"{name}_err")
    for name in ("xx", "yy", "xy"):
        columns[f"base_SdssShape_psf_{name}"] = getattr(psf_shape, name)
    columns["base_SdssShape_flag"] = shape.failed
    columns["base_GaussianFlux_instFlux"] = shape.flux
    columns["base_GaussianFlux_instFluxErr"] = shape.flux_err
    columns["base_GaussianFlux_flag"] = shape.failed

    row, column = (half + np.rint(p + d).astype(int) - p.astype(int) for p, d in ((peak_y, dy), (peak_x, dx)))
    rendered = psf.render(x=peak_x + dx, y=peak_y + dy)
    point = measure_psf_flux(stamps.image, stamps.variance, stamps.inside, rendered, row, column)
    columns["base_PsfFlux_instFlux"], columns["base_PsfFlux_instFluxErr"] = point.flux, point.flux_err
    columns["base_PsfFlux_flag"], columns["base_PsfFlux_flag_edge"] = point.failed | point.edge, point.edge
    for radius in apertures:
        sinc = radius <= maximum_sinc_radius
        circle = measure_aperture_flux(stamps.image, stamps.variance, stamps.inside, dx, dy, radius, sinc=sinc)
        name = "base_CircularApertureFlux_" + f"{radius:.1f}".replace(".", "_")
        columns[f"{name}_instFlux"], columns[f"{name}_instFluxErr"] = circle.flux, circle.flux_err
        columns[f"{name}_flag"] = circle.failed | circle.edge
        columns[f"{name}_flag_apertureTruncated"] = circle.edge
    if kron:
        columns.update(_kron(cutter, which, stamps, dx, dy, shape, psf_shape))
    return columns


def _at_edge(stamps: Stamps, reach: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Whether the image ends within ``reach`` pixels of the middle of a stamp."""
    half, rows = stamps.inside.shape[1] // 2, np.arange(len(reach))
    low, high = half - reach, half + reach
    corner = stamps.inside[rows, low, low] & stamps.inside[rows, high, high]
    return np.asarray(~(corner & stamps.inside[rows, low, high] & stamps.inside[rows, high, low]))


def _centroids(
    cutter: StampCutter,
    which: NDArray[np.int64],
    stamps: Stamps,
    kernels: NDArray[np.float32],
    sigma: NDArray[np.float64],
) -> Centroids:
    found = measure_centroid(stamps.image, stamps.variance, kernels, sigma)
    bin_size, todo = 2, np.flatnonzero(found.size)
    while len(todo) and bin_size <= LARGEST_BIN:
        half = (kernels.shape[1] // 2 + 2) * bin_size
        for part in _portions(todo, half):
            large = cutter.cut(which[part], half)
            coarse = measure_centroid(large.image, large.variance, kernels[part], sigma[part], bin_size=bin_size)
            # where the coarser image has no maximum the finer one's stands
            better = ~coarse.failed
            for name in ("dx", "dy", "x_err", "y_err"):
                getattr(found, name)[part[better]] = getattr(coarse, name)[better]
            found.size[part] = np.where(better, coarse.size, 0)
        bin_size, todo = 2 * bin_size, todo[found.size[todo] > 0]
    return found


def _portions(rows: NDArray[np.int64], half: int) -> list[NDArray[np.int64]]:
    """Divide rows so that their stamps take no more memory than a batch of small ones."""
    step = max(1, BATCH * 60**2 // (2 * half + 1) ** 2)
    return [rows[k : k + step] for k in range(0, len(rows), step)]


def _enlarge(
    cutter: StampCutter,
    which: NDArray[np.int64],
    rows: NDArray[np.int64],
    half: int,
    measure: Callable[[Stamps, NDArray[np.int64]], None],
) -> None:
    for part in _portions(rows, half):
        measure(cutter.cut(which[part], half), part)


def _shapes(
    cutter: StampCutter, which: NDArray[np.int64], stamps: Stamps, dx: NDArray[np.float64], dy: NDArray[np.float64]
) -> Shapes:
    shapes = measure_shape(stamps.image, stamps.variance, dx, dy)
    half, bin_size = stamps.image.shape[1] // 2, 2
    while shapes.unfinished.any() and bin_size <= LARGEST_BIN:
        # a source that fills its stamp is smooth on the scale of a pixel: coarser pixels keep the work the same
        reach = half * bin_size + bin_size // 2
        for rows in _portions(np.flatnonzero(shapes.unfinished), reach):
            large = cutter.cut(which[rows], reach)
            first = reach - half * bin_size - bin_size // 2
            image, variance = (_sum_bins(a, first, 2 * half + 1, bin_size) for a in (large.image, large.variance))
            # middle of the central bin, from the peak pixel
            middle = 0.5 * (bin_size - 1) - bin_size // 2
            x, y = ((d[rows] - middle) / bin_size for d in (dx, dy))
            shapes.replace(rows, measure_shape(image, variance, x, y).scaled(bin_size))
        bin_size *= 2
    return shapes


def _sum_bins(stamps: NDArray[np.float32], first: int, n: int, bin_size: int) -> NDArray[np.float32]:
    region = slice(first, first + n * bin_size)
    cut = stamps[:, region, region]
    missing = n * bin_size - cut.shape[1]
    if missing:
        cut = np.pad(cut, ((0, 0), (0, missing), (0, missing)))
    return np.asarray(cut.reshape(len(stamps), n, bin_size, n, bin_size).sum((2, 4)))


def _kron(
    cutter: StampCutter,
    which: NDArray[np.int64],
    stamps: Stamps,
    dx: NDArray[np.float64],
    dy: NDArray[np.float64],
    shape: Shapes,
    psf_shape: Shapes,
) -> dict[str, NDArray[np.generic]]:
    moments = np.c_[shape.xx, shape.yy, shape.xy]
    # the first radial moment of a round Gaussian is sqrt(pi / 2) sigma
    minimum = np.sqrt(np.pi / 2) * (psf_shape.xx * psf_shape.yy - psf_shape.xy**2) ** 0.25
    reach = np.where(shape.failed, 0.0, KRON_SIGMA * np.sqrt(np.maximum(shape.xx, shape.yy))) + 3
    n = len(which)
    radius, flux, flux_err = (np.full(n, np.nan) for _ in range(3))
    failed = np.ones(n, bool)

    def measure(cut: Stamps, rows: NDArray[np.int64]) -> None:
        found = measure_kron_flux(
            cut.image, cut.variance, dx[rows], dy[rows], moments[rows], minimum_radius=minimum[rows], n_sigma=KRON_SIGMA
        )
        radius[rows], flux[rows], flux_err[rows], failed[rows] = found

    half, low = stamps.image.shape[1] // 2, -1.0
    fits = np.flatnonzero(reach <= half)
    if len(fits) == n:
        measure(stamps, fits)
    else:
        _enlarge(cutter, which, fits, half, measure)
    while (reach > half).any() and half < LARGEST_HALF:
        low, half = half, min(2 * half, LARGEST_HALF)
        _enlarge(cutter, which, np.flatnonzero((reach > low) & (reach <= half)), half, measure)
    return {
        "ext_photometryKron_KronFlux_radius": radius,
        "ext_photometryKron_KronFlux_instFlux": flux,
        "ext_photometryKron_KronFlux_instFluxErr": flux_err,
        "ext_photometryKron_KronFlux_flag": failed,
    }
