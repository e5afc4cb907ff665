"""Windows of one size at a different place in each stamp."""

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

__all__ = ["plane_windows", "windows"]

Value = TypeVar("Value", bound=np.generic)


def windows(stamps: NDArray[Value], row: NDArray[np.int64], column: NDArray[np.int64], half: int) -> NDArray[Value]:
    """Cut a window out of every stamp.

    Parameters
    ----------
    stamps : ndarray, shape (n, size, size)
        Stamps.
    row, column : ndarray of int64, shape (n,)
        Middle pixel of the window in its stamp; what lies outside the stamp is zero.
    half : int
        Half the size of the windows, pixels.

    Returns
    -------
    ndarray, shape (n, 2 half + 1, 2 half + 1)
    """
    offset = np.arange(-half, half + 1)
    y, x = row[:, None] + offset, column[:, None] + offset
    height, width = stamps.shape[1:]
    index = (np.arange(len(stamps)) * height * width)[:, None, None]
    index = index + np.clip(y, 0, height - 1)[:, :, None] * width + np.clip(x, 0, width - 1)[:, None, :]
    cut: NDArray[Value] = stamps.reshape(-1).take(index)
    outside_y, outside_x = (y < 0) | (y >= height), (x < 0) | (x >= width)
    if outside_y.any() or outside_x.any():
        cut[outside_y[:, :, None] | outside_x[:, None, :]] = 0
    return cut


def plane_windows(
    plane: NDArray[Value], row: NDArray[np.int64], column: NDArray[np.int64], half: int
) -> NDArray[Value]:
    """Cut windows out of one image.

    Parameters
    ----------
    plane : ndarray, shape (ny, nx)
        The image.
    row, column : ndarray of int64, shape (n,)
        Middle pixels; what lies outside the image is zero.
    half : int
        Half the size of the windows, pixels.

    Returns
    -------
    ndarray, shape (n, 2 half + 1, 2 half + 1)
    """
    offset = np.arange(-half, half + 1)
    y, x = row[:, None] + offset, column[:, None] + offset
    height, width = plane.shape
    inside = ((y >= 0) & (y < height))[:, :, None] & ((x >= 0) & (x < width))[:, None, :]
    cut: NDArray[Value] = plane[np.clip(y, 0, height - 1)[:, :, None], np.clip(x, 0, width - 1)[:, None, :]]
    cut[~inside] = 0
    return cut
