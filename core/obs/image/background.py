"""The smooth light under the sources, as control points that an image is made of."""

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from numpy.polynomial import chebyshev
from numpy.typing import NDArray

from obs.display_link import display_function
from obs.facts_text import facts_html, facts_text
from obs.image.akima import akima_spline

__all__ = ["Background", "total_background"]

Style = Literal["chebyshev", "akima", "constant"]


class Background:
    """A background known on a mesh.

    Parameters
    ----------
    level : ndarray of float32, shape (my, mx)
        Level in each mesh cell, image units; NaN where the cell had too few good pixels.
    error : ndarray of float32, shape (my, mx)
        Standard error of the level.
    x, y : ndarray of float64, shape (mx,) and (my,)
        Centers of the mesh columns and rows, pixels, increasing.
    shape : tuple of int
        Shape (ny, nx) of the image that the mesh covers.
    style : {'chebyshev', 'akima', 'constant'}
        How the image follows from the control points: a weighted Chebyshev polynomial, Akima splines through all
        points, or their mean.
    order : int, optional
        Total order of the Chebyshev polynomial.

    Raises
    ------
    ValueError
        If shapes disagree.

    Examples
    --------
    >>> from obs import Butler
    >>> [background.shape for background in Butler("DATA/rerun/first").get("calexpBackground", visit=21)][0]
    (1024, 1024)
    """

    def __init__(
        self,
        level: NDArray[np.float32],
        error: NDArray[np.float32],
        x: NDArray[np.float64],
        y: NDArray[np.float64],
        *,
        shape: tuple[int, int],
        style: Style = "akima",
        order: int = 0,
    ) -> None:
        if level.shape != (len(y), len(x)) or error.shape != level.shape:
            raise ValueError(f"levels {level.shape}, errors {error.shape} and mesh {(len(y), len(x))} differ in shape")
        self.level, self.error, self.x, self.y = level, error, x, y
        self.shape, self.style, self.order = shape, style, order

    def show(self, **look: Any) -> Any:  # noqa: ANN401 - a picture, imported when it is asked for
        """Draw the background of every pixel; see `obs.display.show.show` for the settings."""
        return display_function("show:show")(self, **look)

    def __repr__(self) -> str:
        return facts_text(self._title(), self._facts())

    def _repr_html_(self) -> str:
        picture = display_function("thumbnail:thumbnail")(self.image(), scale="minmax")
        return facts_html(self._title(), self._facts(), picture=picture)

    def _title(self) -> str:
        return f"Background of {self.shape[1]} x {self.shape[0]} pixels"

    def _facts(self) -> dict[str, str]:
        known = self.level[np.isfinite(self.level)]
        return {
            "cells": f"{len(self.x)} x {len(self.y)}, {known.size} of them known",
            "level": f"{known.min():.5g} to {known.max():.5g}" if known.size else "",
            "style": self.style + (f" of order {self.order}" if self.style == "chebyshev" else ""),
        }

    def image(self) -> NDArray[np.float32]:
        """Return the background of every pixel, float32, shape (ny, nx); all NaN where no cell is known."""
        known = np.isfinite(self.level)
        if not known.any():
            return np.full(self.shape, np.nan, np.float32)
        if self.style == "constant" or known.sum() < 4:
            return np.full(self.shape, np.mean(self.level[known], dtype=float), np.float32)
        return self._chebyshev(known) if self.style == "chebyshev" else self._akima()

    def _scaled(self, position: NDArray[np.float64], size: int) -> NDArray[np.float64]:
        return (2.0 * position - (size - 1)) / max(size - 1, 1)

    def _chebyshev(self, known: NDArray[np.bool_]) -> NDArray[np.float32]:
        order = self.order
        u, v = self._scaled(self.x, self.shape[1]), self._scaled(self.y, self.shape[0])
        # a polynomial needs more known columns and rows than its degree, or it swings between the cells
        order = min(order, int(known.any(0).sum()) - 1, int(known.any(1).sum()) - 1)
        while order > 0 and (order + 1) * (order + 2) // 2 > known.sum():
            order -= 1
        i, j = np.nonzero(np.add.outer(np.arange(order + 1), np.arange(order + 1)) <= order)
        design = (chebyshev.chebvander(v, order)[:, None, j] * chebyshev.chebvander(u, order)[None, :, i])[known]
        error = self.error[known].astype(float)
        usable = np.isfinite(error) & (error > 0)
        weight = np.where(usable, 1.0 / np.where(usable, error, 1.0), 0.0) if usable.all() else np.ones(len(error))
        solution = np.linalg.lstsq(design * weight[:, None], self.level[known] * weight, rcond=None)[0]
        coefficients = np.zeros((order + 1, order + 1))
        coefficients[j, i] = solution
        rows = chebyshev.chebvander(self._scaled(np.arange(self.shape[0], dtype=float), self.shape[0]), order)
        columns = chebyshev.chebvander(self._scaled(np.arange(self.shape[1], dtype=float), self.shape[1]), order)
        return np.asarray((rows @ coefficients).astype(np.float32) @ columns.T.astype(np.float32), np.float32)

    def _akima(self) -> NDArray[np.float32]:
        rows = np.stack([_interpolate(self.x, row, self.shape[1]) for row in self.level])
        filled = np.isfinite(rows).all(axis=1)
        return _interpolate_columns(self.y[filled], rows[filled], self.shape[0])


def _interpolate(x: NDArray[np.float64], values: NDArray[np.float32], size: int) -> NDArray[np.float64]:
    """Spline through the finite values of one mesh row, level beyond the outermost points."""
    finite = np.isfinite(values)
    if not finite.any():
        return np.full(size, np.nan)
    return np.asarray(_spline(x[finite], values[finite].astype(float)[:, None], size)[:, 0], np.float64)


def _interpolate_columns(y: NDArray[np.float64], rows: NDArray[np.float64], size: int) -> NDArray[np.float32]:
    return np.asarray(_spline(y, rows.astype(np.float32), size), np.float32)


def _spline(points: NDArray[np.float64], values: NDArray[np.floating], size: int) -> NDArray[np.floating]:
    place = np.clip(np.arange(size, dtype=float), points[0], points[-1])
    if len(points) == 1:
        return np.repeat(values, size, axis=0)
    if len(points) == 2:
        fraction = ((place - points[0]) / (points[1] - points[0]))[:, None]
        return np.asarray(values[0] * (1 - fraction) + values[1] * fraction)
    return akima_spline(points, values, place)


def total_background(backgrounds: Sequence[Background]) -> NDArray[np.float32]:
    """Return the sum of the images of backgrounds that were subtracted one after the other.

    Parameters
    ----------
    backgrounds : sequence of Background
        Backgrounds of one image.

    Returns
    -------
    ndarray of float32, shape (ny, nx)
        In the unit of the image.

    Raises
    ------
    ValueError
        If there is none.
    """
    if not backgrounds:
        raise ValueError("no background to add up")
    total = backgrounds[0].image()
    for background in backgrounds[1:]:
        total += background.image()
    return total
