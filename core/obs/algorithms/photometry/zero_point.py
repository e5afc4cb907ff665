"""Photometric zero point from stars of known magnitude."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from obs.algorithms.photometry.zero_point_trends import NO_TRENDS, Trends
from obs.algorithms.pixels.statistics import robust_sigma
from obs.frozen import frozen

__all__ = ["ZeroPoint", "fit_zero_point"]

_MAGNITUDE_PER_RELATIVE_FLUX = 2.5 / np.log(10.0)

BIWEIGHT = 3.0
"""Stars this many standard deviations off do not count."""

BULK_ROUNDS = 20


@frozen(eq=False)
class ZeroPoint:
    """The magnitude of one count, and how well the stars agree on it.

    Parameters
    ----------
    zero_point : float
        Magnitude of a source of 1 count in this exposure; NaN if no star says.
    error : float
        Standard error of the zero point, magnitudes; NaN for fewer than two stars.
    rms : float
        Standard deviation of the used stars, from their median absolute deviation, magnitudes; NaN for fewer than two.
    intrinsic_scatter : float
        What must be added in quadrature to the given errors to explain the scatter, magnitudes.
    n_star : int
        Number of used stars.
    used : ndarray of bool, shape (n,)
        Which stars these are.
    n_considered : int
        Number of stars that could have been used.
    overall_scatter : float
        Robust standard deviation of all of these about the zero point, magnitudes; NaN for fewer than two. It does not
        depend on which stars were dropped.
    trends : Trends
        How it changes over the frame, with brightness and with color.
    """

    zero_point: float
    error: float
    rms: float
    intrinsic_scatter: float
    n_star: int
    used: NDArray[np.bool_]
    n_considered: int = 0
    overall_scatter: float = float("nan")
    trends: Trends = NO_TRENDS


def fit_zero_point(
    *,
    flux: ArrayLike,
    flux_err: ArrayLike,
    ref_magnitude: ArrayLike,
    ref_magnitude_err: ArrayLike | None = None,
    color: ArrayLike | None = None,
    color_term: float = 0.0,
    use: ArrayLike | None = None,
    clip: float = 3.0,
    iterations: int = 20,
    sigma_max: float = 0.25,
) -> ZeroPoint:
    """Fit the zero point of matched stars.

    The start is the median; then stars further off than ``clip`` times the scatter are dropped, from all stars again
    in each round, and the rest averaged with weights from the errors and from the scatter that the errors leave
    unexplained; of these, in the end, those far off count little.

    Parameters
    ----------
    flux, flux_err : array-like, shape (n,)
        Fluxes of the matched stars and their errors, counts.
    ref_magnitude, ref_magnitude_err : array-like, shape (n,)
        Magnitudes of the reference stars and their errors; errors that are absent or not finite count as zero.
    color : array-like, shape (n,), optional
        Color of the reference stars, magnitudes; needed if ``color_term`` is not zero.
    color_term : float
        Slope by which ``color`` changes the reference magnitude into this filter's, added: magnitudes per magnitude.
    use : array-like of bool, shape (n,), optional
        Stars to consider; all if absent.
    clip : float
        Standard deviations at which stars are dropped.
    iterations : int
        Largest number of rounds.
    sigma_max : float
        Largest standard deviation to clip with, magnitudes: keeps a wild sample from accepting everything.

    Returns
    -------
    ZeroPoint
        NaN and ``n_star`` 0 if there is no usable star.

    Raises
    ------
    ValueError
        If a color term is given without colors.
    """
    counts, counts_err = np.asarray(flux, np.float64), np.asarray(flux_err, np.float64)
    magnitude = np.asarray(ref_magnitude, np.float64)
    if color_term != 0.0:
        if color is None:
            raise ValueError(f"a color term of {color_term} needs the colors of the reference stars")
        magnitude = magnitude + color_term * np.asarray(color, np.float64)
    reference_err = np.zeros(counts.shape)
    if ref_magnitude_err is not None:
        given = np.asarray(ref_magnitude_err, np.float64)
        reference_err = np.where(np.isfinite(given) & (given > 0), given, 0.0)
    considered = (counts > 0) & np.isfinite(counts) & (counts_err >= 0) & np.isfinite(counts_err)
    considered &= np.isfinite(magnitude)
    if use is not None:
        considered &= np.asarray(use, bool)
    index = np.flatnonzero(considered)
    used = np.zeros(counts.shape, bool)
    if not len(index):
        return ZeroPoint(np.nan, np.nan, np.nan, np.nan, 0, used)
    values = magnitude[index] + 2.5 * np.log10(counts[index])
    variance = (_MAGNITUDE_PER_RELATIVE_FLUX * counts_err[index] / counts[index]) ** 2 + reference_err[index] ** 2

    center = float(np.median(values))
    sigma = min(1.4826 * float(np.median(np.abs(values - center))), sigma_max)
    keep = np.ones(len(values), bool)
    intrinsic = 0.0
    for _ in range(max(iterations, 1)):
        # a faint star may be off by its own error without being wrong
        near = np.abs(values - center) <= clip * np.minimum(
            np.sqrt(np.maximum(sigma**2, variance + intrinsic**2)), sigma_max
        )
        if not near.any():
            near = np.abs(values - center) == np.min(np.abs(values - center))
        intrinsic = _intrinsic_scatter(values[near], variance[near])
        weight = _weight(variance[near], intrinsic)
        center = float(np.sum(weight * values[near]) / np.sum(weight))
        sigma = min(1.4826 * float(np.median(np.abs(values[near] - center))), sigma_max)
        if np.array_equal(near, keep):
            break
        keep = near
    n = int(near.sum())
    used[index[near]] = True
    n_considered = len(index)
    overall = 1.4826 * float(np.median(np.abs(values - center))) if n_considered > 1 else np.nan
    if n == 1:
        return ZeroPoint(center, np.nan, np.nan, np.nan, 1, used, n_considered, overall)
    weight = _weight(variance[near], intrinsic)
    center = _bulk_mean(values[near], weight, center)
    spread = float(np.sqrt(np.sum(weight * (values[near] - center) ** 2) / (n - 1)))
    error = spread / float(np.sqrt(np.sum(weight)))
    return ZeroPoint(center, error, robust_sigma(values[near]), intrinsic, n, used, n_considered, overall)


def _bulk_mean(values: NDArray[np.float64], weight: NDArray[np.float64], start: float) -> float:
    """Mean of the bulk: what lies far off counts little (Beaton & Tukey 1974), since neighbors only ever add light."""
    center = start
    for _ in range(BULK_ROUNDS):
        bulk = weight * np.maximum(1.0 - weight * ((values - center) / BIWEIGHT) ** 2, 0.0) ** 2
        if not bulk.sum() > 0:
            return start
        center = float(np.sum(bulk * values) / np.sum(bulk))
    return center


def _weight(variance: NDArray[np.float64], intrinsic: float) -> NDArray[np.float64]:
    """Return weights; equal ones where nothing at all is known of the errors."""
    total = variance + intrinsic**2
    return np.asarray(1.0 / total, np.float64) if (total > 0).all() else np.ones(len(variance))


def _intrinsic_scatter(values: NDArray[np.float64], variance: NDArray[np.float64]) -> float:
    """Return the scatter that brings the weighted sum of squares to its expectation; zero if the errors suffice.

    The sum falls monotonically with the scatter, so halving an interval finds it.
    """
    n = len(values)
    if n < 2:
        return 0.0
    low, high = 0.0, float(np.std(values, ddof=1)) * 1.5
    for _ in range(40):
        middle = 0.5 * (low + high)
        weight = _weight(variance, middle)
        center = np.sum(weight * values) / np.sum(weight)
        if (variance + middle**2 > 0).all() and np.sum(weight * (values - center) ** 2) < n - 1:
            high = middle
        else:
            low = middle
    return high if high > 1e-9 else 0.0
