"""How large corrections and errors of known values probably are, learned from the measurements themselves."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from obs.algorithms.relative.robust import RobustFit
from obs.algorithms.relative.solve import Anchors, solve_relative

__all__ = ["likeliest_anchor_error", "likeliest_prior"]

Floats = NDArray[np.float64]

_ERROR_FACTORS = np.geomspace(0.1, 10.0, 11)


def likeliest_prior(
    design: sparse.csr_array,
    value: Floats,
    star: NDArray[np.int64],
    anchors: Anchors,
    fit: RobustFit,
    prior: Floats,
    chosen: NDArray[np.bool_],
    factors: Sequence[float],
) -> Floats:
    """Return the prior for which the measurements are most probable.

    Where few stars fix a correction, a loose prior would fit their noise.

    Parameters
    ----------
    design : csr_array of float64, shape (n, n_parameter)
        Change of each measurement with each parameter.
    value : ndarray of float64, shape (n,)
        Measurements.
    star : ndarray of int, shape (n,)
        Star of each measurement.
    anchors : Anchors
        Stars whose value is known.
    fit : RobustFit
        A fit with the prior; its weights are used.
    prior : ndarray of float64, shape (n_parameter,)
        Inverse variances of the parameters.
    chosen : ndarray of bool, shape (n_parameter,)
        Parameters whose standard deviation is looked for.
    factors : sequence of float
        Factors to it that are compared.
    """
    held = replace(anchors, weight=fit.anchor_weight)
    n_star = len(fit.solution.star_value)
    best, highest = prior, -np.inf
    for factor in factors:
        trial = np.where(chosen, prior / factor**2, prior)
        solution = solve_relative(design, value, fit.weight, star, n_star=n_star, prior=trial, anchors=held)
        if solution.log_evidence > highest:
            best, highest = trial, solution.log_evidence
    return best


def likeliest_anchor_error(
    design: sparse.csr_array,
    value: Floats,
    star: NDArray[np.int64],
    anchors: Anchors,
    fit: RobustFit,
    prior: Floats,
    anchor_sigma: Floats,
    usual: float,
) -> float:
    """Return the error of known values, beyond what they come with, for which everything is most probable.

    The scatter of known values about a fit that they take part in tells too little: few precise stars decide a
    correction, which then goes through their values.

    Parameters
    ----------
    design : csr_array of float64, shape (n, n_parameter)
        Change of each measurement with each parameter.
    value : ndarray of float64, shape (n,)
        Measurements.
    star : ndarray of int, shape (n,)
        Star of each measurement.
    anchors : Anchors
        Stars whose value is known; their weights are not used.
    fit : RobustFit
        A fit; its weights of measurements, and its choice of anchors, are used.
    prior : ndarray of float64, shape (n_parameter,)
        Inverse variances of the parameters.
    anchor_sigma : ndarray of float64, shape (m,)
        Errors that the known values come with.
    usual : float
        Error that is usual, within a factor of e; the answer is at most ten times larger or smaller.
    """
    n_star, kept = len(fit.solution.star_value), fit.anchor_kept
    if not kept.any():
        return 0.0
    scores = []
    for factor in _ERROR_FACTORS:
        weight = np.where(kept, 1.0 / (anchor_sigma**2 + (usual * factor) ** 2), 0.0)
        held = replace(anchors, weight=weight)
        solution = solve_relative(design, value, fit.weight, star, n_star=n_star, prior=prior, anchors=held)
        totals = solution.star_weight[solution.star_weight > 0]
        free = np.sum(np.log(weight[kept])) - np.sum(np.log(totals)) - np.log(factor) ** 2
        scores.append(solution.log_evidence + 0.5 * float(free))
    return usual * float(_ERROR_FACTORS[np.argmax(scores)])
