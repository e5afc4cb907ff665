"""Objects that move: detections at several times which lie on one line, at one speed."""

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree
from scipy.stats import poisson

from obs.frozen import frozen

__all__ = ["Track", "find_tracks"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_FEWEST = 3
#: Number of tracks that chance may make in all images together.
_CHANCE = 0.01
#: Places scatter so many times as much about two places as about the line of an object that moves.
_CLEARLY = 2.0


@frozen
class Track:
    """Detections of one moving object.

    Parameters
    ----------
    rows : ndarray of int64, shape (n,)
        The detections, in the order of time.
    rate : ndarray of float64, shape (2,)
        Motion along both axes, per unit of time.
    scatter : float
        Root mean square distance of the detections from the line.
    """

    rows: Ints
    rate: Floats
    scatter: float


def find_tracks(
    place: Floats, time: Floats, *, tolerance: float, least_motion: float, largest_rate: float, area: float
) -> list[Track]:
    """Find objects that move on straight lines with constant speed.

    Each pair of detections at different times says where the object is at other times. What is found there counts
    against what chance would put there: a track needs so many detections that chance makes one in a hundred fields.
    Detections at one place count once, and those at two places only are two stars.

    Parameters
    ----------
    place : ndarray of float64, shape (n, 2)
        Places in a plane.
    time : ndarray of float64, shape (n,)
        Their times, equal for detections of one image.
    tolerance : float
        Largest distance of a detection from the line.
    least_motion : float
        Shortest way of an object between its first and its last detection.
    largest_rate : float
        Largest motion per unit of time.
    area : float
        Area of the field.
    """
    times, image = np.unique(time, return_inverse=True)
    if len(times) < _FEWEST:
        return []
    trees = [np.flatnonzero(image == number) for number in range(len(times))]
    density = len(place) / len(times) / area
    found: list[tuple[int, float, Track]] = []
    for first, second, span in _pairs(place, time, image, trees, least_motion, largest_rate):
        rate = (place[second] - place[first]) / span[:, None]
        rows = np.full((len(first), len(times)), -1, np.int64)
        for number, (moment, own) in enumerate(zip(times, trees, strict=True)):
            expected = place[first] + rate * (moment - time[first])[:, None]
            distance, nearest = cKDTree(place[own]).query(expected, distance_upper_bound=tolerance)
            there = np.isfinite(distance)
            rows[there, number] = own[nearest[there]]
        count = (rows >= 0).sum(axis=1)
        for pair in np.flatnonzero(count >= _FEWEST):
            track = _line(place, time, rows[pair][rows[pair] >= 0])
            found.append((int(count[pair]), track.scatter, track))
    n_pair = sum(len(one[0]) for one in _pairs(place, time, image, trees, least_motion, largest_rate))
    by_chance = density * np.pi * tolerance**2 * (len(times) - 2)
    taken, tracks = np.zeros(len(place), bool), []
    for count_, scatter, track in sorted(found, key=lambda one: (-one[0], one[1])):
        way = np.hypot(*(track.rate * np.ptp(time[track.rows])))
        if scatter >= tolerance or way < least_motion or not _is_certain(count_, n_pair, by_chance):
            continue
        at = place[track.rows]
        if taken[track.rows].any() or _are_two_stars(at, track.scatter):
            continue
        if _is_certain(_count_places(at, tolerance), n_pair, by_chance):
            taken[track.rows] = True
            tracks.append(track)
    return tracks


def _pairs(
    place: Floats, time: Floats, image: Ints, rows: list[Ints], least_motion: float, largest_rate: float
) -> list[tuple[Ints, Ints, Floats]]:
    """Return pairs of detections that one object could be, for each pair of images."""
    pairs = []
    for early in range(len(rows)):
        for late in range(early + 1, len(rows)):
            span = time[rows[late][0]] - time[rows[early][0]]
            way = np.hypot(*np.moveaxis(place[rows[early]][:, None] - place[rows[late]], -1, 0))
            one, two = np.nonzero((way >= 0.5 * least_motion) & (way <= largest_rate * span))
            pairs.append((rows[early][one], rows[late][two], np.full(len(one), span)))
    return [pair for pair in pairs if len(pair[0])]


def _is_certain(count: int, n_pair: int, by_chance: float) -> bool:
    """Whether chance makes so many detections on a line in less than one of a hundred fields."""
    return count >= _FEWEST and bool(n_pair * poisson.sf(count - 3, by_chance) < _CHANCE)


def _count_places(at: Floats, apart: float) -> int:
    """Return how many of some places are farther than a distance from all before; a star that stays is one."""
    kept = at[:1]
    for one in at[1:]:
        if np.hypot(*(kept - one).T).min() > apart:
            kept = np.concatenate([kept, one[None]])
    return len(kept)


def _are_two_stars(place: Floats, scatter: float) -> bool:
    """Whether two places, one before and one after some time, explain detections about as well as a line does.

    Two stars of which each varies in another night make a line through all their detections.
    """
    n = len(place)
    before = np.arange(1, n)[:, None]
    total, squares = np.cumsum(place, axis=0), np.cumsum(place**2, axis=0)
    # sums of squares about the mean, of the detections before each split and of those after it
    first = squares[:-1] - total[:-1] ** 2 / before
    last = squares[-1] - squares[:-1] - (total[-1] - total[:-1]) ** 2 / (n - before)
    return bool((first + last).sum(axis=1).min() < n * (_CLEARLY * scatter) ** 2)


def _line(place: Floats, time: Floats, rows: Ints) -> Track:
    rows = rows[np.argsort(time[rows])]
    middle = time[rows].mean()
    terms = np.stack([np.ones(len(rows)), time[rows] - middle], axis=1)
    line = np.linalg.lstsq(terms, place[rows], rcond=None)[0]
    off = place[rows] - terms @ line
    return Track(rows, line[1], float(np.sqrt(np.mean(np.sum(off**2, axis=1)))))
