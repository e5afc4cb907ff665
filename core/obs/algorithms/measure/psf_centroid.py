"""Centroid: the place at which the PSF fits best, by Newton's method.

The maximum of the smoothed image is interpolated from its nine middle pixels (`obs.algorithms.measure.centroid`). For
narrow PSFs that is not exact; for undersampled stars and trails across the pixels it fails. There the PSF itself is
moved until it fits. All pixels weigh alike, as for PSF fluxes, so that this is the maximum without interpolation.
"""

import numpy as np
from numpy.typing import NDArray

from obs.algorithms.measure.centroid import Centroids
from obs.algorithms.pixels.window import windows
from obs.image.psf import Psf

__all__ = ["find_along_trail", "fit_centroid", "reach_of_fit"]

Float = NDArray[np.float64]

NARROW = 0.9
"""Size of the PSF, pixels, below which it is undersampled."""

ELONGATED = 0.6
"""Axis ratio of the PSF below which it is a trail."""

SHARP = 1.7
"""Size of the PSF, pixels, below which the interpolation of the maximum is not exact."""

INTERPOLATION_ERROR = 0.3
"""Pixels. What lies further off is not an error of an interpolation."""

LARGEST_MOVE = 2.0
"""Distance, in sizes of the PSF, within which undersampled stars and trails are looked for."""

TRAIL_REACH = 2.0
"""Distance, in sizes of the long axis, within which the best match of a trail is looked for."""

NEAR_MATCH = 1.5
"""Pixels between the interpolated maximum and the best match within which the former is kept."""

ROUNDS, LARGEST_STEP, SETTLED = 6, 0.25, 0.02
"""Most steps, the largest one as a part of the reach, and the one after which the next would be negligible, pixels."""


def reach_of_fit(xx: Float, yy: Float, xy: Float, is_sure: NDArray[np.bool_]) -> Float:
    """Return how far the fit may move sources, pixels, shape (n,); 0 where the interpolated maximum stands.

    Parameters
    ----------
    xx, yy, xy : ndarray of float64, shape (n,)
        Moments of the PSF at each source, pixels squared; NaN where they are not known.
    is_sure : ndarray of bool, shape (n,)
        Sources that have a maximum and are not much wider than the PSF. Of undersampled stars and trails all are moved.
    """
    if not len(xx):
        return np.zeros(0)
    short, long = _axes(xx, yy, xy)
    with np.errstate(invalid="ignore"):
        size = np.sqrt(short * long)
        # where the moments of a PSF are not known, those of the others count
        searched = (short < NARROW) | (short / long < ELONGATED) | (np.isnan(size) & (np.nanmedian(short) < NARROW))
    near = np.where(is_sure & (size < SHARP), INTERPOLATION_ERROR, 0.0)
    return np.where(searched, LARGEST_MOVE * np.fmax(size, 0.5), near)


def _axes(xx: Float, yy: Float, xy: Float) -> tuple[Float, Float]:
    """Return the short and the long axis of moments, pixels."""
    mean, spread = 0.5 * (xx + yy), np.hypot(0.5 * (xx - yy), xy)
    with np.errstate(invalid="ignore"):
        return np.sqrt(mean - spread), np.sqrt(mean + spread)


def find_along_trail(
    stamps: NDArray[np.float32], kernels: NDArray[np.float32], xx: Float, yy: Float, xy: Float, first: Centroids
) -> None:
    """Move first positions, in place, to where drawn-out PSFs match best, if that is elsewhere on the trail.

    A trail is flat along its middle, so that noise decides which pixel is its peak, and the nine pixels about it say
    little of where the trail ends.

    Parameters
    ----------
    stamps : ndarray of float32, shape (n, size, size)
        Pixels about the peaks.
    kernels : ndarray of float32, shape (n, k, k)
        PSF at each source, centered.
    xx, yy, xy : ndarray of float64, shape (n,)
        Its moments, pixels squared.
    first : Centroids
        Positions.
    """
    short, long = _axes(xx, yy, xy)
    with np.errstate(invalid="ignore"):
        # the PSF may be drawn out on a part of the frame alone
        rows = np.flatnonzero(short / long < ELONGATED)
    if not len(rows):
        return
    stamps, kernels = stamps[rows], kernels[rows]
    angle = 0.5 * np.arctan2(xy[rows], 0.5 * (xx - yy)[rows])
    middle, half = stamps.shape[1] // 2, kernels.shape[1] // 2
    steps = np.arange(-(furthest := int(np.ceil(TRAIL_REACH * long[rows].max()))), furthest + 1)
    across, up = (np.rint(steps[:, None] * along(angle)).astype(np.int64) for along in (np.cos, np.sin))
    score = np.array(
        [
            np.einsum("nij,nij->n", windows(stamps, middle + dy, middle + dx, half), kernels)
            for dx, dy in zip(across, up, strict=True)
        ]
    )
    best = np.argmax(score, axis=0), np.arange(len(rows))
    dx, dy = across[best].astype(float), up[best].astype(float)
    away = first.failed[rows] | (np.hypot(first.dx[rows] - dx, first.dy[rows] - dy) > NEAR_MATCH)
    first.dx[rows[away]], first.dy[rows[away]] = dx[away], dy[away]


