"""Whether a match holds all over the frame: no part of it where sources and reference stars both go without partners.

The scatter of matched stars cannot tell, because stars far from the fit are not matched. So all stars are looked at.
"""

import numpy as np
from numpy.typing import NDArray

from obs.algorithms.numeric.nearest import PointTree
from obs.algorithms.numeric.special import poisson_up_to
from obs.frozen import frozen

__all__ = ["Coverage", "measure_coverage"]

Float = NDArray[np.float64]
Bool = NDArray[np.bool_]

_GROUP = 15.0  # matches that a group of neighbors should hold
_UNEVEN = 0.7  # a part of the frame may have this fraction of the matches that the whole has
_FALSE_ALARM = 1e-4
_ROUNDS = 3
_ALONE = 1.8  # one of 25,000 places is further than this from any star, in units of their mean distance
_CENTERS = 400  # groups of neighbors that are looked at


@frozen
class Coverage:
    """How much of a frame a match explains.

    Parameters
    ----------
    n_source, n_star : int
        Sources and reference stars on the frame.
    matched : float
        Fraction of the shorter of the two lists that is matched, less what chance matches.
    covered : float
        Fraction of the sources where the match holds.
    outside : float
        Fraction of the sources where the catalog has no stars, though it has some on the frame.
    """

    n_source: int
    n_star: int
    matched: float
    covered: float
    outside: float = 0.0


def measure_coverage(
    sources: Float, source_matched: Bool, stars: Float, star_matched: Bool, *, chance: float
) -> Coverage:
    """Measure what a match explains.

    Parameters
    ----------
    sources, stars : ndarray of float64, shape (n, 2) and (m, 2)
        Positions on the frame, pixels.
    source_matched, star_matched : ndarray of bool, shape (n,) and (m,)
        Which are matched.
    chance : float
        Probability that a source that is not a reference star has one beside it.
    """
    n_source, n_star = len(sources), len(stars)
    if not n_source or not n_star:
        return Coverage(n_source, n_star, 0.0, 0.0)
    matches = max(int(source_matched.sum()) - chance * n_source, 0.0)
    bare = _uncovered(sources, source_matched, chance)
    empty = _uncovered(stars, star_matched, chance * n_source / n_star)
    # where a catalog ends, sources have no star; where stars crowd, reference stars have no source
    distance, nearest = PointTree(stars).nearest(sources)
    bare &= empty[nearest]
    spacing = np.sqrt(np.prod(np.ptp(sources, axis=0)) / n_star)
    outside = float(np.mean(distance > _ALONE * spacing))
    return Coverage(n_source, n_star, matches / min(n_source, n_star), 1.0 - float(bare.mean()), outside)


def _uncovered(points: Float, matched: Bool, chance: float) -> Bool:
    """Return the points around which significantly fewer points than elsewhere are matched."""
    bare = np.zeros(len(points), bool)
    tree = PointTree(points)
    for _ in range(_ROUNDS):
        share = float(matched[~bare].mean()) if (~bare).any() else 0.0
        if share <= chance:
            break
        found = bare.copy()
        for size in (_GROUP / share, 2 * _GROUP / share):
            if size > len(points) / 2:
                continue
            near = tree.nearest(points[:: max(len(points) // _CENTERS, 1)], int(np.ceil(size)))[1]
            count = matched[near].sum(axis=1)
            expected = near.shape[1] * (chance + _UNEVEN * (share - chance))
            low = poisson_up_to(count, expected) < _FALSE_ALARM
            found[near[low].ravel()] = True
        found &= ~matched
        if np.array_equal(found, bare):
            break
        bare = found
    return bare
