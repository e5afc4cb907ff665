"""Kernels, and the convolution of images with them, in the stack's words."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import correlate, maximum_filter

from obs.compat.lsst.afw.geom.point import Point2I
from obs.compat.lsst.afw.image.image import Image, ImageD
from obs.compat.lsst.afw.image.masked_image import MaskedImageF
from obs.compat.lsst.afw.image.psf import LocalKernel

__all__ = [
    "AnalyticKernel",
    "ConvolutionControl",
    "DeltaFunctionKernel",
    "DoubleGaussianFunction2D",
    "FixedKernel",
    "GaussianFunction1D",
    "GaussianFunction2D",
    "SeparableKernel",
    "convolve",
]

Floats = NDArray[np.float64]


def GaussianFunction1D(sigma: float) -> Callable[[Floats], Floats]:
    """Return a Gaussian of one variable, with an integral of 1 and a width in pixels."""
    return lambda x: np.exp(-0.5 * np.square(x / sigma)) / (np.sqrt(2.0 * np.pi) * sigma)


def GaussianFunction2D(sigma1: float, sigma2: float, angle: float = 0.0) -> Callable[[Floats, Floats], Floats]:
    """Return a Gaussian of two variables with an integral of 1; widths in pixels, the angle of the first in radians."""
    c, s = np.cos(angle), np.sin(angle)

    def value(x: Floats, y: Floats) -> Floats:
        square = np.square((c * x + s * y) / sigma1) + np.square((c * y - s * x) / sigma2)
        return np.asarray(np.exp(-0.5 * square) / (2.0 * np.pi * sigma1 * sigma2))

    return value


def DoubleGaussianFunction2D(sigma1: float, sigma2: float = 0.0, b: float = 0.0) -> Callable[[Floats, Floats], Floats]:
    """Return the sum of two round Gaussians with an integral of 1; the center of the second is ``b`` as high."""
    total = 2.0 * np.pi * (sigma1**2 + b * sigma2**2)

    def value(x: Floats, y: Floats) -> Floats:
        square = np.square(x) + np.square(y)
        second = b * np.exp(-0.5 * square / sigma2**2) if b else 0.0
        return np.asarray((np.exp(-0.5 * square / sigma1**2) + second) / total)

    return value


class FixedKernel(LocalKernel):
    """A kernel that is an image, the same everywhere.

    Parameters
    ----------
    image : ImageD
        Its pixels, whose center is half of the width and of the height.
    """

    def __init__(self, image: Image) -> None:
        super().__init__(ImageD(np.array(image.getArray(), np.float64)))

    def getCtr(self) -> Point2I:
        """Return the pixel of the kernel that stands for the pixel itself."""
        return Point2I(self.getWidth() // 2, self.getHeight() // 2)


class AnalyticKernel(FixedKernel):
    """A kernel that is a function of the offsets in x and y.

    Parameters
    ----------
    width, height : int
        Its size, pixels.
    function : callable
        Such as `GaussianFunction2D`.
    """

    def __init__(self, width: int, height: int, function: Callable[[Floats, Floats], Floats]) -> None:
        x, y = np.arange(width) - width // 2, np.arange(height) - height // 2
        super().__init__(ImageD(function(*np.meshgrid(x.astype(np.float64), y.astype(np.float64)))))


class SeparableKernel(FixedKernel):
    """A kernel that is the product of a function of x and one of y.

    Parameters
    ----------
    width, height : int
        Its size, pixels.
    x_function, y_function : callable
        Such as `GaussianFunction1D`.
    """

    def __init__(
        self, width: int, height: int, x_function: Callable[[Floats], Floats], y_function: Callable[[Floats], Floats]
    ) -> None:
        x, y = np.arange(width) - width // 2, np.arange(height) - height // 2
        super().__init__(ImageD(np.outer(y_function(y.astype(np.float64)), x_function(x.astype(np.float64)))))


class DeltaFunctionKernel(FixedKernel):
    """A kernel of zeros and a single one, which moves an image by whole pixels.

    Parameters
    ----------
    width, height : int
        Its size, pixels.
    point : Point2I
        Where the one is.
    """

    def __init__(self, width: int, height: int, point: Any) -> None:  # noqa: ANN401 - a point
        pixels = np.zeros((height, width))
        pixels[int(point[1]), int(point[0])] = 1.0
        super().__init__(ImageD(pixels))


class ConvolutionControl:
    """Settings with which images are convolved, as in the stack.

    Parameters
    ----------
    doNormalize : bool, optional
        Make the sum of the kernel 1.
    doCopyEdge : bool, optional
        Keep the pixels of the border that the kernel does not reach; without, they are NaN.
    """

    def __init__(self, doNormalize: bool = True, doCopyEdge: bool = False, *_: Any) -> None:
        self.doNormalize, self.doCopyEdge = doNormalize, doCopyEdge

    def getDoNormalize(self) -> bool:
        """Return whether the sum of the kernel is made 1."""
        return self.doNormalize

    def setDoNormalize(self, doNormalize: bool) -> None:
        """Set whether the sum of the kernel is made 1."""
        self.doNormalize = doNormalize

    def getDoCopyEdge(self) -> bool:
        """Return whether the border is kept."""
        return self.doCopyEdge

    def setDoCopyEdge(self, doCopyEdge: bool) -> None:
        """Set whether the border is kept."""
        self.doCopyEdge = doCopyEdge


def convolve(
    convolvedImage: Any,  # noqa: ANN401 - as the docstring says
    inImage: Any,  # noqa: ANN401 - as the docstring says
    kernel: LocalKernel,
    doNormalize: bool | ConvolutionControl = True,
    doCopyEdge: bool = False,
) -> None:
    """Write an image convolved with a kernel into another one.

    As in the stack, the kernel is not mirrored: this is a correlation, which is the same for symmetric kernels.
    Variances are summed with the squares of the kernel, and bits of masks spread over its pixels. On the border that
    the kernel does not reach, images are NaN, variances infinite and masks NO_DATA. A border that is copied has EDGE.

    Parameters
    ----------
    convolvedImage : ImageF or MaskedImageF
        What is written, of the size of the input.
    inImage : ImageF or MaskedImageF
        The input.
    kernel : FixedKernel, or the local kernel of a PSF
        The kernel.
    doNormalize : bool or ConvolutionControl, optional
        Make the sum of the kernel 1.
    doCopyEdge : bool, optional
        Copy the border.

    Raises
    ------
    ValueError
        If the images are not of one size, or are smaller than the kernel.
    """
    given = doNormalize if isinstance(doNormalize, ConvolutionControl) else ConvolutionControl(doNormalize, doCopyEdge)
    is_copied = given.doCopyEdge
    size = inImage.getDimensions()
    if convolvedImage.getDimensions() != size:
        raise ValueError(f"the input has {size} pixels, the image for the result {convolvedImage.getDimensions()}")
    if kernel.getWidth() > size.x or kernel.getHeight() > size.y:
        raise ValueError(f"the kernel has {kernel.getDimensions()} pixels, more than the image, {size}")
    stamp = ImageD(kernel.getWidth(), kernel.getHeight())
    kernel.computeImage(stamp, given.doNormalize)
    pixels = stamp.getArray()
    border = _border(convolvedImage.getArrays()[0].shape if _has_planes(inImage) else inImage.getArray().shape, pixels)
    convolvedImage.setXY0(inImage.getXY0())
    if not _has_planes(inImage):
        _fill(convolvedImage.getArray(), inImage.getArray(), pixels, border, np.nan, is_copied=is_copied)
        return
    image, mask, variance = inImage.getArrays()
    spread = _spread(mask, pixels != 0)
    planes = convolvedImage.getMask()
    for name in inImage.getMask().getMaskPlaneDict():
        planes.addMaskPlane(name)
    edge = planes.getPlaneBitMask("EDGE" if is_copied else "NO_DATA")
    to_image, to_mask, to_variance = convolvedImage.getArrays()
    _fill(to_image, image, pixels, border, np.nan, is_copied=is_copied)
    _fill(to_variance, variance, np.square(pixels), border, np.inf, is_copied=is_copied)
    to_mask[...] = np.where(border, (mask if is_copied else 0) | edge, spread)


def _has_planes(image: Any) -> bool:  # noqa: ANN401 - an image
    return isinstance(image, MaskedImageF)


def _border(shape: tuple[int, int], kernel: Floats) -> NDArray[np.bool_]:
    """Return which pixels are too near to the border for the kernel."""
    height, width = kernel.shape
    border = np.ones(shape, bool)
    border[height // 2 : shape[0] - (height - 1 - height // 2), width // 2 : shape[1] - (width - 1 - width // 2)] = (
        False
    )
    return border


def _fill(
    target: NDArray[Any],
    source: NDArray[Any],
    kernel: Floats,
    border: NDArray[np.bool_],
    beyond: float,
    *,
    is_copied: bool,
) -> None:
    """Write a correlated plane; on its border a value, or what was there."""
    made = correlate(source.astype(np.float64), kernel, mode="nearest")
    if target.dtype.kind != "f":
        beyond = 0.0
    target[...] = np.where(border, source if is_copied else beyond, made).astype(target.dtype)


def _spread(mask: NDArray[np.int32], inside: NDArray[np.bool_]) -> NDArray[np.int32]:
    """Return the bits of all pixels under the kernel."""
    spread = np.zeros_like(mask)
    used = int(np.bitwise_or.reduce(mask, axis=None)) if mask.size else 0
    how: dict[str, Any] = {"size": inside.shape} if inside.all() else {"footprint": inside}
    for bit in range(32):
        if used >> bit & 1:
            plane = (mask >> bit & 1).astype(np.uint8)
            spread |= maximum_filter(plane, mode="constant", **how).astype(np.int32) << bit
    return spread
