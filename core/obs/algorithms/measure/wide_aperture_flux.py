"""Flux within wide circles, without cutting wide stamps.

The light in a circle is that of the empty image (all sources replaced by noise) plus that of the source itself. The
first follows from running sums along rows, two look-ups for each row that the circle crosses; the second from the
source's own pixels. So the cost of a circle grows with its radius, not with its area.
"""

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from obs.algorithms.measure.fluxes import Fluxes
from obs.algorithms.sources.stamps import OwnLight
from obs.frozen import frozen
from obs.kernels.library import Kernel
from obs.threads import map_threads

__all__ = ["WideApertures"]

_COMPILED = Kernel(
    "sum_circles",
    *("float64", "float64", "int", "int", "float64", "float64", "int", "float"),
    *("float64", "float64"),
)
_OWN = Kernel(
    "add_own_light",
    *("int64", "int64", "float32", "int", "int", "float64", "float64", "int", "float64", "int", "float64"),
)


class WideApertures:
    """Circular apertures, wide ones, on one image.

    Parameters
    ----------
    empty : ndarray of float32, shape (ny, nx)
        The image with every source replaced by noise.
    variance : ndarray of float32, shape (ny, nx)
        Variance of the image.
    own : callable
        Returns the light of every source above what replaces it, in parts.
    x, y : ndarray of float64, shape (n,)
        Centers of all sources, pixels.
    """

    def __init__(
        self,
        empty: NDArray[np.float32],
        variance: NDArray[np.float32],
        own: Callable[[], Iterable[OwnLight]],
        x: NDArray[np.float64],
        y: NDArray[np.float64],
    ) -> None:
        self._shape = empty.shape
        self._x, self._y = (np.ascontiguousarray(a, np.float64) for a in (x, y))
        self._light, self._noise = map_threads(_running_sums, [empty, variance])
        self._own = own

    def measure(self, radii: Sequence[float]) -> list[Fluxes]:
        """Add up the light within circles about each source.

        Parameters
        ----------
        radii : sequence of float
            Radii, pixels.

        Returns
        -------
        list of Fluxes
            For each radius; ``edge`` where the circle leaves the image, and the flux is then a lower limit.
        """
        jobs: list[Callable[[], Any]] = [partial(self._own_sums, radii), *(partial(self._sums, r) for r in radii)]
        own_sums, *sums = map_threads(lambda job: job(), jobs)
        return [
            self._fluxes(radius, flux + own, variance)
            for radius, own, (flux, variance) in zip(radii, own_sums, sums, strict=True)
        ]

    def _fluxes(self, radius: float, flux: NDArray[np.float64], variance: NDArray[np.float64]) -> Fluxes:
        x, y, (height, width) = self._x, self._y, self._shape
        edge = (x - radius < -0.5) | (x + radius > width - 0.5) | (y - radius < -0.5) | (y + radius > height - 0.5)
        return Fluxes.checked(flux, np.sqrt(np.maximum(variance, 0.0)), edge)

    def _sums(self, radius: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Light and variance of the empty image within the circles."""
        x, y, (height, width) = self._x, self._y, self._shape
        if _COMPILED:
            flux, variance = np.empty(len(x)), np.empty(len(x))
            _COMPILED(self._light, self._noise, height, width, x, y, len(x), radius, flux, variance)
            return flux, variance
        half = int(np.ceil(radius)) + 1
        row = np.rint(y).astype(np.int64)[:, None] + np.arange(-half, half + 1)
        reach = _half_chords(row - y[:, None], radius)
        low = np.clip(x[:, None] - reach + 0.5, 0, width)
        high = np.clip(x[:, None] + reach + 0.5, 0, width)
        within = (row >= 0) & (row < height) & (reach > 0)
        line = np.where(within, row, 0)
        ends = [_Place.of(line, place, width) for place in (low, high)]
        flux, variance = (
            np.where(within, ends[1].sum_up_to(sums) - ends[0].sum_up_to(sums), 0.0).sum(1)
            for sums in (self._light, self._noise)
        )
        return flux, variance

    def _own_sums(self, radii: Sequence[float]) -> NDArray[np.float64]:
        """Light of the sources themselves within the circles, shape (n_radius, n)."""
        total = np.zeros((len(radii), len(self._x)))
        for part in self._own():
            if _OWN:
                entries = (np.ascontiguousarray(field) for field in (part.source, part.pixel, part.light))
                wanted = np.array(radii, np.float64)
                sizes = len(part.source), self._shape[1]
                _OWN(*entries, *sizes, self._x, self._y, len(self._x), wanted, len(wanted), total)
                continue
            pixel_y, pixel_x = np.divmod(part.pixel, self._shape[1])
            distance = np.hypot(pixel_x - self._x[part.source], pixel_y - self._y[part.source])
            for sums, radius in zip(total, radii, strict=True):
                covered = np.clip(radius + 0.5 - distance, 0.0, 1.0)
                sums += np.bincount(part.source, covered * part.light, minlength=len(sums))
        return total


def _running_sums(image: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the sums of each row up to every pixel, shape (ny, nx + 1)."""
    sums = np.empty((image.shape[0], image.shape[1] + 1))
    sums[:, 0] = 0.0
    np.cumsum(image, axis=1, dtype=np.float64, out=sums[:, 1:])
    return sums


def _half_chords(offset: NDArray[np.float64], radius: float) -> NDArray[np.float64]:
    """Half the area of a circle within a row of pixels ``offset`` from its center: exact, so that the rows add up."""
    low, high = (np.clip(offset + side, -radius, radius) for side in (-0.5, 0.5))

    def integral(t: NDArray[np.float64]) -> NDArray[np.float64]:
        area = t * np.sqrt(np.maximum(radius**2 - t**2, 0.0)) + radius**2 * np.arcsin(t / radius)
        return np.asarray(0.5 * area)

    return np.asarray(integral(high) - integral(low), np.float64)


@frozen
class _Place:
    """Places between pixels: the last running sum before them, and the part of the next pixel."""

    index: NDArray[np.int64]
    part: NDArray[np.float64]

    @classmethod
    def of(cls, row: NDArray[np.int64], place: NDArray[np.float64], width: int) -> "_Place":
        whole = np.minimum(place.astype(np.int64), width - 1)
        return cls(row * (width + 1) + whole, place - whole)

    def sum_up_to(self, sums: NDArray[np.float64]) -> NDArray[np.float64]:
        flat = sums.ravel()
        start = flat.take(self.index)
        return np.asarray(start + (flat.take(self.index + 1) - start) * self.part)
