"""What the optics do between the focal plane and the sky, beyond a plate scale."""

from functools import cached_property
from typing import Protocol

import numpy as np
from numpy.polynomial.polynomial import polyder, polyval2d
from numpy.typing import ArrayLike, NDArray

from obs.frozen import frozen

__all__ = ["Distortion", "PolynomialDistortion", "RadialDistortion", "triangle", "triangle_size"]

Positions = NDArray[np.float64]

_TOLERANCE = 1e-10  # mm
_MAX_ITERATIONS = 50


class Distortion(Protocol):
    """Goes from places in the focal plane to those that optics without distortion would need, and back.

    Both are in mm; the plate scale turns the latter into field angles.
    """

    def apply(self, *, x: Positions, y: Positions) -> tuple[Positions, Positions]:
        """Return undistorted places, mm, of places in the focal plane (float64, any shape, mm).

        Parameters
        ----------
        x, y : ndarray of float64
            Positions in the focal plane, mm.
        """
        ...

    def invert(self, *, x: Positions, y: Positions) -> tuple[Positions, Positions]:
        """Return the places in the focal plane, mm, of undistorted ones; NaN where the model has no inverse.

        Parameters
        ----------
        x, y : ndarray of float64
            Undistorted positions, mm.
        """
        ...


@frozen
class RadialDistortion:
    """Distortion of the optics along the radius.

    A point at radius r mm is seen where optics without distortion would see ``r * (1 + c[0] r^2 + c[1] r^4 + ...)``.

    Parameters
    ----------
    coefficients : tuple of float
        The c, per mm^2, per mm^4 and so on; none for optics without distortion.
    """

    coefficients: tuple[float, ...] = ()

    def stretch(self, radius: Positions) -> Positions:
        """Return the factor to the plate scale at radii (ndarray of float64, mm); same shape.

        Parameters
        ----------
        radius : ndarray of float64
            Distances from the optical axis, mm.
        """
        square, factor = radius**2, np.zeros_like(radius)
        for coefficient in reversed(self.coefficients):
            factor = (factor + coefficient) * square
        return 1.0 + factor

    def apply(self, *, x: Positions, y: Positions) -> tuple[Positions, Positions]:
        """Return undistorted places, mm; see `Distortion`.

        Parameters
        ----------
        x, y : ndarray of float64
            Positions in the focal plane, mm.
        """
        factor = self.stretch(np.hypot(x, y))
        return x * factor, y * factor

    def invert(self, *, x: Positions, y: Positions) -> tuple[Positions, Positions]:
        """Return places in the focal plane, mm; see `Distortion`. Newton's method on the radius.

        Parameters
        ----------
        x, y : ndarray of float64
            Undistorted positions, mm.

        Returns
        -------
        x, y : ndarray of float64
            Millimeters; NaN where the iteration does not converge, or ends beyond the turning point of the model.
        """
        if not self.coefficients:
            return x, y
        far = np.hypot(x, y)
        radius = far
        growth = RadialDistortion(tuple((2 * k + 3) * c for k, c in enumerate(self.coefficients)))
        with np.errstate(all="ignore"):
            for _ in range(_MAX_ITERATIONS):
                step = (radius * self.stretch(radius) - far) / growth.stretch(radius)
                radius = radius - step
                if not np.any(np.abs(step) > _TOLERANCE):
                    break
            lost = ~((np.abs(step) <= _TOLERANCE) & (radius >= 0) & (growth.stretch(radius) > 0))
            factor = np.where(lost, np.nan, np.where(far > 0, radius / far, 1.0))
        return x * factor, y * factor


def triangle_size(order: int) -> int:
    """Return how many terms a polynomial in two variables of that total order has.

    Parameters
    ----------
    order : int
        Largest sum of both exponents.
    """
    return (order + 1) * (order + 2) // 2


