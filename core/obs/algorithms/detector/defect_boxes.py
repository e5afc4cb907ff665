"""Find defects in combined darks and flats, and the boxes that cover them."""

import numpy as np
from numpy.typing import NDArray

from obs.algorithms.sky.background import fit_background
from obs.geom import Box

__all__ = ["find_dim_and_bright", "find_hot", "mask_to_boxes"]


def find_hot(
    image: NDArray[np.float32], sigma: NDArray[np.float32] | float, *, threshold: float, bin_size: int
) -> NDArray[np.bool_]:
    """Return the pixels, shape (ny, nx), of a dark that stand out from their surroundings.

    Parameters
    ----------
    image : ndarray of float32, shape (ny, nx)
        Combined darks; NaN where there is no value, which counts as a defect.
    sigma : ndarray of float32, shape (ny, nx), or float
        Noise of a single frame.
    threshold : float
        By how many sigma.
    bin_size : int
        Size of the cells of the surroundings, pixels.
    """
    missing = ~np.isfinite(image)
    background = fit_background(image, missing, bin_size=bin_size).image()
    return missing | (image - background > threshold * sigma)


def find_dim_and_bright(image: NDArray[np.float32], *, dim: float, bright: float, bin_size: int) -> NDArray[np.bool_]:
    """Return the pixels, shape (ny, nx), of a flat that are far from the level of their surroundings.

    Parameters
    ----------
    image : ndarray of float32, shape (ny, nx)
        Combined flats; NaN where there is no value, which counts as a defect.
    dim, bright : float
        Least and largest ratio to the surroundings of a pixel that is none.
    bin_size : int
        Size of the cells of the surroundings, pixels.
    """
    missing = ~np.isfinite(image)
    background = fit_background(image, missing, bin_size=bin_size).image()
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = image / background
    return missing | ~((ratio >= dim) & (ratio <= bright))


def mask_to_boxes(mask: NDArray[np.bool_]) -> list[Box]:
    """Return boxes that cover the pixels that are set, and no others; none overlap.

    Runs along rows that begin and end at the same columns in successive rows become one box, and so do runs along
    columns where that gives fewer.

    Parameters
    ----------
    mask : ndarray of bool, shape (ny, nx)
        The pixels.
    """
    by_row = _boxes(mask)
    by_column = [Box(box.y_min, box.x_min, box.height, box.width) for box in _boxes(mask.T)]
    return min(by_row, by_column, key=len)


def _boxes(mask: NDArray[np.bool_]) -> list[Box]:
    padded = np.zeros((mask.shape[0], mask.shape[1] + 2), np.int8)
    padded[:, 1:-1] = mask
    change = np.diff(padded, axis=1)
    rows, starts = np.nonzero(change == 1)
    if not len(rows):
        return []
    ends = np.nonzero(change == -1)[1]
    # Runs of the same columns, one above the other, follow each other in this order.
    order = np.lexsort((rows, ends, starts))
    rows, starts, ends = rows[order], starts[order], ends[order]
    follows = (starts[1:] == starts[:-1]) & (ends[1:] == ends[:-1]) & (rows[1:] == rows[:-1] + 1)
    first = np.flatnonzero(np.concatenate([[True], ~follows]))
    last = np.append(first[1:], len(rows)) - 1
    found = zip(starts[first], rows[first], ends[first], rows[last], strict=True)
    return sorted(
        (Box(int(x), int(y), int(end - x), int(top - y + 1)) for x, y, end, top in found),
        key=lambda box: (box.y_min, box.x_min),
    )
