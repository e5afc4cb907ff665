"""A fit to stars in common that leaves out what does not repeat, and learns how well measurements repeat."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from obs.algorithms.relative.solve import Anchors, Solution, solve_relative
from obs.frozen import frozen

__all__ = ["RobustFit", "fit_robustly", "leave_one_out_scatter"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

_MAX_ITERATIONS = 15
_FEWEST_KEPT = 0.75  # share; if fewer can be kept, the errors are wrong, not the measurements
_NORMAL_MEDIAN = 0.6744897501960817  # of the absolute value of a normal distribution
_LARGEST_RESIDUAL = 10.0  # sigma; what is farther off counts as this
_LEAST_OF_TERM = 0.5  # share of the measurements of a term (an image) that a choice before any fit must leave
_ABSOLUTE_STEPS, _NEAR = 12, 0.3  # iterations of the fit of least absolute deviations; sigma within which it is square


@frozen
class RobustFit:
    """A fit, and what it was made from.

    Parameters
    ----------
    solution : Solution
        The fit.
    residual : ndarray of float64, shape (n,)
        Each measurement minus its star's value, also of measurements that were left out; NaN if the star has no other.
    kept : ndarray of bool, shape (n,)
        Measurements that the fit used.
    anchor_kept : ndarray of bool, shape (m,)
        Anchors that the fit used.
    odd_star : ndarray of bool, shape (n_star,)
        Stars all of whose measurements were left out, because they scatter more than their errors allow.
    floor, anchor_floor : float
        Standard deviation that is added in quadrature to the errors of measurements, and of anchors.
    weight, anchor_weight : ndarray of float64, shape (n,) and (m,)
        Inverse variances that the fit used; 0 for what was left out.
    """

    solution: Solution
    residual: Floats
    kept: Bools
    anchor_kept: Bools
    odd_star: Bools
    floor: float
    anchor_floor: float
    weight: Floats
    anchor_weight: Floats


def fit_robustly(
    design: sparse.csr_array,
    value: Floats,
    sigma: Floats,
    star: Ints,
    *,
    n_star: int,
    prior: Floats,
    anchors: Anchors,
    anchor_sigma: Floats,
    pairs: int = 1,
    clip: float = 4.0,
) -> RobustFit:
    """Fit, leave out what is too far off, add to the errors what they lack, and repeat until nothing changes.

    Parameters
    ----------
    design : csr_array of float64, shape (n, n_parameter)
        Change of each measurement with each parameter.
    value : ndarray of float64, shape (n,)
        Measurements.
    star : ndarray of int, shape (n,)
        Star of each measurement.
    n_star : int
        Number of stars.
    prior : ndarray of float64, shape (n_parameter,)
        Inverse variance with which each parameter is known to be 0.
    sigma : ndarray of float64, shape (n,)
        Standard errors of the measurements.
    anchors : Anchors
        Known values; their weights are not used.
    anchor_sigma : ndarray of float64, shape (m,)
        Standard errors of the known values.
    pairs : int, optional
        2 if the second half of measurements, stars and anchors is the second coordinate of the first half: then a pair
        is left out as a whole.
    clip : float, optional
        Measurements farther off than so many standard errors are left out.
    """
    floor, anchor_floor, kept, anchor_kept = _start(value, sigma, star, n_star, anchors, clip, pairs)
    terms = abs(design)
    if np.any(terms.T @ kept < _LEAST_OF_TERM * (terms.T @ np.ones(len(value)))):
        # An image that is off as a whole would be left out, and so would all of its stars.
        aligned = value + design @ _fit_absolute(design, value, sigma, star, n_star, prior, anchors, anchor_sigma)
        floor, anchor_floor, kept, anchor_kept = _start(aligned, sigma, star, n_star, anchors, clip, pairs)
    odd, wrong_errors = np.zeros(n_star, bool), False
    for step in range(_MAX_ITERATIONS):
        weight = np.where(kept & ~odd[star], 1.0 / (sigma**2 + floor**2), 0.0)
        anchor_weight = np.where(anchor_kept, 1.0 / (anchor_sigma**2 + anchor_floor**2), 0.0)
        held = replace(anchors, weight=anchor_weight)
        solution = solve_relative(design, value, weight, star, n_star=n_star, prior=prior, anchors=held)
        fitted = value + design @ solution.parameters
        variance, anchor_variance = sigma**2 + floor**2, anchor_sigma**2 + anchor_floor**2
        means = _judging_means(star, fitted, variance, kept, anchors, anchor_variance, anchor_kept, n_star)
        residual, error = _leave_one_out(fitted, variance, means, means.weight, star)
        off, off_error = _leave_one_out(anchors.value, anchor_variance, means, means.anchor_weight, anchors.star)
        in_fit, known = kept & ~odd[star], np.isfinite(residual)
        few_kept = np.count_nonzero(in_fit & known) < _FEWEST_KEPT * np.count_nonzero(known)
        wrong_errors = wrong_errors or bool(few_kept)
        new_floor = _floor(residual, sigma, error, floor, in_fit | wrong_errors)
        new_anchor_floor = _floor(off, anchor_sigma, off_error, anchor_floor, anchor_kept)
        now_kept = _within(residual, error, clip, pairs)
        now_anchor_kept = _within(off, off_error, clip, pairs)
        now_odd = _odd_stars(residual / error, star, n_star, pairs) if step else odd
        is_settled = abs(new_floor - floor) < 0.02 * max(floor, np.median(sigma) * 0.05)
        is_settled &= abs(new_anchor_floor - anchor_floor) <= 0.02 * anchor_floor + 1e-12
        same = np.array_equal(now_kept, kept) and np.array_equal(now_anchor_kept, anchor_kept)
        if step and same and is_settled and np.array_equal(now_odd, odd):
            break
        kept, anchor_kept, odd, floor, anchor_floor = now_kept, now_anchor_kept, now_odd, new_floor, new_anchor_floor
    used = kept & ~odd[star]
    return RobustFit(solution, residual, used, anchor_kept, odd, floor, anchor_floor, weight, anchor_weight)


def leave_one_out_scatter(value: Floats, weight: Floats, star: Ints, n_star: int) -> Floats:
    """Return each value minus the mean of the other values of its star, as noisy as one value.

    Shape (n,); NaN where a star has no other value of any weight. The differences are divided by the square root of
    1 + 1 / (number of others of the same weight), so that their scatter is that of single values.

    Parameters
    ----------
    value : ndarray of float64, shape (n,)
        Values, in any unit.
    weight : ndarray of float64, shape (n,)
        Weights; values with weight 0 count for no star and give NaN.
    star : ndarray of int64, shape (n,)
        Number of the star of each value, from 0.
    n_star : int
        Number of stars.
    """
    total, above = np.bincount(star, weight, n_star)[star], np.bincount(star, weight * value, n_star)[star]
    others = total - weight
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = (above - weight * value) / others
        scaled = (value - mean) / np.sqrt(1.0 + weight / others)
    return np.where((others > 1e-9 * total) & (weight > 0), scaled, np.nan)


def _start(
    value: Floats, sigma: Floats, star: Ints, n_star: int, anchors: Anchors, clip: float, pairs: int
) -> tuple[float, float, Bools, Bools]:
    """Return first floors and choices, from how well the measurements repeat before any fit.

    A least-squares fit to everything would spread what is wrong over all measurements, where it is not found again.
    """
    off = value - _medians(value, star, n_star)[star]
    off = np.where(np.bincount(star, minlength=n_star)[star] > 1, off, np.nan)
    known = np.full(n_star, np.nan)
    known[anchors.star] = anchors.value
    anchor_off = (_medians(value, star, n_star) - known)[anchors.star]
    scales = [float(np.nanmedian(np.abs(part))) / _NORMAL_MEDIAN if np.isfinite(part).any() else 0.0
              for part in (off, anchor_off)]  # fmt: skip
    kept = _within(off, np.hypot(scales[0], sigma), clip, pairs)
    anchor_kept = _within(anchor_off, np.full(len(anchor_off), max(scales[1], 1e-12)), clip, pairs)
    return scales[0], scales[1], kept, anchor_kept


def _fit_absolute(
    design: sparse.csr_array,
    value: Floats,
    sigma: Floats,
    star: Ints,
    n_star: int,
    prior: Floats,
    anchors: Anchors,
    anchor_sigma: Floats,
) -> Floats:
    """Return the parameters of least absolute deviations, which outliers do not draw (Schlossmacher 1973)."""
    scatter, anchor_scatter = sigma, anchor_sigma
    for _ in range(_ABSOLUTE_STEPS):
        weight, held = 1.0 / (sigma * scatter), replace(anchors, weight=1.0 / (anchor_sigma * anchor_scatter))
        solution = solve_relative(design, value, weight, star, n_star=n_star, prior=prior, anchors=held)
        off = value + design @ solution.parameters - solution.star_value[star]
        scatter = np.maximum(np.abs(off), _NEAR * sigma)
        anchor_off = np.abs(anchors.value - solution.star_value[anchors.star])
        anchor_scatter = np.maximum(anchor_off, _NEAR * anchor_sigma)
    return solution.parameters


def _medians(value: Floats, star: Ints, n_star: int) -> Floats:
    """Return the median of each star's values; NaN for stars without any."""
    order = np.lexsort((value, star))
    count = np.bincount(star, minlength=n_star)
    first = np.cumsum(count) - count
    ordered = np.append(value[order], np.nan)
    low = np.minimum(first + np.maximum(count - 1, 0) // 2, len(value))
    high = np.minimum(first + count // 2, len(value))
    return np.where(count > 0, 0.5 * (ordered[low] + ordered[high]), np.nan)


@frozen
class _Means:
    """Means of stars, and the weights that they were taken with."""

    value: Floats
    total: Floats
    weight: Floats
    anchor_weight: Floats


def _judging_means(
    star: Ints,
    fitted: Floats,
    variance: Floats,
    kept: Bools,
    anchors: Anchors,
    anchor_variance: Floats,
    anchor_kept: Bools,
    n_star: int,
) -> _Means:
    """Return means of stars that measurements are compared with.

    Stars that are left out of the fit have one too, of all their measurements if none was kept. Otherwise nothing
    would contradict them, they would come back, and the fit would take them in and leave them out in turn.
    """
    alive = np.bincount(star, kept, n_star) + np.bincount(anchors.star, anchor_kept, n_star) > 0
    weight = np.where(kept | ~alive[star], 1.0 / variance, 0.0)
    anchor_weight = np.where(anchor_kept | ~alive[anchors.star], 1.0 / anchor_variance, 0.0)
    total = (np.bincount(star, weight, n_star) + np.bincount(anchors.star, anchor_weight, n_star)).astype(np.float64)
    above = np.bincount(star, weight * fitted, n_star) + np.bincount(
        anchors.star, anchor_weight * anchors.value, n_star
    )
    return _Means(np.divide(above, total, out=np.zeros(n_star), where=total > 0), total, weight, anchor_weight)


def _leave_one_out(value: Floats, variance: Floats, means: _Means, weight: Floats, star: Ints) -> tuple[Floats, Floats]:
    """Return values minus what the rest says of their stars, and the errors of that; NaN where there is no rest."""
    total, mean = means.total[star], means.value[star]
    others = total - weight
    has_others = others > 1e-9 * np.maximum(total, 1e-300)
    with np.errstate(divide="ignore", invalid="ignore"):
        rest = (total * mean - weight * value) / others
        error = np.sqrt(variance + 1.0 / others)
    return np.where(has_others, value - rest, np.nan), np.where(has_others, error, np.nan)


def _within(residual: Floats, error: Floats, clip: float, pairs: int) -> Bools:
    with np.errstate(invalid="ignore"):
        good = ~(np.abs(residual) > clip * error)
    if pairs == 2:
        half = len(good) // 2
        both = good[:half] & good[half:]
        good = np.concatenate([both, both])
    return good


def _floor(residual: Floats, sigma: Floats, error: Floats, floor: float, used: Bools) -> float:
    """Return the error to be added so that the better half of the measurements scatters as expected."""
    used = used & np.isfinite(residual)
    if used.sum() < 8:
        return floor
    better = used & (sigma <= np.median(sigma[used]))
    square = residual[better] ** 2
    # What the other measurements of the star contribute to the error stays as it is.
    rest = error[better] ** 2 - floor**2
    low, high = 0.0, float(np.sqrt(np.median(square)) / _NORMAL_MEDIAN) * 1.5
    for _ in range(40):
        middle = 0.5 * (low + high)
        is_low = np.median(np.sqrt(square / (rest + middle**2))) > _NORMAL_MEDIAN
        low, high = (middle, high) if is_low else (low, middle)
    return 0.5 * (low + high) if high > 0 else 0.0


def _odd_stars(normalized: Floats, star: Ints, n_star: int, pairs: int) -> Bools:
    """Return stars whose measurements, all of them, scatter more than their errors allow."""
    if pairs == 2:
        return np.zeros(n_star, bool)
    known = np.isfinite(normalized)
    square = np.minimum(np.abs(normalized[known]), _LARGEST_RESIDUAL) ** 2
    chi2, n = np.bincount(star[known], square, n_star), np.bincount(star[known], minlength=n_star)
    return np.asarray((n > 2) & (chi2 > n + 6.0 * np.sqrt(2.0 * n)))