def triangle(coefficients: ArrayLike, order: int) -> NDArray[np.float64]:
    """Lay out the terms of a polynomial as a matrix.

    Parameters
    ----------
    coefficients : array_like of float, shape (n_term,)
        Terms of x^i y^j in the order (0, 0), (0, 1), .. (0, order), (1, 0), .. (order, 0).
    order : int
        Greatest i + j.

    Returns
    -------
    ndarray of float64, shape (order + 1, order + 1)
        Element ``[i, j]`` multiplies x^i y^j.
    """
    matrix = np.zeros((order + 1, order + 1))
    i, j = zip(*((i, j) for i in range(order + 1) for j in range(order + 1 - i)), strict=True)
    matrix[i, j] = coefficients
    return matrix


@frozen
class PolynomialDistortion:
    """A polynomial in both coordinates for each of them.

    Terms are in the order of `triangle`. With X, Y the place in the focal plane divided by `unit`, ``unit`` times the
    polynomials of X and Y is the undistorted place.

    Parameters
    ----------
    order : int
        Greatest sum of the powers.
    x, y : tuple of float, n_term long
        Terms of the undistorted x and y.
    unit : float
        What the polynomials count in, mm: a pixel's size for polynomials in pixels.

    Raises
    ------
    ValueError
        If the number of terms is not that of the order, or the unit is not positive.
    """

    order: int
    x: tuple[float, ...]
    y: tuple[float, ...]
    unit: float = 1.0

    def __post_init__(self) -> None:
        wanted = triangle_size(self.order)
        for name, terms in (("x", self.x), ("y", self.y)):
            if len(terms) != wanted:
                raise ValueError(f"a polynomial of order {self.order} has {wanted} terms, {name} has {len(terms)}")
        if not self.unit > 0:
            raise ValueError(f"unit must be positive, got {self.unit} mm")

    @cached_property
    def _terms(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        return triangle(self.x, self.order), triangle(self.y, self.order)

    @cached_property
    def _slopes(self) -> tuple[NDArray[np.float64], ...]:
        """Derivatives: of x by x, x by y, y by x, y by y."""
        return tuple(np.asarray(polyder(terms, axis=axis)) for terms in self._terms for axis in (0, 1))

    def apply(self, *, x: Positions, y: Positions) -> tuple[Positions, Positions]:
        """Return undistorted places, mm; see `Distortion`. Horner's scheme in both variables.

        Parameters
        ----------
        x, y : ndarray of float64
            Positions in the focal plane, mm.
        """
        u, v = x / self.unit, y / self.unit
        far_u, far_v = (np.asarray(polyval2d(u, v, terms), np.float64) for terms in self._terms)
        return self.unit * far_u, self.unit * far_v

    def invert(self, *, x: Positions, y: Positions) -> tuple[Positions, Positions]:
        """Return places in the focal plane, mm; see `Distortion`. Newton's method in two dimensions.

        Parameters
        ----------
        x, y : ndarray of float64
            Undistorted positions, mm.

        Returns
        -------
        x, y : ndarray of float64
            Millimeters; NaN where the iteration does not converge, or ends beyond the turning point of the model.
        """
        far_u, far_v = np.asarray(x / self.unit), np.asarray(y / self.unit)
        u, v = far_u, far_v
        tolerance = _TOLERANCE / self.unit
        with np.errstate(all="ignore"):
            for _ in range(_MAX_ITERATIONS):
                miss_u, miss_v = polyval2d(u, v, self._terms[0]) - far_u, polyval2d(u, v, self._terms[1]) - far_v
                uu, uv, vu, vv = (polyval2d(u, v, slope) for slope in self._slopes)
                area = uu * vv - uv * vu
                step_u, step_v = (vv * miss_u - uv * miss_v) / area, (uu * miss_v - vu * miss_u) / area
                u, v = u - step_u, v - step_v
                if not np.any(np.hypot(step_u, step_v) > tolerance):
                    break
            # beyond the turning point of the polynomials the iteration may end on another branch
            lost = ~((np.hypot(step_u, step_v) <= tolerance) & (area > 0) & (uu + vv > 0))
        return np.where(lost, np.nan, u * self.unit), np.where(lost, np.nan, v * self.unit)
