"""Aperture correction: the ratio of a reference flux to another flux as a smooth function of position."""

from dataclasses import dataclass

import numpy as np
from numpy.polynomial import chebyshev
from numpy.typing import ArrayLike, NDArray

from obs.errors import MeasurementError

__all__ = ["ApertureCorrection", "fit_aperture_correction"]


TIE = 0.05
"""Orders whose squared errors of prediction differ by less than this predict equally well."""

ROUNDS = 8
"""Rounds of reweighting; few stars settle in fewer."""

BIWEIGHT = 3.0
"""Residuals of this many standard deviations do not count at all in the end."""

HALF_WITHIN = 0.4549
"""Median of the square of a standard normal variable."""


@dataclass(frozen=True, slots=True, eq=False)
class ApertureCorrection:
    """A Chebyshev polynomial over a detector, by which a flux is multiplied.

    Parameters
    ----------
    coefficients : ndarray of float64, shape (order + 1, order + 1)
        Coefficient ``[i, j]`` of ``T_i(x) T_j(y)``, zero for ``i + j > order``; NaN if there was no star.
    covariance : ndarray of float64, shape (n_term, n_term)
        Covariance of the coefficients with ``i + j <= order``, in the order ``i`` outer, ``j`` inner.
    shape : tuple of int
        Shape (ny, nx) of the detector, over which the polynomials run from -1 to 1.
    scatter : float
        Standard deviation of the ratio of the stars about the fit; NaN where no degree of freedom is left.
    n_star : int
        Number of stars after clipping.
    used : ndarray of bool, shape (n,)
        Which of the sources handed to the fit these are.
    """

    coefficients: NDArray[np.float64]
    covariance: NDArray[np.float64]
    shape: tuple[int, int]
    scatter: float
    n_star: int
    used: NDArray[np.bool_]

    @property
    def order(self) -> int:
        """Total order of the polynomial."""
        return len(self.coefficients) - 1

    def evaluate(self, *, x: ArrayLike, y: ArrayLike) -> NDArray[np.float64]:
        """Return the factor at positions in pixels, shape of ``x``."""
        u, v = _unit_square(x, y, self.shape)
        return np.asarray(chebyshev.chebval2d(u, v, self.coefficients), np.float64)

    def evaluate_error(self, *, x: ArrayLike, y: ArrayLike) -> NDArray[np.float64]:
        """Return the standard error of the factor at positions in pixels, shape of ``x``."""
        u, v = _unit_square(x, y, self.shape)
        terms = _design(u, v, self.order)
        variance = np.einsum("...i,ij,...j->...", terms, self.covariance, terms)
        return np.asarray(np.sqrt(np.maximum(variance, 0.0)), np.float64)


