"""Overscan found in the pixels: columns that are lower and flatter than those with light."""

import numpy as np
from numpy.typing import NDArray

from obs.frozen import frozen

__all__ = [
    "DarkColumns",
    "RepeatedColumns",
    "column_profile",
    "find_dark_columns",
    "find_repeated_columns",
    "has_middle_step",
]

#: Columns at the very edge that electronics may disturb.
_EDGE = 2
_SMALLEST, _LARGEST_PART = 4, 0.3
_BLOCKS, _ROWS = 8, 64
_JUMP = 0.15
"""Part of the light that sets in at an edge at once; where vignetting dims an image, it is less than 0.05."""


@frozen
class DarkColumns:
    """What the pixels tell of overscan columns.

    Parameters
    ----------
    blocks : tuple of (int, int)
        First column, and first behind, of each run of columns at one level.
    data : tuple of (int, int)
        First column with light, and first behind, of each run: one, or two with overscan between them.
    contrast : float
        How much higher the columns with light are, in units of the noise of a single pixel.
    has_middle_step : bool
        Whether the level jumps in the middle of the columns with light, as between two amplifiers.
    """

    blocks: tuple[tuple[int, int], ...]
    data: tuple[tuple[int, int], ...]
    contrast: float
    has_middle_step: bool = False


@frozen
class RepeatedColumns:
    """Amplifiers side by side, each with as many dark columns at the same side.

    Parameters
    ----------
    count : int
        Number of amplifiers.
    width : int
        Columns of each, with those that are dark.
    dark : int
        Columns of each that are dark.
    at_end : bool
        Whether they follow the columns with light.
    """

    count: int
    width: int
    dark: int
    at_end: bool


def find_repeated_columns(pixels: NDArray[np.float32]) -> RepeatedColumns | None:
    """Look for several amplifiers side by side that each begin, or each end, with dark columns.

    Parameters
    ----------
    pixels : ndarray of float32, shape (ny, nx)
        The image, ADU.

    Returns
    -------
    RepeatedColumns or None
        None where the pixels do not show.
    """
    ny, nx = pixels.shape
    if ny < 16 or nx < 64 or not np.isfinite(pixels).all():
        return None
    level, noise = column_profile(pixels)
    error = 1.25 * float(np.median(noise)) / np.sqrt(ny) + 0.5
    for count in (2, 4, 8):
        width, rest = divmod(nx, count)
        if rest or width < 32:
            continue
        for at_end in (False, True):
            parts = level.reshape(count, width)[:, :: -1 if at_end else 1]
            other_ends = parts[:, :-4:-1]
            found = {_beginning(part, error) for part in parts}
            is_lit = all(_beginning(part, error) == 0 for part in parts[:, ::-1]) and other_ends.size
            if len(found) == 1 and (dark := found.pop()) and is_lit:
                return RepeatedColumns(count, width, dark, at_end)
    return None


def _beginning(level: NDArray[np.float64], error: float) -> int:
    """Return how many columns at the beginning are dark, flat, and end at once; 0 if none are."""
    base, light = float(np.median(level[:2])), float(np.median(level))
    step = light - base
    if step < max(20.0 * error, 10.0):
        return 0
    width = int(np.argmax(level > base + 0.5 * step))
    is_flat = float(np.ptp(level[:width])) < 0.1 * step if width else False
    is_sharp = width + 1 < len(level) and level[width + 1] > base + 0.8 * step
    return width if 2 <= width <= _LARGEST_PART * len(level) and is_flat and is_sharp else 0


