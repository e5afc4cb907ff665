"""Levels and noises of an amplifier, from its pixels."""

import numpy as np
from numpy.typing import NDArray

from obs.camera.amplifier import Amplifier
from obs.frozen import frozen
from obs.geom import Box
from obs.image.raw import Raw

__all__ = ["Level", "amplifier_image", "column_levels", "measure_level", "measure_pixel_noise"]

_TO_SIGMA = 1.4826


@frozen
class Level:
    """Level and noise of a part of an image.

    Parameters
    ----------
    level : float
        Median, ADU.
    noise : float
        Standard deviation of a pixel against its neighbors, ADU.
    spread : float
        Scatter of the columns' levels, ADU: what is not flat.
    """

    level: float
    noise: float
    spread: float


def amplifier_image(raw: Raw, amp: Amplifier) -> NDArray[np.generic]:
    """Return the image that holds an amplifier; the only one of a frame, whatever its HDU.

    Parameters
    ----------
    raw : Raw
        Raw frame.
    amp : Amplifier
        An amplifier.

    Returns
    -------
    ndarray, shape (ny, nx)
        Pixels in the type of the file.
    """
    return raw.images[amp.raw_hdu] if amp.raw_hdu in raw.images else next(iter(raw.images.values()))


def measure_level(raw: Raw, amp: Amplifier, box: Box) -> Level | None:
    """Return level and noise in a box of the raw image; None where it is too small.

    Parameters
    ----------
    raw : Raw
        Raw frame.
    amp : Amplifier
        An amplifier.
    box : Box
        Region in 0-based pixels of its raw image; it needs 64 pixels, and 3 along each axis.

    Returns
    -------
    Level or None
        Values in ADU.
    """
    pixels = np.asarray(amplifier_image(raw, amp)[box.slices], np.float64)
    if min(pixels.shape, default=0) < 3 or pixels.size < 64:
        return None
    columns = column_levels(pixels)
    return Level(float(np.median(pixels)), measure_pixel_noise(pixels), _TO_SIGMA * _deviation(columns))


def column_levels(pixels: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the median of each column, shape (nx,), ADU; from the middle of the rows.

    Parameters
    ----------
    pixels : ndarray of float64, shape (ny, nx)
        Pixels, ADU. The outer eighths of the rows do not count.
    """
    ny = len(pixels)
    levels: NDArray[np.float64] = np.median(pixels[ny // 8 : ny - ny // 8], axis=0)
    return levels


def measure_pixel_noise(pixels: NDArray[np.float64]) -> float:
    """Return the noise of a pixel from its differences to neighbors, to which the light hardly adds, ADU.

    Parameters
    ----------
    pixels : ndarray of float64, shape (ny, nx)
        Pixels, ADU. Neighbors along the longer axis are compared.
    """
    axis = 0 if pixels.shape[0] >= pixels.shape[1] else 1
    differences = np.diff(pixels, axis=axis)
    # Whole counts make the median of few steps coarse: the mean of what is not far off is finer.
    sigma = max(_TO_SIGMA * _deviation(differences.ravel()), 0.3)
    near = differences[np.abs(differences - np.median(differences)) < 4.0 * sigma]
    return float(np.std(near) / np.sqrt(2.0)) if near.size else float("nan")


def _deviation(values: NDArray[np.float64]) -> float:
    return float(np.median(np.abs(values - np.median(values))))
