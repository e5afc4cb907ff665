"""Fit point sources at the peaks of blends, each with its neighbors.

Every peak gets a window of its own, in which the PSF, the PSFs of its nearest neighbors and a sloping sky are fitted
by least squares, linear in small shifts. Windows are worked on some at a time, so that memory does not grow with the
number of peaks.
"""

import numpy as np
from numpy.typing import NDArray

from obs.algorithms.numeric.nearest import PointTree
from obs.algorithms.pixels.window import plane_windows, windows
from obs.algorithms.sources.detection import Peaks
from obs.frozen import frozen
from obs.image.psf import Psf
from obs.threads import map_threads

__all__ = ["PointSources", "fit_points"]

NEIGHBORS = 6
ROUNDS = 3

LARGEST_SHIFT = 1.5
"""The wing of a neighbor moves the peak of a point source by no more than this, pixels."""

VALUES_AT_ONCE = 4_000_000
"""Values of the design matrices that are held at once."""

STRIP = 64
"""Height, pixels, of the strips of the image whose peaks are worked on together, because they share neighbors."""


@frozen
class PointSources:
    """Point sources fitted at peaks.

    Parameters
    ----------
    accepted : ndarray of bool, shape (n,)
        Whether the pixels around the peak agree with a point source.
    flux : ndarray of float64, shape (n,)
        Flux, image units.
    dx, dy : ndarray of float64, shape (n,)
        Offset from the peak pixel.
    chi2 : ndarray of float64, shape (n,)
        Reduced chi-squared of the fit.
    error : ndarray of float64, shape (n,)
        Standard error of the flux, image units.
    """

    accepted: NDArray[np.bool_]
    flux: NDArray[np.float64]
    dx: NDArray[np.float64]
    dy: NDArray[np.float64]
    chi2: NDArray[np.float64]
    error: NDArray[np.float64]


