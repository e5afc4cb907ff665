"""Undo the spreading of bright stars by the charge that their own pixels have collected.

Coulton et al. (2018, AJ 155, 258), section 3: the charge Q in a pixel deflects what arrives later as the gradient of
K * Q, a potential with a measured kernel K. To first order the light that would have been collected is

    Q + 1/2 div(Q grad(K * Q)),

solved by iteration for the Q on the right-hand side. The divergence is taken here between fluxes through the borders of
pixels, so that no charge is made or lost. The image is worked on in tiles that stay in the processor's cache, and only
tiles with bright stars need more than a second iteration.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from obs.errors import FileFormatError

__all__ = ["BrighterFatter", "correct_brighter_fatter", "displaced_charge"]


_TILE = 220
"""Size of a tile, pixels, to which a border is added on all sides."""


class BrighterFatter(NamedTuple):
    """Outcome of the brighter-fatter correction of an image.

    Parameters
    ----------
    correction : ndarray of float32, shape (ny, nx)
        What is to be added to the image, its units.
    n_iteration : int
        Iterations made.
    change : float
        Sum of the absolute changes of the last iteration.
    """

    correction: NDArray[np.float32]
    n_iteration: int
    change: float


class _Kernel:
    """A kernel that images of a few sizes are convolved with."""

    def __init__(self, kernel: NDArray[np.float32]) -> None:
        self.kernel, self.half = kernel.astype(np.float32), kernel.shape[0] // 2
        self._transforms: dict[tuple[int, int], NDArray[np.complex64]] = {}

    def convolve(self, image: NDArray[np.float32]) -> NDArray[np.float32]:
        """Convolve; zeros lie outside of the image."""
        from scipy.fft import irfft2, next_fast_len, rfft2  # noqa: PLC0415 - slow to import, few cameras have a kernel

        half, (height, width) = self.half, image.shape
        shape = next_fast_len(height + 2 * half, real=True), next_fast_len(width + 2 * half, real=True)
        if shape not in self._transforms:
            self._transforms[shape] = rfft2(self.kernel, shape)
        transform = rfft2(image, shape)
        transform *= self._transforms[shape]
        whole = irfft2(transform, shape, overwrite_x=True)
        return np.asarray(whole[half : half + height, half : half + width], np.float32)

    def displaced(self, charge: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the charge that moved, by `displaced_charge`."""
        border = self.half + 1
        result = np.zeros_like(charge)
        if min(charge.shape) <= 2 * border:
            return result
        potential = self.convolve(charge)
        inner = slice(border, -border)
        # differences of a row or column more than the inner part has, on either side
        for axis in (0, 1):
            q, p = (
                np.moveaxis(plane, axis, 0)[border - 1 : len(np.moveaxis(plane, axis, 0)) - border + 1, inner]
                for plane in (charge, potential)
            )
            flux = q[1:] + q[:-1]
            flux *= 0.25 * (p[1:] - p[:-1])
            np.moveaxis(result, axis, 0)[inner, inner] += flux[1:] - flux[:-1]
        return result


def displaced_charge(charge: NDArray[np.float32], kernel: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the charge that was pushed out of each pixel, less what was pushed in.

    Parameters
    ----------
    charge : ndarray of float32, shape (ny, nx)
        Collected charge, electrons; finite.
    kernel : ndarray of float32, shape (k, k)
        Kernel, k odd, per electron.

    Returns
    -------
    ndarray of float32, shape (ny, nx)
        Electrons; zero within half the kernel and one pixel of the border. Its sum is zero but for what crosses the
        border of the inner part.
    """
    return _Kernel(kernel).displaced(charge)


class _Tile(NamedTuple):
    """A part of the image: with its border, and where in this it lies itself."""

    window: tuple[slice, slice]
    own: tuple[slice, slice]


def _tiles(shape: tuple[int, int], border: int) -> Iterator[_Tile]:
    def parts(size: int) -> Iterator[tuple[slice, slice]]:
        for start in range(0, size, _TILE):
            stop, low = min(start + _TILE, size), max(start - border, 0)
            yield slice(low, min(stop + border, size)), slice(start - low, stop - low)

    for rows, own_rows in parts(shape[0]):
        for columns, own_columns in parts(shape[1]):
            yield _Tile((rows, columns), (own_rows, own_columns))


def correct_brighter_fatter(
    image: NDArray[np.float32], kernel: NDArray[np.float32], *, maximum_iterations: int = 10, threshold: float = 1000.0
) -> BrighterFatter:
    """Return what must be added to an image to have every charge where it was bound for.

    Parameters
    ----------
    image : ndarray of float32, shape (ny, nx)
        Collected charge, in the units that the kernel is for, as a rule electrons; not a number counts as zero.
    kernel : ndarray of float32, shape (k, k)
        Kernel, k odd, per unit of charge.
    maximum_iterations : int, optional
        Iterations at most.
    threshold : float, optional
        Sum of absolute changes below which the iteration has converged, units of the image.

    Returns
    -------
    BrighterFatter

    Raises
    ------
    FileFormatError
        If the kernel is not square with an odd number of pixels, or not finite.
    """
    if kernel.ndim != 2 or kernel.shape[0] != kernel.shape[1] or kernel.shape[0] % 2 == 0:
        raise FileFormatError(f"a brighter-fatter kernel is square with an odd number of pixels, got {kernel.shape}")
    if not np.isfinite(kernel).all():
        raise FileFormatError("the brighter-fatter kernel holds values that are not numbers")
    collected = np.nan_to_num(image, nan=0.0, posinf=0.0, neginf=0.0)
    charges = _Kernel(kernel)
    tiles = list(_tiles((collected.shape[0], collected.shape[1]), charges.half + 1))
    correction = np.zeros_like(collected)
    changes, n_iteration = np.full(len(tiles), np.inf), 0
    while n_iteration < maximum_iterations and not changes.sum() < threshold:
        for index in np.flatnonzero(~(changes < threshold / len(tiles))):
            window, own = tiles[index]
            latest = charges.displaced(collected[window] + correction[window])[own]
            before = correction[window][own]
            changes[index] = np.abs(latest - before).sum(dtype=np.float64)
            before[...] = latest
        n_iteration += 1
    return BrighterFatter(correction, n_iteration, float(changes.sum()))
