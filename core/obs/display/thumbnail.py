"""Small pictures of images for notebooks and web pages."""

import base64
import io

import numpy as np
from numpy.typing import NDArray

from obs.display.binning import bin_image, bin_step
from obs.display.limits import find_limits

__all__ = ["gray_levels", "thumbnail"]

_SIZE = 256


def gray_levels(image: NDArray[np.float32], limits: tuple[float, float]) -> NDArray[np.uint8]:
    """Return an image as shades of gray, 0 to 255, its first row at the bottom; what is not finite is black.

    Parameters
    ----------
    image : ndarray of float32, shape (ny, nx)
        Pixels.
    limits : tuple of float
        Values that become black and white, in the unit of the image.

    Returns
    -------
    ndarray of uint8, shape (ny, nx)
        Rows in inverse order.
    """
    low, high = limits
    scaled = (np.nan_to_num(image, nan=low, posinf=high, neginf=low) - low) * (255.0 / (high - low))
    levels: NDArray[np.uint8] = np.clip(scaled, 0, 255).astype(np.uint8)[::-1]
    return levels


def thumbnail(image: NDArray[np.float32], size: int = _SIZE, *, scale: str = "zscale", least: int = 1) -> str:
    """Return a small picture of an image as a ``data:`` address of a PNG file.

    Parameters
    ----------
    image : ndarray of float32, shape (ny, nx)
        Image.
    size : int, optional
        Pixels of the longer side, at most.
    scale : str, optional
        What is black and white; see `obs.display.limits.find_limits`.
    least : int, optional
        Smaller images are enlarged by a whole number until the longer side has so many pixels.
    """
    from PIL import Image  # noqa: PLC0415 - only for pictures

    small = bin_image(image, bin_step((image.shape[0], image.shape[1]), size))
    levels = gray_levels(small, find_limits(image, scale))
    factor = -(-least // max(levels.shape))
    levels = levels.repeat(factor, axis=0).repeat(factor, axis=1)
    content = io.BytesIO()
    Image.fromarray(levels).save(content, format="png")
    return "data:image/png;base64," + base64.b64encode(content.getvalue()).decode("ascii")
