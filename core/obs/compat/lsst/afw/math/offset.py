"""Images moved by parts of a pixel, in the stack's words."""

import math
import re
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from obs.compat.lsst.afw.geom.point import Extent2I
from obs.compat.lsst.afw.image.image import Image, ImageD
from obs.compat.lsst.afw.image.masked_image import MaskedImageF
from obs.compat.lsst.afw.math.kernels import ConvolutionControl, FixedKernel, convolve

__all__ = ["offsetImage"]

Kind = TypeVar("Kind", Image, MaskedImageF)


def offsetImage(image: Kind, dx: float, dy: float, algorithmName: str = "lanczos5", buffer: int = 0) -> Kind:
    """Return an image moved to the right and up; whole pixels of the way change only its place in the parent.

    Parameters
    ----------
    image : ImageF or MaskedImageF
        The image.
    dx, dy : float
        How far, pixels.
    algorithmName : str, optional
        ``lanczos2`` to ``lanczos9``, or ``bilinear``.
    buffer : int, optional
        Has no effect: the border that the kernel does not reach is copied as it is.

    Raises
    ------
    ValueError
        If there is no such kernel.
    """
    whole_x, whole_y = math.floor(dx + 0.5), math.floor(dy + 0.5)
    weights = np.outer(_weights(algorithmName, dy - whole_y), _weights(algorithmName, dx - whole_x))
    moved = image.clone()
    convolve(moved, image, FixedKernel(ImageD(weights)), ConvolutionControl(doCopyEdge=True))
    moved.setXY0(image.getXY0() + Extent2I(whole_x, whole_y))
    return moved


def _weights(name: str, part: float) -> NDArray[np.float64]:
    """Return the weights of the pixels around one, for an image that moves by a part of a pixel."""
    match = re.fullmatch("lanczos([2-9])", name)
    if match is None and name != "bilinear":
        raise ValueError(f"images are moved with lanczos2 to lanczos9 or bilinear here, not with '{name}'")
    reach = 1 if match is None else int(match[1])
    distance = np.arange(-reach, reach + 1) + part
    if match is None:
        return np.asarray(np.maximum(1.0 - np.abs(distance), 0.0), np.float64)
    weights = np.where(np.abs(distance) < reach, np.sinc(distance) * np.sinc(distance / reach), 0.0)
    return np.asarray(weights / weights.sum(), np.float64)
