"""Regions where one exposure deviates from the others: variable sources, moving objects, other artifacts."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from obs.frozen import frozen

__all__ = ["Deviation", "describe_deviation", "deviates_alike", "is_variable", "moving_or_fixed"]

_SAME_PLACE = 0.5  # of the half width of a PSF
_OTHER_PLACE = 1.0  # of that half width, from which on places of faint light are not the same within their errors
_SHARED = 0.4  # of a deviation, which noise makes larger where it is found, as an exposure of the same light has it


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
        Center of the light that the others do not have, or that it lacks, whichever is more; pixels.
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
    """Measure the light of a region that the other exposures do not have, or that only they have.

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
    signed = np.where(pixels, excess[box], 0)
    is_brighter = bool(signed.sum(dtype=float) > 0)
    light = (signed if is_brighter else -signed).clip(min=0)
    light = light if light.any() else pixels.astype(np.float32)  # its surroundings deviate
    total = float(light.sum(dtype=float))
    y, x = (np.arange(part.start, part.stop, dtype=float) for part in box)
    center_x, center_y = float(light.sum(axis=0) @ x) / total, float(light.sum(axis=1) @ y) / total
    outshines = is_brighter and bool(light.max() > median[box][pixels].max())
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
    deviations: Sequence[Deviation],
    varying: Sequence[Deviation],
    most: NDArray[np.int16],
    reach: int,
    alike: Callable[[Deviation], NDArray[np.bool_]],
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
    alike : callable
        Returns which exposures deviate like one, significantly or not; see `deviates_alike`. A source that half of the
        exposures have is above 5 standard errors in few of them if it is faint.

    Returns
    -------
    ndarray of bool, ndarray of bool, shape (n,)
    """
    every = (*deviations, *varying)
    x, y, index = (np.array([getattr(one, name) for one in every]) for name in ("x", "y", "index"))
    rows, columns = (np.array([(one.box[axis].start, one.box[axis].stop) for one in every]).T for axis in (0, 1))
    moving, fixed = np.zeros(len(deviations), bool), np.zeros(len(deviations), bool)
    for number, one in enumerate(deviations):
        distance = np.hypot(x - one.x, y - one.y)
        there = (distance > _OTHER_PLACE * reach) & (rows[0] < rows[1, number]) & (rows[1] > rows[0, number])
        there &= (columns[0] < columns[1, number]) & (columns[1] > columns[0, number])
        sharing = alike(one)
        sharing[index[there]] = False  # what is there at another place is not the same
        sharing[index[distance < _SAME_PLACE * reach]] = True
        sharing[one.index] = True
        fixed[number] = np.count_nonzero(sharing) > most[round(one.y), round(one.x)]
        moving[number] = one.outshines and not fixed[number]
    return moving, fixed


def deviates_alike(one: Deviation, excess: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Return which exposures deviate as one does in its pixels, by more than noise makes the same light differ.

    Parameters
    ----------
    one : Deviation
        A deviation.
    excess : ndarray of float32, shape (n, ny, nx)
        The exposures minus their median in its box, zero where a pixel is not usable.

    Returns
    -------
    ndarray of bool, shape (n,)
    """
    pixels = excess[:, one.pixels]
    sums = pixels @ np.sign(pixels[one.index])
    return np.asarray(sums > _SHARED * sums[one.index])
