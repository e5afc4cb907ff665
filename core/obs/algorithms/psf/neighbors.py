"""Take the light of neighbors away from stars in a crowd, as the present model of the PSF has it (Stetson 1987)."""

import numpy as np
from numpy.typing import NDArray

from obs.algorithms.pixels.window import plane_windows
from obs.image.psf import Psf

__all__ = ["model_sources", "without_neighbors"]

BATCH_PIXELS = 20_000_000


def model_sources(
    psf: Psf, x: NDArray[np.float64], y: NDArray[np.float64], flux: NDArray[np.float64], shape: tuple[int, int]
) -> NDArray[np.float32]:
    """Return the light of point sources.

    Parameters
    ----------
    psf : Psf
        Point-spread function.
    x, y : ndarray of float64, shape (n,)
        Positions, pixels.
    flux : ndarray of float64, shape (n,)
        Fluxes, image units.
    shape : tuple of int
        Shape (ny, nx) of the image.

    Returns
    -------
    ndarray of float32, shape (ny, nx)
    """
    height, width = psf.stamp_shape
    half_y, half_x = height // 2, width // 2
    # stamps that leave the image land in a frame about it
    padded = np.zeros((shape[0] + 2 * half_y, shape[1] + 2 * half_x), np.float32)
    flat = padded.ravel()
    inside = (x > -0.5) & (x < shape[1] - 0.5) & (y > -0.5) & (y < shape[0] - 0.5) & np.isfinite(flux)
    rows = np.flatnonzero(inside)
    offset = np.arange(height)[:, None] * padded.shape[1] + np.arange(width)
    step = max(1, BATCH_PIXELS // (height * width))
    for some in (rows[k : k + step] for k in range(0, len(rows), step)):
        stamps = psf.render(x=x[some], y=y[some]) * flux[some, None, None].astype(np.float32)
        first = np.rint(y[some]).astype(np.int64) * padded.shape[1] + np.rint(x[some]).astype(np.int64)
        np.add.at(flat, (first[:, None, None] + offset).ravel(), stamps.ravel())
    return padded[half_y : half_y + shape[0], half_x : half_x + shape[1]]


def without_neighbors(
    image: NDArray[np.float32],
    model: NDArray[np.float32],
    psf: Psf,
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    flux: NDArray[np.float64],
    half: int,
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Cut stamps of stars from which the model of all others was taken.

    Parameters
    ----------
    image, model : ndarray of float32, shape (ny, nx)
        Pixels, and the light of all sources, the stars among them, as `model_sources` returns it.
    psf : Psf
        Point-spread function of the model.
    x, y, flux : ndarray of float64, shape (n,)
        The stars.
    half : int
        Half the size of the stamps, pixels.

    Returns
    -------
    stamps, neighbors : ndarray of float32, shape (n, 2 half + 1, 2 half + 1)
        Pixels of the stars alone, and the light of their neighbors that was taken away.
    """
    row, column = np.rint(y).astype(np.int64), np.rint(x).astype(np.int64)
    own = _resized(psf.render(x=x, y=y) * flux[:, None, None].astype(np.float32), half)
    neighbors = plane_windows(model, row, column, half) - own
    return plane_windows(image, row, column, half) - neighbors, neighbors


def _resized(stamps: NDArray[np.float32], half: int) -> NDArray[np.float32]:
    """Return stamps of ``2 half + 1`` pixels with the same middle."""
    result = np.zeros((len(stamps), 2 * half + 1, 2 * half + 1), np.float32)
    source, target = [], []
    for middle in (size // 2 for size in stamps.shape[1:]):
        reach = min(middle, half)
        source.append(slice(middle - reach, middle + reach + 1))
        target.append(slice(half - reach, half + reach + 1))
    result[:, target[0], target[1]] = stamps[:, source[0], source[1]]
    return result
