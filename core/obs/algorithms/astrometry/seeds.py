"""Similarities between frame and sky that pairs of equal quads suggest, and how well all stars agree with them."""

import numpy as np
from numpy.typing import NDArray

from obs.algorithms.astrometry.odds import comparable, log_odds
from obs.algorithms.astrometry.quads import Quads, tangent_basis
from obs.algorithms.astrometry.sky_stars import SkyStars, deproject
from obs.algorithms.astrometry.votes import most_voted
from obs.algorithms.numeric.nearest import PointTree
from obs.frozen import frozen

__all__ = ["Seed", "Tested", "distinct_seeds", "improve_seed", "screen_seeds"]

Float = NDArray[np.float64]
Complex = NDArray[np.complex128]
Index = NDArray[np.int64]

_BENDS = (0.001, 0.01)  # errors that unknown distortion adds, as fractions of the distance from the quad
_SCREENED_BEND = 0.03  # the same for a similarity that four stars alone fix
_SAME = 0.05  # similarities whose directions differ by less, in units of half the frame's side, are the same
_ROUNDS = 3
_CIRCLE = 2.0  # area of the circle about a frame in units of the frame's


@frozen(eq=False)
class Seed:
    """A similarity, and where in the plane of the sources it is most exact.

    Parameters
    ----------
    center : ndarray of float64, shape (3,)
        Direction of the origin of the sources' plane, the middle of the frame.
    factor : complex
        Radians east and north for a step along x.
    mirrored : bool
        Whether the complex conjugate of the sources is meant.
    quad : complex
        Middle of the quad that suggested it, in the plane of the sources.
    """

    center: Float
    factor: complex
    mirrored: bool
    quad: complex


@frozen
class Tested:
    """A similarity improved on the stars around its quad.

    Parameters
    ----------
    factor, shift : complex
        ``factor * source + shift`` is the position in the tangent plane at the seed's center, radians.
    log_odds : float
        Natural logarithm of its odds, less that of the number of trials.
    """

    factor: complex
    shift: complex
    log_odds: float


def distinct_seeds(
    quads: tuple[Quads, Quads],
    pairs: tuple[Index, Index],
    sources: Complex,
    vectors: Float,
    *,
    max_rotation: float,
    mirrored: bool,
    reach: float,
    most: int,
) -> list[Seed]:
    """Return the similarities with most others beside them, each neighborhood once.

    Parameters
    ----------
    quads : tuple of Quads
        Quads of sources and of reference stars.
    pairs : tuple of ndarray of int64, shape (n_pair,)
        Rows of the two that agree.
    sources : ndarray of complex128, shape (n,)
        The sources that form the quads.
    vectors : ndarray of float64, shape (m, 3)
        Directions of the reference stars that form the quads.
    max_rotation : float
        Largest rotation, radians.
    mirrored : bool
        Whether the sources are seen in a mirror.
    reach : float
        Half of the frame's side, in the plane of the sources.
    most : int
        Largest number of similarities.
    """
    p, q = sources[quads[0].members[pairs[0]]], quads[1].places[pairs[1]]
    quad = p.mean(axis=1)
    p = np.conj(p) if mirrored else p
    p_mean, q_mean = p.mean(axis=1), q.mean(axis=1)
    p, q = p - p_mean[:, None], q - q_mean[:, None]
    factor = (np.conj(p) * q).sum(axis=1) / (np.abs(p) ** 2).sum(axis=1)
    turned = np.abs(np.angle(factor)) <= max_rotation
    factor, quad, middle = factor[turned], quad[turned], (q_mean - factor * p_mean)[turned]
    if not len(factor):
        return []
    origin = vectors[quads[1].origin[pairs[1][turned]]]
    # two directions are the same wherever the plane touches the sky: those of the middle and of a point to the right
    center, right = deproject(origin, middle), deproject(origin, middle + factor * reach)
    votes = np.concatenate([center, right], axis=1) / (float(np.median(np.abs(factor))) * reach * _SAME)
    rows = most_voted(votes, near=1.0, apart=1.0, most=most)
    east, north = tangent_basis(center[rows])
    step = (right[rows] * east).sum(axis=1) + 1j * (right[rows] * north).sum(axis=1)
    step /= (right[rows] * center[rows]).sum(axis=1) * reach
    return [
        Seed(direction, complex(each), mirrored, complex(middle))
        for direction, each, middle in zip(center[rows], step, quad[rows], strict=True)
    ]


