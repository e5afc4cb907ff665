"""The PSF of a coadd: the weighted mean of the PSFs of its exposures, each resampled as its pixels were."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import maximum_filter

from obs.algorithms.coadd.position_map import Transform, map_positions
from obs.algorithms.coadd.resample import ResamplingKernel, resample_rows
from obs.image.psf import PixelPsf, Psf, polynomial_terms, stamp_sums

__all__ = ["fit_psf_model", "psf_tolerances", "resampled_psf"]

_MARGIN = 8
_FAINT = 2e-4
_SLACK = 0.1  # for errors of positions and of PSFs
_RIDGE = 1e-6


def resampled_psf(
    psf: Psf, transform: Transform, x: float, y: float, size: int, *, sampling: float = 1.0, kernel: ResamplingKernel
) -> NDArray[np.float32]:
    """Return the PSF of one exposure on the pixels of the coadd, centered on the middle pixel, normalized.

    Parameters
    ----------
    psf : Psf
        PSF of the exposure.
    transform : callable
        From pixels of the coadd to pixels of the exposure.
    x, y : float
        Position on the coadd, pixels.
    size : int
        Width and height of the stamp, coadd pixels times sampling; odd.
    sampling : float, optional
        Step between samples, coadd pixels: 1, or 0.5 with stars at half a pixel, which tell what pixels see in between.
    kernel : ResamplingKernel
        Weights with which the exposure was resampled.
    """
    n = round(1 / sampling)
    result = np.empty((size, size), np.float32)
    center = transform(np.array([[x]]), np.array([[y]]))
    place = float(center[0][0, 0]), float(center[1][0, 0])
    star = psf.render(x=[place[0]], y=[place[1]])[0].astype(np.float32)
    padded = np.pad(star, _MARGIN)
    left, below = round(place[0]) - padded.shape[1] // 2, round(place[1]) - padded.shape[0] // 2
    nothing = np.ones_like(padded), np.zeros(padded.shape, np.int32)
    half = size // 2
    for row in range(n):
        for column in range(n):
            rows, columns = (np.arange(_offset_start(half, n, shift), size, n) for shift in (row, column))
            first_x = x + (columns[0] - half) * sampling
            first_y = y + (rows[0] - half) * sampling

            def inner(
                u: NDArray[np.float64], v: NDArray[np.float64]
            ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
                far_x, far_y = transform(u + first_x, v + first_y)  # noqa: B023 - used at once
                return far_x - left, far_y - below

            positions = map_positions(inner, (len(rows), len(columns)))
            blocks = resample_rows(padded, *nothing, positions, outside=1, kernel=kernel)
            result[np.ix_(rows, columns)] = np.concatenate([block[2] for block in blocks])
    total = stamp_sums(result[None], sampling, (2 * int(half * sampling) + 1,) * 2)[0] if n > 1 else result.sum()
    return np.asarray(result / total, np.float32)


def _offset_start(half: int, step: int, shift: int) -> int:
    """Return the first sample of those that are ``shift`` from the middle one, ``step`` apart."""
    return (half + shift) % step


def fit_psf_model(
    stamps: NDArray[np.float32],
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    shape: tuple[int, int],
    *,
    degree: int,
    sampling: float,
    fwhm: float,
    weights: NDArray[np.float64] | None = None,
) -> PixelPsf:
    """Fit PSFs at many positions by polynomials, as PSFEx files have them.

    Parameters
    ----------
    stamps : ndarray of float32, shape (n, my, mx)
        PSFs, sampled alike and normalized.
    x, y : ndarray of float64, shape (n,)
        Positions, pixels.
    shape : tuple of int
        Shape (ny, nx) of the image that the positions are on.
    degree : int
        Largest degree of the polynomial; less where there are few positions.
    sampling : float
        Step between samples, pixels.
    fwhm : float
        Full width at half maximum, pixels, for whoever reads the model.
    weights : ndarray of float64, shape (n,), optional
        Weight of each position.
    """
    while degree > 0 and (degree + 1) * (degree + 2) // 2 > len(stamps) / 2:
        degree -= 1
    x_zero, y_zero, x_scale, y_scale = (shape[1] - 1) / 2, (shape[0] - 1) / 2, shape[1] / 2, shape[0] / 2
    terms = polynomial_terms((x - x_zero) / x_scale, (y - y_zero) / y_scale, degree)
    root = np.ones(len(x)) if weights is None else np.sqrt(weights)
    design = terms * root[:, None]
    normal = design.T @ design
    normal += np.eye(len(normal)) * _RIDGE * np.trace(normal) / len(normal)
    basis = np.linalg.solve(normal, design.T @ (stamps.reshape(len(stamps), -1) * root[:, None]))
    images = basis.reshape(-1, *stamps.shape[1:]).astype(np.float32)
    return PixelPsf(
        images,
        degree,
        x_zero=x_zero,
        x_scale=x_scale,
        y_zero=y_zero,
        y_scale=y_scale,
        sampling=sampling,
        fwhm=fwhm,
        interpolation="star",
    )


def psf_tolerances(stamps: Sequence[NDArray[np.float32]], reach: int) -> NDArray[np.float32]:
    """Return by what share of the brightest pixel nearby each PSF is above, and below, the median PSF at most.

    Parameters
    ----------
    stamps : sequence of ndarray of float32, shape (ny, nx)
        PSF of each exposure on the same pixels.
    reach : int
        Half width of the vicinity, pixels.

    Returns
    -------
    ndarray of float32, shape (n, 2)
    """
    stack = np.stack(stamps)
    middle = np.median(stack, axis=0) if len(stack) > 2 else stack.min(axis=0)
    nearby = maximum_filter(middle, 2 * reach + 1)
    seen = nearby > _FAINT * middle.max()
    ratio = (stack - middle)[:, seen] / nearby[seen]
    above, below = ratio.max(axis=1).clip(min=0), (-ratio).max(axis=1).clip(min=0)
    return np.stack([above, below], axis=1).astype(np.float32) * np.float32(1 + _SLACK) + np.float32(_SLACK)
