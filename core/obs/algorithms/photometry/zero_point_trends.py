"""Whether the zero point is the same all over a frame, and for bright and faint stars.

One number with a small scatter may hide a cloud, a wrong flat or a detector that saturates. All stars are looked at,
not those that the fit of the zero point kept. How it changes with the color of stars tells the filter.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from obs.algorithms.numeric.special import variance_ratio_above
from obs.algorithms.pixels.statistics import robust_sigma

__all__ = ["NO_TRENDS", "Trends", "fit_color_slope", "fit_significant_surface", "measure_trends"]

Float = NDArray[np.float64]

TERMS = (3, 6, 10)
"""Terms of a plane, and of surfaces of second and third order."""

STARS_FOR_TERM = 4
"""Fewer stars for each term of a surface do not tell it from their scatter."""

FALSE_ALARM = 1e-5
"""Probability by chance from which on a surface counts."""

HUBER, ROUNDS = 1.5, 10
"""Residuals beyond so many standard deviations count less, and the rounds in which their weights are found."""

BRIGHT_SHARE, FEWEST_BRIGHT, SIGNIFICANT = 0.1, 5, 5.0
"""Part of the stars that are the brightest, the fewest of them, and the errors by which they must differ."""


SIGNIFICANT_SHARE = 3.0
"""Errors by which the part of the PSF in a change of the zero point must differ from none and from all."""

FAR_COLOR = 2.0
"""Stars whose color is farther from the median, magnitudes, count as if it were not."""


class Trends(NamedTuple):
    """How the zero point changes.

    Parameters
    ----------
    over_frame : float
        Largest less smallest zero point at the places of stars, magnitudes; zero if the stars show no change.
    bright : float
        Zero point of the brightest stars less that of the others, magnitudes: negative if their fluxes are too low.
        Zero if they agree. Both are NaN for too few stars.
    color : float
        Change of the zero point with the color of stars, mag/mag; NaN where it was not measured.
    color_error : float
        Its standard error.
    color_name : str
        Which color, such as ``g - r``.
    of_psf : float
        Largest less smallest PSF minus aperture magnitude at the places of stars; zero if they show no change, NaN
        where it was not measured. It is not part of `over_frame`.
    over_frame_error, of_psf_error : float
        Standard errors of both changes, magnitudes; zero where there is no change.
    """

    over_frame: float = float("nan")
    bright: float = float("nan")
    color: float = float("nan")
    color_error: float = float("nan")
    color_name: str = ""
    of_psf: float = float("nan")
    over_frame_error: float = 0.0
    of_psf_error: float = 0.0


class _Change(NamedTuple):
    """A surface through values of single sources, and how far it goes up and down at their places.

    Parameters
    ----------
    surface : ndarray of float64, shape (n,)
        The surface at the sources.
    size, error : float
        Largest less smallest value of the surface, and the standard error of that difference; 0 for a constant.
    """

    surface: Float
    size: float = 0.0
    error: float = 0.0


NO_TRENDS = Trends()
"""Nothing was measured."""


def measure_trends(
    zero_point: Float,
    error: Float,
    *,
    x: Float,
    y: Float,
    flux: Float,
    shape: tuple[int, int],
    psf_minus_aperture: Float | None = None,
) -> Trends:
    """Measure how the zero points of single stars change over a frame and with brightness.

    Parameters
    ----------
    zero_point, error : ndarray of float64, shape (n,)
        Magnitude of one count from each star, and its error, magnitudes.
    x, y : ndarray of float64, shape (n,)
        Positions, pixels.
    flux : ndarray of float64, shape (n,)
        Fluxes, counts.
    shape : tuple of int
        Shape (ny, nx) of the frame.
    psf_minus_aperture : ndarray of float64, shape (n,), optional
        PSF minus aperture magnitude of each star. A change of it over the frame is that of the PSF model, not of the
        light, and is taken out of the zero points.

    Returns
    -------
    Trends
    """
    known = np.isfinite(zero_point) & np.isfinite(error) & (flux > 0)
    value, sigma, counts = zero_point[known], error[known], flux[known]
    if len(value) < STARS_FOR_TERM * TERMS[0]:
        return NO_TRENDS
    x, y = x[known], y[known]
    change = _fit_change(value, sigma, x=x, y=y, shape=shape)
    surface = change.surface
    trends = Trends(change.size, _bright_offset(value - surface, counts), over_frame_error=change.error)
    if psf_minus_aperture is None:
        return trends
    offset = psf_minus_aperture[known]
    has_aperture = np.isfinite(offset)
    if np.count_nonzero(has_aperture) < STARS_FOR_TERM * TERMS[0]:
        return trends
    x, y, offset, sigma, surface = (values[has_aperture] for values in (x, y, offset, sigma, surface))
    of_psf = _fit_change(offset, sigma, x=x, y=y, shape=shape)
    if change.size == 0.0:
        return trends._replace(of_psf=of_psf.size, of_psf_error=of_psf.error)
    share, share_error = _share_of(surface, offset, sigma)
    trends = trends._replace(
        over_frame=(1.0 - share) * change.size,
        over_frame_error=float(np.hypot((1.0 - share) * change.error, share_error * change.size)),
    )
    from_share = _Change(surface, share * change.size, float(np.hypot(share * change.error, share_error * change.size)))
    larger = max(of_psf, from_share, key=lambda one: one.size)
    return trends._replace(of_psf=larger.size, of_psf_error=larger.error)


def _share_of(surface: Float, offset: Float, error: Float) -> tuple[float, float]:
    """Return which part of a change of the zero point is one of PSF minus aperture magnitudes, and its standard error.

    What fluxes of the PSF and of apertures do not share is the model's. It is 0 unless it is significant, and 1 unless
    it is significantly less.
    """
    terms = np.stack([np.ones(len(surface)), np.mean(surface) - surface], axis=1)
    weight = 1.0 / (error**2 + robust_sigma(offset) ** 2 + 1e-12)
    fitted, _ = _robust_fit(offset, weight, terms)
    share = float(np.linalg.lstsq(terms, fitted, rcond=None)[0][1])
    share_error = 1.0 / float(np.sqrt(np.sum(weight * terms[:, 1] ** 2)))
    least = SIGNIFICANT_SHARE * share_error
    return (0.0 if share < least else 1.0 if share > 1.0 - least else share), share_error


def fit_significant_surface(value: Float, error: Float, *, x: Float, y: Float, shape: tuple[int, int]) -> Float:
    """Fit a robust surface to values of single sources, which is their mean unless another is significantly better.

    Parameters
    ----------
    value, error : ndarray of float64, shape (n,)
        Finite values and their errors.
    x, y : ndarray of float64, shape (n,)
        Positions, pixels.
    shape : tuple of int
        Shape (ny, nx) of the frame.

    Returns
    -------
    ndarray of float64, shape (n,)
        The surface at the sources.
    """
    return _fit_change(value, error, x=x, y=y, shape=shape).surface


def _fit_change(value: Float, error: Float, *, x: Float, y: Float, shape: tuple[int, int]) -> _Change:
    """Fit the surface of `fit_significant_surface`, and measure its size."""
    u, v = x / (0.5 * shape[1]) - 1.0, y / (0.5 * shape[0]) - 1.0
    # whatever errors do not explain is of each source
    return _surface(value, 1.0 / (error**2 + robust_sigma(value) ** 2 + 1e-12), u, v)


def fit_color_slope(zero_point: Float, error: Float, color: Float) -> tuple[float, float]:
    """Fit how the zero points of single stars change with their color.

    Parameters
    ----------
    zero_point, error : ndarray of float64, shape (n,)
        Magnitude of one count from each star, and its error, magnitudes.
    color : ndarray of float64, shape (n,)
        Color, magnitudes.

    Returns
    -------
    slope, error : float
        mag/mag; NaN for too few stars.
    """
    known = np.isfinite(zero_point) & np.isfinite(error) & np.isfinite(color)
    value, sigma = zero_point[known], error[known]
    if len(value) < STARS_FOR_TERM * TERMS[0]:
        return float("nan"), float("nan")
    offset = color[known] - float(np.median(color[known]))
    # colors far out are those of blends and of errors
    offset = np.clip(offset, -FAR_COLOR, FAR_COLOR) - float(np.mean(np.clip(offset, -FAR_COLOR, FAR_COLOR)))
    terms = np.stack([np.ones(len(value)), offset], axis=1)
    scatter = robust_sigma(value)
    for _ in range(2):
        weight = 1.0 / (sigma**2 + scatter**2)
        fitted, _ = _robust_fit(value, weight, terms)
        scatter = robust_sigma(value - fitted)
    covariance = np.linalg.pinv(terms.T @ (terms * weight[:, None]))
    slope = float(np.linalg.lstsq(terms, fitted, rcond=None)[0][1])
    return (slope, float(np.sqrt(covariance[1, 1]))) if covariance[1, 1] > 0 else (float("nan"), float("nan"))


def _surface(value: Float, weight: Float, u: Float, v: Float) -> _Change:
    """Fit a surface to the zero points of stars: constant unless another is significantly better."""
    terms = np.stack([u**i * v ** (k - i) for k in range(4) for i in range(k + 1)], axis=1)
    plain, loss = _robust_fit(value, weight, terms[:, :1])
    best = _Change(plain)
    freedom_before = 1
    for n_term in TERMS:
        if len(value) < STARS_FOR_TERM * n_term:
            break
        fitted, left = _robust_fit(value, weight, terms[:, :n_term])
        freedom, gained = len(value) - n_term, n_term - freedom_before
        ratio = (loss - left) / gained / max(left / freedom, 1e-300)
        if variance_ratio_above(gained, freedom, max(ratio, 0.0)) < FALSE_ALARM:
            error = _error_of_range(fitted, weight * freedom / max(left, 1e-300), terms[:, :n_term])
            best, loss, freedom_before = _Change(fitted, float(np.ptp(fitted)), error), left, n_term
    return best


def _error_of_range(fitted: Float, weight: Float, terms: Float) -> float:
    """Return the standard error of the largest less the smallest value of a linear fit."""
    between = terms[np.argmax(fitted)] - terms[np.argmin(fitted)]
    covariance = np.linalg.pinv(terms.T @ (terms * weight[:, None]))
    return float(np.sqrt(max(float(between @ covariance @ between), 0.0)))


def _robust_fit(value: Float, weight: Float, terms: Float) -> tuple[Float, float]:
    """Return a linear fit at the data, and what it leaves: the sum of Huber's losses (1964) in units of the scatter."""
    factor = np.ones(len(value))
    fitted = np.zeros(len(value))
    for _ in range(ROUNDS):
        root = np.sqrt(weight * factor)
        fitted = terms @ np.linalg.lstsq(terms * root[:, None], value * root, rcond=None)[0]
        size = np.abs(value - fitted) * np.sqrt(weight)
        factor = HUBER / np.maximum(size, HUBER)
    return fitted, float(np.sum(np.where(size <= HUBER, size**2, HUBER * (2.0 * size - HUBER))))


def _bright_offset(residual: Float, flux: Float) -> float:
    """Return by how much the brightest stars differ from the others, zero if not significantly."""
    n_bright = max(int(BRIGHT_SHARE * len(flux)), FEWEST_BRIGHT)
    order = np.argsort(flux)
    bright, others = residual[order[-n_bright:]], residual[order[:-n_bright]]
    # half of the others are as bright as possible: faint stars have neighbors, and errors of the catalog
    others = others[len(others) // 2 :]
    if len(others) < FEWEST_BRIGHT:
        return 0.0
    offset = float(np.median(bright) - np.median(others))
    scatter = max(robust_sigma(bright), robust_sigma(others))
    error = 1.25 * scatter * np.sqrt(1.0 / len(bright) + 1.0 / len(others))
    return offset if abs(offset) > SIGNIFICANT * error else 0.0
