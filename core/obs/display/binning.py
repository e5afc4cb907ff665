"""Large images made small before they are drawn."""

import numpy as np
from numpy.typing import NDArray

__all__ = ["bin_image", "bin_mask", "bin_step"]

_ROWS = 64
"""Rows of the result that are made at once, so that a large image needs little memory."""


def bin_step(shape: tuple[int, int], largest: int) -> int:
    """Return how many pixels a side go into one, so that the longer side has ``largest`` pixels at most.

    Parameters
    ----------
    shape : tuple of int
        Shape (ny, nx) of the image.
    largest : int
        Largest allowed number of binned pixels along an axis.
    """
    return max(1, -(-max(shape) // largest))


def bin_image(image: NDArray[np.float32], step: int) -> NDArray[np.float32]:
    """Return means of blocks of pixels; pixels that are not finite do not count.

    Parameters
    ----------
    image : ndarray of float32, shape (ny, nx)
        Image.
    step : int
        Pixels a side of a block; those at the upper and right border may be smaller.

    Returns
    -------
    ndarray of float32, shape (ceil(ny / step), ceil(nx / step))
        NaN where no pixel of a block is finite.
    """
    if step == 1:
        return image
    starts_x = np.arange(0, image.shape[1], step)
    parts = []
    for low in range(0, image.shape[0], _ROWS * step):
        rows = image[low : low + _ROWS * step]
        starts_y = np.arange(0, rows.shape[0], step)
        finite = np.isfinite(rows)
        if finite.all():
            total = np.add.reduceat(np.add.reduceat(rows, starts_y, axis=0), starts_x, axis=1)
            sizes = np.diff([*starts_y, rows.shape[0]])[:, None] * np.diff([*starts_x, image.shape[1]])
        else:
            kept = np.where(finite, rows, np.float32(0))
            total = np.add.reduceat(np.add.reduceat(kept, starts_y, axis=0), starts_x, axis=1)
            counted = np.add.reduceat(finite, starts_y, axis=0, dtype=np.int32)
            sizes = np.add.reduceat(counted, starts_x, axis=1)
        with np.errstate(invalid="ignore", divide="ignore"):
            parts.append((total / sizes).astype(np.float32))
    return np.concatenate(parts)


def bin_mask(mask: NDArray[np.int32], step: int) -> NDArray[np.int32]:
    """Return the bits that any pixel of a block has; see `bin_image`.

    Parameters
    ----------
    mask : ndarray of int32, shape (ny, nx)
        Mask.
    step : int
        Side of a block, pixels; blocks at the upper and right edge may be smaller.
    """
    if step == 1:
        return mask
    starts_y, starts_x = (np.arange(0, size, step) for size in mask.shape)
    binned: NDArray[np.int32] = np.bitwise_or.reduceat(np.bitwise_or.reduceat(mask, starts_y, axis=0), starts_x, axis=1)
    return binned
