"""Tails of stars along rows and columns, which charge that the read-out leaves behind draws.

Each transfer leaves a part of the charge behind, so tails point away from the read-out and grow from nothing beside it
to the opposite border. Coma grows from the middle, and trails of the telescope are the same everywhere.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from obs.algorithms.pixels.window import plane_windows

__all__ = ["NO_TAILS", "Tails", "measure_tails", "robust_line"]

Float = NDArray[np.float64]

REACH, LENGTH = 1.5, 8
"""Tails are looked for from this many FWHM of a star's middle on, over so many pixels."""

FEWEST_STARS = 20

ROUNDS, HUBER = 12, 1.5
"""Rounds of reweighting; residuals beyond so many standard deviations count less."""

FLOOR = 0.002
"""Scatter of values beyond their errors that is granted, so that the brightest star does not decide alone."""

CERTAIN, ABSENT = 7.0, 0.25
"""Significance from which tails count, and the part of the longest that those at the other border have at most."""


class Tails(NamedTuple):
    """Light of tails at the border where they are longest.

    Parameters
    ----------
    part : float
        Fraction of a star's light; 0 if no tails grow from one border to the other, NaN if there are too few stars.
    axis : str
        ``x`` or ``y``, along which they point.
    upward : bool
        Whether they point and grow toward larger coordinates.
    """

    part: float
    axis: str = ""
    upward: bool = True


NO_TAILS = Tails(float("nan"))
"""Nothing was measured."""


def measure_tails(
    image: NDArray[np.float32],
    bad: NDArray[np.bool_],
    *,
    x: Float,
    y: Float,
    flux: Float,
    fwhm: float,
    noise: float,
) -> Tails:
    """Measure tails of stars along both axes, and return the longest.

    Parameters
    ----------
    image : ndarray of float32, shape (ny, nx)
        Background-subtracted pixels.
    bad : ndarray of bool, shape (ny, nx)
        Pixels that do not count; stars that have some where tails would be are left out.
    x, y, flux : ndarray of float64, shape (n,)
        Positions, pixels, and fluxes of bright stars without neighbors.
    fwhm : float
        Full width at half maximum of the PSF, pixels.
    noise : float
        Standard deviation of a pixel.

    Returns
    -------
    Tails
    """
    near, wide = int(np.ceil(REACH * fwhm)), max(1, round(0.5 * fwhm))
    half = near + LENGTH
    height, width = image.shape
    column, row = np.rint(x).astype(np.int64), np.rint(y).astype(np.int64)
    inside = np.minimum(np.minimum(column, width - 1 - column), np.minimum(row, height - 1 - row)) >= half
    if np.count_nonzero(inside) < FEWEST_STARS:
        return NO_TAILS
    stamps, lost = (plane_windows(plane, row[inside], column[inside], half) for plane in (image, bad))
    strip = slice(half - wide, half + wide + 1)
    places = {"x": x[inside] / width, "y": y[inside] / height}
    sigma = np.sqrt(2.0 * (2 * wide + 1) * (LENGTH + 1)) * noise / flux[inside]
    longest = NO_TAILS
    for axis, place in places.items():
        turned, out = (stamps, lost) if axis == "y" else (stamps.transpose(0, 2, 1), lost.transpose(0, 2, 1))
        after, before = np.s_[:, half + near :, strip], np.s_[:, : half - near + 1, strip]
        clean = ~(out[after].any((1, 2)) | out[before].any((1, 2)))
        if np.count_nonzero(clean) < FEWEST_STARS:
            continue
        light = turned[after].sum((1, 2), dtype=np.float64) - turned[before].sum((1, 2), dtype=np.float64)
        low, high, error = _ends((light / flux[inside])[clean], sigma[clean], place[clean])
        upward = abs(high) > abs(low)
        far, near_end = (high, -low)[not upward], (low, -high)[not upward]
        grows = far > CERTAIN * error and abs(near_end) < max(ABSENT * far, 2.0 * error)
        part = far if grows else 0.0
        if not part <= longest.part:
            longest = Tails(float(part), axis, bool(upward))
    return longest


def _ends(values: Float, sigma: Float, place: Float) -> tuple[float, float, float]:
    """Return a straight line through values at both borders of the frame, and its error at the worse of them."""
    low, low_error = robust_line(values, sigma, place)[:2]
    high, high_error = robust_line(values, sigma, place - 1.0)[:2]
    return low, high, max(low_error, high_error)


def robust_line(values: Float, sigma: Float, at: Float) -> tuple[float, float, float, float]:
    """Return a line's value at zero and its error, and its slope and its error.

    Outliers hardly count (Huber 1964), and errors grow as the scatter asks.

    Parameters
    ----------
    values : ndarray of float64, shape (n,)
        Values to fit.
    sigma : ndarray of float64, shape (n,)
        Their standard errors.
    at : ndarray of float64, shape (n,)
        Abscissa of each value.

    Returns
    -------
    value, value_error : float
        Value of the line at zero, and its standard error.
    slope, slope_error : float
        Slope, and its standard error.
    """
    terms, scale = np.c_[np.ones_like(at), at], 1.0 / np.hypot(sigma, FLOOR)
    weight = scale
    for _ in range(ROUNDS):
        basis = terms * weight[:, None]
        covariance = np.linalg.pinv(basis.T @ basis)
        solution = covariance @ (basis.T @ (values * weight))
        deviation = np.abs(values - terms @ solution) * scale
        weight = scale * np.sqrt(np.minimum(1.0, HUBER / np.maximum(deviation, HUBER)))
    error = np.sqrt(np.diag(covariance)) * max(float(np.median(deviation)) / 0.6745, 1.0)
    return float(solution[0]), float(error[0]), float(solution[1]), float(error[1])
