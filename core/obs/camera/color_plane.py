"""The pixels of one color of a detector whose pixels lie behind a mosaic of color filters."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from obs.frozen import frozen
from obs.geom import Box

__all__ = ["COLORS", "ColorPlane", "cells_in", "is_color_pattern"]

COLORS = ("R", "G", "B")
_CELL = 2
"""Rows and columns of the cell that the mosaic repeats."""


def is_color_pattern(text: str) -> bool:
    """Return whether a text names the four pixels of a Bayer cell: two greens on a diagonal, a red and a blue.

    Parameters
    ----------
    text : str
        Colors of the cell in rows, beginning with the first pixel, for example "RGGB".
    """
    return text in ("RGGB", "BGGR", "GRBG", "GBRG")


@frozen
class ColorPlane:
    """One color of a Bayer mosaic: an image of half the resolution, a pixel a cell of 2 x 2.

    Two green pixels of a cell are averaged, so that the plane's gain is twice that of the detector, and its read noise
    in electrons that times the square root of two.

    Parameters
    ----------
    pattern : str
        Colors of the cell as the file stores it: the first row from left to right, then the second.
    color : {"R", "G", "B"}
        The color.

    Raises
    ------
    ValueError
        If the pattern is not a Bayer cell, or the color is not in it.

    References
    ----------
    B. E. Bayer (1976), US patent 3,971,065.

    Examples
    --------
    >>> import numpy as np
    >>> from obs.camera.color_plane import ColorPlane
    >>> ColorPlane("RGGB", "G").extract(np.array([[1, 2], [4, 8]]))
    array([[3.]], dtype=float32)
    """

    pattern: str
    color: str

    def __post_init__(self) -> None:
        if not is_color_pattern(self.pattern):
            raise ValueError(f"color_pattern is one of RGGB, BGGR, GRBG and GBRG, got '{self.pattern}'")
        if self.color not in COLORS:
            raise ValueError(f"color is one of {', '.join(COLORS)}, got '{self.color}'")

    @property
    def positions(self) -> tuple[tuple[int, int], ...]:
        """Places (x, y) of the color in the cell, pixels."""
        return tuple((n % _CELL, n // _CELL) for n, letter in enumerate(self.pattern) if letter == self.color)

    @property
    def center(self) -> tuple[float, float]:
        """Mean place (x, y) of the color in the cell, pixels from the center of the cell's first pixel."""
        x, y = zip(*self.positions, strict=True)
        return sum(x) / len(x), sum(y) / len(y)

    def extract(self, mosaic: NDArray[Any], saturation: float = float("nan")) -> NDArray[Any]:
        """Return the plane of a raw image.

        Parameters
        ----------
        mosaic : ndarray of any type, shape (ny, nx)
            The raw image, ADU, of any number type.
        saturation : float, optional
            Level of saturated pixels, ADU. A cell with a saturated pixel has the highest value of the color, not the
            mean, so that it counts as saturated.

        Returns
        -------
        ndarray, shape (ny // 2, nx // 2)
            The plane, ADU: of the same type, or float32 where two pixels are averaged.
        """
        ny, nx = (length // _CELL * _CELL for length in mosaic.shape)
        parts = [mosaic[y:ny:_CELL, x:nx:_CELL] for x, y in self.positions]
        if len(parts) == 1:
            return np.ascontiguousarray(parts[0])
        mean = np.mean(parts, axis=0, dtype=np.float32)
        highest = np.max(parts, axis=0)
        return np.where(highest >= saturation, highest, mean).astype(np.float32)

    def expand(self, plane: NDArray[Any]) -> NDArray[Any]:
        """Return a raw image of which `extract` gives the plane again: all pixels of a cell are alike.

        Parameters
        ----------
        plane : ndarray of any type, shape (ny, nx)
            The plane.

        Returns
        -------
        ndarray, shape (2 ny, 2 nx)
            The raw image, of the same type.
        """
        return np.repeat(np.repeat(plane, _CELL, axis=0), _CELL, axis=1)


def cells_in(box: Box) -> Box:
    """Return the pixels of a color plane whose cells lie wholly in a box of the mosaic.

    Parameters
    ----------
    box : Box
        Region of the mosaic, 0-based pixels.

    Returns
    -------
    Box
        Region of the color plane, which has half as many pixels along each axis.
    """
    if box.is_empty:
        return Box(0, 0, 0, 0)
    x_min, y_min = -(-box.x_min // _CELL), -(-box.y_min // _CELL)
    width, height = box.x_max // _CELL - x_min, box.y_max // _CELL - y_min
    return Box(x_min, y_min, max(width, 0), max(height, 0))
