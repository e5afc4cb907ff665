"""Places of an image that are on thin lines of any direction, and the chains to which they join."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from obs.algorithms.numeric.nearest import PointTree
from obs.algorithms.pixels.bins import sum_cut_bins
from obs.algorithms.pixels.box_sums import box_sums
from obs.algorithms.pixels.grow import grow
from obs.algorithms.pixels.label import label_regions

__all__ = ["ANGLES", "PART", "PARTS", "Chain", "Directions", "find_chains"]

Float = NDArray[np.float32]
Directions = tuple[NDArray[np.float64], NDArray[np.float64]]

LARGEST = 512
"""Longer side, bins, of the image that is searched."""

CUT = 3.0
"""Sigma at which pixels, and bins, are cut off."""

LEAST_VALUE, LEAST_AROUND, AROUND = 1.5, 10.0, 5
"""Least significance of a bin, and sum in so many bins along either axis about it, of a place that is looked at."""

CROWDED = 0.2
"""Largest fraction of such places: more are those of a crowd of stars, or of a nebula."""

ANGLES, PART, PARTS = 16, 4, 3
"""Directions of the short line, bins of a part of it, and parts."""

LEAST_PART = 1.8
"""Least mean of each part of the line, noise of a bin."""

BESIDE = (3, 5, 8)
"""Bins beside the line of which one on either side must be darker; others may be on another trail."""

DARKER = 0.4
"""Largest light beside the line relative to that on it."""

MARGIN = 16
"""Bins beyond the border that short lines and what is beside them may reach."""

REACH = 9
"""Bins along the line by which places are joined to those that follow."""


class Chain(NamedTuple):
    """Places on thin lines that join to one another.

    Parameters
    ----------
    rows, columns : ndarray of int64, shape (n,)
        The places, bins.
    angle : ndarray of int64, shape (n,)
        Number of the direction of the line through each, of `ANGLES`.
    size : int
        Side of a bin, pixels.
    shape : tuple of int
        Shape (ny, nx) of the binned image.
    """

    rows: NDArray[np.int64]
    columns: NDArray[np.int64]
    angle: NDArray[np.int64]
    size: int
    shape: tuple[int, ...]

    @property
    def places(self) -> NDArray[np.float64]:
        """Columns and rows, shape (n, 2)."""
        return np.stack([self.columns, self.rows], axis=1).astype(float)

    @property
    def presence(self) -> float:
        """Fraction of the bins along the longest extent that have a place, which is low for stars in a row."""
        away = self.places - self.places.mean(axis=0)
        along = away @ np.linalg.eigh(away.T @ away).eigenvectors[:, -1]
        return len(np.unique(np.rint(along))) / (float(np.ptp(along)) + 1.0)

    def elongation(self) -> float:
        """Return the ratio of length to width of groups of adjacent places, the median of places."""
        mask = np.zeros(self.shape, bool)
        mask[self.rows, self.columns] = True
        own = label_regions(mask)[0][self.rows, self.columns]
        number = np.maximum(np.bincount(own), 1)
        x, y = (values - (np.bincount(own, values) / number)[own] for values in self.places.T)
        # the moments of the square bins themselves keep a single one round
        xx, yy, xy = (np.bincount(own, v) / number + w for v, w in ((x * x, 1 / 12), (y * y, 1 / 12), (x * y, 0.0)))
        mean, half = 0.5 * (xx + yy), np.hypot(0.5 * (xx - yy), xy)
        return float(np.median(np.sqrt((mean + half) / np.maximum(mean - half, 1 / 12))[own]))

    def directions(self) -> Directions:
        """Return cosine and sine of the direction at each place, from the places about it, to a degree or two."""
        start, index = PointTree(self.places).list_within(self.places, float(REACH))
        number = np.maximum(np.diff(start), 1)
        own = np.repeat(np.arange(len(self.rows)), np.diff(start))
        dx, dy = (self.places[index] - self.places[own]).T
        dx -= (np.bincount(own, dx, len(self.rows)) / number)[own]
        dy -= (np.bincount(own, dy, len(self.rows)) / number)[own]
        xx, yy, xy = (np.bincount(own, v, len(self.rows)) for v in (dx * dx, dy * dy, dx * dy))
        turned = 0.5 * np.arctan2(2 * xy, xx - yy)
        rough = np.pi * self.angle / ANGLES
        # few places give no direction, and then that of the line holds
        off = np.abs((turned - rough + 0.5 * np.pi) % np.pi - 0.5 * np.pi)
        turned = np.where((number > 4) & (off < 1.5 * np.pi / ANGLES), turned, rough)
        return np.cos(turned), np.sin(turned)


def find_chains(scaled: Float) -> Iterator[Chain]:
    """Yield chains of places on thin lines, short ones too.

    Parameters
    ----------
    scaled : ndarray of float32, shape (ny, nx)
        Background-subtracted pixels in units of their noise; NaN where bad.
    """
    size = max(1, -(-max(scaled.shape) // LARGEST))
    binned, unknown = _bin(scaled, size)
    rows, columns, angle = _places(binned, unknown)
    if not len(rows):
        return
    label, number = label_regions(_joined(binned.shape, rows, columns, angle))
    own = label[rows, columns]
    for k in range(1, number + 1):
        part = own == k
        yield Chain(rows[part], columns[part], angle[part], size, binned.shape)


def _bin(scaled: Float, size: int) -> tuple[Float, NDArray[np.bool_]]:
    """Return significances of bins, cut off, and which bins are mostly unknown."""
    value, n = sum_cut_bins(scaled, size, CUT)
    n = np.maximum(n, 1)
    value /= np.sqrt(n)
    value -= np.median(value)
    scatter = max(float(np.median(np.abs(value))) * 1.4826, 1.0)
    unknown = n < 0.5 * size**2
    value[unknown] = 0.0
    return np.clip(value / scatter, -CUT, CUT).astype(np.float32), unknown


def _directions() -> Directions:
    angle = np.pi * np.arange(ANGLES) / ANGLES
    return np.cos(angle), np.sin(angle)


def _places(
    binned: Float, unknown: NDArray[np.bool_]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Return rows, columns and direction of bins on a thin line."""
    around = box_sums(box_sums(binned, AROUND, axis=0), AROUND, axis=1)
    seen = (binned > LEAST_VALUE) & (around > LEAST_AROUND)
    none = np.empty(0, np.int64)
    if np.mean(seen) > CROWDED:
        return none, none, none
    rows, columns = np.nonzero(seen)
    if not len(rows):
        return none, none, none
    padded = np.pad(binned, MARGIN)
    width = padded.shape[1]
    place = (rows + MARGIN) * width + columns + MARGIN
    pixels = padded.ravel()
    steps = [_steps(k, 0, width) for k in range(ANGLES)]
    best, angle = np.full(len(rows), -np.inf, np.float32), np.zeros(len(rows), np.int64)
    for k, step in enumerate(steps):
        lowest = pixels[place[:, None] + step].reshape(-1, PARTS, PART).mean(axis=2).min(axis=1)
        better = lowest > best
        best[better], angle[better] = lowest[better], k
    kept = best > LEAST_PART
    rows, columns, angle, best, place = rows[kept], columns[kept], angle[kept], best[kept], place[kept]
    # what is beside a border, or a dead amplifier, has no sky on that side
    pixels = np.pad(np.where(unknown, np.float32(CUT), binned), MARGIN, constant_values=CUT).ravel()
    darkest = []
    for side in (-1, 1):
        beside = np.array([[_steps(k, side * distance, width) for distance in BESIDE] for k in range(ANGLES)])
        darkest.append(pixels[place[:, None, None] + beside[angle]].mean(axis=2).min(axis=1))
    # on an edge, and in a cloud, one side or both are as bright as the line
    kept = np.max(darkest, axis=0) < DARKER * best
    return rows[kept], columns[kept], angle[kept]


def _steps(k: int, aside: int, width: int) -> NDArray[np.int64]:
    """Return the distances in memory of the bins of a short line from the one in its middle, so many bins beside it."""
    cos, sin = (float(c[k]) for c in _directions())
    along = np.arange(PART * PARTS) - 0.5 * (PART * PARTS - 1)
    dy, dx = (np.rint(v).astype(np.int64) for v in (along * sin + aside * cos, along * cos - aside * sin))
    return np.asarray(dy * width + dx)


def _joined(
    shape: tuple[int, ...], rows: NDArray[np.int64], columns: NDArray[np.int64], angle: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Return the places, each drawn out along its line so that dashes join."""
    cos, sin = _directions()
    step = np.arange(-REACH, REACH + 1)
    y = np.clip(np.rint(rows[:, None] + step * sin[angle, None]).astype(np.int64), 0, shape[0] - 1)
    x = np.clip(np.rint(columns[:, None] + step * cos[angle, None]).astype(np.int64), 0, shape[1] - 1)
    result = np.zeros(shape, bool)
    result[y, x] = True
    return grow(result, 1)
