"""Find compact bright spots in a flat: stars that fell on the same pixels in all of its exposures.

What dims light is common in flats (dust, dead pixels); what adds light in the shape of a star is not. So spots above
the level are counted, and compared with those below it.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from obs.algorithms.numeric.nearest import PointTree
from obs.algorithms.pixels.grow import highest_of_neighbors
from obs.algorithms.pixels.smoothing import smooth
from obs.algorithms.pixels.statistics import robust_sigma

__all__ = ["BrightSpots", "find_bright_spots"]

_SIGMAS = (1.2, 3.5)
"""Widths of the Gaussians with which spots are looked for, pixels: sharp stars and wide ones."""
_SURROUND = 2.5
"""Width of the Gaussian of the surroundings, in that of the spot."""
_THRESHOLD = 7.0
"""Least height of a spot, in the scatter of the smoothed flat."""
_SHARP = 0.35
"""Least ratio of the height beside the peak to that on it: single pixels differ from their neighbors anyway."""
_DEAD, _LEAST_KNOWN = 0.3, np.float32(0.2)
"""Level of dead pixels relative to that of the flat, and the part of the surroundings of a pixel that must be known."""
_AWAY, _COMPACT = 3.0, 0.6
"""Distance, in the width of the spot, at which it must have faded to such a part in any direction: edges of amplifiers
and columns do not."""
_SIDE = 2048
"""Largest part of a flat, pixels, that is looked at."""
_MOST_PEAKS = 3000
_MOST = 0.2
"""Largest deviation from the surroundings that counts in full, of the level, so that no pixel makes a spot alone."""


class BrightSpots(NamedTuple):
    """Compact spots of a flat.

    Attributes
    ----------
    n_bright, n_dim : int
        Number of spots above and below their surroundings.
    highest : float
        Height of the brightest one above its surroundings, of the level.
    x, y : int
        Its pixel.
    """

    n_bright: int
    n_dim: int
    highest: float
    x: int
    y: int


def find_bright_spots(image: NDArray[np.float32], bad: NDArray[np.bool_]) -> BrightSpots:
    """Count compact spots above and below the level of a flat, in the middle of a large one.

    Parameters
    ----------
    image : ndarray of float32, shape (ny, nx)
        A flat of a level of about 1.
    bad : ndarray of bool, shape (ny, nx)
        Pixels that do not count.

    Returns
    -------
    BrightSpots
        Those of the scale at which most are seen.
    """
    low = [max(0, (size - _SIDE) // 2) for size in image.shape]
    part = tuple(slice(start, start + _SIDE) for start in low)
    image, bad = image[part], bad[part]
    if bad.all():
        return BrightSpots(0, 0, 0.0, 0, 0)
    # beside dead pixels the surroundings would be too low, and what is there too high
    bad = bad | (image < np.median(image[~bad]) * _DEAD)
    best = max((_count(image, bad, sigma) for sigma in _SIGMAS), key=lambda found: found.n_bright)
    return best._replace(x=best.x + low[1], y=best.y + low[0])


def _count(image: NDArray[np.float32], bad: NDArray[np.bool_], sigma: float) -> BrightSpots:
    none = BrightSpots(0, 0, 0.0, 0, 0)
    known = smooth((~bad).astype(np.float32), _SURROUND * sigma)
    if min(image.shape) <= 4 * known.margin:
        return none
    level = smooth(np.where(bad, np.float32(0), image), _SURROUND * sigma).image
    level /= np.maximum(known.image, _LEAST_KNOWN)
    height = np.clip(image - level, -_MOST, _MOST)
    height[bad | (known.image < _LEAST_KNOWN)] = 0.0
    seen = smooth(height, sigma).image
    inner = slice(2 * known.margin, -2 * known.margin)
    scatter = robust_sigma(seen[inner, inner])
    if not scatter > 0:
        return none
    size = np.zeros(seen.shape, np.float32)
    size[inner, inner] = np.abs(seen[inner, inner])
    rows, columns = np.nonzero((size > _THRESHOLD * scatter) & (size >= highest_of_neighbors(size)))
    beside = np.mean([height[rows + dy, columns + dx] for dy, dx in ((0, 1), (0, -1), (1, 0), (-1, 0))], axis=0)
    wide = beside * np.sign(height[rows, columns]) > _SHARP * np.abs(height[rows, columns])
    rows, columns = rows[wide], columns[wide]
    away = int(np.ceil(_AWAY * sigma))
    along = [
        seen[rows + dy, columns + dx] + seen[rows - dy, columns - dx]
        for dy, dx in ((0, away), (away, 0), (away, away), (away, -away))
    ]
    compact = np.max(along * np.sign(seen[rows, columns]), axis=0) < 2 * _COMPACT * size[rows, columns]
    rows, columns = rows[compact], columns[compact]
    kept = _not_beside_higher(rows, columns, size[rows, columns], 3.0 * _SURROUND * sigma)
    rows, columns = rows[kept], columns[kept]
    bright = seen[rows, columns] > 0
    if not bright.any():
        return none
    highest = int(np.argmax(seen[rows, columns]))
    y, x = int(rows[highest]), int(columns[highest])
    excess = float(image[y, x] - level[y, x])
    return BrightSpots(int(np.count_nonzero(bright)), int(np.count_nonzero(~bright)), excess, x, y)


def _not_beside_higher(
    rows: NDArray[np.int64], columns: NDArray[np.int64], size: NDArray[np.float32], reach: float
) -> NDArray[np.bool_]:
    """Return which peaks are not part of the surroundings of a higher one, which has a ring of the other sign."""
    order = np.argsort(-size)[:_MOST_PEAKS]
    kept = np.zeros(len(rows), bool)
    if not len(order):
        return kept
    places = np.stack([columns, rows], axis=1)[order].astype(float)
    pairs = PointTree(places).pairs_within(reach)
    beside = np.zeros(len(order), bool)
    beside[pairs.max(axis=1)] = True
    kept[order[~beside]] = True
    return kept
