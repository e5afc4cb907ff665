"""How large corrections probably are, learned from the measurements themselves."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from obs.algorithms.relative.robust import RobustFit
from obs.algorithms.relative.solve import Anchors, solve_relative

__all__ = ["likeliest_prior"]

Floats = NDArray[np.float64]


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
