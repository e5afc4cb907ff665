"""Follow a straight line of light through an image: where it is, how wide, how bright along its length."""

from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from obs.algorithms.pixels.box_sums import box_sums
from obs.algorithms.pixels.statistics import robust_sigma

__all__ = ["Band", "Line", "StreakProfile", "follow_line", "straighten"]

Float = NDArray[np.float32]

HALF = 64
"""Half the width, pixels, of the band about a line that is looked at."""

SEGMENTS = 32
SIDE = 0.7
"""Fraction of the half width beyond which a band shows the sky beside a trail."""

PRESENT = 4.0
"""Significance from which a trail is there in a segment."""

FAINTEST = 0.2
"""Light per pixel, in noise, at which a trail ends across."""

GOES_ON = 0.4
"""Brightness beyond the ends of a trail, relative to its own, from which it reaches the border of the image."""

HINT = 2.0
"""Significance from which a segment helps to fit the line."""

BOXES = (3, 13, 41)
"""Widths, pixels, of the trails that the line is fitted to."""

FINE = 4
"""Steps of the profile across, in a pixel."""


class Line(NamedTuple):
    """A line through an image: ``v = start + slope * u``, where u is x and v is y, or the reverse if ``steep``.

    Parameters
    ----------
    start : float
        v at u = 0, 0-based pixels.
    slope : float
        Change of v with u.
    steep : bool
        Whether u is y and v is x.
    """

    start: float
    slope: float
    steep: bool


class Band(NamedTuple):
    """Pixels about a line, straightened.

    Parameters
    ----------
    u : ndarray of int64, shape (n,)
        Places along the line.
    row : ndarray of int64, shape (n,)
        Pixel of the line at each place.
    offset : ndarray of float64, shape (n,)
        Line less its pixel, -0.5 to 0.5.
    """

    u: NDArray[np.int64]
    row: NDArray[np.int64]
    offset: NDArray[np.float64]

    def cut(self, plane: Float) -> Float:
        """Return the pixels of the band, shape (2 HALF + 1, n); NaN outside the image.

        Parameters
        ----------
        plane : ndarray of float32, shape (nv, nu)
            An image of the shape for which the band was made, transposed if the line is steep.
        """
        rows = self.row + np.arange(-HALF, HALF + 1)[:, None]
        inside = (rows >= 0) & (rows < plane.shape[0])
        return np.where(inside, plane[np.where(inside, rows, 0), self.u], np.float32(np.nan))


class StreakProfile(NamedTuple):
    """A trail: its line, its ends, its light across and along.

    Parameters
    ----------
    line : Line
        Its axis.
    band : Band
        Pixels about the axis.
    across : ndarray of float64, shape (2 HALF + 1,)
        Median light, in noise of the sky.
    along : ndarray of float64, shape (SEGMENTS,)
        Mean light of the core in each segment, in noise of the sky.
    error : float
        Standard error of ``along``.
    first, last : int
        Segments at its ends.
    low, high : int
        Rows of ``across`` that bound it, the second one excluded.
    """

    line: Line
    band: Band
    across: NDArray[np.float64]
    along: NDArray[np.float64]
    error: float
    first: int
    last: int
    low: int
    high: int

    @property
    def length(self) -> float:
        """Length of the trail, in pixels."""
        return (self.last - self.first + 1) * len(self.band.u) / SEGMENTS * float(np.hypot(1.0, self.line.slope))

    @property
    def width(self) -> float:
        """Full width at half of the highest light, pixels."""
        core = self.across[self.low : self.high]
        return float(np.count_nonzero(core > 0.5 * core.max())) / float(np.hypot(1.0, self.line.slope))

    @property
    def significance(self) -> float:
        """Light of all segments between the ends, in its standard error."""
        along = self.along[self.first : self.last + 1]
        return float(along.sum() / (self.error * np.sqrt(len(along))))

    @property
    def presence(self) -> float:
        """Fraction of the segments between the ends in which the trail is seen."""
        return float(np.mean(self.along[self.first : self.last + 1] > PRESENT * self.error))


