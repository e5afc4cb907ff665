"""Runs of neighboring pixels along rows or columns."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from obs.algorithms.pixels.row_blocks import row_blocks
from obs.kernels.library import Kernel

__all__ = ["Runs", "find_pixels", "find_runs", "grow_pixels"]

_COMPILED = Kernel("find_bits", "int32", "int", "int", "int64")


class Runs(NamedTuple):
    """Runs of pixels that follow each other on one line.

    Parameters
    ----------
    line : ndarray of int64, shape (n,)
        Row of the image, or column, that the run is on.
    start, stop : ndarray of int64, shape (n,)
        First pixel along the line, and the one after the last.
    number : ndarray of int64, shape (m,)
        Run that each pixel belongs to, in the order of the pixels handed in.
    """

    line: NDArray[np.int64]
    start: NDArray[np.int64]
    stop: NDArray[np.int64]
    number: NDArray[np.int64]


def find_pixels(mask: NDArray[np.int32], bits: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return row and column, both shape (n,), of the pixels that have any of the bits set, row by row.

    Parameters
    ----------
    mask : ndarray of int32, shape (ny, nx)
        The mask.
    bits : int
        Bits to look for.
    """
    width = mask.shape[1]
    flat = _flat_pixels(mask, bits)
    return flat // width, flat % width


def _flat_pixels(mask: NDArray[np.int32], bits: int) -> NDArray[np.int64]:
    if _COMPILED and mask.flags.c_contiguous:
        # memory that is not written to is never taken
        index = np.empty(mask.size, np.int64)
        return index[: _COMPILED(mask, mask.size, bits, index)].copy()
    found = [
        np.flatnonzero(mask[rows] & np.int32(bits)) + rows.start * mask.shape[1]
        for rows in row_blocks((mask.shape[0], mask.shape[1]))
    ]
    return np.concatenate(found) if found else np.zeros(0, np.int64)


def find_runs(line: NDArray[np.int64], place: NDArray[np.int64]) -> Runs:
    """Join neighboring pixels of rows to runs.

    Parameters
    ----------
    line, place : ndarray of int64, shape (m,)
        Pixels: the line and the place on it; in any order, none twice. Rows and columns give runs along rows.
    """
    order = np.lexsort((place, line))
    on, at = line[order], place[order]
    first = np.ones(len(on), bool)
    first[1:] = (on[1:] != on[:-1]) | (at[1:] != at[:-1] + 1)
    starts = np.flatnonzero(first)
    length = np.diff(np.append(starts, len(on)))
    number = np.empty(len(on), np.int64)
    number[order] = np.cumsum(first) - 1
    return Runs(on[starts], at[starts], at[starts] + length, number)


def grow_pixels(
    row: NDArray[np.int64], column: NDArray[np.int64], radius: int, shape: tuple[int, int]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return row and column, both shape (n,), of all pixels within a radius of the given ones, row by row.

    Parameters
    ----------
    row, column : ndarray of int64, shape (m,)
        Pixels.
    radius : int
        Distance between centers, pixels.
    shape : tuple of int
        Shape (ny, nx) of the image, which none of them leaves.
    """
    dy, dx = (offset.ravel() for offset in np.mgrid[-radius : radius + 1, -radius : radius + 1])
    inside = dy**2 + dx**2 <= radius**2
    y, x = (row[:, None] + dy[inside]).ravel(), (column[:, None] + dx[inside]).ravel()
    kept = (y >= 0) & (y < shape[0]) & (x >= 0) & (x < shape[1])
    flat = np.unique(y[kept] * shape[1] + x[kept])
    return flat // shape[1], flat % shape[1]
