"""Kernels in the archives of the LSST stack: images that are added with weights that vary over the detector.

References
----------
The stack's afw (`math/LinearCombinationKernel.cc`, `math/FixedKernel.cc`, `math/FunctionLibrary.cc`).
"""

from typing import Any

import numpy as np
from numpy.polynomial import chebyshev
from numpy.typing import NDArray

from obs.errors import FileFormatError
from obs.image.psf import PixelPsf
from obs.repo.lsst_objects.archive import Archive, field, numbers, point

__all__ = ["kernel_psf"]

Floats = NDArray[np.float64]

#: Positions enter polynomials of pixels divided by this, so that single precision is enough for the images.
_SCALE = 1000.0


def kernel_psf(archive: Archive, number: int) -> PixelPsf:
    """Return a PSF that is given by a kernel.

    Parameters
    ----------
    archive : Archive
        The archive.
    number : int
        Number of the kernel.

    Raises
    ------
    FileFormatError
        If the kernel is of a class that is not read.
    """
    name, row = archive.row(number)
    if name == "FixedKernel":
        return PixelPsf(_image(archive, number)[None].astype(np.float32), 0)
    if name != "LinearCombinationKernel":
        raise FileFormatError(
            f"its PSF has a kernel of the stack's class {name}, which is not read; FixedKernel and "
            "LinearCombinationKernel are"
        )
    images = np.stack([_image(archive, int(part)) for part in np.ravel(field(row, "components"))])
    if "amplitudes" in row.array.dtype.names:
        summed = np.tensordot(numbers(row, "amplitudes"), images, axes=1)
        return PixelPsf(summed[None].astype(np.float32), 0)
    functions = [_function(archive, int(part)) for part in np.ravel(field(row, "spatialfunctions"))]
    (zero, scale), degree = functions[0][1:3], max(len(terms) for terms, *_ in functions) - 1
    if any(other[1:3] != (zero, scale) for other in functions):
        raise FileFormatError("its PSF has spatial functions over different boxes, which is not read")
    weights = np.stack([_psfex_order(terms, degree) for terms, *_ in functions])
    basis = np.tensordot(weights.T, images, axes=1).astype(np.float32)
    return PixelPsf(basis, degree, x_zero=zero[0], y_zero=zero[1], x_scale=scale[0], y_scale=scale[1])


def _image(archive: Archive, number: int) -> Floats:
    """Return the image of a fixed kernel, its center in the middle."""
    name, row = archive.row(number)
    if name != "FixedKernel":
        raise FileFormatError(f"its PSF has a kernel of the stack's class {name}, which is not read; FixedKernel is")
    width, height = (int(size) for size in point(row, "dimensions"))
    column, line = (int(place) for place in point(row, "center"))
    values = numbers(row, "image")
    if len(values) != width * height:
        raise FileFormatError(f"its PSF is damaged: {len(values)} values for {width} x {height} pixels")
    reach_x, reach_y = max(column, width - 1 - column), max(line, height - 1 - line)
    image = np.zeros((2 * reach_y + 1, 2 * reach_x + 1))
    image[reach_y - line : reach_y - line + height, reach_x - column : reach_x - column + width] = values.reshape(
        height, width
    )
    return image


def _function(archive: Archive, number: int) -> tuple[Floats, tuple[float, float], tuple[float, float]]:
    """Return coefficients by the power of scaled x and y, shape (n, n), and zero and scale of x and y, pixels."""
    name, row = archive.row(number)
    coefficients = numbers(row, "coefficients")
    degree = int((np.sqrt(8 * len(coefficients) + 1) - 3) / 2 + 0.5)
    terms = np.zeros((degree + 1, degree + 1))
    place = 0
    for total in range(degree + 1):
        for y in range(total + 1):
            terms[total - y, y] = coefficients[place]
            place += 1
    if name.startswith("PolynomialFunction2"):
        powers = np.arange(degree + 1)
        return terms * _SCALE ** (powers[:, None] + powers), (0.0, 0.0), (_SCALE, _SCALE)
    if not name.startswith("Chebyshev1Function2"):
        raise FileFormatError(f"its PSF varies as the stack's class {name}, which is not read")
    low, high = point(row, "min"), point(row, "max")
    middle = (0.5 * (low[0] + high[0]), 0.5 * (low[1] + high[1]))
    half = (0.5 * (high[0] - low[0]), 0.5 * (high[1] - low[1]))
    to_powers = np.stack([_padded(chebyshev.cheb2poly(unit), degree) for unit in np.eye(degree + 1)], axis=1)
    return to_powers @ terms @ to_powers.T, middle, half


def _padded(values: Any, degree: int) -> Floats:  # noqa: ANN401 - coefficients of numpy
    return np.pad(np.asarray(values, np.float64), (0, degree + 1 - len(values)))


def _psfex_order(terms: Floats, degree: int) -> Floats:
    """Return the coefficients in the order of `obs.image.psf.polynomial_terms`."""
    grown = np.zeros((degree + 1, degree + 1))
    grown[: len(terms), : len(terms)] = terms
    return np.concatenate([grown[: degree + 1 - y, y] for y in range(degree + 1)])
