"""Misplacement of single stars between two images of equal PSFs, as seen in their difference."""

import numpy as np
from numpy.typing import NDArray

from obs.algorithms.numeric.nearest import PointTree
from obs.algorithms.pixels.window import plane_windows
from obs.frozen import frozen

__all__ = ["LocalShifts", "fit_local_shifts", "isolated"]

Floats = NDArray[np.float64]
Image = NDArray[np.float32]

_MAD_SQUARE = 0.4549  # median of the square of a normally distributed number
_ODD = 5.0  # standard deviations beyond which a star has really moved
_FEWEST = 10
_TAPER = 0.7  # share of the radius from which the correction fades


@frozen
class LocalShifts:
    """How far stars are off in one of two images.

    Parameters
    ----------
    shift : ndarray of float64, shape (n, 2)
        Along x and y, pixels; zero for stars that have moved much farther than the others are off.
    scatter : tuple of float
        Standard deviation of the shifts along x and y without that of their errors, pixels.
    """

    shift: Floats
    scatter: tuple[float, float]

    def remove(self, difference: Image, model: Image, x: Floats, y: Floats, half: int) -> None:
        """Remove the dipoles of the shifts from a difference, in place.

        Parameters
        ----------
        difference, model : ndarray of float32, shape (ny, nx)
            The difference, and the image that was subtracted.
        x, y : ndarray of float64, shape (n,)
            Stars.
        half : int
            Radius within which light is corrected, pixels.
        """
        moved = np.flatnonzero(self.shift.any(axis=1))
        row, column = np.rint(y[moved]).astype(np.int64), np.rint(x[moved]).astype(np.int64)
        slopes = _slopes(model, row, column, half)
        step = np.arange(-half, half + 1)
        distance = np.hypot(step[:, None], step) / half
        taper = np.clip((1 - distance) / (1 - _TAPER), 0, 1)
        light = taper * sum(self.shift[moved, k, None, None] * slopes[k] for k in range(2))
        rows = np.broadcast_to(row[:, None, None] + step[:, None], light.shape)
        columns = np.broadcast_to(column[:, None, None] + step, light.shape)
        inside = (rows >= 0) & (rows < difference.shape[0]) & (columns >= 0) & (columns < difference.shape[1])
        np.add.at(difference, (rows[inside], columns[inside]), light[inside].astype(np.float32))


def isolated(x: Floats, y: Floats, distance: float) -> NDArray[np.bool_]:
    """Return which places, the brightest first, have no brighter one within a distance, shape (n,).

    Parameters
    ----------
    x, y : ndarray of float64, shape (n,)
        Positions, pixels, ordered by brightness.
    distance : float
        Smallest allowed distance from a brighter place, pixels.
    """
    alone = np.ones(len(x), bool)
    if len(x):
        pairs = PointTree(np.stack([x, y], axis=1)).pairs_within(distance)
        alone[pairs.max(axis=1, initial=-1)] = False
    return alone


def fit_local_shifts(difference: Image, model: Image, variance: Image, x: Floats, y: Floats, half: int) -> LocalShifts:
    """Fit the shift of each star, beside a change of its flux, to a difference.

    A star that is off leaves the slopes of its image times minus the shift, which have no flux. Shifts are drawn to
    zero as their errors and their scatter over all stars suggest, so that noise is not fitted.

    Parameters
    ----------
    difference, model, variance : ndarray of float32, shape (ny, nx)
        The difference, the image that was subtracted, and the variance of the difference.
    x, y : ndarray of float64, shape (n,)
        Stars, isolated from each other.
    half : int
        Half width of the stamps, pixels.
    """
    if len(x) < _FEWEST:
        return LocalShifts(np.zeros((len(x), 2)), (0.0, 0.0))
    row, column = np.rint(y).astype(np.int64), np.rint(x).astype(np.int64)
    parts = np.stack([plane_windows(model, row, column, half), *_slopes(model, row, column, half)])
    parts = parts.reshape(3, len(x), -1).astype(np.float64)
    light = plane_windows(difference, row, column, half).reshape(len(x), -1).astype(np.float64)
    noise = plane_windows(variance, row, column, half).reshape(len(x), -1)
    weight = np.where(np.isfinite(noise) & (noise > 0), 1.0 / np.where(noise > 0, noise, 1), 0.0)
    gram = np.einsum("ksp,lsp,sp->skl", parts, parts, weight, optimize=True)
    right = np.einsum("ksp,sp,sp->sk", parts, light, weight, optimize=True)
    ridge = 1e-9 * np.trace(gram, axis1=1, axis2=2)[:, None, None] * np.eye(3) + 1e-30 * np.eye(3)
    inverse = np.linalg.inv(gram + ridge)
    found = np.einsum("skl,sl->sk", inverse, right)[:, 1:]
    error = np.stack([inverse[:, 1, 1], inverse[:, 2, 2]], axis=1)
    spread = np.maximum(np.median(found**2, axis=0) / _MAD_SQUARE - np.median(error, axis=0), 0.0)
    prior = np.zeros((3, 3))
    prior[1, 1], prior[2, 2] = 1 / np.maximum(spread, 1e-12)
    shift = -np.linalg.solve(gram + ridge + prior, right[:, :, None])[:, 1:, 0]
    shift[:, spread == 0] = 0
    shift[(np.abs(found) > _ODD * np.sqrt(spread + error)).any(axis=1)] = 0
    return LocalShifts(shift, (float(np.sqrt(spread[0])), float(np.sqrt(spread[1]))))


def _slopes(model: Image, row: NDArray[np.int64], column: NDArray[np.int64], half: int) -> tuple[Image, Image]:
    """Return the slopes along x and y of stamps, each of shape (n, 2 half + 1, 2 half + 1)."""
    wide = plane_windows(model, row, column, half + 1).astype(np.float32)
    half_step = np.float32(0.5)
    return (wide[:, 1:-1, 2:] - wide[:, 1:-1, :-2]) * half_step, (wide[:, 2:, 1:-1] - wide[:, :-2, 1:-1]) * half_step
