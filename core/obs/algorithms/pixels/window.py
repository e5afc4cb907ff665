"""Windows of one size at a different place in each stamp."""

from typing import TypeVar

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from obs.kernels.library import Kernel

__all__ = ["plane_windows", "seen_from", "windows"]

Value = TypeVar("Value", bound=np.generic)

_COMPILED = Kernel("cut_windows", "uint8", "int", "int", "int", "int64", "int64", "int64", "int", "int", "uint8")


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
    stamps : ndarray of any type, shape (n, size, size)
        Stamps.
    row, column : ndarray of int64, shape (n,)
        Middle pixel of the window in its stamp; what is outside the stamp is zero.
    half : int
        Half the size of the windows, pixels.
    which : ndarray of int64, shape (n,), optional
        Stamp that each window is cut from; each one in turn if absent.

    Returns
    -------
    ndarray, shape (n, 2 half + 1, 2 half + 1)
    """
    if _COMPILED and stamps.flags.c_contiguous:
        return _cut(stamps, np.arange(len(stamps)) if which is None else which, row, column, half)
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
    plane : ndarray of any type, shape (ny, nx)
        The image.
    row, column : ndarray of int64, shape (n,)
        Middle pixels; what is outside the image is zero.
    half : int
        Half the size of the windows, pixels.

    Returns
    -------
    ndarray, shape (n, 2 half + 1, 2 half + 1)
    """
    if _COMPILED and plane.flags.c_contiguous:
        return _cut(plane[None], np.zeros(len(row), np.int64), row, column, half)
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


def seen_from(
    model: NDArray[np.float32],
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    one: NDArray[np.int64],
    other: NDArray[np.int64],
    half: int,
) -> NDArray[np.float32]:
    """Return the PSFs of some sources on the pixels about others.

    Parameters
    ----------
    model : ndarray of float32, shape (n, k, k)
        PSF of each source.
    x, y : ndarray of float64, shape (n,)
        Positions, pixels.
    one, other : ndarray of int64, shape (m,)
        Sources about which the pixels lie, and sources whose PSFs are wanted.
    half : int
        Half the size of the windows, pixels.

    Returns
    -------
    ndarray of float32, shape (m, 2 half + 1, 2 half + 1)
    """
    middle = model.shape[1] // 2
    row, column = (middle + np.rint(v[one]).astype(np.int64) - np.rint(v[other]).astype(np.int64) for v in (y, x))
    return windows(model, row, column, half, which=other)


def _cut(
    planes: NDArray[Value],
    which: NDArray[np.int64],
    row: NDArray[np.int64],
    column: NDArray[np.int64],
    half: int,
) -> NDArray[Value]:
    """Cut windows with the compiled loop, which copies bytes of any type."""
    height, width = planes.shape[1:]
    size = 2 * half + 1
    cut: NDArray[Value] = np.empty((len(row), size, size), planes.dtype)
    places = (np.ascontiguousarray(a, np.int64) for a in (which, row, column))
    bytes_of, item = planes.reshape(-1).view(np.uint8), planes.dtype.itemsize
    _COMPILED(bytes_of, height, width, item, *places, len(row), half, cut.reshape(-1).view(np.uint8))
    return cut
