"""Transforms of positions that are not linear: of cameras, and from one image to another."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from obs.compat.lsst.afw.geom.point import Extent2D, Point2D
from obs.compat.lsst.afw.geom.transform import AffineTransform

__all__ = ["Transform", "linearizeTransform", "makeIdentityTransform", "makeTransform", "makeWcsPairTransform"]

#: Takes one position or a list of them, and returns as many.
Step = Callable[[Any], Any]
_STEP = 0.5  # to either side, over which derivatives are taken


class Transform:
    """A transform of positions and its inverse, as in the LSST stack.

    Parameters
    ----------
    forward, inverse : callable
        Each takes a position or a list of them, and returns the same.
    """

    def __init__(self, forward: Step, inverse: Step) -> None:
        self.applyForward, self.applyInverse = forward, inverse

    def inverted(self) -> "Transform":
        """Return the inverse, as in the LSST stack."""
        return Transform(self.applyInverse, self.applyForward)

    def then(self, second: "Transform") -> "Transform":
        """Return this transform with another one after it."""
        return Transform(
            lambda place: second.applyForward(self.applyForward(place)),
            lambda place: self.applyInverse(second.applyInverse(place)),
        )

    def getJacobian(self, point: Any) -> NDArray[np.float64]:  # noqa: ANN401 - any pair
        """Return the derivatives at a position, shape (2, 2)."""
        middle = Point2D(point)
        steps = (Extent2D(_STEP, 0.0), Extent2D(0.0, _STEP))
        right, left, above, below = self.applyForward([middle + step * sign for step in steps for sign in (1.0, -1.0)])
        return np.array([list(right - left), list(above - below)]).T / (2.0 * _STEP)


def _each(function: Callable[[Any], Any]) -> Step:
    return lambda place: [function(one) for one in place] if isinstance(place, list) else function(place)


def makeTransform(affine: AffineTransform) -> Transform:
    """Return an affine transform with its inverse."""
    return Transform(_each(affine), _each(affine.inverted()))


def makeIdentityTransform(*_: Any) -> Transform:
    """Return the transform that changes nothing."""
    return makeTransform(AffineTransform())


def makeWcsPairTransform(src: Any, dst: Any) -> Transform:  # noqa: ANN401 - two WCS
    """Return the transform from the pixels of one WCS to those of another one."""
    return Transform(
        lambda place: dst.skyToPixel(src.pixelToSky(place)), lambda place: src.skyToPixel(dst.pixelToSky(place))
    )


def linearizeTransform(transform: Transform, point: Any) -> AffineTransform:  # noqa: ANN401 - any pair
    """Return the affine transform that follows a transform near a position."""
    jacobian, start = transform.getJacobian(point), np.array(list(Point2D(point)))
    return AffineTransform(
        jacobian, Extent2D(*(np.array(list(transform.applyForward(Point2D(point)))) - jacobian @ start))
    )
