"""Correct counts that are not proportional to the light."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from obs.algorithms.pixels.row_blocks import row_blocks
from obs.errors import FileFormatError
from obs.geom import Box
from obs.image.masked_image import MaskedImage

__all__ = ["LINEARITY_TYPES", "Linearity", "linearize"]

LINEARITY_TYPES = ("None", "Proportional", "Squared", "Polynomial", "Spline", "LookupTable")


class Linearity(NamedTuple):
    """How counts of one amplifier become proportional to light.

    Parameters
    ----------
    type : str
        ``None`` and ``Proportional`` leave counts x as they are; ``Squared`` gives x + c0 x^2; ``Polynomial`` gives
        x + c0 x^2 + c1 x^3 and so on; ``Spline`` subtracts a curve through points, of which the first half of the
        coefficients holds the counts and the second half what is subtracted there; ``LookupTable`` adds an entry of a
        table: row c0, column the whole part of x plus c1.
    coefficients : tuple of float
        The c, ADU to the power that makes the result ADU.
    table : ndarray of float32, shape (n, m), optional
        For ``LookupTable``: what is added, ADU.
    """

    type: str = "None"
    coefficients: tuple[float, ...] = ()
    table: NDArray[np.float32] | None = None


def linearize(masked_image: MaskedImage, box: Box, linearity: Linearity, *, gain: float) -> None:
    """Make the counts of a box proportional to light, in place.

    The variance grows by the shot noise of the counts that are added, since the light has that of all its electrons.

    Parameters
    ----------
    masked_image : MaskedImage
        Counts above the bias, ADU; variance in ADU^2.
    box : Box
        The amplifier.
    linearity : Linearity
        What to do.
    gain : float
        Electrons per ADU, positive.

    Raises
    ------
    FileFormatError
        If the type is unknown, or it has no coefficients or its table.
    """
    _check(linearity)
    if linearity.type in ("None", "Proportional"):
        return
    image, variance = masked_image.image[box.slices], masked_image.variance[box.slices]
    for rows in row_blocks(box.shape):
        added = _added(image[rows], linearity)
        image[rows] += added
        added *= np.float32(1.0 / gain)
        variance[rows] += added


def _check(linearity: Linearity) -> None:
    kind, coefficients = linearity.type, linearity.coefficients
    if kind not in LINEARITY_TYPES:
        raise FileFormatError(f"linearity type '{kind}' is none of {', '.join(LINEARITY_TYPES)}")
    needed = {"Squared": 1, "Polynomial": 1, "Spline": 4, "LookupTable": 2}.get(kind, 0)
    if len(coefficients) < needed or not np.isfinite(coefficients).all():
        raise FileFormatError(f"linearity type '{kind}' needs {needed} finite coefficients or more, got {coefficients}")
    if kind == "Spline" and (len(coefficients) % 2 or np.any(np.diff(coefficients[: len(coefficients) // 2]) <= 0)):
        raise FileFormatError("linearity type 'Spline' needs as many increasing counts as values")
    if kind == "LookupTable":
        table = linearity.table
        if table is None:
            raise FileFormatError(
                "linearity type 'LookupTable' needs a table; switch off with -c isr.do_linearize=false"
            )
        if not 0 <= int(coefficients[0]) < len(table):
            raise FileFormatError(f"linearity table has {len(table)} rows, row {int(coefficients[0])} is asked for")


def _added(x: NDArray[np.float32], linearity: Linearity) -> NDArray[np.float32]:
    coefficients = linearity.coefficients
    if linearity.type == "Squared":
        coefficients = coefficients[:1]
    if linearity.type in ("Squared", "Polynomial"):
        added = np.full_like(x, coefficients[-1])
        for coefficient in coefficients[-2::-1]:
            added *= x
            added += np.float32(coefficient)
        added *= x
        added *= x
        return added
    if linearity.type == "Spline":
        from scipy.interpolate import Akima1DInterpolator  # noqa: PLC0415 - slow to import, seldom needed

        half = len(coefficients) // 2
        curve = Akima1DInterpolator(coefficients[:half], coefficients[half:])
        inside = np.clip(x, coefficients[0], coefficients[half - 1])
        return -np.asarray(curve(inside), np.float32)
    row = np.asarray(linearity.table)[int(coefficients[0])]
    known = np.nan_to_num(x, nan=0.0, posinf=0.0, neginf=0.0)
    index = known.astype(np.int64) + int(coefficients[1])
    return np.asarray(row[np.clip(index, 0, len(row) - 1)], np.float32)
