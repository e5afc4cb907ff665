"""Find the trails of satellites and aircraft: straight bands of light that cross a good part of the image.

Pixels in units of their noise are cut off at a few sigma, so that stars count little, and binned; the sums along all
lines show trails far fainter than the noise of a pixel. Each candidate is then followed on the full image, in segments:
it must be there along its length, have the same place in all of them, and not fade away from a bright star, as
diffraction spikes do.
"""

from itertools import product

import numpy as np
from numpy.typing import NDArray

from obs.algorithms.pixels.bins import sum_cut_bins
from obs.algorithms.pixels.box_sums import box_sums
from obs.algorithms.sky.bent_streaks import find_bent_streaks
from obs.algorithms.sky.drawn_out import DrawnOut
from obs.algorithms.sky.line_sums import sum_lines
from obs.algorithms.sky.streak import Streak
from obs.algorithms.sky.streak_checks import is_streak
from obs.algorithms.sky.streak_light import paint_streak
from obs.algorithms.sky.streak_profile import HALF, SEGMENTS, Line, StreakProfile, follow_line
from obs.kernels.library import Kernel
from obs.threads import map_threads

__all__ = ["find_streaks"]

Float = NDArray[np.float32]

_COMPILED = Kernel("scale_by_noise", "float32", "float32", "bool", "int", "float32")

LARGEST = 256
"""Side, bins, of the square that lines are summed in."""

CUT = 3.0
"""Sigma at which pixels, and bins, are cut off."""

LEAST_SUM = 8.0
"""Least significance of the sum along a line, in the scatter of all such sums."""

LEAST_BINS = 30
"""Fewest bins of a line that is looked at."""

WIDTHS = (1, 3, 5)
"""Widths of bands of lines, bins."""

SURROUND = 21
"""Width, bins, of the band that the light of a line is compared with."""

MOST = 12
"""Trails that are looked for in one image."""

MOST_FAILURES = 3
"""Lines in turn that turn out to be no trails, after which no more are looked for."""


def find_streaks(
    image: Float, variance: Float, bad: NDArray[np.bool_]
) -> tuple[list[Streak], NDArray[np.bool_], Float | None]:
    """Find trails of satellites, aircraft and meteors: straight ones across the image first, then all others.

    Parameters
    ----------
    image : ndarray of float32, shape (ny, nx)
        Background-subtracted pixels.
    variance : ndarray of float32, shape (ny, nx)
        Their variance.
    bad : ndarray of bool, shape (ny, nx)
        Pixels to leave out.

    Returns
    -------
    streaks : list of Streak
        The trails, brightest sum first.
    mask : ndarray of bool, shape (ny, nx)
        Their pixels.
    light : ndarray of float32, shape (ny, nx), or None
        Their light, image units; None without trails.
    """
    scaled = _in_noise(image, variance, bad)
    size = _bin_size(image.shape)
    binned, known = _bin(scaled, size)
    streaks: list[Streak] = []
    mask = np.zeros(image.shape, bool)
    light: Float | None = None
    sources = DrawnOut(scaled)
    failures = 0
    while len(streaks) < MOST and failures < MOST_FAILURES:
        line = _best_line(binned, known, size)
        if line is None:
            break
        plane = scaled.T if line.steep else scaled
        found = follow_line(plane, line, 2.0 * size)
        if (
            found is None
            or not is_streak(found, plane, min(image.shape))
            or sources.explains(_summary(found), found.presence)
        ):
            failures += 1
            _erase(binned, known, line, size, 4.0 * size)
            continue
        failures = 0
        light = np.zeros_like(image) if light is None else light
        if line.steep:
            paint_streak(found, image.T, plane, light.T, mask.T)
        else:
            paint_streak(found, image, plane, light, mask)
        streaks.append(_summary(found))
        _erase(binned, known, found.line, size, found.high - found.low + 4.0 * size)
    scaled[mask] = np.nan
    bent, where, more = find_bent_streaks(image, scaled, sources)
    if more is not None:
        mask |= where
        light = more if light is None else light + more
    return streaks + bent, mask, light


def _in_noise(image: Float, variance: Float, bad: NDArray[np.bool_]) -> Float:
    """Return pixels in units of their noise; NaN where bad."""
    if _COMPILED:
        planes = (np.ascontiguousarray(plane) for plane in (image, variance, bad))
        result: Float = np.empty(image.shape, np.float32)
        _COMPILED(*planes, result.size, result)
        return result
    with np.errstate(divide="ignore", invalid="ignore"):
        scaled = image / np.sqrt(variance)
    scaled[bad | ~np.isfinite(scaled)] = np.nan
    return np.asarray(scaled, np.float32)


