"""Find the shift, rotation and scale that bring sources to reference stars, by the patterns that both form.

Pairs of bright sources are compared with pairs of reference stars of nearly the same length and direction, each
agreement votes for a shift, rotation and scale, and the best voted ones are tried on all stars (in the spirit of Tabur
2007).
"""

import numpy as np
from numpy.typing import NDArray

from obs.algorithms.astrometry.match import match_pixels
from obs.algorithms.astrometry.votes import most_voted
from obs.algorithms.numeric.nearest import PointTree
from obs.algorithms.numeric.special import poisson_above
from obs.errors import MeasurementError

__all__ = ["find_pattern"]

Float = NDArray[np.float64]
Complex = NDArray[np.complex128]
Index = NDArray[np.int64]

_DEPTHS = ((30, 60), (60, 120), (120, 240))  # so many bright sources and reference stars have their pairs vote
_TRIED = 12
_TRIALS = 1e5  # patterns that chance could have offered
_FALSE_ALARM = 1e-3
_VERIFIED = 500


def find_pattern(
    sources: Complex, stars: Complex, *, max_offset: float, max_rotation: float, max_scale_change: float, radius: float
) -> tuple[complex, complex]:
    """Find the similarity ``factor * sources + shift`` that brings most sources to within a radius of a star.

    Parameters
    ----------
    sources, stars : ndarray of complex128, shape (n,), (m,)
        Positions ``x + i y`` about the middle of the detector, pixels, brightest first.
    max_offset : float
        Largest shift, pixels.
    max_rotation : float
        Largest rotation, radians.
    max_scale_change : float
        Largest relative change of the scale.
    radius : float
        Distance at which a source is one with a star, pixels.

    Returns
    -------
    factor, shift : complex
        The similarity.

    Raises
    ------
    MeasurementError
        If none brings more together than chance would.
    """
    check = _Verification(sources[:_VERIFIED], stars, radius)
    factor, shift, n = check.refine(1.0 + 0.0j, 0.0j)
    if check.chance(n) < _FALSE_ALARM / _TRIALS:
        return factor, shift
    most = n
    for n_source, n_star in _DEPTHS:
        factors, shifts = _votes(sources[:n_source], stars[:n_star], max_rotation, max_scale_change, radius)
        inside = np.abs(shifts) <= max_offset
        factors, shifts = factors[inside], shifts[inside]
        if len(factors):
            for index in _most_voted(factors, shifts, np.abs(sources).max(), radius):
                candidate = check.refine(factors[index], shifts[index])
                if candidate[2] > most:
                    factor, shift, most = candidate
        if check.chance(most) < _FALSE_ALARM / _TRIALS:
            return factor, shift
        if n_source >= len(sources) and n_star >= len(stars):
            break
    raise MeasurementError(
        f"no astrometry: no pattern of the {len(stars)} reference stars stands out among the {len(sources)} sources "
        f"(the best brings {most} together, chance would {check.expected:.1f})"
    )


class _Verification:
    """Counts how many of all sources a similarity brings to a reference star."""

    def __init__(self, sources: Complex, stars: Complex, radius: float) -> None:
        self.sources, self.stars, self.radius = sources, stars, radius
        self.tree = PointTree(_xy(stars))
        area = np.ptp(stars.real) * np.ptp(stars.imag)
        self.expected = float(len(sources) * len(stars) * np.pi * radius**2 / max(area, 1.0))

    def chance(self, n: int) -> float:
        """Return the probability that chance brings ``n`` together; two are spent on the similarity."""
        return float(poisson_above(max(n - 3, 0), self.expected))

    def refine(self, factor: complex, shift: complex) -> tuple[complex, complex, int]:
        """Improve a similarity by least squares, and return how many sources it brings to a star."""
        n = 0
        for _ in range(4):
            moved = factor * self.sources + shift
            pairs = match_pixels(moved.real, moved.imag, self.stars.real, self.stars.imag, radius=self.radius)
            if len(pairs) <= max(n, 2):
                return factor, shift, max(n, len(pairs))
            n = len(pairs)
            a, b = self.sources[pairs.first], self.stars[pairs.second]
            a_mean, b_mean = a.mean(), b.mean()
            factor = complex(np.vdot(a - a_mean, b - b_mean) / np.vdot(a - a_mean, a - a_mean))
            shift = complex(b_mean - factor * a_mean)
        return factor, shift, n


def _votes(
    sources: Complex, stars: Complex, max_rotation: float, max_scale_change: float, radius: float
) -> tuple[Complex, Complex]:
    """Return factor and shift of every agreement between a pair of sources and a pair of stars."""
    i, j = np.triu_indices(len(sources), 1)
    k, m = np.nonzero(~np.eye(len(stars), dtype=bool))
    # short pairs say little about the angle
    far = np.abs(sources[i] - sources[j]) > 30.0 * radius
    i, j = i[far], j[far]
    if not len(i) or not len(k):
        return np.zeros(0, complex), np.zeros(0, complex)
    first, second = sources[i] - sources[j], stars[k] - stars[m]
    unit = np.array([max_scale_change + 0.01, max_rotation + 0.01])
    keys = [np.stack([np.log(np.abs(d) + 1e-9), np.angle(d)], axis=1) / unit for d in (first, second)]
    turn = np.array([0.0, 2.0 * np.pi]) / unit
    # directions near -180 and 180 degrees are neighbors
    low, high = keys[0][:, 1] < 1.0 - np.pi / unit[1], keys[0][:, 1] > np.pi / unit[1] - 1.0
    origin = np.concatenate([np.arange(len(i)), np.flatnonzero(low), np.flatnonzero(high)])
    ring = np.concatenate([keys[0], keys[0][low] + turn, keys[0][high] - turn])
    start, b = PointTree(keys[1]).list_within(ring, 1.0, square=True)
    a = np.repeat(origin, np.diff(start))
    factor = second[b] / first[a]
    shift = 0.5 * (stars[k[b]] + stars[m[b]] - factor * (sources[i[a]] + sources[j[a]]))
    return factor, shift


def _most_voted(factors: Complex, shifts: Complex, extent: float, radius: float) -> Index:
    """Return the places of the similarities with most others beside them, each neighborhood once."""
    votes = np.stack([shifts.real, shifts.imag, np.log(np.abs(factors)) * extent, np.angle(factors) * extent], axis=1)
    near = 3.0 * radius
    return most_voted(votes, near=near, apart=2.0 * near, most=_TRIED)


def _xy(points: Complex) -> Float:
    """Return complex positions as rows, shape (n, 2)."""
    return np.stack([points.real, points.imag], axis=1)
