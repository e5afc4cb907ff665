"""Numbers that vary over an image, as the LSST stack attaches them.

References
----------
The stack's afw (`math/ChebyshevBoundedField.cc`, `math/TransformBoundedField.cc`, `math/ProductBoundedField.cc`,
`math/PixelAreaBoundedField.cc`).
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.polynomial.chebyshev import chebval2d
from numpy.typing import NDArray

from obs.errors import FileFormatError
from obs.frozen import frozen
from obs.repo.lsst_objects.archive import Archive, field, numbers, point
from obs.repo.lsst_objects.ast_maps import apply_frames
from obs.repo.lsst_objects.ast_text import parse_ast
from obs.repo.lsst_objects.sky_wcs import read_sky_mapping
from obs.sky_vectors import sky_vectors

__all__ = ["BoundedField", "read_bounded_field"]

Floats = NDArray[np.float64]

_MAX_DEPTH = 10


@frozen
class BoundedField:
    """A function of the position, and the box where it holds.

    Parameters
    ----------
    low, high : tuple of float
        First and last pixel (x, y) of the box, as the stack counts pixels.
    evaluate : callable
        From x and y, pixels, to values, all ndarray of float64 of one shape.
    """

    low: tuple[float, float]
    high: tuple[float, float]
    evaluate: Callable[[Floats, Floats], Floats]


def read_bounded_field(archive: Archive, number: int, depth: int = 0) -> BoundedField:
    """Return a field by its number.

    Parameters
    ----------
    archive : Archive
        Archive of the file.
    number : int
        Number of the field in it.
    depth : int, default: 0
        Number of fields that this one is inside of. It ends the reading of a field that contains itself.

    Raises
    ------
    FileFormatError
        If its class is not read.
    """
    name, rows = archive.find(number)
    if depth > _MAX_DEPTH:
        raise FileFormatError("the archive is damaged: a field contains itself")
    if name == "ProductBoundedField":
        return _product([read_bounded_field(archive, int(part), depth + 1) for part in field(rows[0], "id")])
    makers = {"ChebyshevBoundedField": _chebyshev, "TransformBoundedField": _transform}
    if name == "PixelAreaBoundedField":
        return _pixel_area(archive, rows[0][0])
    if name not in makers:
        known = ", ".join([*makers, "PixelAreaBoundedField", "ProductBoundedField"])
        raise FileFormatError(f"it varies as the stack's class {name}, which is not read; {known} are")
    return makers[name](rows[0][0])


def _chebyshev(row: Any) -> BoundedField:  # noqa: ANN401 - a row of astropy
    low, high = point(row, "bbox_min"), point(row, "bbox_max")
    terms = numbers(row, "coefficients").reshape(-1, int(field(row, "order_x")) + 1).T  # kept by y, then by x
    # the box of the pixels' edges
    center = [0.5 * (a + b) for a, b in zip(low, high, strict=True)]
    half = [0.5 * (b - a + 1.0) for a, b in zip(low, high, strict=True)]

    def evaluate(x: Floats, y: Floats) -> Floats:
        return np.asarray(chebval2d((x - center[0]) / half[0], (y - center[1]) / half[1], terms), np.float64)

    return BoundedField(low, high, evaluate)


def _transform(row: Any) -> BoundedField:  # noqa: ANN401 - a row of astropy
    frames = parse_ast(bytes(np.asarray(field(row, "frameSet"), np.uint8)).decode("latin-1"))

    def evaluate(x: Floats, y: Floats) -> Floats:
        places = np.stack([np.ravel(x), np.ravel(y)]).astype(np.float64)
        return np.asarray(apply_frames(frames, places)[0].reshape(np.shape(x)))

    return BoundedField(point(row, "bbox_min"), point(row, "bbox_max"), evaluate)


def _pixel_area(archive: Archive, row: Any) -> BoundedField:  # noqa: ANN401 - a row of astropy
    sky = read_sky_mapping(archive, int(field(row, "wcs")))
    scaling = float(field(row, "scaling"))

    def evaluate(x: Floats, y: Floats) -> Floats:
        shape, (x, y) = np.shape(x), (np.ravel(x), np.ravel(y))
        here, right, above = (sky_vectors(*sky(x + dx, y + dy)) for dx, dy in ((0.0, 0.0), (1.0, 0.0), (0.0, 1.0)))
        area = np.linalg.norm(np.cross(right - here, above - here), axis=1)
        return np.asarray(scaling * area, np.float64).reshape(shape)

    return BoundedField(point(row, "bbox_min"), point(row, "bbox_max"), evaluate)


def _product(factors: list[BoundedField]) -> BoundedField:
    if not factors:
        raise FileFormatError("the archive is damaged: a product of no fields")

    def evaluate(x: Floats, y: Floats) -> Floats:
        return np.asarray(np.prod([factor.evaluate(x, y) for factor in factors], axis=0), np.float64)

    return BoundedField(factors[0].low, factors[0].high, evaluate)
