"""Regions where one exposure deviates from the others: variable sources, moving objects, other artifacts."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from obs.frozen import frozen

__all__ = ["Deviation", "describe_deviation", "is_variable", "moving_or_fixed"]

_SAME_PLACE = 0.5  # of the half width of a PSF


@frozen
class Deviation:
    """A connected region of one exposure that deviates from the others.

    Parameters
    ----------
    index : int
        The exposure.
    box : tuple of slice
        Rows and columns of the region.
    pixels : ndarray of bool, shape (ny, nx)
        Which pixels of the box belong to it.
    x, y : float
        Center of the light that the others do not have, pixels; not finite without such light.
    outshines : bool
        Whether it is brighter than the light that the others have there.
    """

    index: int
    box: tuple[slice, ...]
    pixels: NDArray[np.bool_]
    x: float
    y: float
    outshines: bool


def describe_deviation(
    index: int,
    box: tuple[slice, ...],
    excess: NDArray[np.float32],
    median: NDArray[np.float32],
    pixels: NDArray[np.bool_],
) -> Deviation:
    """Measure the light of a region that the other exposures do not have.

    Parameters
    ----------
    index : int
        The exposure.
    box : tuple of slice
        Rows and columns of the region.
    pixels : ndarray of bool, shape (ny, nx)
        Pixels of the box that belong to it.
    excess, median : ndarray of float32
        The exposure minus the others, and the others.
    """
    light = np.where(pixels, excess[box], 0).clip(min=0)
    total = float(light.sum(dtype=float))
    if total <= 0:
        return Deviation(index, box, pixels, np.nan, np.nan, outshines=False)
    y, x = (np.arange(part.start, part.stop, dtype=float) for part in box)
    center_x, center_y = float(light.sum(axis=0) @ x) / total, float(light.sum(axis=1) @ y) / total
    outshines = bool(light.max() > median[box][pixels].max())
    return Deviation(index, box, pixels, center_x, center_y, outshines)


def is_variable(light: NDArray[np.float32], threshold: float) -> bool:
    """Return whether pixels are those of a source times some factor, within noise and the difference of PSFs.

    Parameters
    ----------
    light : ndarray of float32, shape (4, n)
        Pixels of one exposure and of the others, the noise of their difference, and by how much PSFs make them differ.
    threshold : float
        Deviation that counts as more than noise, standard errors.
    """
    values, source, noise, slack = light
    factor = max(0.0, float(values @ source) / float(source @ source))
    unlike = np.abs(values - factor * source) > threshold * noise + max(1.0, factor) * slack
    return not bool(unlike.any())


def moving_or_fixed(
    deviations: Sequence[Deviation], varying: Sequence[Deviation], most: NDArray[np.int16], reach: int
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return which deviations are at other places in the other exposures, and which are sources that stay.

    Parameters
    ----------
    deviations : sequence of Deviation
        Deviations of all exposures.
    varying : sequence of Deviation
        Those that are the source which the others have, times a factor. In an exposure with more noise the same star is
        none of them, and stays because they are at its place.
    most : ndarray of int16, shape (ny, nx)
        Largest number of exposures with an artifact at the same place.
    reach : int
        Half width of a PSF, pixels.

    Returns
    -------
    ndarray of bool, ndarray of bool, shape (n,)
    """
    x, y, index = (np.array([getattr(one, name) for one in (*deviations, *varying)]) for name in ("x", "y", "index"))
    moving, fixed = np.zeros(len(deviations), bool), np.zeros(len(deviations), bool)
    for number, one in enumerate(deviations):
        if not np.isfinite(one.x):
            continue
        same = np.hypot(x - one.x, y - one.y) < _SAME_PLACE * reach
        fixed[number] = len(np.unique(index[same])) > most[round(one.y), round(one.x)]
        moving[number] = one.outshines and not fixed[number]
    return moving, fixed