def fit_aperture_correction(
    *,
    x: ArrayLike,
    y: ArrayLike,
    flux: ArrayLike,
    reference_flux: ArrayLike,
    use: ArrayLike,
    shape: tuple[int, int],
    flux_err: ArrayLike | None = None,
    reference_flux_err: ArrayLike | None = None,
    order: int = 2,
    min_degrees_of_freedom: int = 1,
    clip: float = 3.0,
    iterations: int = 4,
    robust: bool = True,
    name: str = "flux",
    require: bool = False,
) -> ApertureCorrection:
    """Fit the ratio ``reference_flux / flux`` of stars as a polynomial in position.

    Parameters
    ----------
    x, y : array-like, shape (n,)
        Positions, pixels.
    flux, reference_flux : array-like, shape (n,)
        Flux to be corrected, and flux of the same source in the reference aperture, one unit.
    use : array-like of bool, shape (n,)
        Bright, unblended stars; those without finite positive fluxes are left out.
    shape : tuple of int
        Shape (ny, nx) of the detector.
    flux_err, reference_flux_err : array-like, shape (n,), optional
        Errors of the fluxes. Both fluxes count the same photons, so the larger relative error of the two, not their
        sum, weighs a star; all stars weigh the same if neither is given.
    order : int
        Largest total order; lowered until ``min_degrees_of_freedom`` are left, and further where a lower order predicts
        stars that are left out of the fit better.
    min_degrees_of_freedom : int
        Stars that must be left beyond the number of coefficients.
    clip : float
        Stars further from the fit than this many standard deviations are dropped.
    iterations : int
        Largest number of rounds of clipping.
    robust : bool
        Let large residuals hardly count; else least squares.
    name : str
        What is corrected, for the message.
    require : bool
        Raise if there is no star, instead of a correction that is NaN everywhere.

    Returns
    -------
    ApertureCorrection
        The polynomial.

    Raises
    ------
    MeasurementError
        If ``require`` and no star is left.
    """
    position_x, position_y = np.asarray(x, np.float64), np.asarray(y, np.float64)
    numerator, denominator = np.asarray(reference_flux, np.float64), np.asarray(flux, np.float64)
    usable = np.asarray(use, bool) & (numerator > 0) & (denominator > 0)
    usable &= np.isfinite(numerator) & np.isfinite(denominator) & np.isfinite(position_x) & np.isfinite(position_y)
    error = _relative_error(denominator, flux_err, numerator, reference_flux_err)
    usable &= np.isfinite(error)
    index = np.flatnonzero(usable)
    if len(index) < 1 + min_degrees_of_freedom:
        if require:
            raise MeasurementError(
                f"no aperture correction of {name}: {len(index)} usable stars, {1 + min_degrees_of_freedom} are "
                "needed; lower the limits of the star selection or turn the correction off"
            )
        nan = np.full((1, 1), np.nan)
        return ApertureCorrection(nan, nan, shape, np.nan, 0, np.zeros(len(usable), bool))
    ratio, sigma = numerator[index] / denominator[index], error[index]
    u, v = _unit_square(position_x[index], position_y[index], shape)

    keep = _core(ratio, clip)
    largest = order
    for _ in range(max(iterations, 1)):
        affordable = _affordable_order(largest, int(keep.sum()) - min_degrees_of_freedom)
        order = _predictive_order(u[keep], v[keep], ratio[keep], sigma[keep], affordable)
        terms = _design(u, v, order)
        weight = _weight(sigma, ratio, terms, keep)
        solution = _solve(terms[keep], ratio[keep], weight[keep], BIWEIGHT if robust else np.inf)
        residual = ratio - terms @ solution
        degrees = int(keep.sum()) - terms.shape[1]
        scatter = float(np.sqrt(np.sum(residual[keep] ** 2) / degrees)) if degrees > 0 else np.nan
        clipped = np.abs(residual) <= clip * scatter if scatter > 0 else keep
        if clipped.sum() < 1 + min_degrees_of_freedom or np.array_equal(clipped, keep):
            break
        keep = clipped
    normal = (terms[keep] * weight[keep, None] ** 2).T @ terms[keep]
    covariance = np.asarray(np.linalg.pinv(normal), np.float64) * _variance_factor(
        residual[keep] * weight[keep], degrees, BIWEIGHT if robust else np.inf
    )
    coefficients = np.zeros((order + 1, order + 1))
    coefficients[_triangle(order)] = solution
    used = np.zeros(len(usable), bool)
    used[index[keep]] = True
    return ApertureCorrection(coefficients, covariance, shape, scatter, int(keep.sum()), used)