def straighten(line: Line, shape: tuple[int, ...]) -> Band:
    """Return the band about a line in an image of shape (nv, nu).

    Parameters
    ----------
    line : Line
        The line; v is the first axis of the image, u the second.
    shape : tuple of int
        Shape (nv, nu) of the image, transposed if the line is steep.

    Returns
    -------
    Band
        Places at which the line is inside the image.
    """
    u = np.arange(shape[1])
    v = line.start + line.slope * u
    inside = (v >= 0) & (v <= shape[0] - 1)
    row = np.rint(v[inside]).astype(np.int64)
    return Band(u[inside], row, v[inside] - row)


def follow_line(scaled: Float, line: Line, reach: float) -> StreakProfile | None:
    """Follow a straight trail through the image.

    Parameters
    ----------
    scaled : ndarray of float32, shape (nv, nu)
        Pixels in units of their noise, NaN where bad, v down the rows.
    line : Line
        Where the trail is, to ``reach`` pixels at either end.
    reach : float
        How far the ends may be off, pixels.

    Returns
    -------
    StreakProfile or None
        None if nothing is seen there.
    """
    band = straighten(line, scaled.shape)
    for _ in range(2):
        if len(band.u) < 4 * SEGMENTS:
            return None
        segments = _segments(band.cut(scaled))
        moved = _refine(segments, band, line, reach)
        if moved is None:
            return None
        line, reach = moved, 1.5
        band = straighten(line, scaled.shape)
    if len(band.u) < 4 * SEGMENTS:
        return None
    return _describe(_segments(band.cut(scaled)), band, line)


def _segments(pixels: Float) -> NDArray[np.float64]:
    """Return the median profile across of each segment, shape (SEGMENTS, 2 HALF + 1), less its sky; NaN if unknown."""
    n = pixels.shape[1]
    edges = np.arange(SEGMENTS + 1) * n // SEGMENTS
    known = np.isfinite(pixels)
    filled = np.where(known, pixels, np.float32(0.0))
    profiles = np.array([np.median(filled[:, a:b], axis=1) for a, b in pairwise(edges)], float)
    share = np.add.reduceat(known, edges[:-1], axis=1).T / np.diff(edges)[:, None]
    profiles[share < 0.5] = np.nan
    side = np.abs(np.arange(-HALF, HALF + 1)) > SIDE * HALF
    dark = profiles[:, side]
    empty = np.isnan(dark).all(1)
    dark[empty] = 0.0
    return np.asarray(profiles - np.nanmedian(dark, axis=1)[:, None])


def _refine(segments: NDArray[np.float64], band: Band, line: Line, reach: float) -> Line | None:
    """Return the line along which the profiles of the segments agree best."""
    known = np.isfinite(segments)
    scatter = robust_sigma(segments[known])
    if not scatter > 0:
        return None
    # what is very bright counts little more than what is clearly seen
    filled = np.where(known, segments, 0.0)
    light = scatter * np.arcsinh(filled / scatter)
    steps = int(np.ceil(reach)) + 1
    tilt = np.arange(-steps, steps + 1)
    place = np.arange(SEGMENTS) / (SEGMENTS - 1) - 0.5
    shift = np.rint(2 * tilt[:, None] * place).astype(np.int64)
    column = np.arange(steps, 2 * HALF + 1 - steps)
    near = np.abs(column - HALF) <= 2 * reach + 2
    row = np.arange(SEGMENTS)[:, None]
    highest, center, width = -np.inf, np.zeros(SEGMENTS, np.int64), BOXES[0]
    for box in BOXES:
        smoothed = box_sums(light, box, axis=1, beyond="mirror") / np.sqrt(box)
        total = np.where(near, smoothed[row, column + shift[:, :, None]].sum(1), -np.inf)
        best, at = np.unravel_index(int(np.argmax(total)), total.shape)
        if total[best, at] > highest:
            highest, center, width = float(total[best, at]), column[at] + shift[best], box
            seen = smoothed[row[:, 0], center] > HINT * scatter
    # centroids of the segments in which it is seen give the rest
    offset = np.arange(-width - 2, width + 3)
    around = np.clip(center[:, None] + offset, 0, 2 * HALF)
    core = box_sums(filled, width, axis=1, beyond="mirror")[row, around] / width
    weight = np.clip(core - 0.2 * core.max(1)[:, None], 0, None)
    if np.count_nonzero(seen) < 4:
        return None
    centroid = center[seen] - HALF + (weight[seen] * offset).sum(1) / weight[seen].sum(1)
    middle = band.u[((np.flatnonzero(seen) + 0.5) * len(band.u) / SEGMENTS).astype(np.int64)]
    tilted, moved = _robust_line(middle.astype(float), centroid)
    return Line(line.start + moved, line.slope + tilted, line.steep)


