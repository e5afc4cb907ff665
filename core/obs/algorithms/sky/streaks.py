"""Find the trails of satellites and aircraft: straight bands of light that cross a good part of the image.

Pixels in units of their noise are cut off at a few sigma, so that stars count little, and binned; the sums along all
lines show trails far fainter than the noise of a pixel. Each candidate is then followed on the full image, in segments:
it must be there along its length, have the same place in all of them, and not fade away from a bright star, as
diffraction spikes do.
"""

import numpy as np
from numpy.typing import NDArray

from obs.algorithms.pixels.box_sums import box_sums
from obs.algorithms.pixels.grow import grow
from obs.algorithms.sky.bent_streaks import find_bent_streaks
from obs.algorithms.sky.line_sums import sum_lines
from obs.algorithms.sky.star_chain import is_star_chain
from obs.algorithms.sky.streak import Streak
from obs.algorithms.sky.streak_profile import FINE, HALF, PRESENT, SEGMENTS, Line, StreakProfile, follow_line

__all__ = ["find_streaks"]

Float = NDArray[np.float32]

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

LEAST_LENGTH = 0.25
"""Least length of a trail, as a fraction of the shorter side of the image."""

LEAST_PRESENCE = 0.3
"""Least fraction of the segments between its ends in which a trail must be seen: tumbling satellites flash."""

LEAST_ELONGATION = 12.0
"""Least length of a trail in units of its width: galaxies are shorter."""

SPIKE_FADES = 4.0
"""Ratio of brightness near a bright star to that far from it from which a line is a spike of that star."""

MOST_FAILURES = 3
"""Lines in turn that turn out to be no trails, after which no more are looked for."""

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

MEDIAN_NOISE = 1.25
"""Standard error of a median in that of a mean."""

ALONG_ERROR = 0.1
"""Relative error of a trail's brightness along its length that is aimed at."""

SHORTEST_PART = 21
"""Fewest pixels along a trail that give its brightness: more than twice the length of a faint star."""

SIDE_LENGTH, SIDE_LIGHT = 5, 1.0
"""Pixels along a trail, and light beside it in noise of a pixel, from which a star is on it."""

PEAKED = 0.3
"""Ratio of median to highest light along a line that ends in the image, below which it is a galaxy."""

LEAST_SIGNIFICANCE = 20.0
"""Least significance of the light of all segments together."""

STAR = 100.0
"""Light, in noise, of the pixels of a star that may have spikes."""


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
    failures = 0
    while len(streaks) < MOST and failures < MOST_FAILURES:
        line = _best_line(binned, known, size)
        if line is None:
            break
        plane = scaled.T if line.steep else scaled
        found = follow_line(plane, line, 2.0 * size)
        if found is None or not _is_streak(found, plane, min(image.shape)):
            failures += 1
            _erase(binned, known, line, size, 4.0 * size)
            continue
        failures = 0
        light = np.zeros_like(image) if light is None else light
        if line.steep:
            _paint(found, image.T, plane, light.T, mask.T)
        else:
            _paint(found, image, plane, light, mask)
        streaks.append(_summary(found))
        _erase(binned, known, found.line, size, found.high - found.low + 4.0 * size)
    scaled[mask] = np.nan
    bent, where, more = find_bent_streaks(image, scaled)
    if more is not None:
        mask |= where
        light = more if light is None else light + more
    return streaks + bent, mask, light


def _in_noise(image: Float, variance: Float, bad: NDArray[np.bool_]) -> Float:
    """Return pixels in units of their noise; NaN where bad."""
    with np.errstate(divide="ignore", invalid="ignore"):
        scaled = image / np.sqrt(variance)
    scaled[bad | ~np.isfinite(scaled)] = np.nan
    return np.asarray(scaled, np.float32)


def _bin_size(shape: tuple[int, ...]) -> int:
    return max(1, -(-max(shape) // LARGEST))


def _bin(scaled: Float, size: int) -> tuple[Float, Float]:
    """Return significances of bins in a square, and 1 where a bin is known."""
    ny, nx = (n // size * size for n in scaled.shape)
    cut = np.clip(scaled[:ny, :nx], -CUT, CUT)
    good = np.isfinite(cut)
    cut[~good] = 0.0
    shape = ny // size, size, nx // size, size
    n = good.reshape(shape).sum((1, 3), dtype=np.float32)
    value = cut.reshape(shape).sum((1, 3)) / np.sqrt(np.maximum(n, 1))
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
    best, line = LEAST_SUM, None
    for steep in (False, True):
        for falls in (False, True):
            # all angles are those of 0 to 45 degrees in images that are transposed or upside down
            turned = [a.T if steep else a for a in (binned, known)]
            turned = [np.ascontiguousarray(a[::-1] if falls else a) for a in turned]
            score, first = _significance(turned[0], turned[1])
            where = np.unravel_index(int(np.argmax(score)), score.shape)
            if score[where] > best:
                best = float(score[where])
                rise, start = int(where[0]), int(where[1]) + first
                # bins to pixels: the middle of a bin
                slope, v = rise / (n - 1), float(start)
                if falls:
                    slope, v = -slope, n - 1 - v
                middle = 0.5 * (size - 1)
                line = Line(v * size + middle - slope * middle, slope, steep)
    return line


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


def _is_streak(found: StreakProfile, plane: Float, side: int) -> bool:
    """Whether a line is long, straight and even as a trail is, and no spike, edge or column of the detector."""
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


def _paint(found: StreakProfile, image: Float, plane: Float, light: Float, mask: NDArray[np.bool_]) -> None:
    """Add a trail's light and pixels, in place; ``image``, ``light`` and ``mask`` have the line along their rows."""
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


def _summary(found: StreakProfile) -> Streak:
    u = found.band.u
    ends = [float(u[min(k * len(u) // SEGMENTS, len(u) - 1)]) for k in (found.first, found.last + 1)]
    v = [found.line.start + found.line.slope * end for end in ends]
    x, y = (v, ends) if found.line.steep else (ends, v)
    width = (found.high - found.low) / float(np.hypot(1.0, found.line.slope))
    return Streak((x[0], x[1]), (y[0], y[1]), width, float(found.across[HALF - 2 : HALF + 3].max()))
