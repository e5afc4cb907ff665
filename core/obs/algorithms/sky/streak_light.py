"""Measure the light of a straight trail, along it and across, without that of the stars in its way."""

import numpy as np
from numpy.typing import NDArray

from obs.algorithms.pixels.box_sums import box_sums
from obs.algorithms.pixels.grow import grow
from obs.algorithms.sky.streak_profile import FINE, HALF, PRESENT, SEGMENTS, StreakProfile

__all__ = ["paint_streak"]

Float = NDArray[np.float32]

MEDIAN_NOISE = 1.25
"""Standard error of a median in that of a mean."""

ALONG_ERROR = 0.1
"""Relative error of a trail's brightness along its length that is aimed at."""

SHORTEST_PART = 21
"""Fewest pixels along a trail that give its brightness: more than twice the length of a faint star."""

SIDE_LENGTH, SIDE_LIGHT = 5, 1.0
"""Pixels along a trail, and light beside it in noise of a pixel, from which a star is on it."""


def paint_streak(found: StreakProfile, image: Float, plane: Float, light: Float, mask: NDArray[np.bool_]) -> None:
    """Add a trail's light and pixels, in place. All planes have the line along their rows.

    Parameters
    ----------
    found : StreakProfile
        The trail as it was followed on the full image.
    image : ndarray of float32, shape (nv, nu)
        Background-subtracted pixels.
    plane : ndarray of float32, shape (nv, nu)
        The same in units of their noise; NaN where bad.
    light : ndarray of float32, shape (nv, nu)
        Light of trails, image units.
    mask : ndarray of bool, shape (nv, nu)
        Pixels of trails.
    """
    n = len(found.band.u)
    places = np.arange(n)
    first, last = found.first * n // SEGMENTS, (found.last + 1) * n // SEGMENTS
    # a trail that reaches the last segments leaves the image
    first, last = (0 if found.first <= 1 else first), (n if found.last >= SEGMENTS - 2 else last)
    rows = np.arange(max(found.low - 1, 0), min(found.high + 1, 2 * HALF + 1)) - HALF
    pixels = np.where(np.isfinite(found.band.cut(plane)), found.band.cut(image), np.float32(np.nan))
    along = _brightness(found, plane)
    seen = along > PRESENT * found.error
    relative = along / np.median(along[seen]) if seen.any() else np.ones(n)
    profile = _fine_profile(pixels, relative, found.band.offset, seen)
    fine = np.arange(profile.size) / FINE - HALF - 0.5 + 0.5 / FINE
    inside = (places >= first) & (places < last)
    u, row, offset = found.band.u[inside], found.band.row[inside], found.band.offset[inside]
    v = row + rows[:, None]
    model = np.interp(rows[:, None] - offset, fine, profile) * relative[inside]
    good = (v >= 0) & (v < image.shape[0])
    column = np.broadcast_to(u, v.shape)
    light[v[good], column[good]] += model[good].astype(np.float32)
    mask[v[good], column[good]] = True


def _brightness(found: StreakProfile, plane: Float) -> NDArray[np.float64]:
    """Return the light of the core at each place, in noise: a running median that stars in the way do not change."""
    n, width = len(found.band.u), max(found.width, 1.0)
    noise = MEDIAN_NOISE / (np.sqrt(width) * max(float(np.median(found.along)), found.error))
    length = int(np.clip((noise / ALONG_ERROR) ** 2, SHORTEST_PART, n // SEGMENTS)) | 1
    if length >= n // SEGMENTS:
        middles = (np.arange(SEGMENTS) + 0.5) * n / SEGMENTS
        return np.asarray(np.interp(np.arange(n), middles, np.maximum(found.along, 0.0)))
    half = int(0.5 * width)
    core = found.band.cut(plane)[HALF - half : HALF + half + 1]
    light = np.where(np.isfinite(core), core, np.float32(0.0)).mean(0, dtype=np.float64)
    # a star's light reaches so far along the trail that a short median would take it for the trail's
    clear = np.flatnonzero(~_stars_beside(found, plane, light))
    if not clear.size:
        clear = np.arange(n)
    from scipy.ndimage import median_filter  # noqa: PLC0415 - slow to import, needed for trails only

    even = median_filter(light[clear], length, mode="nearest")
    return np.asarray(np.maximum(np.interp(np.arange(n), clear, even), 0.0), np.float64)


def _stars_beside(found: StreakProfile, plane: Float, light: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Where along its length light reaches beyond the trail, as that of stars does, shape (nu,)."""
    band = found.band.cut(plane)
    sides = [slice(max(found.low - 5, 0), max(found.low - 1, 1)), slice(found.high + 1, found.high + 5)]
    result = np.zeros(band.shape[1], bool)
    for side in sides:
        rows = band[side]
        if len(rows):
            level = np.where(np.isfinite(rows), rows, np.float32(0.0)).mean(0, dtype=np.float64)
            level -= light * (np.median(level) / max(float(np.median(light)), found.error))  # the trail's own wings
            result |= box_sums(level, SIDE_LENGTH, beyond="edge") > SIDE_LENGTH * SIDE_LIGHT
    return grow(result[None], SIDE_LENGTH).reshape(-1)


def _fine_profile(
    pixels: Float, relative: NDArray[np.float64], offset: NDArray[np.float64], seen: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Return the median light across, in steps of a fraction of a pixel, of places where the trail is seen."""
    step = np.clip(np.floor((0.5 - offset) * FINE).astype(np.int64), 0, FINE - 1)
    profile = np.zeros((2 * HALF + 1, FINE))
    for k in range(FINE):
        chosen = seen & (step == k) & (relative > 0.3)
        if not chosen.any():
            chosen = seen
        values = pixels[:, chosen] / relative[chosen]
        profile[:, k] = np.median(np.where(np.isfinite(values), values, 0.0), axis=1)
    sky = np.median(profile[[*range(8), *range(-8, 0)]])
    return np.asarray((profile - sky).ravel())
