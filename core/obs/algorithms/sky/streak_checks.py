"""Tell trails from other lines: spikes of stars, galaxies, edges, hot columns and the borders of the image."""

import numpy as np
from numpy.typing import NDArray

from obs.algorithms.sky.star_chain import is_star_chain
from obs.algorithms.sky.streak_profile import HALF, SEGMENTS, StreakProfile

__all__ = ["is_streak"]

Float = NDArray[np.float32]

LEAST_LENGTH = 0.25
"""Least length of a trail, as a fraction of the shorter side of the image."""

LEAST_PRESENCE = 0.3
"""Least fraction of the segments between its ends in which a trail must be seen: tumbling satellites flash."""

LEAST_ELONGATION = 12.0
"""Least length of a trail in units of its width: galaxies are shorter."""

SPIKE_FADES = 4.0
"""Ratio of brightness near a bright star to that far from it from which a line is a spike of that star."""

NARROW, DETECTOR_WIDTH = 8.0, 2.5
"""Widths, pixels, of lines exactly along a row or column: up to the first they are bled from a saturated star if one
is on them, up to the second they are hot lines of the detector."""

ONE_PIXEL = 1.6
"""Width, pixels, that no light has."""

UNEVEN = 0.3
"""Largest step between both sides of a trail, as a fraction of its light: edges have larger ones."""

BESIDE = 4
"""Pixels beside a trail from which on the sky is compared."""

TROUGH = 0.5
"""Largest depth of the sky beside a trail, relative to its light."""

PEAKED = 0.3
"""Ratio of median to highest light along a line that ends in the image, below which it is a galaxy."""

LEAST_SIGNIFICANCE = 20.0
"""Least significance of the light of all segments together."""

STAR = 100.0
"""Light, in noise, of the pixels of a star that may have spikes."""


def is_streak(found: StreakProfile, plane: Float, side: int) -> bool:
    """Return whether a line is long, straight and even as a trail is, and no spike, edge or column of the detector.

    Parameters
    ----------
    found : StreakProfile
        The line as it was followed on the full image.
    plane : ndarray of float32, shape (nv, nu)
        Pixels in units of their noise, with the line along their rows; NaN where bad.
    side : int
        Shorter side of the image, pixels.
    """
    if found.length < max(LEAST_LENGTH * side, LEAST_ELONGATION * found.width) or found.presence < LEAST_PRESENCE:
        return False
    rise = abs(found.line.slope) * len(found.band.u)
    if (rise < 1 and _is_of_detector(found, plane)) or (rise < 4 and found.width <= ONE_PIXEL):
        return False
    across = found.across
    before = across[max(found.low - 3 * BESIDE, 0) : max(found.low - BESIDE, 1)]
    after = across[found.high + BESIDE : found.high + 3 * BESIDE]
    if len(before) and len(after) and abs(before.mean() - after.mean()) > UNEVEN * across[HALF - 2 : HALF + 3].max():
        return False
    if -across.min() > TROUGH * across.max():
        return False  # a shadow, beside which the background is too low
    if found.significance < LEAST_SIGNIFICANCE or _is_galaxy(found) or _is_at_border(found, plane):
        return False
    return not (_is_spike(found, plane) or is_star_chain(found, plane))


def _is_of_detector(found: StreakProfile, plane: Float) -> bool:
    """Whether a line along a row or column is one of the detector: hot, or the charge that bled from a star.

    A trail is as wide as the seeing, crosses the image, and is even.
    """
    if found.width > NARROW:
        return False
    crosses = found.first <= 1 and found.last >= SEGMENTS - 2
    return not crosses or found.width <= DETECTOR_WIDTH or bool(np.isnan(_core(found, plane)).all(0).any())


def _is_at_border(found: StreakProfile, plane: Float) -> bool:
    """Whether a wide line is the border of the image: beside most of it, one side has no sky to compare with.

    A background that bends at the border leaves such bands.
    """
    if found.width <= NARROW:
        return False
    low, high = (found.band.row + side - HALF for side in (found.low - BESIDE, found.high + BESIDE))
    return float(np.mean(low < 0)) > 0.5 or float(np.mean(high >= len(plane))) > 0.5


def _is_galaxy(found: StreakProfile) -> bool:
    """Whether a line that ends in the image is brightest in a small part of its length, as edge-on galaxies are."""
    crosses = found.first <= 1 and found.last >= SEGMENTS - 2
    along = found.along[found.first : found.last + 1]
    bright = along > PEAKED * along.max()
    one_part = np.count_nonzero(np.diff(np.flatnonzero(bright)) > 1) == 0
    return not crosses and one_part and bool(np.median(along) < PEAKED * along.max())


def _is_spike(found: StreakProfile, plane: Float) -> bool:
    """Whether a line fades away from a bright star that lies on it."""
    segment = np.arange(len(found.band.u)) * SEGMENTS // len(found.band.u)
    stars = np.unique(segment[_has_star(found, plane)])
    stars = stars[(stars >= found.first - 1) & (stars <= found.last + 1)]
    number = np.arange(found.first, found.last + 1)
    for place in stars:
        away = np.abs(number - place)
        near, far = (
            found.along[number[part]] for part in ((away > 0) & (away <= 0.3 * away.max()), away > 0.6 * away.max())
        )
        if len(near) and len(far) and np.median(near) > SPIKE_FADES * max(np.median(far), found.error):
            return True
    return False


def _has_star(found: StreakProfile, plane: Float) -> NDArray[np.bool_]:
    """Where along its length a line has a bright star, shape (nu,)."""
    core = _core(found, plane)
    return np.asarray(np.isnan(core).all(0) | (np.nan_to_num(core).min(0) > max(STAR, 5 * found.along.max())))


def _core(found: StreakProfile, plane: Float) -> Float:
    """Pixels on a line and beside it, shape (3, nu); those that are cut out of it, NaN, are of saturated stars."""
    band = found.band
    return np.stack([plane[np.clip(band.row + step, 0, len(plane) - 1), band.u] for step in (-2, 0, 2)])