def _bin_size(shape: tuple[int, ...]) -> int:
    return max(1, -(-max(shape) // LARGEST))


def _bin(scaled: Float, size: int) -> tuple[Float, Float]:
    """Return significances of bins in a square, and 1 where a bin is known."""
    value, n = sum_cut_bins(scaled, size, CUT)
    value /= np.sqrt(np.maximum(n, 1))
    half_known = n > 0.5 * size**2
    value -= np.median(value[half_known]) if half_known.any() else 0
    side = 1 << int(np.ceil(np.log2(max(value.shape))))
    binned, known = np.zeros((side, side), np.float32), np.zeros((side, side), np.float32)
    inside = slice(value.shape[0]), slice(value.shape[1])
    known[inside] = half_known
    binned[inside] = np.clip(value, -CUT, CUT) * known[inside]
    return binned, known


def _best_line(binned: Float, known: Float, size: int) -> Line | None:
    """Return the line with the most significant sum, pixels; None if none is significant."""
    n = len(binned)

    def look(turn: tuple[bool, ...]) -> tuple[float, Line]:
        # all angles are those of 0 to 45 degrees in images that are transposed or upside down
        steep, falls = turn
        turned = [a.T if steep else a for a in (binned, known)]
        turned = [np.ascontiguousarray(a[::-1] if falls else a) for a in turned]
        score, first = _significance(turned[0], turned[1])
        where = np.unravel_index(int(np.argmax(score)), score.shape)
        rise, start = int(where[0]), int(where[1]) + first
        # bins to pixels: the middle of a bin
        slope, v = rise / (n - 1), float(start)
        if falls:
            slope, v = -slope, n - 1 - v
        middle = 0.5 * (size - 1)
        return float(score[where]), Line(v * size + middle - slope * middle, slope, steep)

    # the first of those that are equally significant
    best, line = max(map_threads(look, product((False, True), repeat=2)), key=lambda found: found[0])
    return line if best > LEAST_SUM else None


def _significance(binned: Float, known: Float) -> tuple[Float, int]:
    """Return how much the sum along each line stands out, in the scatter of such sums, shape (n, 2 n)."""
    total, number = sum_lines(binned), sum_lines(known)
    counts = number.total
    best = np.full(counts.shape, -np.inf, np.float32)
    surround = _band(total.total, SURROUND), _band(counts, SURROUND)
    enough = counts >= LEAST_BINS
    if not enough.any():
        return best, total.first
    level = surround[0] / np.maximum(surround[1], 1)
    for width in WIDTHS:
        light, n = _band(total.total, width), _band(counts, width)
        value = (light - n * level) / np.sqrt(np.maximum(n, 1))
        sample = value[enough][::7]
        low, middle = np.percentile(sample, (15.87, 50))
        np.maximum(best, (value - middle) / max(float(middle - low), 1e-6), out=best, where=enough)
    return best, total.first


def _band(sums: Float, width: int) -> Float:
    """Return sums over so many parallel lines."""
    return sums if width == 1 else box_sums(sums, width, axis=1).astype(np.float32)


def _erase(binned: Float, known: Float, line: Line, size: int, width: float) -> None:
    """Set bins about a line to unknown, in place."""
    value, seen = (a.T if line.steep else a for a in (binned, known))
    v, u = np.ogrid[: value.shape[0], : value.shape[1]]
    middle = 0.5 * (size - 1)
    axis = (line.start + line.slope * (u * size + middle) - middle) / size
    near = np.abs(v - axis) <= 0.5 * width / size * np.hypot(1.0, line.slope) + 1
    value[near] = seen[near] = 0.0


def _summary(found: StreakProfile) -> Streak:
    u = found.band.u
    ends = [float(u[min(k * len(u) // SEGMENTS, len(u) - 1)]) for k in (found.first, found.last + 1)]
    v = [found.line.start + found.line.slope * end for end in ends]
    x, y = (v, ends) if found.line.steep else (ends, v)
    width = (found.high - found.low) / float(np.hypot(1.0, found.line.slope))
    return Streak((x[0], x[1]), (y[0], y[1]), width, float(found.across[HALF - 2 : HALF + 3].max()))