def _robust_line(x: NDArray[np.float64], y: NDArray[np.float64]) -> tuple[float, float]:
    """Return slope and start of a line fitted to points, outliers left out."""
    kept = np.ones(len(x), bool)
    slope, start = 0.0, 0.0
    for _ in range(4):
        slope, start = (float(c) for c in np.polyfit(x[kept], y[kept], 1))
        residual = y - slope * x - start
        kept = np.abs(residual) <= max(2.5 * robust_sigma(residual), 0.5)
        if np.count_nonzero(kept) < 4:
            break
    return slope, start


def _describe(segments: NDArray[np.float64], band: Band, line: Line) -> StreakProfile | None:
    known = np.isfinite(segments)
    filled = np.where(known, segments, 0.0)
    rough = filled[:, HALF - 1 : HALF + 2].mean(1)
    bright = rough >= np.percentile(rough, 60)
    across = np.median(filled[bright], axis=0)
    peak = float(across[HALF - 2 : HALF + 3].max())
    low, high = _extent(across, max(0.5 * peak, FAINTEST))
    along = np.where(known[:, HALF], filled[:, low:high].mean(1), np.nan)
    error = _error_beside(filled, high - low)
    present = np.nan_to_num(along) > PRESENT * error
    ends = _ends(present)
    if not (peak > FAINTEST and error > 0) or ends is None:
        return None
    ends = _extended(np.nan_to_num(along), *ends, error)
    seen = present.copy()
    seen[: ends[0]] = seen[ends[1] + 1 :] = False
    across = np.median(filled[seen], axis=0)
    low, high = _extent(across, FAINTEST)
    return StreakProfile(line, band, across, np.nan_to_num(along), error, *ends, low, high)


def _extent(across: NDArray[np.float64], level: float) -> tuple[int, int]:
    """Return the rows about the middle that are brighter than a level without a gap."""
    dark = np.flatnonzero(across < level)
    below, above = dark[dark < HALF], dark[dark > HALF]
    return int(below.max() + 1) if len(below) else 0, int(above.min()) if len(above) else len(across)


def _error_beside(filled: NDArray[np.float64], width: int) -> float:
    """Return the scatter of means over so many rows beside the trail."""
    total = np.cumsum(np.pad(filled, ((0, 0), (1, 0))), axis=1)
    means = (total[:, width:] - total[:, :-width]) / width
    middle = np.arange(means.shape[1]) + 0.5 * (width - 1) - HALF
    beside = means[:, np.abs(middle) > min(2 * width + 4, HALF - width)]
    return robust_sigma(beside) if beside.size else float("nan")


def _ends(present: NDArray[np.bool_]) -> tuple[int, int] | None:
    """Return first and last segment of the longest part without a gap of a quarter of all."""
    where = np.flatnonzero(present)
    if len(where) < 3:
        return None
    parts = np.split(where, np.flatnonzero(np.diff(where) > SEGMENTS // 4) + 1)
    longest = max(parts, key=lambda part: int(part[-1] - part[0]))
    if len(longest) < 2:
        return None
    return int(longest[0]), int(longest[-1])


def _extended(along: NDArray[np.float64], first: int, last: int, error: float) -> tuple[int, int]:
    """Move the ends to those of the image where what is beyond is about as bright, or shorter than a dark part."""
    seen = np.flatnonzero(along[first : last + 1] > PRESENT * error)
    gap = int(np.diff(seen).max())
    typical = float(np.median(along[first : last + 1]))
    beyond = [along[:first], along[last + 1 :]]
    goes_on = [
        len(part) <= gap or part.mean() > max(GOES_ON * typical, 2 * error / np.sqrt(len(part))) for part in beyond
    ]
    return (0 if goes_on[0] else first), (SEGMENTS - 1 if goes_on[1] else last)
