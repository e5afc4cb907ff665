"""Stamps of some sources at a time, so that memory is bounded however many there are."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from obs.algorithms.sources.stamps import StampCutter, Stamps

__all__ = ["BATCH", "LARGEST_HALF", "Batch", "portions"]

BATCH = 400
LARGEST_HALF = 240


class Batch:
    """Some sources, their stamps, and the position of each in its stamp.

    Parameters
    ----------
    cutter : StampCutter
        Source of stamps.
    which : ndarray of int64, shape (n,)
        Indices of the sources.
    half : int
        Half the size of the stamps, pixels.
    """

    def __init__(self, cutter: StampCutter, which: NDArray[np.int64], half: int) -> None:
        self.cutter, self.which, self.half = cutter, which, half
        self.shift_x, self.shift_y = np.zeros(len(which), np.int64), np.zeros(len(which), np.int64)
        self.dx, self.dy = np.zeros(len(which)), np.zeros(len(which))
        self.stamps = self.cut(np.arange(len(which)), half)

    def __len__(self) -> int:
        return len(self.which)

    def cut(self, rows: NDArray[np.int64], half: int) -> Stamps:
        """Cut stamps of another size.

        Parameters
        ----------
        rows : ndarray of int64, shape (m,)
            Rows of the batch, not indices of the sources.
        half : int
            Half the size of the stamps, pixels; they are ``2 half + 1`` wide.
        """
        return self.cutter.cut(self.which[rows], half, shift_x=self.shift_x[rows], shift_y=self.shift_y[rows])

    def center(self, dx: NDArray[np.float64], dy: NDArray[np.float64]) -> None:
        """Move the stamps so that each source, at (dx, dy) from the peak pixel, lies in the middle pixel.

        Parameters
        ----------
        dx, dy : ndarray of float64, shape (n,)
            Position of each source relative to its peak pixel, pixels. Stamps move by whole pixels; the remainder, at
            most half a pixel, is kept in ``dx`` and ``dy``.
        """
        self.shift_x, self.shift_y = np.rint(dx).astype(np.int64), np.rint(dy).astype(np.int64)
        self.dx, self.dy = dx - self.shift_x, dy - self.shift_y
        moved = np.flatnonzero((self.shift_x != 0) | (self.shift_y != 0))
        self.stamps.replace(moved, self.cut(moved, self.half))

    def by_size(self, reach: NDArray[np.float64]) -> Iterator[tuple[NDArray[np.int64], Stamps]]:
        """Give rows and stamps that hold ``reach`` pixels about the middle; what no stamp can hold is left out.

        Parameters
        ----------
        reach : ndarray of float64, shape (n,)
            Distance from the middle pixel that a stamp must contain, pixels.

        Yields
        ------
        rows : ndarray of int64
            Rows of the batch.
        stamps : Stamps
            Their stamps, all of one size.
        """
        fits = np.flatnonzero(reach <= self.half)
        yield fits, self.stamps if len(fits) == len(self) else self.stamps.select(fits)
        half, low = self.half, float(self.half)
        while (reach > half).any() and half < LARGEST_HALF:
            low, half = half, min(2 * half, LARGEST_HALF)
            for rows in portions(np.flatnonzero((reach > low) & (reach <= half)), half):
                yield rows, self.cut(rows, half)


def portions(rows: NDArray[np.int64], half: int) -> list[NDArray[np.int64]]:
    """Divide rows so that their stamps take no more memory than a batch of small ones.

    Parameters
    ----------
    rows : ndarray of int64, shape (n,)
        Rows to divide.
    half : int
        Half the size of their stamps, pixels.
    """
    step = max(1, BATCH * 60**2 // (2 * half + 1) ** 2)
    return [rows[k : k + step] for k in range(0, len(rows), step)]