def fit_points(
    image: NDArray[np.float32],
    variance: NDArray[np.float32],
    peaks: Peaks,
    psf: Psf,
    fwhm: float,
    chi2_cut: float,
) -> PointSources:
    """Fit PSF, its neighbors' PSFs and a sloping sky around each peak.

    Each round begins where the last one put the sources; neighbors then stand at their own fitted places.

    Parameters
    ----------
    image, variance : ndarray of float32, shape (ny, nx)
        Background-subtracted pixels and their variance, image units squared.
    peaks : Peaks
        Peaks of blended footprints.
    psf : Psf
        Point-spread function.
    fwhm : float
        Its full width at half maximum, pixels.
    chi2_cut : float
        A peak whose surroundings fit with a smaller reduced chi-squared is taken for a point source.

    Returns
    -------
    PointSources
    """
    n, half = len(peaks), max(2, int(np.ceil(1.5 * fwhm)))
    offset = np.arange(-half, half + 1)
    near = _neighbors(peaks, half + psf.stamp_shape[0] // 2)
    order = np.lexsort((peaks.x, peaks.y // STRIP))
    step = max(16, VALUES_AT_ONCE // ((6 + near.shape[1]) * len(offset) ** 2))
    batches = [order[first : first + step] for first in range(0, n, step)]
    dx, dy, flux, chi2, error = np.zeros((5, n))
    enough = np.zeros(n, bool)

    def fit(batch: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        design = _point_design(peaks, psf, dx, dy, near, offset, batch)
        data, weight, freedom = _weighted(image, variance, peaks.select(batch), offset, fwhm)
        freedom -= _n_parameter(design)
        flux[batch], step_x, step_y, chi2[batch], error[batch] = _solve_points(design, data, weight, freedom)
        enough[batch] = freedom > 0
        return step_x, step_y

    for _ in range(ROUNDS):
        steps = map_threads(fit, batches)
        for batch, (step_x, step_y) in zip(batches, steps, strict=True):
            for place, change in ((dx, step_x), (dy, step_y)):
                place[batch] = np.clip(place[batch] + change, -LARGEST_SHIFT, LARGEST_SHIFT)
    settled = (np.abs(dx) < LARGEST_SHIFT) & (np.abs(dy) < LARGEST_SHIFT)
    return PointSources(enough & (chi2 < chi2_cut) & (flux > 0) & settled, flux, dx, dy, chi2, error)


def _neighbors(peaks: Peaks, reach: float) -> NDArray[np.int64]:
    """Return the nearest other peaks within reach of each, shape (n, NEIGHBORS); -1 where there are fewer."""
    places = np.c_[peaks.x, peaks.y]
    distance, neighbor = PointTree(places).nearest(places, max(min(NEIGHBORS + 1, len(peaks)), 2), below=reach)
    # peaks beyond the reach have the number of peaks as their index
    return np.asarray(np.where(np.isfinite(distance) & (distance > 0), neighbor, -1)[:, 1:], np.int64)


def _weighted(
    image: NDArray[np.float32], variance: NDArray[np.float32], peaks: Peaks, offset: NDArray[np.int64], fwhm: float
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return pixels about peaks and their weights, shape (n, n_pixel), and how many pixels count, shape (n,)."""
    half = len(offset) // 2
    # a variance of zero lies outside the image
    data, noise = (plane_windows(plane, peaks.y, peaks.x, half).astype(np.float64) for plane in (image, variance))
    ramp = np.clip((1.5 * fwhm - np.hypot(offset, offset[:, None])) / max(0.5 * fwhm, 1.0), 0.0, 1.0)
    usable = np.isfinite(data) & (noise > 0)
    weight = np.where(usable, ramp / np.where(noise > 0, noise, 1.0), 0.0)
    n = len(peaks)
    return data.reshape(n, -1), weight.reshape(n, -1), (ramp * usable).sum((1, 2))


def _point_design(
    peaks: Peaks,
    psf: Psf,
    dx: NDArray[np.float64],
    dy: NDArray[np.float64],
    near: NDArray[np.int64],
    offset: NDArray[np.int64],
    batch: NDArray[np.int64],
) -> NDArray[np.float64]:
    """Terms of the fit of some peaks, shape (n, n_term, n_pixel): PSF, its slopes, a plane, the PSFs of neighbors."""
    seen = np.unique(np.concatenate([batch, near[batch].ravel()]))
    seen = seen[seen >= 0]
    x, y = peaks.x[seen] + dx[seen], peaks.y[seen] + dy[seen]
    stamps = psf.render(x=x, y=y)
    middle_x, middle_y = np.rint(x).astype(np.int64), np.rint(y).astype(np.int64)
    center, half = stamps.shape[1] // 2, len(offset) // 2
    own, at_x, at_y = np.searchsorted(seen, batch), peaks.x[batch], peaks.y[batch]
    framed = windows(stamps, center + at_y - middle_y[own], center + at_x - middle_x[own], half + 1, own)
    design = np.zeros((len(batch), 6 + near.shape[1], len(offset), len(offset)))
    design[:, 0] = framed[:, 1:-1, 1:-1]
    design[:, 1] = 0.5 * (framed[:, 1:-1, :-2] - framed[:, 1:-1, 2:])
    design[:, 2] = 0.5 * (framed[:, :-2, 1:-1] - framed[:, 2:, 1:-1])
    design[:, 3], design[:, 4], design[:, 5] = 1.0, offset, offset[:, None]
    for k, index in enumerate(near[batch].T, start=6):
        rows = np.flatnonzero(index >= 0)
        which = np.searchsorted(seen, index[rows])
        row, column = center + at_y[rows] - middle_y[which], center + at_x[rows] - middle_x[which]
        design[rows, k] = windows(stamps, row, column, half, which)
    return design.reshape(len(batch), design.shape[1], -1)


def _n_parameter(design: NDArray[np.float64]) -> NDArray[np.int64]:
    """Terms that reach into the window of each fit."""
    return np.asarray(np.count_nonzero(design.any(2), axis=1), np.int64)


def _solve_points(
    design: NDArray[np.float64],
    data: NDArray[np.float64],
    weight: NDArray[np.float64],
    freedom: NDArray[np.float64],
) -> tuple[NDArray[np.float64], ...]:
    """Flux, shift in x and y, reduced chi-squared, and error of the flux of every fit."""
    weighted = design * weight[:, None, :]
    normal = weighted @ design.transpose(0, 2, 1)
    scale = np.sqrt(np.maximum(np.einsum("nii->ni", normal), 1e-300))
    normal = normal / (scale[:, :, None] * scale[:, None, :]) + 1e-9 * np.eye(design.shape[1])
    right = (weighted @ data[:, :, None])[:, :, 0] / scale
    inverse = np.linalg.inv(normal)
    solution = (inverse @ right[:, :, None])[:, :, 0] / scale
    residual = data - (solution[:, None] @ design)[:, 0]
    chi2 = np.einsum("np,np->n", weight, residual**2) / np.maximum(freedom, 1.0)
    flux = solution[:, 0]
    safe = np.where(flux > 0, flux, np.inf)
    return flux, solution[:, 1] / safe, solution[:, 2] / safe, chi2, np.sqrt(inverse[:, 0, 0]) / scale[:, 0]
