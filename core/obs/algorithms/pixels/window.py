"""Windows of one size at a different place in each stamp."""

from typing import TypeVar

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

__all__ = ["plane_windows", "windows"]

Value = TypeVar("Value", bound=np.generic)


def windows(
    stamps: NDArray[Value],
    row: NDArray[np.int64],
    column: NDArray[np.int64],
    half: int,
    which: NDArray[np.int64] | None = None,
) -> NDArray[Value]:
    """Cut a window out of every stamp, or of some.

    Parameters
    ----------
    stamps : ndarray, shape (n, size, size)
        Stamps.
    row, column : ndarray of int64, shape (n,)
        Middle pixel of the window in its stamp; what lies outside the stamp is zero.
    half : int
        Half the size of the windows, pixels.
    which : ndarray of int64, shape (n,), optional
        Stamp that each window is cut from; each one in turn if absent.

    Returns
    -------
    ndarray, shape (n, 2 half + 1, 2 half + 1)
    """
    offset = np.arange(-half, half + 1)
    y, x = row[:, None] + offset, column[:, None] + offset
    height, width = stamps.shape[1:]
    index = ((np.arange(len(stamps)) if which is None else which) * height * width)[:, None, None]
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
    height, width = plane.shape
    size = 2 * half + 1
    cut: NDArray[Value] = np.empty((len(row), size, size), plane.dtype)
    whole = (row >= half) & (row < height - half) & (column >= half) & (column < width - half)
    if whole.any():
        # whole rows are copied, which is several times faster than pixels
        cut[whole] = sliding_window_view(plane, (size, size))[row[whole] - half, column[whole] - half]
    border = np.flatnonzero(~whole)
    if len(border):
        offset = np.arange(-half, half + 1)
        y, x = row[border, None] + offset, column[border, None] + offset
        inside = ((y >= 0) & (y < height))[:, :, None] & ((x >= 0) & (x < width))[:, None, :]
        part = plane[np.clip(y, 0, height - 1)[:, :, None], np.clip(x, 0, width - 1)[:, None, :]]
        part[~inside] = 0
        cut[border] = part
    return cut
