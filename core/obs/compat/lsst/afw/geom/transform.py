"""Linear and affine transforms of the plane."""

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from obs.compat.lsst.afw.geom.point import Extent2D, Point2D

__all__ = ["AffineTransform", "LinearTransform"]


class LinearTransform:
    """A matrix of two rows and two columns.

    Parameters
    ----------
    matrix : array_like, shape (2, 2), optional
        The identity if absent.
    """

    def __init__(self, matrix: ArrayLike | None = None) -> None:
        self._matrix = np.eye(2) if matrix is None else np.array(matrix, np.float64).reshape(2, 2)

    @classmethod
    def makeRotation(cls, angle: float) -> "LinearTransform":
        """Return the rotation by an angle, counterclockwise."""
        c, s = math.cos(angle), math.sin(angle)
        return cls([[c, -s], [s, c]])

    @classmethod
    def makeScaling(cls, x: float, y: float | None = None) -> "LinearTransform":
        """Return the scaling by a factor, or by one in x and one in y."""
        return cls(np.diag([x, x if y is None else y]))

    def getMatrix(self) -> NDArray[np.float64]:
        """Return the matrix, shape (2, 2)."""
        return self._matrix.copy()

    def inverted(self) -> "LinearTransform":
        """Return the inverse, as in the LSST stack."""
        return LinearTransform(np.linalg.inv(self._matrix))

    invert = inverted

    def computeDeterminant(self) -> float:
        """Return the determinant, as in the LSST stack."""
        return float(np.linalg.det(self._matrix))

    def __mul__(self, other: "LinearTransform") -> "LinearTransform":
        return LinearTransform(self._matrix @ other._matrix)

    def __call__(self, pair: Any) -> Any:  # noqa: ANN401 - an extent stays an extent
        """Return a point or an extent after the transform."""
        x, y = self._matrix @ np.array([pair[0], pair[1]], np.float64)
        return Extent2D(x, y) if isinstance(pair, Extent2D) else Point2D(x, y)

    def __getitem__(self, index: Any) -> float:  # noqa: ANN401 - row and column, or a running number by columns
        return float(self._matrix[index] if isinstance(index, tuple) else self._matrix.T.flat[index])

    def __repr__(self) -> str:
        return f"LinearTransform({self._matrix.tolist()})"


class AffineTransform:
    """A linear transform and a translation.

    Parameters
    ----------
    linear : LinearTransform or array_like, optional
        The identity if absent.
    translation : Extent2D, optional
        None if absent.
    """

    def __init__(self, linear: Any = None, translation: Any = None) -> None:  # noqa: ANN401 - as the docstring says
        self._linear = linear if isinstance(linear, LinearTransform) else LinearTransform(linear)
        self._translation = Extent2D(translation if translation is not None else (0.0, 0.0))

    @classmethod
    def makeTranslation(cls, translation: Any) -> "AffineTransform":  # noqa: ANN401 - an extent
        """Return the translation by an extent."""
        return cls(None, translation)

    @classmethod
    def makeRotation(cls, angle: float) -> "AffineTransform":
        """Return the rotation by an angle, counterclockwise."""
        return cls(LinearTransform.makeRotation(angle))

    @classmethod
    def makeScaling(cls, x: float, y: float | None = None) -> "AffineTransform":
        """Return the scaling by a factor, or by one in x and one in y."""
        return cls(LinearTransform.makeScaling(x, y))

    def getLinear(self) -> LinearTransform:
        """Return the linear part, as in the LSST stack."""
        return self._linear

    def getTranslation(self) -> Extent2D:
        """Return the translation, as in the LSST stack."""
        return self._translation

    def getMatrix(self) -> NDArray[np.float64]:
        """Return the matrix of homogeneous coordinates, shape (3, 3)."""
        matrix = np.eye(3)
        matrix[:2, :2], matrix[:2, 2] = self._linear.getMatrix(), list(self._translation)
        return matrix

    def inverted(self) -> "AffineTransform":
        """Return the inverse, as in the LSST stack."""
        inverse = self._linear.inverted()
        return AffineTransform(inverse, -inverse(self._translation))

    invert = inverted

    def __call__(self, pair: Any) -> Any:  # noqa: ANN401 - an extent stays an extent
        """Return a point or an extent after the transform; extents are not moved."""
        turned = self._linear(pair)
        return turned if isinstance(pair, Extent2D) else turned + self._translation

    def __repr__(self) -> str:
        return f"AffineTransform({self._linear!r}, {self._translation!r})"
