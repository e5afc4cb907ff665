"""Let a match of sources and reference stars grow outward from where it holds.

Optics that distort more than the a-priori WCS knows leave a match that holds in a part of the frame only. There more
sources have a reference star beside them than chance would bring. A model of the distortion is fitted to those stars,
and tells where the next stars outside are to be found. So the match grows, until it fills the frame.
"""

import numpy as np
from numpy.typing import NDArray

from obs.algorithms.astrometry.distortion import DistortionFit, MatchedPlane
from obs.algorithms.astrometry.match import Matches, match_pixels
from obs.algorithms.numeric.nearest import PointTree
from obs.algorithms.numeric.special import poisson_above
from obs.frozen import frozen

__all__ = ["Grown", "grow_match", "local_chance"]

Float = NDArray[np.float64]
Bool = NDArray[np.bool_]
Index = NDArray[np.int64]

_ROUNDS = 60
_GROUPS = (8, 24, 72)  # sources around a source among which matches must be more than chance brings
_FALSE_ALARM = 1e-3
_STARTS = (1.0, 3.0, 9.0, 27.0)  # radii of the first match, in units of the match radius
_FILLED = 0.95  # fraction of the sources near a pair at which a match fills the frame
_BEND = 0.02  # error of a model outside of its stars, as a fraction of the distance to the nearest
_STEP = 2.5  # how far outside the next stars are looked for, in units of the mean distance between sources
_AMBIGUOUS = 0.3  # largest match radius in units of the mean distance between reference stars


@frozen(eq=False)
class Grown:
    """A match that fills as much of the frame as it can.

    Parameters
    ----------
    solution : DistortionFit
        The last model.
    pairs : Matches
        What it was fitted to.
    filled : float
        Fraction of the sources near a pair.
    """

    solution: DistortionFit
    pairs: Matches
    filled: float


def grow_match(
    plane: MatchedPlane,
    sources: Index,
    moved: tuple[Float, Float],
    *,
    density: float,
    radius: float,
    max_order: int,
    clip: float,
    around: tuple[float, float] | None = None,
) -> Grown | None:
    """Match the stars where a first guess holds, and then the others, further and further outside.

    Parameters
    ----------
    plane : MatchedPlane
        Sources and reference stars.
    sources : ndarray of int64, shape (n,)
        The sources to match.
    moved : tuple of ndarray of float64, shape (n,)
        Where the first guess puts them, pixels of the a-priori WCS.
    density : float
        Reference stars for each pixel.
    radius : float
        Match radius of the first guess, and of a model among its stars, pixels.
    max_order : int
        Highest order of the polynomials.
    clip : float
        Distance from the fit at which a pair is dropped, in standard deviations of one axis.
    around : tuple of float, optional
        Position (x, y) on the detector at which the first guess is exact, pixels.

    Returns
    -------
    Grown or None
        None where the first guess holds nowhere.
    """
    x, y = plane.x[sources], plane.y[sources]
    groups = _groups(x, y)
    ambiguous = max(_AMBIGUOUS / np.sqrt(max(density, 1e-12)), 1.0)
    step = _STEP * float(np.sqrt(np.ptp(x) * np.ptp(y) / max(len(x), 1)))
    best: Grown | None = None
    starts = [np.full(len(x), start) for start in sorted({min(factor * radius, ambiguous) for factor in _STARTS})]
    if around is not None:
        starts.insert(0, np.minimum(radius + _BEND * np.hypot(x - around[0], y - around[1]), max(ambiguous, radius)))
    for tolerance in starts:
        grown: Grown | None = None
        start = float(tolerance.max())
        pairs = _match(plane, moved, tolerance, groups, density)
        for _ in range(_ROUNDS):
            if len(pairs) < 4:
                break
            chosen = Matches(sources[pairs.first], pairs.second, pairs.separation)
            near = _distance(x, y, pairs.first) <= step
            solution = plane.fit_ladder(chosen, max_order, clip, max(2 * radius, _BEND * step), (x[near], y[near]))
            if grown is not None and (-len(pairs), solution.scatter) >= (-len(grown.pairs), grown.solution.scatter):
                break
            far = _distance(x, y, pairs.first[solution.keep])
            grown = Grown(solution, chosen, float(np.mean(far <= step)))
            floor = float(np.clip(5.0 * solution.scatter, 1.0, start))
            tolerance = np.where(far <= step, np.minimum(floor + _BEND * far, max(ambiguous, floor)), 0.0)
            pairs = _match(plane, plane.apply(solution, x, y), tolerance, groups, density)
        if grown is not None and (best is None or len(grown.pairs) > len(best.pairs)):
            best = grown
        if best is not None and best.filled > _FILLED:
            break
    return best


def local_chance(matched: Bool, chance: Float, groups: list[Index]) -> Float:
    """Return the probability that chance alone matches so many of a source's neighbors, shape (n,).

    Parameters
    ----------
    matched : ndarray of bool, shape (n,)
        Whether a source has a match.
    chance : ndarray of float64, shape (n,)
        Probability that a reference star is within the tolerance of a source by chance.
    groups : list of ndarray of int64, shape (n, k)
        Rows of the nearest neighbors of each source, itself included, for several ``k``.

    Returns
    -------
    ndarray of float64, shape (n,)
        The lowest probability among the groups; 1 for a source without a match.
    """
    lowest = np.ones(len(matched))
    for group in groups:
        expected = chance[group].sum(axis=1)
        lowest = np.minimum(
            lowest, poisson_above(np.maximum(matched[group].sum(axis=1) - 1, 0), np.maximum(expected, 1e-9))
        )
    return np.where(matched, lowest, 1.0)


def _match(
    plane: MatchedPlane, moved: tuple[Float, Float], tolerance: Float, groups: list[Index], density: float
) -> Matches:
    """Match within each source's tolerance, and keep the pairs in whose neighborhood chance does not explain them."""
    pairs = match_pixels(moved[0], moved[1], plane.ref_x, plane.ref_y, radius=float(tolerance.max()))
    close = pairs.separation <= tolerance[pairs.first]
    matched = np.zeros(len(tolerance), bool)
    matched[pairs.first[close]] = True
    chance = 1.0 - np.exp(-np.pi * tolerance**2 * density)
    real = close & (local_chance(matched, chance, groups)[pairs.first] < _FALSE_ALARM)
    return Matches(pairs.first[real], pairs.second[real], pairs.separation[real])


def _groups(x: Float, y: Float) -> list[Index]:
    """Return the nearest sources of each source, itself included, shape (n, k), for each size k of a group."""
    points = np.stack([x, y], axis=1)
    sizes = sorted({min(size, len(x)) for size in _GROUPS})
    near = PointTree(points).nearest(points, sizes[-1])[1].reshape(len(x), -1)
    return [near[:, :size] for size in sizes]


def _distance(x: Float, y: Float, kept: Index) -> Float:
    """Return the distance of each position from the nearest of the kept ones, pixels."""
    return PointTree(np.stack([x[kept], y[kept]], axis=1)).nearest(np.stack([x, y], axis=1))[0]
