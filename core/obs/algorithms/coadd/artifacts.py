"""Light that few of many exposures have: satellites, moving objects, cosmic rays that no mask knows."""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from obs.algorithms.coadd.artifact_regions import (
    Deviation,
    describe_deviation,
    deviates_alike,
    is_variable,
    moving_or_fixed,
)
from obs.algorithms.coadd.order import lower_median
from obs.algorithms.pixels.label import find_boxes, label_regions, renumber_regions
from obs.frozen import frozen

__all__ = ["ArtifactLimits", "find_artifacts"]

_SQUARE = np.ones((3, 3), bool)
_MEDIAN_VARIANCE = 1.57  # of a median over that of a mean, many Gaussian values


@frozen
class ArtifactLimits:
    """What counts as an artifact.

    Parameters
    ----------
    threshold : float
        Deviation from the other exposures at which an artifact begins, standard errors of a pixel, and of a sum of
        pixels as wide as a PSF.
    edge_threshold : float
        Deviation down to which its surroundings belong to it.
    grow : int
        Pixels by which artifacts are grown.
    maximum_share : float
        Largest share of the exposures that can have an artifact at the same place; more are a variable source, or a
        PSF unlike the models.
    """

    threshold: float = 5.0
    edge_threshold: float = 2.0
    grow: int = 1
    maximum_share: float = 0.4


def find_artifacts(
    values: NDArray[np.float32],
    variances: NDArray[np.float32],
    usable: NDArray[np.bool_],
    tolerances: NDArray[np.float32],
    reach: int,
    limits: ArtifactLimits,
) -> NDArray[np.bool_]:
    """Return where an exposure deviates from the others by more than noise and PSFs explain.

    The others are represented by their median, of two exposures by the lower one. Where they have light, an exposure
    may differ by a share of the brightest pixel in the vicinity, because its PSF differs; that share follows from the
    PSFs, so that the cores of stars stay.

    An object that moves slowly is in more exposures of a pixel than ``maximum_share`` permits, but at another place in
    each, which a variable source is not.

    Parameters
    ----------
    values, variances : ndarray of float32, shape (n, ny, nx)
        Exposures in one unit.
    usable : ndarray of bool, shape (n, ny, nx)
        Which values count.
    tolerances : ndarray of float32, shape (n, 2)
        Share of the brightest pixel nearby by which each exposure may be above, and below, the others.
    reach : int
        Half width of the vicinity, pixels.
    limits : ArtifactLimits
        What counts.

    Returns
    -------
    ndarray of bool, shape (n, ny, nx)
    """
    count = usable.sum(axis=0, dtype=np.int16)
    if count.max(initial=0) < 2:  # one exposure has nothing to be compared with
        return np.zeros(values.shape, bool)
    median = lower_median(values, usable)
    nearby = np.maximum(ndimage.maximum_filter(median, 2 * reach + 1, mode="nearest"), 0)
    typical = np.divide(
        np.where(usable, variances, 0).sum(axis=0), np.maximum(count, 1) ** 2, dtype=np.float32
    ) * np.float32(_MEDIAN_VARIANCE)
    comparable, width = count > 1, 2 * reach - 1
    source = np.maximum(median, _square_sums(median, width) / np.float32(width))
    deviations: list[Deviation] = []
    varying: list[Deviation] = []
    for index in range(len(values)):
        excess = values[index] - median
        slack = np.where(excess > 0, tolerances[index, 0], tolerances[index, 1]) * nearby
        noise = np.sqrt(variances[index] + typical)
        allowed = usable[index] & comparable
        labels, n_label = _deviating(excess, slack, noise, allowed, width, limits)
        unlike = tolerances[index].max() + tolerances.max()
        for number, (left, right, low, high) in enumerate(find_boxes(labels, n_label), 1):
            inner = np.s_[low:high, left:right]
            mine = labels[inner] == number
            wide = np.s_[max(0, low - reach) : high + reach, max(0, left - reach) : right + reach]
            around = ndimage.binary_dilation(labels[wide] == number, _SQUARE, reach) & allowed[wide]
            light = np.stack([values[index][wide], median[wide], noise[wide], unlike * nearby[wide]])[:, around]
            is_source = bool(source[inner][mine].max() > limits.threshold * noise[inner].min())
            kind = varying if is_source and is_variable(light, limits.threshold) else deviations
            kind.append(describe_deviation(index, inner, excess, median, mine))
    most = np.maximum(1, (limits.maximum_share * count).astype(np.int16))

    def alike(one: Deviation) -> NDArray[np.bool_]:
        return deviates_alike(one, np.where(usable[:, *one.box], values[:, *one.box] - median[one.box], 0))

    moving, fixed = moving_or_fixed(deviations, varying, most, reach, alike)
    found = _paint(deviations, ~fixed, values.shape, limits.grow) & usable
    crowded = found.sum(axis=0, dtype=np.int16) > most
    if crowded.any():
        found &= ~crowded | _paint(deviations, moving, values.shape, limits.grow)
        found &= found.sum(axis=0, dtype=np.int16) < count
    return found


def _deviating(
    excess: NDArray[np.float32],
    slack: NDArray[np.float32],
    noise: NDArray[np.float32],
    allowed: NDArray[np.bool_],
    width: int,
    limits: ArtifactLimits,
) -> tuple[NDArray[np.int32], int]:
    """Return the numbered regions that deviate, in single pixels or in sums about as wide as a PSF."""
    wide = _square_sums(excess * allowed, width)
    np.abs(wide, out=wide)
    wide /= np.float32(width)
    wide -= slack * np.float32(width)
    largest = np.abs(excess) - slack
    np.maximum(largest, wide, out=largest)
    seeds = allowed & (largest > limits.threshold * noise)
    if not seeds.any():
        return np.zeros(excess.shape, np.int32), 0
    labels, n = label_regions(allowed & (largest > limits.edge_threshold * noise))
    keep = np.zeros(n + 1, bool)
    keep[labels[seeds]] = True
    numbers = (np.cumsum(keep) * keep).astype(np.int32)
    return renumber_regions(labels, numbers), int(numbers.max())


def _square_sums(plane: NDArray[np.float32], width: int) -> NDArray[np.float32]:
    """Return the sums over squares of an odd width; shifted planes are several times as fast as a filter of scipy."""
    padded = np.pad(plane, width // 2, mode="edge")
    height, length = plane.shape
    rows = padded[:height].copy()
    for shift in range(1, width):
        rows += padded[shift : shift + height]
    result = rows[:, :length].copy()
    for shift in range(1, width):
        result += rows[:, shift : shift + length]
    return result


def _paint(
    deviations: list[Deviation], chosen: NDArray[np.bool_], shape: tuple[int, ...], distance: int
) -> NDArray[np.bool_]:
    """Return the pixels of some deviations, grown by a distance."""
    result = np.zeros(shape, bool)
    for deviation, wanted in zip(deviations, chosen, strict=True):
        if wanted:
            result[deviation.index][deviation.box] |= deviation.pixels
    if distance:
        for index in {one.index for one, wanted in zip(deviations, chosen, strict=True) if wanted}:
            result[index] = ndimage.binary_dilation(result[index], _SQUARE, distance)
    return result
