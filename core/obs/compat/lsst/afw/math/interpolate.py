"""Curves through points, in the stack's words."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.interpolate import Akima1DInterpolator, CubicSpline, PPoly

__all__ = ["Interpolate", "makeInterpolate", "stringToInterpStyle"]


class Interpolate:
    """A curve through points, as in the LSST stack.

    The style of a background is taken from here, too; all but ``CONSTANT`` are Akima splines there.

    Parameters
    ----------
    x, y : array_like, shape (n,)
        The points, whose x increases.
    style : int or str, optional
        How the curve runs.

    Raises
    ------
    ValueError
        If the points are too few, their x does not increase, or there is no such style.
    """

    UNKNOWN, CONSTANT, LINEAR, NATURAL_SPLINE, CUBIC_SPLINE, CUBIC_SPLINE_PERIODIC, AKIMA_SPLINE = range(-1, 6)

    def __init__(self, x: ArrayLike, y: ArrayLike, style: int | str = AKIMA_SPLINE) -> None:
        self._x, values = np.asarray(x, np.float64), np.asarray(y, np.float64)
        number = stringToInterpStyle(style) if isinstance(style, str) else style
        if self._x.ndim != 1 or self._x.shape != values.shape or len(values) < 2 or not np.all(np.diff(self._x) > 0):
            raise ValueError(f"a curve needs two points or more, with x that increases; got x={x!r} and y={y!r}")
        match number:
            case self.CONSTANT:
                ends = np.concatenate([self._x[:1], 0.5 * (self._x[1:] + self._x[:-1]), self._x[-1:]])
                self._curve: Any = PPoly(values[None, :], ends)
            case self.LINEAR:
                self._curve = PPoly(np.array([np.diff(values) / np.diff(self._x), values[:-1]]), self._x)
            case self.NATURAL_SPLINE | self.CUBIC_SPLINE:
                self._curve = CubicSpline(self._x, values, bc_type="natural")
            case self.CUBIC_SPLINE_PERIODIC:
                self._curve = CubicSpline(self._x, values, bc_type="periodic")
            case self.AKIMA_SPLINE:
                self._curve = Akima1DInterpolator(self._x, values)
            case _:
                raise ValueError(f"there is no style {style!r}; take one of Interpolate, such as AKIMA_SPLINE")

    def interpolate(self, x: Any) -> Any:  # noqa: ANN401 - a number or an array
        """Return the curve at a number or an array; beyond the points it goes on as the parabola at its end."""
        given = np.asarray(x, np.float64)
        inside = np.clip(given, self._x[0], self._x[-1])
        beyond: NDArray[np.float64] = given - inside
        slope, bend = self._curve(inside, 1), self._curve(inside, 2)
        value = self._curve(inside) + beyond * (slope + 0.5 * beyond * bend)
        return value if given.ndim else float(value)


def makeInterpolate(x: ArrayLike, y: ArrayLike, style: int | str = Interpolate.AKIMA_SPLINE) -> Interpolate:
    """Return the curve through points; see `Interpolate`."""
    return Interpolate(x, y, style)


def stringToInterpStyle(style: str) -> int:
    """Return the number of a style by its name, such as ``AKIMA_SPLINE``.

    Raises
    ------
    ValueError
        If there is none of this name.
    """
    found = getattr(Interpolate, style, None) if style.isupper() else None
    if not isinstance(found, int):
        raise ValueError(f"there is no style '{style}'; take one of Interpolate, such as AKIMA_SPLINE")
    return found
