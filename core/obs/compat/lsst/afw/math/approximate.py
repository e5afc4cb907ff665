"""Backgrounds as polynomials, in the stack's words."""

from typing import Any

import numpy as np
from numpy.polynomial import chebyshev

from obs.compat.lsst.afw.image.image import ImageF
from obs.compat.lsst.afw.image.masked_image import MaskedImageF
from obs.image.background import Background as Own

__all__ = ["Approximate", "ApproximateControl"]


class ApproximateControl:
    """Of which order a background is fitted, and how.

    Parameters
    ----------
    style : int, optional
        Only ``CHEBYSHEV``.
    orderX : int
        Highest order of the polynomial.
    orderY : int, optional
        The same; that in x if absent.
    weighting : bool, optional
        Whether cells count by their variances.

    Raises
    ------
    ValueError
        If the orders differ or are negative, or the style is another one.
    """

    UNKNOWN, CHEBYSHEV = -1, 0

    def __init__(self, style: int = CHEBYSHEV, orderX: int = 1, orderY: int = -1, weighting: bool = True) -> None:
        if style != self.CHEBYSHEV or orderX < 0 or orderY not in (-1, orderX):
            raise ValueError(f"a background is fitted with CHEBYSHEV of one order, got {style}, {orderX} and {orderY}")
        self._order, self._weighting = orderX, weighting

    def getOrderX(self) -> int:
        """Return the highest order, as in the LSST stack."""
        return self._order

    getOrderY = getOrderX

    def getWeighting(self) -> bool:
        """Return whether cells count by their variances."""
        return self._weighting


class Approximate:
    """A polynomial through the cells of a background, as in the LSST stack.

    Parameters
    ----------
    own : obs.image.background.Background
        The background; cells that are not finite do not count.
    control : ApproximateControl
        Of which order, and how.

    Raises
    ------
    ValueError
        If there are fewer cells than coefficients.
    """

    def __init__(self, own: Own, control: ApproximateControl) -> None:
        self._own, self._order = own, control.getOrderX()
        y, x = np.meshgrid(own.y, own.x, indexing="ij")
        good = np.isfinite(own.level)
        weight = np.ones(own.level.shape)
        if control.getWeighting():
            good &= np.isfinite(own.error) & (own.error > 0)
            weight = 1.0 / np.where(good, own.error, 1.0)
        terms = self._terms(x[good], y[good])
        cells, count = terms.shape
        if cells < count:
            raise ValueError(f"order {self._order} has {count} coefficients, more than there are good cells, {cells}")
        weights = weight[good]
        solved = np.linalg.lstsq(terms * weights[:, None], own.level[good].astype(np.float64) * weights, rcond=None)
        self._matrix = np.zeros((self._order + 1, self._order + 1))
        self._matrix[self._triangle()] = solved[0]

    def _triangle(self) -> Any:  # noqa: ANN401 - indices
        """Return which products of orders in y and x are used: those that are together of the order, at most."""
        j, i = np.indices((self._order + 1, self._order + 1))
        return i + j <= self._order

    def _terms(self, x: Any, y: Any) -> Any:  # noqa: ANN401 - arrays
        height, width = self._own.shape
        inside = _unit(y, height), _unit(x, width)
        vander = chebyshev.chebvander2d(*inside, [self._order, self._order])
        return vander.reshape(len(x), self._order + 1, self._order + 1)[:, self._triangle()]

    def getImage(self, orderX: int = -1, orderY: int = -1) -> ImageF:
        """Return the polynomial at every pixel; with an order its terms of up to that one only.

        Raises
        ------
        ValueError
            If it is higher than the one that was fitted.
        """
        order = self._order if orderX == -1 else orderX
        if not 0 <= order <= self._order or orderY not in (-1, order):
            raise ValueError(f"the polynomial is of order {self._order}, got {orderX} and {orderY}")
        j, i = np.indices(self._matrix.shape)
        matrix = np.where(i + j <= order, self._matrix, 0.0)
        height, width = self._own.shape
        grid = chebyshev.chebgrid2d(_unit(np.arange(height), height), _unit(np.arange(width), width), matrix)
        return ImageF(grid.astype(np.float32))

    def getMaskedImage(self, orderX: int = -1, orderY: int = -1) -> MaskedImageF:
        """Return the polynomial at every pixel, as planes; see `getImage`."""
        return MaskedImageF(self.getImage(orderX, orderY))


def _unit(pixel: Any, size: int) -> Any:  # noqa: ANN401 - an array
    """Return pixels as places between -1 and 1, the borders of the image."""
    return (np.asarray(pixel, np.float64) + 0.5) * 2.0 / size - 1.0