def column_profile(pixels: NDArray[np.float32]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the level of each column, from the middle rows, and the noise of its pixels.

    Parameters
    ----------
    pixels : ndarray of float32, shape (ny, nx)
        The image, ADU.

    Returns
    -------
    level, noise : ndarray of float64, shape (nx,)
        ADU.
    """
    ny = len(pixels)
    rows = _some_rows(pixels[ny // 8 : ny - ny // 8])
    level = np.median(rows, axis=0).astype(np.float64)
    noise = 1.4826 * np.median(np.abs(np.diff(rows, axis=0)), axis=0).astype(np.float64) / np.sqrt(2.0)
    return level, noise


def _some_rows(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return all rows, or of many some blocks of neighbors that tell the same in less time."""
    if len(rows) <= _BLOCKS * _ROWS:
        return rows
    starts = np.linspace(0, len(rows) - _ROWS, _BLOCKS).astype(int)
    return np.concatenate([rows[start : start + _ROWS] for start in starts])


def find_dark_columns(pixels: NDArray[np.float32]) -> DarkColumns | None:
    """Look for overscan columns at either side, and in the middle.

    Parameters
    ----------
    pixels : ndarray of float32, shape (ny, nx)
        The image, ADU.

    Returns
    -------
    DarkColumns or None
        None where the pixels do not show: without light there is nothing to see.
    """
    ny, nx = pixels.shape
    if ny < 16 or nx < 32 or not np.isfinite(pixels).all():
        return None
    level, noise = column_profile(pixels)
    light = float(np.median(level))
    left, right = (_side(level[::way], noise[::way], light) for way in (1, -1))
    if left + right > nx // 2:
        return None
    blocks = _split(level, noise, 0, left, ny) if left else []
    blocks += _split(level, noise, nx - right, nx, ny) if right else []
    data = [(left, nx - right)]
    middle = _middle(level, noise, left, nx - right)
    if middle:
        center = (left + nx - right) // 2
        blocks += [(center - middle, center), (center, center + middle)]
        data = [(left, center - middle), (center + middle, nx - right)]
    if not blocks:
        return None
    lit = np.concatenate([level[first:last] for first, last in data])
    dark = np.concatenate([level[first:last] for first, last in blocks])
    spread = float(np.median(np.concatenate([noise[first:last] for first, last in data]))) or 1.0
    contrast = float((np.percentile(lit, 5) - np.median(dark)) / spread)
    step = len(data) == 1 and has_middle_step(level[left : nx - right])
    return DarkColumns(tuple(sorted(blocks)), tuple(data), contrast, step)


def _middle(level: NDArray[np.float64], noise: NDArray[np.float64], first: int, last: int) -> int:
    """Return how many columns are dark to either side of the middle of what is between two columns; 0 for none."""
    center = (first + last) // 2
    if (last - first) % 2 or center - first < 16:
        return 0
    left, right = level[first:center], level[center:last]
    widths = (
        _side(left[::-1], noise[first:center][::-1], float(np.median(left))),
        _side(right, noise[center:last], float(np.median(right))),
    )
    return widths[0] if widths[0] == widths[1] else 0


def has_middle_step(level: NDArray[np.float64]) -> bool:
    """Whether the middle step between neighboring groups of columns stands out among those around it.

    Parameters
    ----------
    level : ndarray of float64, shape (nx,)
        Level of each column, ADU.
    """
    middle, size = len(level) // 2, 4
    span = np.arange(max(size, middle - 40), min(len(level) - size, middle + 40) + 1)
    steps = np.array([np.median(level[x : x + size]) - np.median(level[x - size : x]) for x in span])
    others = np.abs(steps[np.abs(span - middle) >= size])
    at_middle = np.abs(steps[span == middle])
    if others.size == 0 or at_middle.size == 0:
        return False
    return bool(at_middle[0] > 4.0 * np.median(others) and at_middle[0] > np.max(others))


def _side(level: NDArray[np.float64], noise: NDArray[np.float64], light: float) -> int:
    """Return how many columns at the beginning are dark; 0 if none are."""
    limit = int(len(level) * _LARGEST_PART)
    base = float(np.median(level[_EDGE : _EDGE + _SMALLEST + 2]))
    read = float(np.median(noise[_EDGE : _EDGE + _SMALLEST + 2]))
    step = light - base
    if step < max(3.0 * read, 10.0):
        return 0
    bright = level > base + 0.3 * step
    bright[:_EDGE] = False
    # The light sets in where three columns in a row have it; a fringe of half-lit columns before belongs to it.
    runs = bright[:-2] & bright[1:-1] & bright[2:]
    first = int(np.argmax(runs)) if runs.any() else 0
    width = first
    while width > 0 and level[width - 1] > base + max(0.1 * step, 6.0 * read):
        width -= 1
    if not _SMALLEST <= width <= limit:
        return 0
    flat = float(np.std(level[_EDGE:width])) if width > _EDGE + 2 else 0.0
    # Light that sets in over many columns is not an edge between overscan and data.
    jump = level[first] - level[width - 1] > _JUMP * step and first - width <= _EDGE
    behind = level[min(first + 8, len(level) - 1)]
    # Where vignetting dims an image, its light rises before the edge as it does behind.
    sets_in = behind > base + 0.5 * step and behind - level[width - 1] > 2.0 * (level[width - 1] - base)
    sharp = sets_in or jump
    return width if flat < 0.3 * step and sharp else 0


def _split(
    level: NDArray[np.float64], noise: NDArray[np.float64], start: int, stop: int, ny: int
) -> list[tuple[int, int]]:
    """Return runs of columns at one level: each is the overscan of one amplifier."""
    width = stop - start
    if width < 2 * _SMALLEST:
        return [(start, stop)]
    part, error = level[start:stop], float(np.median(noise[start:stop])) / np.sqrt(ny) + 0.5
    middle = width // 2
    first, second = part[_EDGE:middle], part[middle : width - _EDGE]
    step = abs(float(np.median(first) - np.median(second)))
    inner = max(float(np.std(first[1:])), float(np.std(second[1:])))
    if step > 6.0 * error and step > 5.0 * inner:
        return [(start, start + middle), (start + middle, stop)]
    return [(start, stop)]
