"""Find counts that wrap: bright stars whose cores begin again at the lowest number that a pixel can hold.

Light of a star falls outward, so its pixels above any level have no hole. Where counts wrap, pixels beyond the largest
number are low and those around them high: a hole, in every star that reaches the largest number and in no fainter one.
Detectors that subtract a first readout from a second make the same holes at another level. Stars out of focus have dark
middles, too, but faint stars like bright ones.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from obs.algorithms.detector.flat_tops import find_peaks
from obs.algorithms.pixels.grow import fill_holes, grow, highest_of_neighbors
from obs.algorithms.pixels.label import find_boxes, label_regions
from obs.algorithms.pixels.window import plane_windows

__all__ = ["WrappedCounts", "find_wrapped_counts"]

LEVELS = 0.9, 0.75, 0.6, 0.45, 0.3, 0.2, 0.1, 0.05
"""Heights of the rims of holes, as fractions of the brightest pixel above the sky."""

DEEP = 0.5
"""Largest height of the pixels of a hole, as a fraction of that of its rim."""

LARGEST = 400
"""Pixels, the largest side of a star with a hole."""

MOST_BRIGHT = 0.05
"""Fraction of the image above the lowest level, above which stars cannot be separated."""

RIM = 0.7
"""Least height of the brightest pixel beside a hole, as a fraction of that of the image."""

NEAR_TOP, MOST_WHOLE = 0.9, 0.5
"""Height of stars that nearly wrap, if they do not, and the largest fraction of such stars that have no hole."""

SHORT = 0.02
"""Fraction of a power of two by which the brightest pixel may fall short of it, where counts wrap there."""

FEWEST = 3
"""Least number of stars with holes where the brightest pixel is not near a power of two."""

FAINTER = 0.02, 0.6
"""Range of the peaks of fainter stars, which have no holes, as fractions of the brightest pixel."""

MOST_FAINTER = 300
MOST_WITH_HOLES = 0.1
"""Fraction of the fainter stars with holes above which stars are out of focus, or pixels dead."""

HALF = 10


class WrappedCounts(NamedTuple):
    """Stars whose counts begin again at the lowest number.

    Parameters
    ----------
    pixels : ndarray of bool, shape (ny, nx)
        Pixels that are beyond the largest number.
    n_star : int
        Stars that have one.
    modulus : int
        Number at which counts begin again; 0 if the level is not near a power of two.
    level : float
        Value of the brightest pixel.
    """

    pixels: NDArray[np.bool_]
    n_star: int
    modulus: int
    level: float


def find_wrapped_counts(
    image: NDArray[np.float32], bad: NDArray[np.bool_], *, sky: float, noise: float
) -> WrappedCounts | None:
    """Find the stars whose counts begin again at the lowest number, or None.

    Parameters
    ----------
    image : ndarray of float32, shape (ny, nx)
        Counts as they were read.
    bad : ndarray of bool, shape (ny, nx)
        Pixels that hold no data; saturated ones do.
    sky, noise : float
        Level of the sky, and its standard deviation, image units.
    """
    known = ~bad
    known &= np.isfinite(image)
    top = float(image.max(where=known, initial=sky))
    if top - sky < 50.0 * noise:
        return None
    height = top - sky
    bright = image > np.float32(sky + LEVELS[-1] * height)
    bright &= known
    if not 0 < np.count_nonzero(bright) < MOST_BRIGHT * bright.size:
        return None
    labels, n = label_regions(grow(bright, 1))
    wrapped, lowest, n_star, n_whole = np.zeros(image.shape, bool), sky, 0, 0
    boxes = find_boxes(labels, n)
    sides = boxes[:, 1::2] - boxes[:, ::2]
    for left, right, low, high in boxes[((sides >= 3) & (sides <= LARGEST)).all(1)].tolist():
        box = slice(low, high), slice(left, right)
        own, looked_at = (image[box] - np.float32(sky)) / np.float32(height), known[box]
        holes = _find_holes(own, looked_at)
        if holes.any():
            wrapped[box] |= holes
            n_star += 1
            lowest = min(lowest, float(image[box][holes & looked_at].min()))
        else:
            n_whole += bool(own.max(where=looked_at, initial=0.0) > NEAR_TOP)
    modulus = _modulus(top, lowest)
    few = n_star < (1 if modulus else FEWEST) or n_whole > MOST_WHOLE * (n_star + n_whole)
    if few or _faint_have_holes(image, known, sky, height, noise):
        return None
    return WrappedCounts(wrapped, n_star, modulus, top)


def _find_holes(height: NDArray[np.float32], known: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return the pixels in holes; heights are fractions of the brightest pixel."""
    result = np.zeros(height.shape, bool)
    high = known & (height > np.float32(RIM))
    if not high.any():
        return result  # most stars are far fainter than the brightest
    beside = highest_of_neighbors(high)
    for level in LEVELS:
        above = height > np.float32(level)
        above &= known
        gaps, _ = label_regions(fill_holes(above[None])[0] & ~above)
        # a gap between stars is not beside the highest pixels
        deep = beside & known & (gaps > 0) & (height < np.float32(DEEP * level))
        if deep.any():
            result |= np.isin(gaps, np.unique(gaps[deep]))
    # what wraps twice is high again in the middle
    return fill_holes(result[None]).reshape(result.shape)


def _modulus(top: float, lowest: float) -> int:
    """Return where counts begin again, from the highest and the lowest of wrapped pixels; 0 if unknown."""
    if top <= 0:
        return 0
    end = int(2 ** np.ceil(np.log2(top + 1.0)))
    if top < (1.0 - SHORT) * end:
        return 0
    return 2 * end if lowest < -0.1 * end else end


def _faint_have_holes(
    image: NDArray[np.float32], known: NDArray[np.bool_], sky: float, height: float, noise: float
) -> bool:
    """Whether stars that are too faint to wrap have holes as well: they are out of focus, or their pixels are dead."""
    light = np.where(known, image - np.float32(sky), np.float32(0.0))
    bright = light > np.float32(FAINTER[1] * height)
    light[bright] = 0.0
    row, column = find_peaks(light, np.float32(max(FAINTER[0] * height, 20.0 * noise)))
    alone = ~plane_windows(bright.view(np.uint8), row, column, HALF).any((1, 2))
    row, column = row[alone][:MOST_FAINTER], column[alone][:MOST_FAINTER]
    stars = plane_windows(light, row, column, HALF)
    peak = stars.max((1, 2), keepdims=True, initial=0.0)
    holes = fill_holes(stars > 0.6 * peak) & (stars < 0.45 * peak)
    return bool(np.count_nonzero(holes.any((1, 2))) > MOST_WITH_HOLES * len(stars))
