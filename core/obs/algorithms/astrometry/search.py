"""Find where on the sky a frame lies: any rotation, both parities, the scale within limits, anywhere in a catalog.

Quads of sources are looked up among quads of reference stars. Each agreement suggests a similarity; those that many
quads suggest are tested by their odds (Lang et al. 2010, AJ 139, 1782). Where optics distort by more than quads bear,
the sources are bent by each of a few amounts first.
"""

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from obs.algorithms.astrometry.odds import log_trials
from obs.algorithms.astrometry.quad_index import QuadIndex
from obs.algorithms.astrometry.quads import form_quads
from obs.algorithms.astrometry.seeds import Seed, distinct_seeds, improve_seed, screen_seeds
from obs.algorithms.astrometry.sky_stars import SkyStars, covered_area, deproject
from obs.frozen import frozen
from obs.sky_vectors import sky_positions

__all__ = ["Alignment", "SearchLimits", "search_alignments", "straighten"]

Float = NDArray[np.float64]
Complex = NDArray[np.complex128]

_LEVELS = (25, 50, 100)  # brightest stars of a frame that form quads
_SOURCE_QUADS, _STAR_QUADS = 15_000, 100_000  # how many of them, so that few stars form more quads each
_SOURCE_NEIGHBORS, _STAR_NEIGHBORS = (10, 16), (7, 10)
_MOST_STARS = 60_000  # reference stars that form quads, which bounds the memory
_TOLERANCE = 0.02  # of a quad's code; unknown distortion bends quads by as much
_VERIFIED = 300  # brightest sources that the odds look at
_SCREENED, _SCREENED_SOURCES, _SCREENED_STARS = 60, 100, 50  # similarities of a lookup, sources, stars of a cell
_TESTED, _LIKELY = 3, 14.0  # similarities of a lookup whose odds are computed: the best, and others with such estimates
_MAX_VOTES = 300_000
_PROMISING = 0.0  # logarithm of odds that are worth a fit, which will raise them if they are right
_SHARPER = 0.25  # sources may be as much more exact than the error of a position
_OCTAVE = np.log(2.0)
_MANY_OCTAVES, _FEW_LEVELS = 4, (50,)  # where the scale is unknown one number of stars must do
_USUAL_SCALE = np.radians(0.6 / 3600.0)  # scales near it are searched first
_FEWEST = 8.0  # reference stars on a frame, on average, fewer than which do not tell one scale from others
_LOCAL_SCALE = 0.05  # what unknown distortion adds to the scale of a quad, natural logarithm
_SAME = 0.1  # alignments that differ by less, in units of the frame's radius, are the same
_BENT = (-0.8, -0.4, 0.4, 0.8)  # amounts of distortion that are tried, in units of the largest


