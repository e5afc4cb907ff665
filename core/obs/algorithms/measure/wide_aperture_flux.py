"""Flux within wide circles, without cutting wide stamps.

The light in a circle is that of the empty image (all sources replaced by noise) plus that of the source itself. The
first follows from running sums along rows, two look-ups for each row that the circle crosses; the second from the
source's own pixels. So the cost of a circle grows with its radius, not with its area.
"""

import numpy as np
from numpy.typing import NDArray

from obs.algorithms.measure.psf_flux import Fluxes
from obs.algorithms.stamps import OwnLight

__all__ = ["WideApertures"]


class WideApertures:
    """Circles on one image.

    Parameters
    ----------
    empty : ndarray of float32, shape (ny, nx)
        The image with every source replaced by noise.
    variance : ndarray of float32, shape (ny, nx)
        Variance of the image.
    own : OwnLight
        Light of every source above what replaces it.
    """

    def __init__(self, empty: NDArray[np.float32], variance: NDArray[np.float32], own: OwnLight) -> None:
        self._shape = empty.shape
        self._light, self._noise = _running_sums(empty), _running_sums(variance)
        self._own = own

    def measure(self, x: NDArray[np.float64], y: NDArray[np.float64], radius: float) -> Fluxes:
        """Add up the light within a circle about each source.

        Parameters
        ----------
        x, y : ndarray of float64, shape (n,)
            Centres of all sources, pixels.
        radius : float
            Radius, pixels.

        Returns
        -------
        Fluxes
            ``edge`` where the circle leaves the image, and the flux is then a lower limit.
        """
        height, width = self._shape
        half = int(np.ceil(radius)) + 1
        row = np.rint(y).astype(np.int64)[:, None] + np.arange(-half, half + 1)
        reach = _half_chords(row - y[:, None], radius)
        low = np.clip(x[:, None] - reach + 0.5, 0, width)
        high = np.clip(x[:, None] + reach + 0.5, 0, width)
        within = (row >= 0) & (row < height) & (reach > 0)
        line = np.where(within, row, 0)
        flux, variance = (
            np.where(within, _look_up(sums, line, high) - _look_up(sums, line, low), 0.0).sum(1)
            for sums in (self._light, self._noise)
        )
        flux += self._own_sum(x, y, radius)
        edge = (x - radius < -0.5) | (x + radius > width - 0.5) | (y - radius < -0.5) | (y + radius > height - 0.5)
        return Fluxes(flux, np.sqrt(np.maximum(variance, 0.0)), ~np.isfinite(flux), edge)

    def _own_sum(self, x: NDArray[np.float64], y: NDArray[np.float64], radius: float) -> NDArray[np.float64]:
        own = self._own
        pixel_y, pixel_x = np.divmod(own.pixel, self._shape[1])
        distance = np.hypot(pixel_x - x[own.source], pixel_y - y[own.source])
        covered = np.clip(radius - distance + 0.5, 0.0, 1.0)
        return np.asarray(np.bincount(own.source, covered * own.light, minlength=len(x)), np.float64)


def _running_sums(image: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the sums of each row up to every pixel, shape (ny, nx + 1)."""
    sums = np.zeros((image.shape[0], image.shape[1] + 1))
    np.cumsum(image, axis=1, out=sums[:, 1:])
    return sums


def _half_chords(offset: NDArray[np.float64], radius: float) -> NDArray[np.float64]:
    """Half the area of a circle within a row of pixels ``offset`` from its centre: exact, so that the rows add up."""
    low, high = (np.clip(offset + side, -radius, radius) for side in (-0.5, 0.5))

    def integral(t: NDArray[np.float64]) -> NDArray[np.float64]:
        area = t * np.sqrt(np.maximum(radius**2 - t**2, 0.0)) + radius**2 * np.arcsin(t / radius)
        return np.asarray(0.5 * area)

    return np.asarray(integral(high) - integral(low), np.float64)


def _look_up(sums: NDArray[np.float64], row: NDArray[np.int64], place: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return running sums at places between pixels, which count in part."""
    whole = np.minimum(place.astype(np.int64), sums.shape[1] - 2)
    start = sums[row, whole]
    return np.asarray(start + (sums[row, whole + 1] - start) * (place - whole))
