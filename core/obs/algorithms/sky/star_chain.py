"""Distinguish a row of stars from a trail: stars are round, and the sky between them is dark."""

import numpy as np
from numpy.typing import NDArray

from obs.algorithms.pixels.box_sums import box_sums
from obs.algorithms.pixels.grow import grow
from obs.algorithms.pixels.label import label_regions
from obs.algorithms.sky.streak_profile import HALF, SEGMENTS, StreakProfile

__all__ = ["is_star_chain"]

#: Significance of the light of a place along the line that counts as seen.
SEEN = 4.0
#: Significance of the light between what is seen from which the line is a trail.
BETWEEN = 5.0
#: Ratio of length to width of stars at most; flashes of a satellite that tumbles are longer.
LONGEST = 2.2


def is_star_chain(found: StreakProfile, plane: NDArray[np.float32]) -> bool:
    """Whether the light of a line is that of stars which happen to be in a row.

    Parameters
    ----------
    found : StreakProfile
        The line.
    plane : ndarray of float32, shape (nv, nu)
        Pixels in units of their noise, NaN where bad, with the line along their rows.

    Returns
    -------
    bool
        True if most of the length that is seen is in knots that are little longer than wide, and no light is between
        them.
    """
    n, half = len(found.band.u), max(int(0.5 * found.width), 1)
    inside = slice(found.first * n // SEGMENTS, (found.last + 1) * n // SEGMENTS)
    rows = found.band.cut(plane)[HALF - half : HALF + half + 1, inside]
    light = np.where(np.isfinite(rows), rows, np.float32(0.0)).mean(0, dtype=np.float64)
    if not light.size:
        return False
    noise = 1.0 / np.sqrt(2 * half + 1)
    length = 2 * half + 1
    smooth = box_sums(light, length, beyond="edge") / length
    seen = smooth > SEEN * noise / np.sqrt(length)
    dark = ~grow(seen[None], 2 * length)[0]
    if np.count_nonzero(dark) < length:
        return False
    between = light[dark]
    if between.mean() > BETWEEN * noise / np.sqrt(between.size):
        return False
    label, number = label_regions(seen[None])
    if not number:
        return False
    knot = label[0][seen] - 1
    peak = np.zeros(number)
    np.maximum.at(peak, knot, smooth[seen])
    at_half = np.bincount(knot[smooth[seen] > 0.5 * peak[knot]], minlength=number)
    # the mean over the width makes a knot longer by about as much
    is_short = at_half <= LONGEST * np.hypot(found.width, length)
    return bool(at_half[is_short].sum() > 0.5 * at_half.sum())
