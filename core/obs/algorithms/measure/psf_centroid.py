"""Centroid: the place at which the PSF fits best, by Newton's method.

The maximum of the smoothed image is found from its nine middle pixels, which neither undersampled stars nor trails
across the pixels allow; there the PSF itself is moved until it fits. All pixels weigh alike, as for PSF fluxes.
"""

import numpy as np
from numpy.typing import NDArray

from obs.algorithms.measure.centroid import Centroids
from obs.algorithms.pixels.window import windows
from obs.image.psf import Psf

__all__ = ["needs_psf_centroid", "refine_centroid"]

Float = NDArray[np.float64]

NARROW = 0.9
"""Size of the PSF, pixels, below which it is undersampled."""

ELONGATED = 0.6
"""Axis ratio of the PSF below which it is a trail."""

ROUNDS = 6
STEP = 0.1
"""The PSF is moved by this much, pixels, to find its slope."""

LARGEST_STEP, LARGEST_MOVE = 0.5, 2.0
"""Largest step of a round, and largest distance from the first place, in pixels or in sizes of the PSF."""


def needs_psf_centroid(xx: Float, yy: Float, xy: Float) -> bool:
    """Return whether PSFs with these moments, shape (n,), pixels squared, are undersampled or trails in the median."""
    if not len(xx):
        return False
    mean, spread = 0.5 * (xx + yy), np.hypot(0.5 * (xx - yy), xy)
    with np.errstate(invalid="ignore"):
        short, long = np.sqrt(mean - spread), np.sqrt(mean + spread)
    return bool(np.nanmedian(short) < NARROW or np.nanmedian(short / long) < ELONGATED)


def refine_centroid(
    stamps: NDArray[np.float32],
    variance: NDArray[np.float32],
    psf: Psf,
    x: Float,
    y: Float,
    first: Centroids,
    sigma: Float,
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
    sigma : ndarray of float64, shape (n,)
        Size of the PSF, pixels.
    """
    dx, dy = first.dx.copy(), first.dy.copy()
    reach = LARGEST_MOVE * np.maximum(sigma, 0.5)
    for _ in range(ROUNDS):
        step, error = _step(stamps, variance, psf, x + dx, y + dy, x, y)
        longest = LARGEST_STEP * np.maximum(sigma, 0.5)
        dx += np.clip(step[0], -longest, longest)
        dy += np.clip(step[1], -longest, longest)
        dx = np.clip(dx, first.dx - reach, first.dx + reach)
        dy = np.clip(dy, first.dy - reach, first.dy + reach)
    near = (np.abs(dx - first.dx) < reach) & (np.abs(dy - first.dy) < reach)
    good = near & np.isfinite(error).all(0)
    first.dx[good], first.dy[good] = dx[good], dy[good]
    first.x_err[good], first.y_err[good] = error[0][good], error[1][good]
    first.failed[good] = False


def _step(
    stamps: NDArray[np.float32], variance: NDArray[np.float32], psf: Psf, at_x: Float, at_y: Float, x: Float, y: Float
) -> tuple[Float, Float]:
    """Return the steps in x and y, shape (2, n), to the best fit, and the errors of the places; NaN without a fit."""
    model = psf.render(x=at_x, y=at_y)
    slope_x = _difference(psf, at_x, at_y, STEP, 0.0) / np.float32(2 * STEP)
    slope_y = _difference(psf, at_x, at_y, 0.0, STEP) / np.float32(2 * STEP)
    middle, half = stamps.shape[1] // 2, model.shape[1] // 2
    row, column = (
        middle + np.rint(at).astype(np.int64) - np.rint(c).astype(np.int64) for at, c in ((at_y, y), (at_x, x))
    )
    data, noise = windows(stamps, row, column, half), windows(variance, row, column, half)
    design = np.stack([part.reshape(len(at_x), -1) for part in (model, slope_x, slope_y)], axis=1).astype(np.float64)
    normal = design @ design.transpose(0, 2, 1)
    right = (design @ data.reshape(len(at_x), -1, 1))[:, :, 0]
    spread = (design * noise.reshape(len(at_x), 1, -1)) @ design.transpose(0, 2, 1)
    singular = ~(np.linalg.det(normal) > 0)
    normal[singular] = np.eye(3)
    inverse = np.linalg.inv(normal)
    solution = (inverse @ right[:, :, None])[:, :, 0]
    covariance = inverse @ spread @ inverse
    flux = np.where(singular | ~(solution[:, 0] > 0), np.nan, solution[:, 0])
    step = solution[:, 1:].T / flux
    error = np.sqrt(np.einsum("nii->in", covariance)[1:]) / flux
    return np.where(np.isfinite(step), step, 0.0), error


def _difference(psf: Psf, x: Float, y: Float, step_x: float, step_y: float) -> NDArray[np.float32]:
    """Return the PSF moved by a step less the PSF moved by the opposite one, on the pixels of the one not moved."""
    ahead, behind = (
        _on_pixels(psf.render(x=x + sign * step_x, y=y + sign * step_y), x, y, sign * step_x, sign * step_y)
        for sign in (1, -1)
    )
    return np.asarray(ahead - behind, np.float32)


def _on_pixels(stamps: NDArray[np.float32], x: Float, y: Float, step_x: float, step_y: float) -> NDArray[np.float32]:
    """Return stamps shifted by whole pixels to the pixels about (x, y), where the step crossed into a next one."""
    for at, step, axis in ((y, step_y, 1), (x, step_x, 2)):
        crossed = (np.rint(at + step) - np.rint(at)).astype(np.int64)
        for by in (-1, 1):
            rows = crossed == by
            if rows.any():
                stamps[rows] = np.roll(stamps[rows], by, axis)
    return stamps
