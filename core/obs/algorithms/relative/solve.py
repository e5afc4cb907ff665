"""Least squares with a free value for each star, which is eliminated.

A measurement of star s is ``value + design @ parameters = star value + noise``. There are far more stars than
parameters, so the stars' values are eliminated (a Schur complement) and the equations that are left are as many as the
parameters, as in block adjustment of photographic plates (Eichhorn 1960, AN 285, 233) and in the relative calibration
of surveys (Padmanabhan et al. 2008, ApJ 674, 1217).
"""

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.linalg import cho_factor, cho_solve

from obs.errors import MeasurementError
from obs.frozen import frozen

__all__ = ["Anchors", "Solution", "solve_relative"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

#: Pivots below this fraction of the diagonal are those of parameters that nothing determines.
_SINGULAR = 1e-12


@frozen
class Anchors:
    """Known values of some stars.

    Parameters
    ----------
    star : ndarray of int, shape (m,)
        Number of the star, each once.
    value, weight : ndarray of float64, shape (m,)
        Its value, and the inverse variance of that.
    """

    star: Ints
    value: Floats
    weight: Floats


@frozen
class Solution:
    """Solution of the fit, with its errors.

    Parameters
    ----------
    parameters : ndarray of float64, shape (n_parameter,)
        The parameters.
    covariance : ndarray of float64, shape (n_parameter, n_parameter)
        Their covariance, if the weights are inverse variances.
    star_value : ndarray of float64, shape (n_star,)
        Values of the stars; NaN where neither a measurement nor an anchor has weight.
    star_weight : ndarray of float64, shape (n_star,)
        Sum of the weights of each star.
    log_evidence : float
        Logarithm of the probability of the measurements for this prior, up to a constant that does not depend on the
        prior; with it, priors can be compared (MacKay 1992, Neural Computation 4, 415).
    """

    parameters: Floats
    covariance: Floats
    star_value: Floats
    star_weight: Floats
    log_evidence: float


def solve_relative(
    design: sparse.csr_array,
    value: Floats,
    weight: Floats,
    star: Ints,
    *,
    n_star: int,
    prior: Floats,
    anchors: Anchors | None = None,
) -> Solution:
    """Fit parameters so that all measurements of a star agree.

    Parameters
    ----------
    design : csr_array of float64, shape (n, n_parameter)
        Change of each measurement with each parameter.
    value, weight : ndarray of float64, shape (n,)
        Measurements, and their inverse variances; 0 leaves one out.
    star : ndarray of int, shape (n,)
        Star of each measurement.
    n_star : int
        Number of stars.
    prior : ndarray of float64, shape (n_parameter,)
        Inverse variance with which each parameter is known to be 0.
    anchors : Anchors, optional
        Stars whose value is known.

    Raises
    ------
    MeasurementError
        If neither measurements, anchors nor the prior determine a parameter.
    """
    weighted = sparse.csr_array(design.multiply(weight[:, None]))
    to_star = sparse.csr_array((np.ones(len(star)), (star, np.arange(len(star)))), shape=(n_star, len(star)))
    total, above = np.bincount(star, weight, n_star), np.bincount(star, weight * value, n_star)
    if anchors is not None:
        total += np.bincount(anchors.star, anchors.weight, n_star)
        above += np.bincount(anchors.star, anchors.weight * anchors.value, n_star)
    inverse = np.divide(1.0, total, out=np.zeros(n_star), where=total > 0)
    coupling = sparse.csr_array(to_star @ weighted)
    reduced = sparse.csr_array(coupling.multiply(inverse[:, None]))
    normal = (design.T @ weighted - coupling.T @ reduced).toarray() + np.diag(prior)
    right = coupling.T @ (inverse * above) - design.T @ (weight * value)
    scale = np.sqrt(np.maximum(np.diag(normal), np.finfo(float).tiny))
    try:
        factor = cho_factor(normal / scale / scale[:, None] + np.eye(len(scale)) * _SINGULAR)
    except np.linalg.LinAlgError:
        raise MeasurementError("the stars in common do not determine the fit; lower its order") from None
    parameters = cho_solve(factor, right / scale) / scale
    covariance = cho_solve(factor, np.eye(len(scale))) / scale / scale[:, None]
    fitted = value + design @ parameters
    numerator = np.bincount(star, weight * fitted, n_star)
    if anchors is not None:
        numerator += np.bincount(anchors.star, anchors.weight * anchors.value, n_star)
    star_value = np.where(total > 0, numerator * inverse, np.nan)
    misfit = np.sum(weight * (fitted - np.nan_to_num(star_value)[star]) ** 2) + np.sum(prior * parameters**2)
    if anchors is not None:
        misfit += np.sum(anchors.weight * (anchors.value - np.nan_to_num(star_value)[anchors.star]) ** 2)
    log_determinant = 2.0 * np.sum(np.log(np.diag(factor[0])) + np.log(scale))
    evidence = 0.5 * float(np.sum(np.log(prior)) - misfit - log_determinant)
    return Solution(parameters, covariance, star_value, np.asarray(total, np.float64), evidence)
