"""Fit a tangent-plane projection with polynomial distortion to stars."""

from dataclasses import replace

import numpy as np
from numpy.polynomial.polynomial import polyval2d
from numpy.typing import ArrayLike, NDArray

from obs.errors import MeasurementError
from obs.image.tangent_plane import from_plane, to_plane
from obs.image.wcs import TanSipWcs
from obs.sky_vectors import sky_positions, sky_vectors

__all__ = ["fit_tan_sip"]

Polynomial = NDArray[np.float64]
Positions = NDArray[np.float64]

_MAX_ITERATIONS = 50
_MAX_ORDER = 9  # A_ORDER of the SIP convention


def fit_tan_sip(
    *,
    x: ArrayLike,
    y: ArrayLike,
    ra: ArrayLike,
    dec: ArrayLike,
    order: int,
    crpix: tuple[float, float],
    weights: ArrayLike | None = None,
) -> TanSipWcs:
    """Fit a WCS to stars by linear least squares.

    The tangent point moves until the polynomial vanishes at `crpix`; the inverse polynomials are fitted to the forward
    ones on a grid over the stars, one order higher.

    Parameters
    ----------
    x, y : array_like of float, shape (n,)
        Positions, pixels, 0-based.
    ra, dec : array_like of float, shape (n,)
        Sky coordinates, degrees.
    order : int
        Total order of the polynomials, 1 (no distortion) to 9.
    crpix : tuple of float
        Pixel (x, y) that becomes the tangent point, 0-based.
    weights : array_like of float, shape (n,), optional
        Inverse variances, in any unit; equal if absent.

    Returns
    -------
    TanSipWcs

    Raises
    ------
    ValueError
        If the order is not from 1 to 9.
    MeasurementError
        If the stars are too few, or lie so that they do not fix the polynomials.
    """
    if not 1 <= order <= _MAX_ORDER:
        raise ValueError(f"order is from 1 to {_MAX_ORDER}, got {order}")
    u, v = np.asarray(x, np.float64) - crpix[0], np.asarray(y, np.float64) - crpix[1]
    ra, dec = np.asarray(ra, np.float64), np.asarray(dec, np.float64)
    root = np.sqrt(np.ones_like(u) if weights is None else np.asarray(weights, np.float64))
    powers = _powers(order)
    if np.count_nonzero(root) < len(powers):
        raise MeasurementError(f"a WCS of order {order} needs {len(powers)} stars, got {np.count_nonzero(root)}")
    scale = max(float(np.abs([u, v]).max()), 1.0)
    design = _design(u / scale, v / scale, powers)
    crval = _mean_direction(ra, dec)
    for _ in range(_MAX_ITERATIONS):
        plane = np.stack(to_plane(crval, ra, dec), axis=1)
        if not np.isfinite(plane).all():
            raise MeasurementError("a WCS cannot be fitted to stars more than 90 degrees apart, or without coordinates")
        solution, _, rank, _ = np.linalg.lstsq(design * root[:, None], plane * root[:, None], rcond=None)
        if rank < len(powers):
            raise MeasurementError(f"{len(u)} stars do not fix a WCS of order {order}: they are on one curve")
        east, north = solution[0]
        moved = from_plane(crval, east, north)
        crval = float(moved[0]), float(moved[1])
        if np.hypot(east, north) < 1e-13:
            break
    solution /= scale ** powers.sum(axis=1)[:, None]
    cd = np.stack([solution[_row(powers, 1, 0)], solution[_row(powers, 0, 1)]], axis=1)
    wcs = TanSipWcs(crval, crpix, cd)
    if order == 1:
        return wcs
    distortion = np.linalg.solve(cd, solution.T)
    distortion[:, powers.sum(axis=1) < 2] = 0.0
    a, b = (_square(terms, powers, order) for terms in distortion)
    ap, bp = _invert(a, b, u, v, min(order + 1, _MAX_ORDER))
    return replace(wcs, a=a, b=b, ap=ap, bp=bp)


def _mean_direction(ra: Positions, dec: Positions) -> tuple[float, float]:
    middle_ra, middle_dec = sky_positions(sky_vectors(ra, dec).mean(axis=0, keepdims=True))
    return float(middle_ra[0]), float(middle_dec[0])


def _powers(order: int, lowest: int = 0) -> NDArray[np.int64]:
    """Exponents (p, q), shape (n_term, 2), with ``lowest <= p + q <= order``."""
    pairs = [(total - q, q) for total in range(lowest, order + 1) for q in range(total + 1)]
    return np.array(pairs)


def _row(powers: NDArray[np.int64], p: int, q: int) -> int:
    return int(np.flatnonzero((powers == (p, q)).all(axis=1))[0])


def _design(u: Positions, v: Positions, powers: NDArray[np.int64]) -> NDArray[np.float64]:
    of_u, of_v = (np.vander(part, powers.max() + 1, increasing=True) for part in (u, v))
    return np.asarray(of_u[:, powers[:, 0]] * of_v[:, powers[:, 1]])


def _square(terms: NDArray[np.float64], powers: NDArray[np.int64], order: int) -> Polynomial:
    square = np.zeros((order + 1, order + 1))
    square[powers[:, 0], powers[:, 1]] = terms
    return square


def _invert(a: Polynomial, b: Polynomial, u: Positions, v: Positions, order: int) -> tuple[Polynomial, Polynomial]:
    """Fit the inverse of a distortion on a grid over the pixel offsets ``u``, ``v``."""
    sides = (np.linspace(min(side.min(), 0.0), max(side.max(), 0.0), 24) for side in (u, v))
    p, q = (part.ravel() for part in np.meshgrid(*sides))
    far_p, far_q = p + polyval2d(p, q, a), q + polyval2d(p, q, b)
    scale = max(float(np.abs([far_p, far_q]).max()), 1.0)
    powers = _powers(order, lowest=1)
    design = _design(far_p / scale, far_q / scale, powers)
    solution = np.linalg.lstsq(design, np.stack([p - far_p, q - far_q], axis=1), rcond=None)[0]
    solution /= scale ** powers.sum(axis=1)[:, None]
    return _square(solution[:, 0], powers, order), _square(solution[:, 1], powers, order)