def fit_centroid(
    stamps: NDArray[np.float32],
    variance: NDArray[np.float32],
    psf: Psf,
    x: Float,
    y: Float,
    first: Centroids,
    reach: Float,
) -> None:
    """Move positions, in place, to where the PSF fits best.

    Parameters
    ----------
    stamps, variance : ndarray of float32, shape (n, size, size)
        Pixels and variance about the peaks, larger than those of the PSF.
    psf : Psf
        Point-spread function.
    x, y : ndarray of float64, shape (n,)
        Place of the middle of each stamp, pixels.
    first : Centroids
        Positions to start from. Those that failed start from the middle; where no fit is found they stay as they are.
    reach : ndarray of float64, shape (n,)
        How far each is moved at most, pixels; 0 leaves it alone.
    """
    rows = np.flatnonzero(reach > 0)
    start, furthest = np.stack([first.dx, first.dy])[:, rows], reach[rows]
    place, error = start.copy(), np.full(start.shape, np.nan)
    active = np.arange(len(rows))
    for _ in range(ROUNDS):
        if not len(active):
            break
        index, limit = rows[active], furthest[active]
        step, error[:, active] = _step(stamps[index], variance[index], psf, x[index], y[index], place[:, active])
        step = np.clip(step, -LARGEST_STEP * limit, LARGEST_STEP * limit)
        moved = np.clip(place[:, active] + step - start[:, active], -limit, limit)
        place[:, active] = start[:, active] + moved
        active = active[(np.hypot(*step) > SETTLED) & (np.abs(moved) < limit).all(0)]
    good = (np.abs(place - start) < furthest).all(0) & np.isfinite(error).all(0)
    rows = rows[good]
    first.dx[rows], first.dy[rows] = place[:, good]
    first.x_err[rows], first.y_err[rows] = error[:, good]
    first.failed[rows] = False


def _step(
    stamps: NDArray[np.float32], variance: NDArray[np.float32], psf: Psf, x: Float, y: Float, place: Float
) -> tuple[Float, Float]:
    """Return the steps in x and y, shape (2, n), to the best fit, zero without one, and the errors of the places."""
    n, middle = len(stamps), stamps.shape[1] // 2
    at_x, at_y = x + place[0], y + place[1]
    rendered = psf.render_slopes(x=at_x, y=at_y)
    row, column = (
        middle + np.rint(at).astype(np.int64) - np.rint(c).astype(np.int64) for at, c in ((at_y, y), (at_x, x))
    )
    half = rendered[0].shape[1] // 2
    data, noise = windows(stamps, row, column, half), windows(variance, row, column, half)
    design = np.stack([part.reshape(n, -1) for part in rendered], axis=1).astype(np.float64)
    normal = design @ design.transpose(0, 2, 1)
    right = design @ data.reshape(n, -1, 1)
    spread = (design * noise.reshape(n, 1, -1)) @ design.transpose(0, 2, 1)
    singular = ~(np.linalg.det(normal) > 0)
    normal[singular] = np.eye(3)
    inverse = np.linalg.inv(normal)
    solution = (inverse @ right)[:, :, 0]
    covariance = inverse @ spread @ inverse
    flux = np.where(singular | ~(solution[:, 0] > 0), np.nan, solution[:, 0])
    step = solution[:, 1:].T / flux
    error = np.sqrt(np.einsum("nii->in", covariance)[1:]) / flux
    return np.where(np.isfinite(step), step, 0.0), error
