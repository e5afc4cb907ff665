"""Images binned, mirrored and turned, in the stack's words."""

from typing import TypeVar

import numpy as np

from obs.compat.lsst.afw.image.image import Image

__all__ = ["binImage", "flipImage", "rotateImageBy90"]

AnyImage = TypeVar("AnyImage", bound=Image)


def binImage(inImage: AnyImage, binX: int, binY: int | None = None) -> AnyImage:
    """Return an image of the means of blocks of pixels; what is left at the end is cut off.

    Parameters
    ----------
    inImage : ImageF
        The image.
    binX, binY : int
        Columns and rows of a block; the same if one is given.
    """
    rows = binX if binY is None else binY
    pixels = inImage.getArray()
    height, width = pixels.shape[0] // rows, pixels.shape[1] // binX
    blocks = pixels[: height * rows, : width * binX].reshape(height, rows, width, binX)
    return type(inImage)(blocks.mean(axis=(1, 3)).astype(pixels.dtype))


def flipImage(inImage: AnyImage, flipLR: bool, flipTB: bool) -> AnyImage:
    """Return an image with columns, rows, or both in reverse."""
    pixels = inImage.getArray()[:: -1 if flipTB else 1, :: -1 if flipLR else 1]
    return type(inImage)(np.ascontiguousarray(pixels))


def rotateImageBy90(image: AnyImage, nQuarter: int) -> AnyImage:
    """Return an image that is turned counterclockwise by quarters of a circle, rows counted upward."""
    return type(image)(np.ascontiguousarray(np.rot90(image.getArray(), -nQuarter)))
