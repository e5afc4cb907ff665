"""Probability that a source is extended, from its spread and the error of its spread.

Sources are a mixture of point sources, whose spread is zero, and of extended ones of unknown spreads. The distribution
of spreads and the share of point sources at each brightness follow from the sources of the image themselves, by
expectation maximization (Dempster, Laird & Rubin 1977). So the answer for a source whose spread says nothing is the
share of extended sources at its brightness, and not a class.
"""

import numpy as np
from numpy.typing import NDArray

__all__ = ["extended_probability"]

SPREADS = np.geomspace(0.0012, 0.25, 28)
"""Spreads that extended sources may have, on the scale of SPREAD_MODEL."""

ROUNDS = 40
"""Rounds of expectation maximization."""

PER_BIN = 60
"""Sources of similar brightness among which the share of point sources is measured."""

TAIL, TAIL_WIDTH = 0.1, 0.001
"""Part of the point sources whose spread has this error more: neighbors too faint to be known widen them."""

PRIOR = 20.0
"""Weight, in sources, of the expectation that there are as many point sources as extended ones."""


def extended_probability(
    spread: NDArray[np.float64], error: NDArray[np.float64], flux: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the probability that each source is extended.

    Parameters
    ----------
    spread, error : ndarray of float64, shape (n,)
        Spread, zero for point sources, and its standard error.
    flux : ndarray of float64, shape (n,)
        Brightness, any unit.

    Returns
    -------
    ndarray of float64, shape (n,)
        NaN where spread, error or flux is not known or the flux is not positive.
    """
    result = np.full(len(spread), np.nan)
    known = np.flatnonzero(np.isfinite(spread) & (error > 0) & np.isfinite(error) & (flux > 0) & np.isfinite(flux))
    if not len(known):
        return result
    s, e = spread[known, None], error[known, None]
    # likelihoods in units of the largest, or all of them would vanish for a source far from every spread
    exponent = -0.5 * ((s - np.r_[0.0, SPREADS]) / e) ** 2
    wide = np.hypot(e, TAIL_WIDTH)
    tail_exponent = -0.5 * (s / wide) ** 2
    largest = np.maximum(exponent.max(axis=1, keepdims=True), tail_exponent)
    likelihood = np.exp(exponent - largest)
    tail = (e / wide * np.exp(tail_exponent - largest))[:, 0]
    likelihood[:, 0] = (1.0 - TAIL) * likelihood[:, 0] + TAIL * tail
    rank = np.argsort(np.argsort(flux[known]))
    place, n_bin = np.asarray(rank / PER_BIN, np.float64), len(known) // PER_BIN + 1
    share = np.full(len(known), 0.5)
    distribution = np.full(len(SPREADS), 1.0 / len(SPREADS))
    for _ in range(ROUNDS):
        each = likelihood[:, 1:] * distribution
        extended = (1.0 - share) * each.sum(axis=1)
        point = share * likelihood[:, 0]
        probability = extended / (extended + point)
        weight = each * (probability / np.maximum(each.sum(axis=1), 1e-300))[:, None]
        distribution = (weight.sum(axis=0) + PRIOR / len(SPREADS)) / (weight.sum() + PRIOR)
        share = 1.0 - _smoothed(probability, place, n_bin)
    result[known] = probability
    return result


def _smoothed(values: NDArray[np.float64], place: NDArray[np.float64], n_bin: int) -> NDArray[np.float64]:
    """Return the mean of values in bins of brightness, interpolated between the bins."""
    low = np.minimum(place.astype(np.int64), n_bin - 1)
    total = np.bincount(low, values, n_bin) + 0.5 * PRIOR
    mean = total / (np.bincount(low, minlength=n_bin) + PRIOR)
    return np.interp(place, np.arange(n_bin) + 0.5, mean)