def screen_seeds(seeds: list[Seed], sources: Complex, stars: SkyStars, sigma: float, radius: float) -> Float:
    """Return estimates of the logarithm of the odds of similarities as they are, shape (n_seed,), all at once.

    Parameters
    ----------
    seeds : list of Seed
        The similarities.
    sources : ndarray of complex128, shape (n,)
        Sources in their plane.
    stars : SkyStars
        Reference stars about as dense as the sources.
    sigma : float
        Error of a position, per axis.
    radius : float
        Radius of the frame, in the plane of the sources.
    """
    center, factor = np.stack([seed.center for seed in seeds]), np.array([seed.factor for seed in seeds])
    plane = np.conj(sources) if seeds[0].mirrored else sources
    scale = np.abs(factor)
    places = factor[:, None] * plane[None]
    vectors = deproject(np.repeat(center, len(sources), axis=0), places.ravel())
    distance = np.abs(sources[None] - np.array([seed.quad for seed in seeds])[:, None])
    spread = np.hypot(sigma, _SCREENED_BEND * distance)
    limit = 4.0 * float((spread * scale[:, None]).max())
    separation = stars.tree.nearest(vectors, below=limit)[0].reshape(len(seeds), -1) / scale[:, None]
    around = stars.tree.count_within(center, np.minimum(radius * scale, 1.5))
    density = np.maximum(around, 1) / (np.pi * radius**2)
    gaussian = np.exp(-0.5 * (separation / spread) ** 2) / (2 * np.pi * spread**2)
    terms = np.log(0.5 + 0.5 * gaussian / density[:, None])
    ordered = np.take_along_axis(terms, np.argsort(distance, axis=1), axis=1)
    return np.asarray(np.cumsum(ordered, axis=1).max(axis=1))


def improve_seed(
    seed: Seed, sources: Complex, stars: SkyStars, radius: float, errors: list[tuple[float, float]]
) -> Tested:
    """Improve a similarity on the stars around its quad, and compute its odds.

    Parameters
    ----------
    seed : Seed
        The similarity.
    sources : ndarray of complex128, shape (n,)
        Sources in their plane.
    stars : SkyStars
        All reference stars.
    radius : float
        Radius of the frame, in the plane of the sources.
    errors : list of tuple of float
        Errors of a position that are tried, per axis, and the logarithm of the number of trials for each.
    """
    near = stars.around(seed.center, radius * abs(seed.factor))
    if len(near) < 3:
        return Tested(seed.factor, 0j, -np.inf)
    tree = PointTree(np.stack([near.real, near.imag], axis=1))
    sources = sources[: comparable(len(near) / _CIRCLE)]
    plane = np.conj(sources) if seed.mirrored else sources
    distance = np.abs(sources - seed.quad)
    spread = np.hypot(errors[0][0], _BENDS[-1] * distance)
    factor, shift = seed.factor, 0j
    for _ in range(_ROUNDS):
        separation, nearest = _nearest(tree, factor * plane + shift)
        first = np.flatnonzero(separation < 3 * abs(factor) * spread)
        # of the sources next to one star the nearest
        first = first[np.argsort(separation[first], kind="stable")]
        first = first[np.unique(nearest[first], return_index=True)[1]]
        if len(first) < 3:
            break
        weight = 1 / spread[first] ** 2
        p, q = plane[first], near[nearest[first]]
        p_mean, q_mean = np.average(p, weights=weight), np.average(q, weights=weight)
        p, q = p - p_mean, q - q_mean
        factor = complex((weight * np.conj(p) * q).sum() / (weight * np.abs(p) ** 2).sum())
        shift = complex(q_mean - factor * p_mean)
    unit = abs(factor)
    density = max(len(near), 1) / (np.pi * (radius * abs(seed.factor) / unit) ** 2)
    assumed = [(np.hypot(sigma, bend * distance), trials) for sigma, trials in errors for bend in _BENDS]
    separation, nearest = _nearest(tree, factor * plane + shift)
    odds = log_odds(separation / unit, nearest, np.stack([each[0] for each in assumed]), distance, density)
    return Tested(factor, shift, float((odds - np.array([each[1] for each in assumed])).max()))


def _nearest(tree: PointTree, places: Complex) -> tuple[Float, Index]:
    """Return the distance of each position from the nearest star, and which star that is."""
    return tree.nearest(np.stack([places.real, places.imag], axis=1))
