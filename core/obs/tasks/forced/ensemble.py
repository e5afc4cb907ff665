"""Differential photometry against an ensemble of constant stars.

The zero point of each image is that for which the stars of the ensemble have the same magnitudes in all images
(Honeycutt 1992, PASP 104, 435), by the fit in which stars' own magnitudes are eliminated.
"""

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from obs.algorithms.relative.robust import fit_robustly, leave_one_out_scatter
from obs.algorithms.relative.solve import Anchors
from obs.frozen import frozen

__all__ = ["Ensemble", "fit_ensemble"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_FEWEST = 3
#: Scatter of the zero points beforehand, mag; it only keeps their mean at zero.
_SPREAD = 1.0
#: Stars that are seen on a smaller share of the images are left out.
_SHARE = 0.5


@frozen
class Ensemble:
    """Zero points of images against each other.

    Parameters
    ----------
    offset, error : ndarray of float64, shape (n_frame,)
        Added to the magnitudes of each image, and its standard error, mag; NaN where too few stars are.
    n_star : ndarray of int, shape (n_frame,)
        Stars of the ensemble on each image.
    constant : ndarray of bool, shape (n_star,)
        Which stars are in the ensemble.
    magnitude : ndarray of float64, shape (n_star,)
        Mean magnitudes of the stars; NaN for those that are not in it.
    scatter : float
        Robust standard deviation of single magnitudes of the ensemble, mag; NaN if there is none.
    star_scatter, star_error : ndarray of float64, shape (n_star,)
        Root mean square of the magnitudes of each star about their mean, and of their errors, mag; NaN for stars that
        are not in the ensemble.
    """

    offset: Floats
    error: Floats
    n_star: Ints
    constant: NDArray[np.bool_]
    magnitude: Floats
    scatter: float
    star_scatter: Floats
    star_error: Floats


def fit_ensemble(magnitude: Floats, error: Floats, star: Ints, frame: Ints, n_star: int, n_frame: int) -> Ensemble:
    """Fit the zero points of images so that constant stars are constant.

    Parameters
    ----------
    magnitude, error : ndarray of float64, shape (n,)
        Magnitudes and their errors.
    star, frame : ndarray of int, shape (n,)
        Star and image of each.
    n_star, n_frame : int
        Their numbers.
    """
    seen = np.bincount(star, minlength=n_star)
    often = (seen >= max(2, _SHARE * n_frame))[star]
    magnitude, error, star, frame = magnitude[often], error[often], star[often], frame[often]
    nothing = np.full(n_frame, np.nan)
    counts = np.bincount(frame, minlength=n_frame)
    if n_frame < 2 or len(np.unique(star)) < _FEWEST:
        no = np.zeros(n_star, bool)
        unknown = np.full(n_star, np.nan)
        return Ensemble(nothing, nothing, counts, no, unknown, float("nan"), unknown, unknown)
    design = sparse.csr_array((np.ones(len(frame)), (np.arange(len(frame)), frame)), shape=(len(frame), n_frame))
    none = Anchors(np.empty(0, np.int64), np.empty(0), np.empty(0))
    fit = fit_robustly(
        design,
        magnitude,
        error,
        star,
        n_star=n_star,
        prior=np.full(n_frame, _SPREAD**-2),
        anchors=none,
        anchor_sigma=np.empty(0),
    )
    used = np.bincount(frame[fit.kept], minlength=n_frame)
    enough = used >= _FEWEST
    # The mean of all is not known from differences, and its error does not matter for them.
    covariance = fit.solution.covariance - fit.solution.covariance.mean(axis=0)
    covariance = covariance - covariance.mean(axis=1, keepdims=True)
    offset = fit.solution.parameters - fit.solution.parameters[enough].mean() if enough.any() else nothing
    constant = np.zeros(n_star, bool)
    constant[star[fit.kept]] = True
    residual = leave_one_out_scatter(magnitude + design @ fit.solution.parameters, fit.weight, star, n_star)
    use = np.isfinite(residual) & fit.kept
    number = np.bincount(star[use], minlength=n_star)
    with np.errstate(divide="ignore", invalid="ignore"):
        spread, noise = (np.sqrt(np.bincount(star[use], v[use] ** 2, n_star) / number) for v in (residual, error))
    residual = residual[use]
    scatter = float(1.4826 * np.median(np.abs(residual))) if len(residual) else float("nan")
    return Ensemble(
        np.where(enough, offset, np.nan),
        np.where(enough, np.sqrt(np.maximum(np.diag(covariance), 0.0)), np.nan),
        used,
        constant,
        np.where(constant, fit.solution.star_value, np.nan),
        scatter,
        np.where(constant, spread, np.nan),
        np.where(constant, noise, np.nan),
    )
