"""Fit a smooth surface to values of stars, no rougher than the stars prove.

The surface is a polynomial whose coefficients are expected to be small, the more so the higher their order. Fits of
several expectations, from a constant onward, are averaged. Each is weighted by how well it predicts stars that are left
out, with a cost for each free coefficient (Burnham & Anderson 2002, Model selection and multimodel inference, chapter
4). So the surface departs from a constant as far as it earns its place, and one star more or less does not make it flip
between exposures of one field.
"""

import numpy as np
from numpy.typing import NDArray

from obs.algorithms.photometry.surface import Surface, design_matrix, triangle
from obs.frozen import frozen

__all__ = ["SurfaceFit", "fit_surface"]

AMPLITUDES = np.array([0.0, 0.0003, 0.0007, 0.0016, 0.0036, 0.0083, 0.019, 0.044, 0.1])
"""Expected standard deviations of a linear coefficient; those of order n are n times smaller."""

STARS_PER_COEFFICIENT = 3
"""Fewer stars than this for each coefficient make wild surfaces, which their own predictions do not always tell."""

LEAST_WEIGHT = 0.01
"""Fits of less weight are left out."""

LARGEST_ERROR = 9.0
"""Squared error of prediction, in units of its variance, above which a star counts no further against a fit."""

ROUNDS = 8
"""Rounds of reweighting; few stars settle in fewer."""

BIWEIGHT = 3.0
"""Residuals of this many standard deviations do not count at all in the end."""

SETTLED = 1e-3
"""Reweighting ends when no star's weight changes by more."""

HALVINGS = 20
"""Halvings of an interval that find the scatter to one in a million of the largest that it can be."""

HALF_WITHIN = 0.4549
"""Median of the square of a standard normal variable."""