@frozen
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
    max_bend : float
        Largest radial distortion at the corners of the frame, as a fraction.
    quick : bool
        Whether one number of bright stars must do.
    """

    min_scale: float
    max_scale: float
    max_rotation: float
    mirrored: bool
    sigma: float
    min_log_odds: float
    max_bend: float = 0.0
    quick: bool = False


@frozen(eq=False)
class Alignment:
    """A similarity from the straightened plane of the sources to the sky.

    Parameters
    ----------
    tangent : ndarray of float64, shape (3,)
        Direction at which the plane of the sky touches it.
    factor, shift : complex
        ``factor * source + shift`` is the position in that plane, radians east and north.
    mirrored : bool
        Whether the complex conjugate of the source is meant.
    bend : float
        Radial distortion that was taken off the sources, for the square of a unit of their plane.
    log_odds : float
        Natural logarithm of the odds, with the number of possible alignments taken into account.
    trials : float
        Natural logarithm of that number, as far as the sharpest positions tell them apart.
    quad : complex
        Middle of the quad that suggested it, in the straightened plane of the sources.
    """

    tangent: Float
    factor: complex
    shift: complex
    mirrored: bool
    bend: float
    log_odds: float
    trials: float
    quad: complex

    def apply(self, straight: Complex) -> Complex:
        """Return the positions of straightened sources in the tangent plane.

        Parameters
        ----------
        straight : ndarray of complex128, shape (n,)
            Positions of sources, as `straighten` with this ``bend`` returns them.

        Returns
        -------
        ndarray of complex128, shape (n,)
            Radians east (real part) and north (imaginary part) of ``tangent``.
        """
        return self.factor * (np.conj(straight) if self.mirrored else straight) + self.shift

    def to_sky(self, straight: Complex) -> tuple[Float, Float]:
        """Return right ascension and declination of straightened sources, degrees.

        Parameters
        ----------
        straight : ndarray of complex128, shape (n,)
            Positions of sources, as `straighten` with this ``bend`` returns them.
        """
        return sky_positions(deproject(self.tangent[None], self.apply(straight)))


def search_alignments(
    sources: Complex,
    stars: SkyStars,
    limits: SearchLimits,
    corners: Complex,
    stop: Callable[[], bool] = lambda: False,
) -> Iterator[Alignment]:
    """Yield alignments that are likelier than not, as they are found, and last those that more stars must confirm.

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
    stop : callable, optional
        Asked between lookups whether to give up.
    """
    if len(sources) < 4 or len(stars.vectors) < 4:
        return
    search = _Search(sources, stars, limits, corners)
    known: list[Alignment] = []
    doubtful: list[Alignment] = []
    for found in search.lookups():
        for each in sorted(found, key=lambda each: -each.log_odds):
            if each.log_odds < limits.min_log_odds:
                doubtful.append(each)
            elif not search.is_known(each, known):
                known.append(each)
                yield each
        if stop():
            return
    for each in sorted(doubtful, key=lambda each: -each.log_odds):
        if not search.is_known(each, known):
            known.append(each)
            yield each


class _Search:
    """One frame, and the reference stars among which it is searched."""

    def __init__(self, sources: Complex, stars: SkyStars, limits: SearchLimits, corners: Complex) -> None:
        self.sources, self.stars, self.limits = sources, stars, limits
        self.radius = float(np.abs(corners).max())
        self.area = float(np.ptp(corners.real) * np.ptp(corners.imag))
        self.bends = [0.0, *(limits.max_bend * part for part in _BENT)] if limits.max_bend else [0.0]

    def lookups(self) -> Iterator[list[Alignment]]:
        """Yield what each lookup of the frame's quads suggests: by scale, number of stars, and distortion."""
        octaves = sorted(_octaves(self.limits), key=lambda each: abs(np.log(each[0] / _USUAL_SCALE)))
        any_scale = len(octaves) >= _MANY_OCTAVES
        per_area = len(self.stars.vectors) / covered_area(self.stars.vectors)
        for scale, octave in octaves:
            if any_scale and per_area * self.area * scale**2 < _FEWEST:
                continue
            bright = SkyStars(self.stars.vectors[self.stars.brightest(_SCREENED_STARS, self._cell(scale))[0]])
            for n in _FEW_LEVELS if any_scale or self.limits.quick else _LEVELS:
                yield from self._level(scale, octave, n, bright)
                if n >= len(self.sources):
                    break

    def _level(self, scale: float, max_log_scale: float, n: int, bright: SkyStars) -> Iterator[list[Alignment]]:
        """Yield what the quads of the ``n`` brightest sources suggest, for each distortion."""
        per_cell = max(n // 4, 2)
        chosen, area = self.stars.brightest(per_cell, self._cell(scale))
        while len(chosen) > _MOST_STARS and per_cell > 1:
            per_cell = max(per_cell * _MOST_STARS // len(chosen), 1)
            chosen, area = self.stars.brightest(per_cell, self._cell(scale))
        vectors = self.stars.vectors[chosen]
        neighbors = _neighbors(len(chosen), _STAR_QUADS, *_STAR_NEIGHBORS)
        of_stars = form_quads(vectors, neighbors, 2.0 * self.radius * scale * np.exp(max_log_scale))
        index = QuadIndex(of_stars, _TOLERANCE)
        errors = self._errors(area / scale**2)
        for bend in self.bends:
            plane = straighten(self.sources[: max(n, _VERIFIED)], bend / self.radius**2)
            first = plane[:n]
            neighbors = _neighbors(len(first), _SOURCE_QUADS, *_SOURCE_NEIGHBORS)
            quads = form_quads(np.stack([first.real, first.imag], axis=1), neighbors, 2.0 * self.radius)
            found: list[Alignment] = []
            for mirrored in (False, True) if self.limits.mirrored else (False,):
                pairs = index.match(quads, scale, max_log_scale, mirrored=mirrored, most=_MAX_VOTES)
                seeds = distinct_seeds(
                    (quads, of_stars),
                    pairs,
                    first,
                    vectors,
                    max_rotation=self.limits.max_rotation,
                    mirrored=mirrored,
                    reach=0.5 * np.sqrt(self.area),
                    most=_SCREENED,
                )
                found += self._test(seeds, plane, bright, bend / self.radius**2, errors)
            yield found

    def _test(
        self, seeds: list[Seed], plane: Complex, bright: SkyStars, bend: float, errors: list[tuple[float, float]]
    ) -> list[Alignment]:
        """Return the likely ones of the similarities."""
        if not seeds:
            return []
        radius = 1.1 * self.radius
        screened = screen_seeds(seeds, plane[:_SCREENED_SOURCES], bright, self.limits.sigma, radius)
        best = np.argsort(-screened, kind="stable")[:_TESTED]
        tests = [seeds[k] for k in best if k == best[0] or screened[k] > _LIKELY]
        results = [(seed, improve_seed(seed, plane[:_VERIFIED], self.stars, radius, errors)) for seed in tests]
        return [
            Alignment(
                seed.center, done.factor, done.shift, seed.mirrored, bend, done.log_odds, errors[-1][1], seed.quad
            )
            for seed, done in results
            if done.log_odds >= _PROMISING
        ]

    def _errors(self, area: float) -> list[tuple[float, float]]:
        """Return the errors of a position that are tried, and the logarithm of the number of trials for each."""
        limits = self.limits
        turns = 2 * min(limits.max_rotation, np.pi) * (2 if limits.mirrored else 1)
        scales = float(np.log(limits.max_scale / limits.min_scale))
        extent, bends = 0.3 * np.sqrt(self.area), float(np.log(len(self.bends)))
        return [
            (sigma, log_trials(area, sigma, extent, scales, turns) + bends)
            for sigma in (limits.sigma, _SHARPER * limits.sigma)
        ]

    def _cell(self, scale: float) -> float:
        """Return the size of cells of the sky of which a frame has four, radians."""
        return float(0.5 * np.sqrt(self.area) * scale)

    def is_known(self, found: Alignment, known: list[Alignment]) -> bool:
        """Return whether an alignment with the same distortion puts the frame where another one does."""
        points: Complex = np.array([0.0j, self.radius, 1.0j * self.radius])
        places = deproject(found.tangent[None], found.apply(points))
        limit = _SAME * self.radius * abs(found.factor)
        return any(
            np.linalg.norm(deproject(other.tangent[None], other.apply(points)) - places, axis=1).max() < limit
            for other in known
            if other.bend == found.bend and other.mirrored == found.mirrored
        )


def straighten(sources: Complex, bend: float) -> Complex:
    """Take a radial distortion off positions, a fraction for the square of their distance from the middle.

    Parameters
    ----------
    sources : ndarray of complex128, shape (n,)
        Positions x + iy from the middle of the distortion.
    bend : float
        Fraction by which a position at distance one moves outward. It grows with the square of the distance.
    """
    return np.asarray(sources * (1.0 + bend * np.abs(sources) ** 2)) if bend else sources


def _octaves(limits: SearchLimits) -> Iterator[tuple[float, float]]:
    """Yield scales, and the natural logarithm of the largest error of each, that together cover the limits."""
    low, high = np.log(limits.min_scale) - _LOCAL_SCALE, np.log(limits.max_scale) + _LOCAL_SCALE
    count = max(int(np.ceil((high - low) / _OCTAVE)), 1)
    half = 0.5 * (high - low) / count
    for k in range(count):
        yield float(np.exp(low + (2 * k + 1) * half)), float(half)


def _neighbors(n_star: int, n_quad: int, fewest: int, most: int) -> int:
    """Return how many neighbors of each star give a number of quads: all groups of three of them with the star."""
    return int(np.clip(np.cbrt(6.0 * n_quad / max(n_star, 1)) + 1, fewest, most))
