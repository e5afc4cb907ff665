"""Divide the light of a blended footprint among its peaks.

Each peak gets a template: the PSF where the pixels around it agree with a point source, else the light that is
symmetric about the peak, smoothed and made to fall monotonically outward. The footprint's pixels are then apportioned
in the ratio of the templates, so that the children add up to their parent (Lupton's SDSS Photo deblender; Bosch et al.
2018, section 4.8). All children of a size are worked on at once.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial import cKDTree

from obs.algorithms.pixels.median import median_of_neighbors
from obs.algorithms.pixels.window import windows
from obs.algorithms.sources.detection import Footprints, Peaks
from obs.image.psf import Psf

__all__ = ["Children", "deblend"]

NEIGHBOURS = 6
ROUNDS = 3

LARGEST_SHIFT = 1.5
"""The wing of a neighbor moves the peak of a point source by no more than this, pixels."""

SIZES = (6, 12, 24, 48, 96, 192)
PIXELS_AT_ONCE = 4_000_000


@dataclass(frozen=True)
class Children:
    """Pixels of deblended sources, one entry a pixel of a child, ordered by child.

    Parameters
    ----------
    peaks : Peaks
        One a child.
    start : ndarray of int64, shape (n_child + 1,)
        Entries of child k are ``start[k]`` to ``start[k + 1]``.
    pixel : ndarray of int64, shape (n_entry,)
        Flat index of the pixel in the image.
    flux : ndarray of float32, shape (n_entry,)
        The child's share of the pixel.
    is_psf : ndarray of bool, shape (n_child,)
        Whether the template was the PSF.
    """

    peaks: Peaks
    start: NDArray[np.int64]
    pixel: NDArray[np.int64]
    flux: NDArray[np.float32]
    is_psf: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.peaks)

    @classmethod
    def none(cls) -> "Children":
        """Return no children."""
        whole, real = np.zeros(0, np.int64), np.zeros(0, np.float32)
        return cls(Peaks(whole, whole, real, whole), np.zeros(1, np.int64), whole, real, np.zeros(0, bool))

    @property
    def owner(self) -> NDArray[np.int64]:
        """Number of the child of each entry."""
        return np.repeat(np.arange(len(self)), np.diff(self.start))


def deblend(
    image: NDArray[np.float32],
    variance: NDArray[np.float32],
    footprints: Footprints,
    psf: Psf,
    *,
    fwhm: float,
    psf_chi2_cut: float = 1.5,
) -> Children:
    """Divide every footprint with more than one peak.

    Parameters
    ----------
    image, variance : ndarray of float32, shape (ny, nx)
        Background-subtracted pixels and their variance, image units squared.
    footprints : Footprints
        Regions and peaks.
    psf : Psf
        Point-spread function.
    fwhm : float
        Its full width at half maximum, pixels.
    psf_chi2_cut : float, optional
        A peak whose surroundings fit the PSF with a smaller reduced chi-squared is taken for a point source.

    Returns
    -------
    Children
        In the order of the peaks of blended footprints.
    """
    n_peak = np.bincount(footprints.peaks.footprint, minlength=footprints.n + 1)
    peaks = footprints.peaks.select(n_peak[footprints.peaks.footprint] > 1)
    if not len(peaks):
        return Children.none()
    point = _fit_points(image, variance, peaks, psf, fwhm, psf_chi2_cut)
    owner, pixel, template = _templates(image, footprints.labels, peaks, psf, point)
    total = np.zeros(image.size, np.float32)
    np.add.at(total, pixel, template)
    lit = template > 0
    owner, pixel = owner[lit], pixel[lit]
    share = template[lit] / total[pixel]
    stray = np.flatnonzero((n_peak > 1)[footprints.labels].ravel() & (footprints.labels.ravel() > 0) & (total <= 0))
    owner = np.concatenate([owner, _nearest_peak(stray, footprints.labels, peaks)])
    pixel = np.concatenate([pixel, stray])
    flux = image.ravel()[pixel] * np.concatenate([share, np.ones(len(stray), np.float32)])
    order = np.argsort(owner, kind="stable")
    start = np.searchsorted(owner[order], np.arange(len(peaks) + 1))
    return Children(peaks, start.astype(np.int64), pixel[order], flux[order].astype(np.float32), point.accepted)


@dataclass(frozen=True)
class _Points:
    """Point sources fitted at peaks: whether each is one, its flux and its offset from the peak pixel."""

    accepted: NDArray[np.bool_]
    flux: NDArray[np.float64]
    dx: NDArray[np.float64]
    dy: NDArray[np.float64]


def _fit_points(
    image: NDArray[np.float32],
    variance: NDArray[np.float32],
    peaks: Peaks,
    psf: Psf,
    fwhm: float,
    chi2_cut: float,
) -> _Points:
    """Fit PSF, its neighbors' PSFs and a sloping sky around each peak: all peaks in one batch, linear in small shifts.

    Each round begins where the last one put the sources; neighbors then stand at their own fitted places.
    """
    height, width = image.shape
    half = max(2, int(np.ceil(1.5 * fwhm)))
    offset = np.arange(-half, half + 1)
    y, x = peaks.y[:, None] + offset, peaks.x[:, None] + offset
    inside = ((y >= 0) & (y < height))[:, :, None] & ((x >= 0) & (x < width))[:, None, :]
    rows, columns = np.clip(y, 0, height - 1)[:, :, None], np.clip(x, 0, width - 1)[:, None, :]
    data = image[rows, columns].astype(np.float64)
    noise = variance[rows, columns].astype(np.float64)
    radius = np.hypot(*np.meshgrid(offset, offset))
    ramp = np.clip((1.5 * fwhm - radius) / max(0.5 * fwhm, 1.0), 0.0, 1.0)
    usable = inside & np.isfinite(data) & (noise > 0)
    weight = np.where(usable, ramp / np.where(noise > 0, noise, 1.0), 0.0)
    freedom = (ramp * usable).sum((1, 2))
    reach = half + psf.stamp_shape[0] // 2
    places = np.c_[peaks.x, peaks.y]
    distance, neighbor = cKDTree(places).query(places, k=min(NEIGHBOURS + 1, len(peaks)), distance_upper_bound=reach)
    # peaks beyond the reach have the number of peaks as their index
    near = np.where(np.isfinite(distance) & (distance > 0), neighbor, -1)[:, 1:]
    dx, dy = np.zeros(len(peaks)), np.zeros(len(peaks))
    for _ in range(ROUNDS):
        design = _point_design(peaks, psf, dx, dy, near, offset)
        flux, step_x, step_y, chi2 = _solve_points(design, data, weight, freedom)
        dx, dy = (np.clip(d + step, -LARGEST_SHIFT, LARGEST_SHIFT) for d, step in ((dx, step_x), (dy, step_y)))
    settled = (np.abs(dx) < LARGEST_SHIFT) & (np.abs(dy) < LARGEST_SHIFT)
    accepted = (freedom > _n_parameter(design)) & (chi2 < chi2_cut) & (flux > 0) & settled
    return _Points(accepted, flux, dx, dy)


def _point_design(
    peaks: Peaks,
    psf: Psf,
    dx: NDArray[np.float64],
    dy: NDArray[np.float64],
    near: NDArray[np.int64],
    offset: NDArray[np.int64],
) -> NDArray[np.float64]:
    """Terms of the fit, shape (n, n_term, n_pixel): PSF, its slopes, a plane, and the PSFs of neighbors."""
    stamps = psf.render(x=peaks.x + dx, y=peaks.y + dy)
    middle_x, middle_y = (np.rint(p + d).astype(np.int64) for p, d in ((peaks.x, dx), (peaks.y, dy)))
    center, half = stamps.shape[1] // 2, len(offset) // 2
    framed = windows(stamps, center + peaks.y - middle_y, center + peaks.x - middle_x, half + 1)
    design = np.zeros((len(peaks), 6 + near.shape[1], len(offset), len(offset)))
    design[:, 0] = framed[:, 1:-1, 1:-1]
    design[:, 1] = 0.5 * (framed[:, 1:-1, :-2] - framed[:, 1:-1, 2:])
    design[:, 2] = 0.5 * (framed[:, :-2, 1:-1] - framed[:, 2:, 1:-1])
    design[:, 3], design[:, 4], design[:, 5] = 1.0, offset, offset[:, None]
    for k, index in enumerate(near.T, start=6):
        rows = np.flatnonzero(index >= 0)
        which = index[rows]
        at_y, at_x = peaks.y[rows] - middle_y[which], peaks.x[rows] - middle_x[which]
        design[rows, k] = windows(stamps, center + at_y, center + at_x, half, which)
    return design.reshape(len(peaks), design.shape[1], -1)


def _n_parameter(design: NDArray[np.float64]) -> NDArray[np.int64]:
    """Terms that reach into the window of each fit."""
    return np.asarray(np.count_nonzero(design.any(2), axis=1), np.int64)


def _solve_points(
    design: NDArray[np.float64],
    data: NDArray[np.float64],
    weight: NDArray[np.float64],
    n_pixel: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Flux, shift in x and y, and reduced chi-squared of every fit."""
    n = len(design)
    data, weight = data.reshape(n, -1), weight.reshape(n, -1)
    weighted = design * weight[:, None, :]
    normal = weighted @ design.transpose(0, 2, 1)
    scale = np.sqrt(np.maximum(np.einsum("nii->ni", normal), 1e-300))
    normal = normal / (scale[:, :, None] * scale[:, None, :]) + 1e-9 * np.eye(design.shape[1])
    right = (weighted @ data[:, :, None])[:, :, 0] / scale
    solution = np.linalg.solve(normal, right[:, :, None])[:, :, 0] / scale
    residual = data - (solution[:, None] @ design)[:, 0]
    freedom = n_pixel - _n_parameter(design)
    chi2 = np.einsum("np,np->n", weight, residual**2) / np.maximum(freedom, 1.0)
    flux = solution[:, 0]
    safe = np.where(flux > 0, flux, np.inf)
    return flux, solution[:, 1] / safe, solution[:, 2] / safe, chi2


