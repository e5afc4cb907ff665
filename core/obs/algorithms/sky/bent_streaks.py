"""Find trails that no straight line across the image follows: bent, short, dashed, or beside one another.

In a binned image a place is on a trail if all three parts of a short line through it have light, and the places beside
the line have none. Places of this kind that join to something long, thin and even are a trail. Its direction is known
everywhere, so the median along it is its light, which stars on it do not change.
"""

import numpy as np
from numpy.typing import NDArray

from obs.algorithms.pixels.grow import highest_of_neighbors
from obs.algorithms.sky.bent_light import follow_chain, median_along
from obs.algorithms.sky.drawn_out import DrawnOut
from obs.algorithms.sky.line_chains import ANGLES, Chain, Directions, find_chains
from obs.algorithms.sky.streak import Streak

__all__ = ["find_bent_streaks"]

Float = NDArray[np.float32]

LEAST_LENGTH = 0.08
"""Least length of a trail, as a fraction of the longer side of the image."""

DENSE = 1.0
"""Fewest places in a bin of its length: it is two or three bins wide, and half of it may be dark."""

LEAST_PRESENCE, LEAST_DASHED, LEAST_DASH = 0.75, 60, 2.0
"""Least fraction of its length that a trail is seen on, unless it is of so many bins at least, and its dashes so many
times as long as wide: where stars are dense, some of them are in a row, and stars are round."""

THIN = 8.0
"""Least ratio of length to width."""

LEAST_ELONGATION = 4.0
"""Least ratio of the distance between the ends of a trail to its width as painted, half of which is its wings: rings of
stars out of focus that touch one another are one to three times as long as wide, trails seven times and more."""

ALONG_AXES = 0.5
"""Fraction of places on lines along rows, or columns, above which the light may be that of the detector."""

ONE_PIXEL = 0.4
"""Light beside the brightest row of pixels, relative to it, below which it is one row, or column, of the detector."""

FAR, TROUGH = 48, 0.5
"""Pixels to either side within which the sky beside a trail is looked at, and its largest depth relative to its
light."""

UNEVEN = ((90, 40, 2.2), (80, 10, 1.8))
"""Largest ratios of the brightness at two percentiles of the places: galaxies, comets and diffraction spikes fade away
from a center, and between stars in a row it is dark."""


def find_bent_streaks(
    image: Float, scaled: Float, sources: DrawnOut
) -> tuple[list[Streak], NDArray[np.bool_], Float | None]:
    """Find bent, short and dashed trails, and those beside one another.

    Parameters
    ----------
    image : ndarray of float32, shape (ny, nx)
        Background-subtracted pixels.
    scaled : ndarray of float32, shape (ny, nx)
        The same in units of their noise; NaN where bad or on a trail that is known.
    sources : DrawnOut
        How sources are drawn out.

    Returns
    -------
    streaks : list of Streak
        The trails, and bright bands along edges of the sky.
    mask : ndarray of bool, shape (ny, nx)
        Their pixels.
    light : ndarray of float32, shape (ny, nx), or None
        Their light, image units; None without trails.
    """
    streaks: list[Streak] = []
    mask = np.zeros(image.shape, bool)
    light: Float | None = None
    for chain in find_chains(scaled):
        if not _is_long_and_thin(chain):
            continue
        directions = chain.directions()
        if not _is_even(scaled, chain, directions):
            continue
        if _is_along_axis(chain) and _is_one_pixel_wide(scaled, chain, directions):
            continue
        streak, (v, u), level = follow_chain(image, scaled, chain, directions)
        if np.hypot(streak.x[1] - streak.x[0], streak.y[1] - streak.y[0]) < LEAST_ELONGATION * streak.width:
            continue
        if sources.explains(streak, chain.presence):
            continue
        light = np.zeros_like(image) if light is None else light
        new = ~mask[v, u]
        light[v[new], u[new]] += level[new]
        mask[v, u] = True
        # an edge is not followed by any background: its light is taken away too, but it is not a trail
        streaks.append(streak._replace(edge=_is_edge(scaled, chain, directions)))
    return streaks, mask, light


def _is_long_and_thin(chain: Chain) -> bool:
    """Whether places are long and thin as a trail is."""
    length = float(np.hypot(np.ptp(chain.rows), np.ptp(chain.columns)))
    if min(np.ptp(chain.rows), np.ptp(chain.columns)) <= 2:
        return False  # a row or column, or charge bled along it; trails along them are found as straight lines
    number = len(chain.rows)
    if length < LEAST_LENGTH * max(chain.shape) or not DENSE * length < number < length * length / THIN:
        return False
    return chain.presence >= LEAST_PRESENCE or (length >= LEAST_DASHED and chain.elongation() >= LEAST_DASH)


def _is_even(scaled: Float, chain: Chain, directions: Directions) -> bool:
    """Whether the light, without the stars on it, is about as bright at most places."""
    rows, columns, size = chain.rows, chain.columns, chain.size
    middle = size // 2
    level = np.zeros(chain.shape, np.float32)
    level[rows, columns] = median_along(scaled, columns * size + middle, rows * size + middle, directions)
    # places beside the axis are as bright as it is
    even = highest_of_neighbors(level)[rows, columns]
    return all(np.percentile(even, high) < ratio * np.percentile(even, low) for high, low, ratio in UNEVEN)


def _is_edge(scaled: Float, chain: Chain, directions: Directions) -> bool:
    """Whether the sky beside the light is half as dark as that is bright: backgrounds leave both along edges."""
    step = 2 * chain.size
    across = [np.median(_beside(scaled, chain, directions, k)) for k in range(-FAR, FAR + 1, step)]
    return bool(-min(across) > TROUGH * max(across))


def _is_along_axis(chain: Chain) -> bool:
    """Whether most places are on lines along rows, or along columns."""
    return float(max(np.mean(chain.angle == axis) for axis in (0, ANGLES // 2))) > ALONG_AXES


def _is_one_pixel_wide(scaled: Float, chain: Chain, directions: Directions) -> bool:
    """Whether the light of most places is in a single row or column of pixels, which no light is."""
    size = chain.size
    level = [_beside(scaled, chain, directions, k) for k in range(-size, 2 * size)]
    ordered = np.sort(level, axis=0)
    return bool(np.median(ordered[-2]) < ONE_PIXEL * np.median(ordered[-1]))


def _beside(scaled: Float, chain: Chain, directions: Directions, k: int) -> NDArray[np.float64]:
    """Return the light so many pixels beside the first pixel of each place, noise."""
    (cos, sin), size = directions, chain.size
    u, v = chain.columns * size - k * sin, chain.rows * size + k * cos
    return median_along(scaled, np.rint(u).astype(np.int64), np.rint(v).astype(np.int64), directions)
