"""How evenly sky and sources are spread over a detector: two levels of sky, and crowds of sources."""

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["corner_glow", "crowd_significance", "sky_spot", "sky_step"]

#: Cells and sources below which nothing is said.
_FEWEST_CELLS, _FEWEST_SOURCES = 12, 64
#: Part of the cells that the smaller group needs: fewer are a galaxy.
_SMALLEST_GROUP = 0.04
#: Distance of two groups in units of their scatter: 2.7 for one Gaussian, 3.5 for an even gradient.
_SEPARATE = 6.0
#: Bins along each side hold about so many sources; bins at most.
_PER_BIN, _MOST_BINS = 12.0, 16
#: Sides of the square in a corner, and of the squares that its surroundings are between, pixels.
_CORNER, _NEAR, _FAR = 32, 96, 160


def sky_step(levels: ArrayLike) -> float:
    """Return the distance between two levels of the sky.

    The cells are divided where the variance within both groups is least (Otsu 1979, IEEE Trans. SMC 9, 62). They are
    two levels if their medians differ by six times the scatter within the groups.

    Parameters
    ----------
    levels : array_like of float
        Level of the background in cells, any unit; NaN where one is not known.

    Returns
    -------
    float
        In the unit of the levels; 0 if there is one level, NaN for fewer than 12 cells.
    """
    values = np.asarray(levels, float).ravel()
    values = np.sort(values[np.isfinite(values)])
    n = len(values)
    if n < _FEWEST_CELLS:
        return math.nan
    least = max(int(np.ceil(_SMALLEST_GROUP * n)), 2)
    count = np.arange(least, n - least + 1)
    total, square = np.cumsum(values), np.cumsum(values**2)
    within = square[-1] - total[count - 1] ** 2 / count - (total[-1] - total[count - 1]) ** 2 / (n - count)
    cut = int(count[np.argmin(within)])
    low, high = values[:cut], values[cut:]
    distance = float(np.median(high) - np.median(low))
    scatter = math.sqrt(max(0.5 * (float(np.var(low)) + float(np.var(high))), 0.0))
    return distance if distance > _SEPARATE * scatter else 0.0


def sky_spot(levels: ArrayLike) -> float:
    """Return how much brighter or fainter than the rest the sky is in the cells where it differs most.

    Parameters
    ----------
    levels : array_like of float
        Level of the background in cells, any unit; NaN where one is not known.

    Returns
    -------
    float
        In the unit of the levels, negative for a shadow; NaN for fewer than 12 cells. The cell that differs most is
        left to a star or galaxy in it, and the second counts.
    """
    values = np.asarray(levels, float).ravel()
    values = np.sort(values[np.isfinite(values)])
    if len(values) < _FEWEST_CELLS:
        return math.nan
    middle = float(np.median(values))
    low, high = float(values[1]) - middle, float(values[-2]) - middle
    return high if high > -low else low


def corner_glow(image: NDArray[np.floating], mask: NDArray[np.integer], bits: int) -> float:
    """Return how much brighter than its surroundings the brightest corner is: glow of an amplifier, which sits there.

    It is too small for the cells of a background, and too faint and wide for the mask.

    Parameters
    ----------
    image : ndarray of float, shape (ny, nx)
        Pixels without their background.
    mask : ndarray of int, shape (ny, nx)
        Their mask.
    bits : int
        Bits of pixels that do not count.

    Returns
    -------
    float
        Difference of medians, in the unit of the image; NaN for images below 320 pixels on a side, and where most
        of every corner is bad.
    """
    if min(image.shape) < 2 * _FAR:
        return math.nan
    found = []
    ends = (slice(_FAR), slice(-1, -_FAR - 1, -1))
    for box in ((rows, columns) for rows in ends for columns in ends):
        values = np.where(mask[box] & bits, np.nan, image[box])
        around = values.copy()
        around[:_NEAR, :_NEAR] = np.nan
        corner, rest = (part[np.isfinite(part)] for part in (values[:_CORNER, :_CORNER], around))
        if 2 * len(corner) > _CORNER**2 and 2 * len(rest) > _FAR**2 - _NEAR**2:
            found.append(float(np.median(corner)) - float(np.median(rest)))
    return max(found, default=math.nan)


def crowd_significance(x: NDArray[np.floating], y: NDArray[np.floating], shape: tuple[int, int]) -> float:
    """Return how far the fullest bin of a detector stands out: (fullest - lower quartile) / sqrt(lower quartile).

    A ghost, the halo of a bright star, or a cluster crowd sources (Ofek et al. 2023, PASP 135,
    124502).

    Parameters
    ----------
    x, y : ndarray of float, shape (n,)
        Positions of sources, pixels.
    shape : tuple of int
        Shape (ny, nx) of the detector.

    Returns
    -------
    float
        NaN for fewer than 64 sources.
    """
    inside = np.isfinite(x) & np.isfinite(y)
    number = int(np.count_nonzero(inside))
    if number < _FEWEST_SOURCES:
        return math.nan
    bins = int(min(max(math.sqrt(number / _PER_BIN), 2), _MOST_BINS))
    edges = [np.linspace(-0.5, side - 0.5, bins + 1) for side in shape]
    counts = np.histogram2d(y[inside], x[inside], bins=(edges[0], edges[1]))[0]
    quartile = float(np.percentile(counts, 25))
    return (float(counts.max()) - quartile) / math.sqrt(max(quartile, 1.0))
