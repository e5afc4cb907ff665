"""Find where on the sky a frame lies: any rotation, both parities, the scale within limits, anywhere in a catalog.

Quads of sources are looked up among quads of reference stars. Each agreement suggests a similarity; those that many
quads suggest are tested by their odds (Lang et al. 2010, AJ 139, 1782).
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from obs.algorithms.astrometry.match import match_pixels
from obs.algorithms.astrometry.odds import log_odds, log_trials
from obs.algorithms.astrometry.quads import Quads, form_quads, tangent_basis

__all__ = ["Alignment", "SearchLimits", "SkyStars", "search_alignment"]

Float = NDArray[np.float64]
Complex = NDArray[np.complex128]
Index = NDArray[np.int64]
Bool = NDArray[np.bool_]

_LEVELS = (25, 50, 100)  # brightest stars of a frame that form quads
_SOURCE_QUADS, _STAR_QUADS = 10_000, 100_000  # how many of them, so that few stars form more quads each
_SOURCE_NEIGHBORS, _STAR_NEIGHBORS = (9, 14), (7, 10)
_TOLERANCE = 0.02  # of a quad's code; unknown distortion bends quads by as much
_VERIFIED = 300  # brightest sources that the odds look at
_VERIFYING = 1000  # brightest reference stars about the frame that they look at
_TESTED = 20  # similarities of a level whose odds are computed
_MAX_VOTES = 300_000
_BENDS = (0.001, 0.01)  # errors that unknown distortion adds, as fractions of the distance from the quad
_PROMISING = 0.0  # logarithm of odds that are worth a fit, which will raise them if they are right
_SHARPER = 0.25  # sources may be as much more exact than the error of a position
_OCTAVE = np.log(2.0)
_MANY_OCTAVES, _FEW_LEVELS = 4, (50,)  # where the scale is unknown one number of stars must do
_USUAL_SCALE = np.radians(0.6 / 3600.0)  # scales near it are searched first
_FEWEST = 8.0  # reference stars on a frame, on average, fewer than which do not tell one scale from others
_COARSE = np.radians(0.25)  # cells by which the area of a catalog is measured
_LOCAL_SCALE = 0.05  # what unknown distortion adds to the scale of a quad, natural logarithm
_SAME = 0.05  # similarities whose directions differ by less, in units of half the frame's side, are the same


@dataclass(frozen=True, slots=True)
class SearchLimits:
    """What may be wrong with the a-priori WCS.

    Parameters
    ----------
    min_scale, max_scale : float
        Smallest and largest scale, radians on the sky for a unit of the sources' plane.
    max_rotation : float
        Largest rotation, radians; at least pi for any.
    mirrored : bool
        Whether mirror images are looked for.
    sigma : float
        Error of a position, per axis, in units of the sources' plane.
    min_log_odds : float
        Natural logarithm of the odds at which the search stops.
    """

    min_scale: float
    max_scale: float
    max_rotation: float
    mirrored: bool
    sigma: float
    min_log_odds: float


@dataclass(frozen=True, slots=True, eq=False)
class Alignment:
    """A similarity from the plane of the sources to the sky.

    Parameters
    ----------
    tangent : ndarray of float64, shape (3,)
        Direction at which the plane of the sky touches it.
    factor, shift : complex
        ``factor * source + shift`` is the position in that plane, radians east and north.
    mirrored : bool
        Whether the complex conjugate of the source is meant.
    log_odds : float
        Natural logarithm of the odds, with the number of possible alignments taken into account.
    quad : complex
        Middle of the quad that suggested it, in the plane of the sources.
    trials : float
        Natural logarithm of that number, as far as the sharpest positions tell them apart.
    """

    tangent: Float
    factor: complex
    shift: complex
    mirrored: bool
    log_odds: float
    trials: float
    quad: complex

    def apply(self, sources: Complex) -> Complex:
        """Return the positions of sources in the tangent plane."""
        return self.factor * (np.conj(sources) if self.mirrored else sources) + self.shift

    def to_sky(self, sources: Complex) -> tuple[Float, Float]:
        """Return right ascension and declination of sources, degrees."""
        vector = _deproject(self.tangent[None], self.apply(sources))
        ra = np.degrees(np.arctan2(vector[:, 1], vector[:, 0])) % 360.0
        return ra, np.degrees(np.arctan2(vector[:, 2], np.hypot(vector[:, 0], vector[:, 1])))


class SkyStars:
    """Reference stars, brightest first.

    Parameters
    ----------
    vectors : ndarray of float64, shape (n, 3)
        Directions.
    """

    def __init__(self, vectors: Float) -> None:
        self.vectors = vectors
        self.tree = cKDTree(vectors)

    def brightest(self, n: int, cell: float) -> tuple[Index, float]:
        """Return the ``n`` brightest of each cell of a size in radians, and the area that the stars cover, sr."""
        z = np.arcsin(np.clip(self.vectors[:, 2], -1.0, 1.0))
        row = np.floor(z / cell)
        width = cell / np.cos(np.clip((row + 0.5) * cell, -1.5, 1.5))
        column = np.floor(np.arctan2(self.vectors[:, 1], self.vectors[:, 0]) / width)
        keys = (row * 2e7 + column).astype(np.int64)
        order = np.argsort(keys, kind="stable")
        start = np.flatnonzero(np.r_[True, np.diff(keys[order]) != 0])
        rank = np.arange(len(order)) - np.repeat(start, np.diff(np.r_[start, len(order)]))
        return np.sort(order[rank < n]), float(len(start) * cell**2)

    def around(self, center: Float, radius: float) -> Complex:
        """Return the brightest stars within a radius, radians, in the plane that touches the sky at a direction."""
        rows = self.tree.query_ball_point(center, 2 * np.sin(min(radius, 1.5) / 2))
        near = self.vectors[np.sort(np.array(rows, np.int64))[:_VERIFYING]]
        east, north = tangent_basis(center[None])
        return np.asarray((near @ east[0] + 1j * (near @ north[0])) / (near @ center))


def _area(stars: "SkyStars") -> float:
    """Return the area of the sky that a catalog covers, steradian; one smaller than a cell by the circle about it."""
    middle = stars.vectors.mean(axis=0)
    middle /= np.linalg.norm(middle)
    chord = float(np.sqrt(np.max(np.sum((stars.vectors - middle) ** 2, axis=1))))
    return min(stars.brightest(1, _COARSE)[1], np.pi * chord**2)


def search_alignment(sources: Complex, stars: SkyStars, limits: SearchLimits, corners: Complex) -> Alignment | None:
    """Search the similarity with the best odds.

    Parameters
    ----------
    sources : ndarray of complex128, shape (n,)
        Positions in a plane, brightest first; 0 is the middle of the frame.
    stars : SkyStars
        The reference stars among which the frame is searched.
    limits : SearchLimits
        What may be wrong.
    corners : ndarray of complex128, shape (4,)
        Corners of the frame in the plane.

    Returns
    -------
    Alignment or None
        The first whose odds suffice, or else the best if it is likelier than not; None where there is none.
    """
    if len(sources) < 4 or len(stars.vectors) < 4:
        return None
    best: Alignment | None = None
    octaves = sorted(_octaves(limits), key=lambda each: abs(np.log(each[0] / _USUAL_SCALE)))
    any_scale = len(octaves) >= _MANY_OCTAVES
    levels = _FEW_LEVELS if any_scale else _LEVELS
    per_area = len(stars.vectors) / _area(stars)
    frame = float(np.ptp(corners.real) * np.ptp(corners.imag))
    for scale, octave in octaves:
        if any_scale and per_area * frame * scale**2 < _FEWEST:
            continue
        for n in levels:
            for seed in _seeds(sources, stars, limits, corners, scale, octave, n):
                if best is None or seed.log_odds > best.log_odds:
                    best = seed
                if best.log_odds >= 2 * limits.min_log_odds:
                    return best
            if best is not None and best.log_odds >= limits.min_log_odds:
                return best
            if n >= len(sources):
                break
    return best if best is not None and best.log_odds >= _PROMISING else None


def _octaves(limits: SearchLimits) -> Iterator[tuple[float, float]]:
    """Yield scales, and the natural logarithm of the largest error of each, that together cover the limits."""
    low, high = np.log(limits.min_scale) - _LOCAL_SCALE, np.log(limits.max_scale) + _LOCAL_SCALE
    count = max(int(np.ceil((high - low) / _OCTAVE)), 1)
    half = 0.5 * (high - low) / count
    for k in range(count):
        yield float(np.exp(low + (2 * k + 1) * half)), float(half)


def _seeds(
    sources: Complex,
    stars: SkyStars,
    limits: SearchLimits,
    corners: Complex,
    scale: float,
    max_log_scale: float,
    n: int,
) -> Iterator[Alignment]:
    """Yield the alignments that the quads of the ``n`` brightest sources suggest, with their odds."""
    side = float(np.sqrt(abs(np.ptp(corners.real) * np.ptp(corners.imag))))
    cell = 0.5 * side * scale
    chosen, area = stars.brightest(max(n // 4, 2), cell)
    reach = 2.0 * float(np.abs(corners).max())
    bright = sources[:n]
    neighbors = _neighbors(len(bright), _SOURCE_QUADS, *_SOURCE_NEIGHBORS)
    of_sources = form_quads(np.stack([bright.real, bright.imag], axis=1), neighbors, reach)
    neighbors = _neighbors(len(chosen), _STAR_QUADS, *_STAR_NEIGHBORS)
    of_stars = form_quads(stars.vectors[chosen], neighbors, reach * scale * np.exp(max_log_scale))
    if not len(of_sources) or not len(of_stars):
        return
    turns = 2 * min(limits.max_rotation, np.pi) * (2 if limits.mirrored else 1)
    scales = float(np.log(limits.max_scale / limits.min_scale))
    errors = [
        (sigma, log_trials(area / scale**2, sigma, 0.3 * side, scales, turns))
        for sigma in (limits.sigma, _SHARPER * limits.sigma)
    ]
    offered = sources[:_VERIFIED]
    for mirrored in (False, True) if limits.mirrored else (False,):
        a, b = _agree(of_sources, of_stars, scale, max_log_scale, mirrored)
        if len(a):
            yield from (
                _test(seed, offered, stars, corners, errors)
                for seed in _voted(
                    of_sources, of_stars, a, b, bright, stars.vectors[chosen], limits, mirrored, 0.5 * side
                )
            )


def _neighbors(n_star: int, n_quad: int, fewest: int, most: int) -> int:
    """Return how many neighbors of each star give a number of quads: all groups of three of them with the star."""
    return int(np.clip(np.cbrt(6.0 * n_quad / max(n_star, 1)) + 1, fewest, most))


def _agree(
    of_sources: Quads, of_stars: Quads, scale: float, max_log_scale: float, mirrored: bool
) -> tuple[Index, Index]:
    """Return the pairs of quads whose codes and lengths agree."""
    unit = np.array([1.0, -1.0, 1.0, -1.0]) if mirrored else np.ones(4)
    lengths = [
        np.log(each.length * factor)[:, None] * (_TOLERANCE / max_log_scale)
        for each, factor in ((of_sources, scale), (of_stars, 1.0))
    ]
    keys = np.concatenate([of_sources.code * unit, lengths[0]], axis=1)
    tree = cKDTree(np.concatenate([of_stars.code, lengths[1]], axis=1), balanced_tree=False)
    near = cKDTree(keys, balanced_tree=False).sparse_distance_matrix(tree, _TOLERANCE, p=np.inf, output_type="ndarray")
    if len(near) > _MAX_VOTES:
        near = near[np.argsort(near["v"], kind="stable")[:_MAX_VOTES]]
    return np.asarray(near["i"], np.int64), np.asarray(near["j"], np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class _Seed:
    """A similarity, the direction of the middle of the frame, and where in the sources' plane its quad lies."""

    center: Float
    factor: complex
    mirrored: bool
    quad: complex


