"""The image on which point sources are detected best: each exposure filtered with its own PSF before all are added."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.signal import oaconvolve

__all__ = ["PointSourceSums"]

_LEAST_POWER = 0.05  # of the largest; with less of a PSF's light on pixels that can be used, its flux is not measured


class PointSourceSums:
    """Sums over exposures from which the flux of a point source at each pixel follows, and its variance.

    The best estimate for a faint point source at a pixel is ``sum(P_i * M_i / v_i) / sum(P_i ** 2 / v_i)`` over all
    pixels of all exposures ``i`` of PSF ``P_i`` and sky variance ``v_i``. Its ratio to its standard error contains all
    that the exposures show of whether there is one. A mean of the exposures, filtered afterwards, contains less if
    their PSFs differ: no weights are best for all spatial frequencies.

    Parameters
    ----------
    shape : tuple of int
        Shape (ny, nx) of the grid.
    stamps : sequence of ndarray, shape (my, mx)
        PSF of each exposure on the grid, with odd sides and the sum 1.
    variances : sequence of float
        Variance of the sky of each exposure in one pixel, as sums over many pixels have it.

    References
    ----------
    N. Kaiser (2004), Addition of images with varying seeing, Pan-STARRS PSDC-002-011; B. Zackay & E. O. Ofek (2017),
    ApJ 836, 187.
    """

    def __init__(
        self, shape: tuple[int, int], stamps: Sequence[NDArray[np.float32]], variances: Sequence[float]
    ) -> None:
        self._signal, self._power = np.zeros(shape, np.float32), np.zeros(shape, np.float32)
        flipped = [np.asarray(stamp, np.float32)[::-1, ::-1] for stamp in stamps]
        self._kernels = [
            (kernel / np.float32(variance), kernel * kernel / np.float32(variance))
            for kernel, variance in zip(flipped, variances, strict=True)
        ]

    def add_rows(self, number: int, low: int, image: NDArray[np.float32], used: NDArray[np.bool_]) -> None:
        """Add rows of an exposure.

        Parameters
        ----------
        number : int
            Which exposure.
        low : int
            First row on the grid.
        image : ndarray of float32, shape (n_row, nx)
            Pixels without sky.
        used : ndarray of bool, shape (n_row, nx)
            Which of them can be used.
        """
        columns = np.flatnonzero(used.any(axis=0))
        if not columns.size:
            return
        left, right = int(columns[0]), int(columns[-1]) + 1
        seen = used[:, left:right]
        pixels = np.where(seen, image[:, left:right], np.float32(0.0))
        for total, part, kernel in zip(
            (self._signal, self._power), (pixels, seen.astype(np.float32)), self._kernels[number], strict=True
        ):
            spread = oaconvolve(part, kernel)
            inside, taken = _overlap(low - kernel.shape[0] // 2, spread.shape[0], total.shape[0])
            across, along = _overlap(left - kernel.shape[1] // 2, spread.shape[1], total.shape[1])
            total[inside, across] += spread[taken, along]

    def flux(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return the flux of a point source at each pixel and its variance; 0 and infinite where it is not known."""
        known = self._power > _LEAST_POWER * self._power.max(initial=0.0)
        image = np.divide(self._signal, self._power, out=np.zeros_like(self._signal), where=known)
        variance = np.divide(1, self._power, out=np.full_like(self._power, np.inf), where=known)
        return image, variance


def _overlap(start: int, size: int, whole: int) -> tuple[slice, slice]:
    """Return the part of a whole that a piece covers from ``start`` on, and that part of the piece."""
    first, last = max(start, 0), min(start + size, whole)
    return slice(first, last), slice(first - start, last - start)