def _templates(
    image: NDArray[np.float32], labels: NDArray[np.int32], peaks: Peaks, psf: Psf, point: _Points
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float32]]:
    """Child, flat pixel and template value of every template pixel."""
    half = np.where(point.accepted, psf.stamp_shape[0] // 2, _reach(labels, peaks))
    sizes = np.array(SIZES)
    group = np.minimum(np.searchsorted(sizes, half), len(sizes) - 1)
    parts: list[tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float32]]] = []
    for k, size in enumerate(SIZES):
        members = np.flatnonzero((group == k) & ~point.accepted)
        step = max(1, PIXELS_AT_ONCE // (2 * size + 1) ** 2)
        for first in range(0, len(members), step):
            chosen = members[first : first + step]
            stamps, pixel, own = _cut(image, labels, peaks.select(chosen), size)
            parts.append(_entries(chosen, pixel, own, _falling(_symmetric(stamps, own))))
    points = np.flatnonzero(point.accepted)
    if len(points):
        size = psf.stamp_shape[0] // 2
        _, pixel, own = _cut(image, labels, peaks.select(points), size)
        x, y = peaks.x[points] + point.dx[points], peaks.y[points] + point.dy[points]
        # render centers its stamp on the pixel nearest to the source, which may be a neighbor of the peak pixel
        stamps = psf.render(x=x, y=y)
        shift_y, shift_x = np.rint(y).astype(int) - peaks.y[points], np.rint(x).astype(int) - peaks.x[points]
        moved = np.zeros_like(stamps)
        side = np.arange(stamps.shape[1])
        rows, columns = side - shift_y[:, None], side - shift_x[:, None]
        valid = ((rows >= 0) & (rows < len(side)))[:, :, None] & ((columns >= 0) & (columns < len(side)))[:, None, :]
        moved = np.where(
            valid,
            stamps[
                np.arange(len(points))[:, None, None],
                np.clip(rows, 0, len(side) - 1)[:, :, None],
                np.clip(columns, 0, len(side) - 1)[:, None, :],
            ],
            0.0,
        )
        template = np.maximum(moved, 0.0) * point.flux[points, None, None]
        parts.append(_entries(points, pixel, own, template.astype(np.float32)))
    owner, pixel, value = (np.concatenate(part) for part in zip(*parts, strict=True))
    return owner, pixel, value


def _reach(labels: NDArray[np.int32], peaks: Peaks) -> NDArray[np.int64]:
    """Half-size of the box about each peak outside which no pixel of the footprint has its mirror in the footprint."""
    boxes = ndimage.find_objects(labels)
    ends = np.array([[columns.start, columns.stop, rows.start, rows.stop] for rows, columns in boxes])
    low_x, high_x, low_y, high_y = ends[peaks.footprint - 1].T
    in_x = np.minimum(peaks.x - low_x, high_x - 1 - peaks.x)
    in_y = np.minimum(peaks.y - low_y, high_y - 1 - peaks.y)
    return np.asarray(np.maximum(in_x, in_y), np.int64)


def _cut(
    image: NDArray[np.float32], labels: NDArray[np.int32], peaks: Peaks, half: int
) -> tuple[NDArray[np.float32], NDArray[np.int64], NDArray[np.bool_]]:
    height, width = image.shape
    offset = np.arange(-half, half + 1)
    y, x = peaks.y[:, None] + offset, peaks.x[:, None] + offset
    inside = ((y >= 0) & (y < height))[:, :, None] & ((x >= 0) & (x < width))[:, None, :]
    pixel = np.clip(y, 0, height - 1)[:, :, None] * width + np.clip(x, 0, width - 1)[:, None, :]
    own = inside & (labels.ravel()[pixel] == peaks.footprint[:, None, None])
    return np.where(own, image.ravel()[pixel], np.float32(0.0)), pixel, own


def _symmetric(stamps: NDArray[np.float32], own: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Keep the light that is there on both sides of the peak."""
    both = own & own[:, ::-1, ::-1]
    template = np.where(both, np.minimum(stamps, stamps[:, ::-1, ::-1]), np.float32(0.0))
    template = np.maximum(template, 0.0)
    smoothed = median_of_neighbors(template)
    # the median would flatten the peak itself, where the signal is high and needs no smoothing
    middle = template.shape[1] // 2
    core = slice(max(middle - 1, 0), middle + 2)
    smoothed[:, core, core] = template[:, core, core]
    return np.where(both, smoothed, np.float32(0.0))


@lru_cache(maxsize=len(SIZES))
def _rings(half: int) -> list[tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], NDArray[np.float32]]]:
    """For each square ring from the center outward: its pixels, the two next pixels inward, and the second's weight."""
    size = 2 * half + 1
    dy, dx = (a.ravel() for a in np.mgrid[-half : half + 1, -half : half + 1])
    radius = np.maximum(np.abs(dx), np.abs(dy))
    rings = []
    for r in range(1, half + 1):
        pixel = np.flatnonzero(radius == r)
        in_x, in_y = dx[pixel] * (r - 1) / r, dy[pixel] * (r - 1) / r
        low_x, low_y = np.floor(in_x + 1e-9).astype(int), np.floor(in_y + 1e-9).astype(int)
        part = np.where(np.abs(dx[pixel]) == r, in_y - low_y, in_x - low_x)
        part = np.where(part < 1e-6, 0.0, part)
        step_x = np.where((np.abs(dx[pixel]) != r) & (part > 0), 1, 0)
        step_y = np.where((np.abs(dx[pixel]) == r) & (part > 0), 1, 0)
        first = (low_y + half) * size + low_x + half
        second = (low_y + step_y + half) * size + low_x + step_x + half
        rings.append((pixel, first, second, part.astype(np.float32)))
    return rings


def _falling(template: NDArray[np.float32]) -> NDArray[np.float32]:
    """Make templates fall monotonically along every ray from the center."""
    flat = template.reshape(len(template), -1)
    for pixel, first, second, part in _rings(template.shape[1] // 2):
        limit = flat[:, first] * (1 - part) + flat[:, second] * part
        flat[:, pixel] = np.minimum(flat[:, pixel], limit)
    return flat.reshape(template.shape)


def _entries(
    child: NDArray[np.int64], pixel: NDArray[np.int64], own: NDArray[np.bool_], template: NDArray[np.float32]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float32]]:
    lit = own & (template > 0)
    return np.repeat(child, lit.sum((1, 2))), pixel[lit], template[lit]


def _nearest_peak(pixel: NDArray[np.int64], labels: NDArray[np.int32], peaks: Peaks) -> NDArray[np.int64]:
    """Child to which light belongs that no template claims: the nearest peak of the same footprint."""
    if not len(pixel):
        return np.zeros(0, np.int64)
    apart = float(sum(labels.shape))
    tree = cKDTree(np.c_[peaks.x, peaks.y, peaks.footprint * apart])
    y, x = np.divmod(pixel, labels.shape[1])
    return np.asarray(tree.query(np.c_[x, y, labels.ravel()[pixel] * apart])[1], np.int64)
