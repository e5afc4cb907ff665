"""Sources that are drawn out in one direction: where they happen to lie end to end, they look like a trail."""

import numpy as np
from numpy.typing import NDArray

from obs.algorithms.sky.streak import Streak

__all__ = ["DrawnOut"]

Float = NDArray[np.float32]

BLOCK = 32
"""Least side, pixels, of the blocks in each of which the direction of the light is found."""

BLOCKS = 16
"""Largest number of blocks along the longer side."""

LIT, LEAST_LIT = 5.0, 10
"""Noise above which pixels are of sources, and the fewest of them in a block that counts."""

FEWEST, DENSE = 5, 0.4
"""Fewest blocks, beside a trail, with sources that end in them. Where there are fewer, all count if so many of the
blocks are lit, which no trail does."""

ELONGATED = 0.45
"""Difference over sum of the squared slopes across and along from which on sources are drawn out: axis ratio 0.6."""

PARALLEL = 30.0
"""Largest angle, degrees, between a trail and the long axes of sources in a row."""

WHOLE, MOST_LIT = 0.5, 0.7
"""Least length of a trail along the long axes of the sources, as a fraction of the longer side of the image, and the
least fraction of it that is lit."""


class DrawnOut:
    """How the sources of an image are drawn out.

    Parameters
    ----------
    scaled : ndarray of float32, shape (ny, nx)
        Pixels in units of their noise; NaN where bad.
    """

    def __init__(self, scaled: Float) -> None:
        self._scaled = scaled
        self._side = max(BLOCK, -(-max(scaled.shape) // BLOCKS))
        self._blocks: tuple[NDArray[np.float64], NDArray[np.bool_]] | None = None

    def explains(self, streak: Streak, presence: float) -> bool:
        """Return whether a trail may be sources in a row: it has their direction, and is short or interrupted.

        Parameters
        ----------
        streak : Streak
            The trail.
        presence : float
            Fraction of its length that is lit.
        """
        x, y = (np.linspace(*ends, 4 * BLOCKS) for ends in (streak.x, streak.y))
        if np.hypot(x[-1] - x[0], y[-1] - y[0]) >= WHOLE * max(self._scaled.shape) and presence >= MOST_LIT:
            return False
        if self._blocks is None:
            self._blocks = self._directions()
        directions, whole = self._blocks
        ny, nx = whole.shape
        other = np.isfinite(directions[0])
        row, column = (np.clip(v // self._side, 0, n - 1).astype(int) for v, n in ((y, ny), (x, nx)))
        other[row, column] = False
        if np.count_nonzero(other & whole) >= FEWEST:
            other &= whole
        elif np.count_nonzero(other) < max(FEWEST, DENSE * other.size):
            return False
        beside = directions[:, other]
        cosine, sine = np.median(beside, axis=1)
        if np.hypot(cosine, sine) < ELONGATED:
            return False
        # slopes are steepest across the long axes
        angle = 0.5 * np.arctan2(sine, cosine) + 0.5 * np.pi - np.arctan2(y[-1] - y[0], x[-1] - x[0])
        return bool(abs(np.cos(angle)) > np.cos(np.radians(PARALLEL)))

    def _directions(self) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """Return the mean direction of the slopes in each block, and where its sources end in it.

        A direction is cosine and sine of twice the angle, times how far there is one.
        """
        plane, side = np.clip(self._scaled, 0, 4 * LIT), self._side
        by_x, by_y = (np.zeros_like(plane) for _ in "xy")
        by_x[:, 1:-1], by_y[1:-1] = plane[:, 2:] - plane[:, :-2], plane[2:] - plane[:-2]
        lit = (self._scaled > LIT) & np.isfinite(by_x) & np.isfinite(by_y)
        by_x[~lit] = by_y[~lit] = 0
        ny, nx = (-(-size // side) for size in plane.shape)

        inner = np.zeros(side, bool)
        inner[1:-1] = True
        border = ~(inner[:, None] & inner)

        def total(values: NDArray[np.generic], where: NDArray[np.bool_] | None = None) -> NDArray[np.float64]:
            padded = np.zeros((ny * side, nx * side))
            padded[: plane.shape[0], : plane.shape[1]] = values
            blocks = padded.reshape(ny, side, nx, side)
            sums: NDArray[np.float64] = (blocks if where is None else blocks * where[:, None]).sum((1, 3))
            return sums

        xx, yy, xy = total(by_x * by_x), total(by_y * by_y), total(by_x * by_y)
        known = (total(lit) >= LEAST_LIT) & (xx + yy > 0)
        with np.errstate(invalid="ignore", divide="ignore"):
            directions = np.where(known, np.stack([xx - yy, 2 * xy]) / (xx + yy), np.nan)
        return directions, known & (total(lit, border) == 0)
