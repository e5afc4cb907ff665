"""Aperture correction: the ratio of a reference flux of point sources to another flux, over a detector.

The model of the PSF predicts the ratio and how it changes over the detector. Stars only scale the prediction. Where the
error of the model changes over the detector, surfaces are fitted to what is left: one up to a smaller aperture, which
has most of the effect and little noise, one from there to the reference aperture, which has little of the effect and
most of the noise.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from obs.algorithms.photometry.surface import Surface
from obs.algorithms.photometry.surface_fit import SurfaceFit, fit_surface
from obs.frozen import frozen

__all__ = ["LEAST_STARS", "ApertureCorrection", "Step", "fit_aperture_correction"]

LEAST_STARS = 2
"""Fewer stars do not say how far they are to be trusted."""

OUTER_ERROR = 0.01
"""Standard deviation of what PSF models miss of the light between the smaller and the reference aperture."""


@frozen(eq=False)
class Step:
    """From one flux of the stars to another.

    Parameters
    ----------
    ratio : ndarray of float64, shape (n,)
        Second flux divided by the first and by what the model of the PSF predicts.
    error : ndarray of float64, shape (n,)
        Its relative standard error: that of the flux with more noise, as both count the same photons.
    """

    ratio: NDArray[np.float64]
    error: NDArray[np.float64]


@frozen(eq=False)
class ApertureCorrection:
    """A factor over a detector, by which a flux is multiplied: the predicted one times fitted surfaces.

    Parameters
    ----------
    growth : Surface
        Predicted factor.
    fits : tuple of SurfaceFit
        What stars make of it; empty without stars.
    scatter : float
        Standard deviation of the ratio of the stars about the correction; NaN for fewer than two.
    used : ndarray of bool, shape (n,)
        Which of the sources handed to the fit shaped it.
    n_considered : int
        Number of stars before clipping.
    """

    growth: Surface
    fits: tuple[SurfaceFit, ...]
    scatter: float
    used: NDArray[np.bool_]
    n_considered: int

    @property
    def n_star(self) -> int:
        """Number of stars after clipping."""
        return int(self.used.sum())

    @property
    def freedom(self) -> float:
        """Coefficients that stars decided, beyond a scale: zero where the predicted shape stands."""
        return float(sum(fit.freedom - 1.0 for fit in self.fits))

    def evaluate(self, *, x: ArrayLike, y: ArrayLike) -> NDArray[np.float64]:
        """Return the factor at positions in pixels, shape of ``x``.

        Parameters
        ----------
        x, y : array_like of float
            Positions on the detector, 0-based pixels.

        Returns
        -------
        ndarray of float64
            Factor by which a flux is multiplied.
        """
        factor = self.growth.evaluate(x=x, y=y)
        for fit in self.fits:
            factor = factor * fit.surface.evaluate(x=x, y=y)
        return factor

    def evaluate_error(self, *, x: ArrayLike, y: ArrayLike) -> NDArray[np.float64]:
        """Return the standard error of the factor at positions in pixels, shape of ``x``; NaN without stars.

        Parameters
        ----------
        x, y : array_like of float
            Positions on the detector, 0-based pixels.
        """
        at_x, at_y = np.asarray(x, np.float64), np.asarray(y, np.float64)
        variance = np.full(at_x.shape, 0.0 if self.fits else np.nan)
        for fit in self.fits:
            variance = variance + (fit.evaluate_error(at_x, at_y) / fit.surface.evaluate(x=at_x, y=at_y)) ** 2
        return np.asarray(self.evaluate(x=x, y=y) * np.sqrt(variance), np.float64)


def fit_aperture_correction(
    *,
    x: ArrayLike,
    y: ArrayLike,
    steps: tuple[Step, ...],
    growth: Surface,
    use: ArrayLike,
    order: int = 3,
    clip: float = 3.0,
    robust: bool = True,
) -> ApertureCorrection:
    """Fit the ratio of stars' reference flux to another flux.

    Parameters
    ----------
    x, y : array-like, shape (n,)
        Positions, pixels.
    steps : tuple of Step
        From the flux to the reference flux, in one step or by way of fluxes between them.
    growth : Surface
        Factor that the model of the PSF predicts for the whole way, over the detector.
    use : array-like of bool, shape (n,)
        Bright, unblended stars. Those without finite positive ratios are left out.
    order : int
        Largest total order of the surfaces. Stars decide how far they depart from a constant.
    clip : float
        Stars further from the fit than this many standard deviations are dropped.
    robust : bool
        Let large residuals hardly count; else stars count by their errors alone.

    Returns
    -------
    ApertureCorrection
        The predicted one, of unknown error, with fewer than two stars.
    """
    position_x, position_y = np.asarray(x, np.float64), np.asarray(y, np.float64)
    usable = np.asarray(use, bool) & np.isfinite(position_x) & np.isfinite(position_y)
    for step in steps:
        usable &= np.isfinite(step.ratio) & (step.ratio > 0) & np.isfinite(step.error)
    index = np.flatnonzero(usable)
    used = np.zeros(len(usable), bool)
    if len(index) < LEAST_STARS:
        return ApertureCorrection(growth, (), np.nan, used, len(index))
    at_x, at_y = position_x[index], position_y[index]
    fits = tuple(
        fit_surface(
            at_x, at_y, step.ratio[index], step.error[index], growth.shape, order=order, clip=clip, robust=robust
        )
        for step in steps
    )
    # few stars have more noise in the wide aperture than the model has errors there
    fits = (fits[0], *(fit.expecting(1.0, OUTER_ERROR) for fit in fits[1:]))
    keep = np.all([fit.keep for fit in fits], axis=0)
    used[index[keep]] = True
    whole = np.prod([step.ratio[index] for step in steps], axis=0)
    fitted = np.prod([fit.surface.evaluate(x=at_x, y=at_y) for fit in fits], axis=0)
    residual = (whole / fitted - 1.0)[keep]
    degrees = len(residual) - sum(fit.freedom for fit in fits)
    scatter = float(np.sqrt(np.sum(residual**2) / degrees)) if degrees > 0 else np.nan
    return ApertureCorrection(growth, fits, scatter, used, len(index))
