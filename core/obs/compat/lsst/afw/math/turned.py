"""Images binned, mirrored and turned, in the stack's words."""

from typing import Any, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from obs.compat.lsst.afw.image.image import Image, ImageF
from obs.compat.lsst.afw.image.mask import Mask
from obs.compat.lsst.afw.image.masked_image import MaskedImageF
from obs.image import mask as own

__all__ = ["binImage", "flipImage", "rotateImageBy90"]

AnyImage = TypeVar("AnyImage", bound=Image | MaskedImageF)
OnePlane = TypeVar("OnePlane", bound=Image)


def binImage(inImage: AnyImage, binX: int, binY: int | None = None) -> AnyImage:
    """Return an image of the means of blocks of pixels; what is left at the end is cut off.

    Parameters
    ----------
    inImage : ImageF or MaskedImageF
        The image.
    binX, binY : int
        Columns and rows of a block; the same if one is given.
    """
    rows = binX if binY is None else binY
    if isinstance(inImage, MaskedImageF):
        return cast(AnyImage, _binned_planes(inImage, binX, rows))
    pixels = inImage.getArray()
    return type(inImage)(_blocks(pixels, binX, rows).mean(axis=(1, 3)).astype(pixels.dtype))


def _blocks(pixels: NDArray[Any], columns: int, rows: int) -> NDArray[Any]:
    """Return the pixels by blocks, shape (ny, rows, nx, columns)."""
    height, width = pixels.shape[0] // rows, pixels.shape[1] // columns
    return pixels[: height * rows, : width * columns].reshape(height, rows, width, columns)


def _binned_planes(planes: MaskedImageF, columns: int, rows: int) -> MaskedImageF:
    """Return the means of blocks with their variances, and the bits of all their pixels."""
    image, bits, variance = (_blocks(plane, columns, rows) for plane in planes.getArrays())
    mask = Mask(own.Mask(np.bitwise_or.reduce(bits, axis=(1, 3)), planes.getMask().getMaskPlaneDict()))
    of_mean = variance.mean(axis=(1, 3)) / (columns * rows)
    return MaskedImageF(ImageF(image.mean(axis=(1, 3))), mask, ImageF(of_mean))


def flipImage(inImage: OnePlane, flipLR: bool, flipTB: bool) -> OnePlane:
    """Return an image with columns, rows, or both in reverse."""
    pixels = inImage.getArray()[:: -1 if flipTB else 1, :: -1 if flipLR else 1]
    return type(inImage)(np.ascontiguousarray(pixels))


def rotateImageBy90(image: OnePlane, nQuarter: int) -> OnePlane:
    """Return an image that is turned counterclockwise by quarters of a circle, rows counted upward."""
    return type(image)(np.ascontiguousarray(np.rot90(image.getArray(), -nQuarter)))