def _voted(
    of_sources: Quads,
    of_stars: Quads,
    a: Index,
    b: Index,
    sources: Complex,
    vectors: Float,
    limits: SearchLimits,
    mirrored: bool,
    reach: float,
) -> Iterator[_Seed]:
    """Yield the similarities with most others beside them, each neighborhood once."""
    p, q = sources[of_sources.members[a]], of_stars.places[b]
    quad = p.mean(axis=1)
    p = np.conj(p) if mirrored else p
    p_mean, q_mean = p.mean(axis=1), q.mean(axis=1)
    p, q = p - p_mean[:, None], q - q_mean[:, None]
    factor = (np.conj(p) * q).sum(axis=1) / (np.abs(p) ** 2).sum(axis=1)
    turned = np.abs(np.angle(factor)) <= limits.max_rotation
    factor, quad, p_mean, q_mean, b = factor[turned], quad[turned], p_mean[turned], q_mean[turned], b[turned]
    if not len(factor):
        return
    origin = vectors[of_stars.origin[b]]
    middle = q_mean - factor * p_mean
    # two directions are the same wherever the plane touches the sky: those of the middle and of a point to the right
    center, right = _deproject(origin, middle), _deproject(origin, middle + factor * reach)
    scale = float(np.median(np.abs(factor)))
    votes = np.concatenate([center, right], axis=1) / (scale * reach * _SAME)
    tree = cKDTree(votes)
    count = tree.query_ball_point(votes, 1.0, return_length=True)
    taken = np.zeros(len(votes), bool)
    n_seed = 0
    for index in np.argsort(-count, kind="stable"):
        if taken[index]:
            continue
        offset = _project(center[index], right[index][None])[0]
        yield _Seed(center[index], complex(offset / reach), mirrored, complex(quad[index]))
        n_seed += 1
        if n_seed == _TESTED:
            return
        taken[tree.query_ball_point(votes[index], 1.0)] = True