@frozen(eq=False)
class SurfaceFit:
    """A surface, its error, and the values that it was fitted to.

    Parameters
    ----------
    surface : Surface
        Coefficients are zero for ``i + j`` above the order.
    covariance : ndarray of float64, shape (n_term, n_term)
        Covariance of the coefficients in the order of `triangle`.
    freedom : float
        Coefficients that the stars decided, rather than the expectation: one for a constant.
    excess : float
        Scatter that the errors do not explain.
    keep : ndarray of bool, shape (n,)
        Values that count.
    """

    surface: Surface
    covariance: NDArray[np.float64]
    freedom: float
    excess: float
    keep: NDArray[np.bool_]

    @property
    def order(self) -> int:
        """Total order of the polynomial."""
        return len(self.surface.coefficients) - 1

    def evaluate_error(self, x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the standard error of the surface at positions, pixels, shape (...).

        Parameters
        ----------
        x, y : ndarray of float64
            Positions on the detector, 0-based pixels.
        """
        terms = design_matrix(x, y, self.surface.shape, self.order)
        variance = np.einsum("...i,ij,...j->...", terms, self.covariance, terms)
        return np.asarray(np.sqrt(np.maximum(variance, 0.0)), np.float64)

    def expecting(self, level: float, sigma: float) -> "SurfaceFit":
        """Return the fit if a constant level was expected before, with a standard deviation of each coefficient.

        Parameters
        ----------
        level : float
            Expected constant, in the unit of the surface.
        sigma : float
            Standard deviation of each coefficient about its expected value.

        Returns
        -------
        SurfaceFit
            This fit itself if its covariance is not finite.
        """
        if not np.isfinite(self.covariance).all():
            return self
        prior = sigma**2 * np.eye(len(self.covariance))
        share = prior @ np.linalg.inv(prior + self.covariance)
        index, coefficients = triangle(self.order), self.surface.coefficients.copy()
        expected = np.where(np.sum(index, axis=0) == 0, level, 0.0)
        coefficients[index] = expected + share @ (coefficients[index] - expected)
        surface = Surface(coefficients, self.surface.shape)
        return SurfaceFit(surface, share @ self.covariance, self.freedom, self.excess, self.keep)


def fit_surface(
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    values: NDArray[np.float64],
    sigma: NDArray[np.float64],
    shape: tuple[int, int],
    *,
    order: int,
    clip: float,
    robust: bool,
) -> SurfaceFit:
    """Fit polynomials up to an order.

    Parameters
    ----------
    x, y : ndarray of float64, shape (n,)
        Positions, pixels; at least one.
    values, sigma : ndarray of float64, shape (n,)
        Values, and their errors. Scatter beyond the errors is found and added to them.
    shape : tuple of int
        Shape (ny, nx) of the detector.
    order : int
        Largest total order; lower if the stars are few.
    clip : float
        Values further from the surface than this many standard deviations are dropped.
    robust : bool
        Let large residuals hardly count; else those that are kept count by their errors alone.

    Returns
    -------
    SurfaceFit
    """
    count = _core(values, sigma, clip).astype(float)
    while order > 0 and STARS_PER_COEFFICIENT * (order + 1) * (order + 2) // 2 > count.sum():
        order -= 1
    terms = design_matrix(x, y, shape, order)
    # until a surface is known, what it will explain counts as scatter: no star rules by its small error
    excess = _excess_variance(values - np.median(values), sigma)
    for number in range(2 * ROUNDS):
        last = excess
        weight = 1.0 / np.sqrt(np.maximum(sigma**2 + excess, 1e-24))
        fit = _average(terms, values, weight, count, order)
        excess = _excess_variance(fit.predicted_error[count > 0], sigma[count > 0])
        weight = 1.0 / np.sqrt(np.maximum(sigma**2 + excess, 1e-24))
        # all values are judged anew in each round, by their own errors
        deviation = np.abs(values - terms @ fit.solution) * weight
        new = _count(deviation, clip, robust=robust, settled=number >= ROUNDS)
        settled = (number > ROUNDS or not robust) and float(np.abs(new - count).max()) < SETTLED
        settled &= abs(excess - last) <= SETTLED * excess
        if settled or not (new > 0).any():
            break
        count = new
    keep = count > 0
    limit = BIWEIGHT if robust else np.inf
    spread = _variance_factor(deviation[keep], int(keep.sum()) - fit.freedom, limit)
    coefficients = np.zeros((order + 1, order + 1))
    coefficients[triangle(order)] = fit.solution
    # the formula wants the normal matrix of values that all count in full
    covariance = spread * float(count[keep].mean()) * fit.covariance
    return SurfaceFit(Surface(coefficients, shape), covariance, fit.freedom, float(np.sqrt(excess)), keep)


@frozen
class _Fit:
    """Mean of the fits: coefficients, covariance for unit variance, and errors of prediction of the stars."""

    solution: NDArray[np.float64]
    covariance: NDArray[np.float64]
    freedom: float
    predicted_error: NDArray[np.float64]


def _average(
    terms: NDArray[np.float64],
    values: NDArray[np.float64],
    weight: NDArray[np.float64],
    count: NDArray[np.float64],
    order: int,
) -> _Fit:
    """Fit with every expectation, and average by how the fits predict stars that are left out one at a time."""
    scaled = weight * np.sqrt(count)
    basis, target = terms * scaled[:, None], values * scaled
    degree = np.sum(triangle(order), axis=0)
    normal = basis.T @ basis
    # without any amplitude only the constant is left, of which nothing is expected
    alone = np.zeros((1, *normal.shape))
    alone[0, 0, 0] = 1.0 / normal[0, 0]
    amplitudes = AMPLITUDES[AMPLITUDES > 0][:, None, None] if order > 0 else np.zeros((0, 1, 1))
    covariances = np.concatenate([alone, np.linalg.inv(normal + np.diag(degree**2.0) / amplitudes**2)])
    solutions = covariances @ (basis.T @ target)
    # the residual of a star that the fit does not know follows from its leverage on the fit that does
    leverage = np.minimum(((basis @ covariances) * basis).sum(2), 1 - 1e-9)
    errors = (values - solutions @ terms.T) / (1.0 - leverage)
    freedom = leverage.sum(1)
    square = (np.minimum((errors * weight) ** 2, LARGEST_ERROR) * count).sum(1)
    chi2 = square / max(float(square.min()), 1e-300) * count.sum() + freedom
    share = np.exp(-0.5 * (chi2 - chi2.min()))
    share[share < LEAST_WEIGHT * share.sum()] = 0.0
    share /= share.sum()
    mean = share @ solutions
    off = solutions - mean
    between = np.einsum("k,ki,kj->ij", share, off, off)
    covariance = np.einsum("k,kij->ij", share, covariances) + between
    return _Fit(mean, covariance, float(share @ freedom), share @ errors)


def _count(deviation: NDArray[np.float64], clip: float, *, robust: bool, settled: bool) -> NDArray[np.float64]:
    """Return the weight of each value: that of Huber at first, the biweight in the end.

    Huber (1964), Ann. Math. Stat. 35, 73; Beaton & Tukey (1974), Technometrics 16, 147.

    What neighbors too faint to be known add to apertures is never negative, and pulls a mean more than a mode.
    """
    near = (deviation <= clip).astype(float)
    if not robust:
        return near
    if not settled:
        return np.asarray(near / np.maximum(deviation, 1.0))
    return np.asarray(near * np.maximum(1.0 - (deviation / BIWEIGHT) ** 2, 0.0) ** 2)


def _core(values: NDArray[np.float64], sigma: NDArray[np.float64], clip: float) -> NDArray[np.bool_]:
    """Return which values are near the median, so that a gross outlier does not bend the first fit."""
    deviation = np.abs(values - np.median(values))
    spread = np.maximum(1.4826 * np.median(deviation), sigma)
    return np.asarray(deviation <= np.maximum(2.0 * clip * spread, 1e-12), bool)


def _variance_factor(deviation: NDArray[np.float64], degrees: float, limit: float) -> float:
    """Variance of the solution in units of that of least squares with unit errors (Huber 1981, section 7.6)."""
    u2 = np.minimum((deviation / limit) ** 2, 1.0)
    slope = float(np.mean((1.0 - u2) * (1.0 - 5.0 * u2)))
    if degrees <= 0 or slope <= 0:
        return float("nan")
    return float(np.sum((deviation * (1.0 - u2) ** 2) ** 2)) / degrees / slope**2


def _excess_variance(residual: NDArray[np.float64], sigma: NDArray[np.float64]) -> float:
    """Return what must be added to the variances for half of the residuals to be within 0.67 sigma."""
    square, variance = residual**2, sigma**2
    low, high = 0.0, float(np.median(square)) / HALF_WITHIN
    for _ in range(HALVINGS):
        middle = 0.5 * (low + high)
        too_small = _median(square / np.maximum(variance + middle, 1e-30)) > HALF_WITHIN
        low, high = (middle, high) if too_small else (low, middle)
    return high


def _median(values: NDArray[np.float64]) -> float:
    """Return the median of finite values, without the overhead of `numpy.median`, which is most of the time for few."""
    half = len(values) // 2
    if len(values) % 2:
        return float(np.partition(values, half)[half])
    ordered = np.partition(values, (half - 1, half))
    return float(0.5 * (ordered[half - 1] + ordered[half]))