def _unit_square(x: ArrayLike, y: ArrayLike, shape: tuple[int, int]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Map the pixels' outer edges to -1 and 1."""
    u = (np.asarray(x, np.float64) + 0.5) / shape[1] * 2.0 - 1.0
    v = (np.asarray(y, np.float64) + 0.5) / shape[0] * 2.0 - 1.0
    return u, v


def _triangle(order: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the pairs i, j with ``i + j <= order``, i outer."""
    i, j = np.meshgrid(np.arange(order + 1), np.arange(order + 1), indexing="ij")
    inside = i + j <= order
    return i[inside], j[inside]


def _design(u: NDArray[np.float64], v: NDArray[np.float64], order: int) -> NDArray[np.float64]:
    """Return the polynomials' values, shape (..., n_term)."""
    i, j = _triangle(order)
    return np.asarray(chebyshev.chebvander(u, order)[..., i] * chebyshev.chebvander(v, order)[..., j], np.float64)


def _affordable_order(order: int, n: int) -> int:
    """Lower an order until its coefficients number at most ``n``."""
    while order > 0 and (order + 1) * (order + 2) // 2 > n:
        order -= 1
    return order


def _predictive_order(
    u: NDArray[np.float64], v: NDArray[np.float64], ratio: NDArray[np.float64], sigma: NDArray[np.float64], largest: int
) -> int:
    """Return the largest order among those that predict stars best which are left out of the fit, one at a time."""
    everything = np.ones(len(ratio), bool)
    weight = _weight(sigma, ratio, _design(u, v, largest), everything)
    errors = []
    for order in range(largest + 1):
        terms = _design(u, v, order) * weight[:, None]
        basis = np.linalg.svd(terms, full_matrices=False)[0]
        target = ratio * weight
        residual = target - basis @ (basis.T @ target)
        # the residual of a star that the fit does not know follows from its leverage on the fit that does
        leverage = np.minimum((basis**2).sum(1), 1 - 1e-9)
        errors.append(float(np.sum((residual / (1 - leverage)) ** 2)))
    # a surface that predicts as well as a flatter one to within the chance of few stars is still the better guess
    return int(np.flatnonzero(np.array(errors) <= (1 + TIE) * min(errors))[-1])


def _relative_error(
    flux: NDArray[np.float64],
    flux_err: ArrayLike | None,
    reference_flux: NDArray[np.float64],
    reference_flux_err: ArrayLike | None,
) -> NDArray[np.float64]:
    """Return the larger relative error of the two fluxes; zero where neither is known."""
    error = np.zeros(flux.shape)
    for value, value_err in ((flux, flux_err), (reference_flux, reference_flux_err)):
        if value_err is not None:
            with np.errstate(divide="ignore", invalid="ignore"):
                error = np.maximum(error, np.asarray(value_err, np.float64) / np.abs(value))
    return error


def _core(values: NDArray[np.float64], clip: float) -> NDArray[np.bool_]:
    """Return which values are near the median, so that a gross outlier does not bend the first fit."""
    deviation = np.abs(values - np.median(values))
    spread = 1.4826 * np.median(deviation)
    return np.asarray(deviation <= max(2.0 * clip * spread, 1e-12), bool)


def _solve(
    terms: NDArray[np.float64], ratio: NDArray[np.float64], weight: NDArray[np.float64], limit: float
) -> NDArray[np.float64]:
    """Least squares in which large residuals count less, and then hardly: Huber (1964), Beaton & Tukey (1974).

    Residuals of ``limit`` standard deviations do not count at all in the end; an infinite limit is plain least squares.

    What neighbors too faint to be known add to apertures is never negative, and pulls a mean more than a mode.
    """
    robust = weight
    for number in range(2 * ROUNDS if np.isfinite(limit) else 1):
        solution = np.linalg.lstsq(terms * robust[:, None], ratio * robust, rcond=None)[0]
        deviation = np.abs(ratio - terms @ solution) * weight
        if number < ROUNDS:
            robust = weight / np.sqrt(np.maximum(deviation, 1.0))
        else:
            robust = weight * np.maximum(1.0 - (deviation / limit) ** 2, 0.0)
    return np.asarray(solution, np.float64)


def _variance_factor(deviation: NDArray[np.float64], degrees: int, limit: float) -> float:
    """Variance of the solution in units of that of least squares with unit errors (Huber 1981, section 7.6)."""
    u2 = np.minimum((deviation / limit) ** 2, 1.0)
    slope = float(np.mean((1.0 - u2) * (1.0 - 5.0 * u2)))
    if degrees <= 0 or slope <= 0:
        return float("nan")
    return float(np.sum((deviation * (1.0 - u2) ** 2) ** 2)) / degrees / slope**2


def _weight(
    sigma: NDArray[np.float64], ratio: NDArray[np.float64], terms: NDArray[np.float64], keep: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Return the square roots of the weights; the scatter that errors do not explain keeps one star from ruling."""
    weight = 1.0 / np.maximum(sigma, 1e-12) if (sigma[keep] > 0).all() else np.ones(len(sigma))
    for _ in range(3):
        solution = np.linalg.lstsq(terms[keep] * weight[keep, None], ratio[keep] * weight[keep], rcond=None)[0]
        variance = sigma**2 + _excess_variance(ratio[keep] - terms[keep] @ solution, sigma[keep])
        weight = np.where(variance > 0, 1.0 / np.sqrt(np.maximum(variance, 1e-24)), 1.0)
    return weight


def _excess_variance(residual: NDArray[np.float64], sigma: NDArray[np.float64]) -> float:
    """Return what must be added to the variances for half of the residuals to lie within 0.67 sigma."""
    square = residual**2
    low, high = 0.0, float(np.median(square)) / HALF_WITHIN
    for _ in range(40):
        middle = 0.5 * (low + high)
        too_small = np.median(square / np.maximum(sigma**2 + middle, 1e-30)) > HALF_WITHIN
        low, high = (middle, high) if too_small else (low, middle)
    return high