def _test(
    seed: _Seed, sources: Complex, stars: SkyStars, corners: Complex, errors: list[tuple[float, float]]
) -> Alignment:
    """Improve a similarity on the stars around its quad, and compute its odds."""
    radius = 1.1 * float(np.abs(corners).max()) * abs(seed.factor)
    near = stars.around(seed.center, radius)
    plane = np.conj(sources) if seed.mirrored else sources
    distance = np.abs(sources - seed.quad)
    spread = np.hypot(errors[0][0], _BENDS[-1] * distance)
    factor, shift = seed.factor, 0j
    for _ in range(3):
        moved = (factor * plane + shift) / abs(factor)
        pairs = match_pixels(
            moved.real, moved.imag, near.real / abs(factor), near.imag / abs(factor), radius=3 * float(spread.max())
        )
        close = pairs.separation < 3 * spread[pairs.first]
        first, second = pairs.first[close], pairs.second[close]
        if len(first) < 3:
            break
        weight = 1 / spread[first] ** 2
        p, q = plane[first], near[second]
        p_mean, q_mean = np.average(p, weights=weight), np.average(q, weights=weight)
        p, q = p - p_mean, q - q_mean
        factor = complex((weight * np.conj(p) * q).sum() / (weight * np.abs(p) ** 2).sum())
        shift = complex(q_mean - factor * p_mean)
    moved = (factor * plane + shift) / abs(factor)
    placed = near / abs(factor)
    density = max(len(near), 1) / (np.pi * (radius / abs(factor)) ** 2)
    odds = max(
        log_odds(moved, placed, np.hypot(sigma, bend * distance), distance, density) - trials
        for sigma, trials in errors
        for bend in _BENDS
    )
    return Alignment(seed.center, factor, shift, seed.mirrored, odds, errors[-1][1], seed.quad)


def _project(center: Float, vectors: Float) -> Complex:
    """Return directions, shape (n, 3), as positions in the plane that touches the sky at ``center``."""
    east, north = tangent_basis(center[None])
    return np.asarray((vectors @ east[0] + 1j * (vectors @ north[0])) / (vectors @ center))


def _deproject(origin: Float, places: Complex) -> Float:
    """Return the directions, shape (n, 3), of positions in planes that touch the sky at ``origin``, (n or 1, 3)."""
    east, north = tangent_basis(origin)
    vectors = origin + places.real[:, None] * east + places.imag[:, None] * north
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True))
