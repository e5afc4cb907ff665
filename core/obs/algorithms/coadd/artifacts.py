"""Light that few of many exposures have: satellites, moving objects, cosmic rays that no mask knows."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from obs.algorithms.coadd.order import lower_median
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
        Deviation from the other exposures at which an artifact begins, standard errors.
    edge_threshold : float
        Deviation down to which its surroundings belong to it.
    grow : int
        Pixels by which artifacts are grown.
    maximum_share : float
        Largest share of the exposures of a pixel that can be artifacts; more are a variable source, or a PSF unlike the
        models.
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
    found = np.zeros(values.shape, bool)
    if count.max(initial=0) < 2:  # one exposure has nothing to be compared with
        return found
    median = lower_median(values, usable)
    nearby = np.maximum(ndimage.maximum_filter(median, 2 * reach + 1, mode="nearest"), 0)
    typical = np.divide(
        np.where(usable, variances, 0).sum(axis=0), np.maximum(count, 1) ** 2, dtype=np.float32
    ) * np.float32(_MEDIAN_VARIANCE)
    comparable = count > 1
    for index in range(len(values)):
        excess = values[index] - median
        slack = np.where(excess > 0, tolerances[index, 0], tolerances[index, 1]) * nearby
        np.abs(excess, out=excess)
        excess -= slack
        noise = np.sqrt(variances[index] + typical)
        allowed = usable[index] & comparable
        seeds = allowed & (excess > limits.threshold * noise)
        if seeds.any():
            region = allowed & (excess > limits.edge_threshold * noise)
            labels, _ = ndimage.label(region, _SQUARE)
            keep = np.zeros(labels.max() + 1, bool)
            keep[labels[seeds]] = True
            keep[0] = False
            labels = (np.cumsum(keep) * keep)[labels]
            light = np.stack([values[index], median, noise, tolerances[index].max() * nearby])
            for number, box, here in _regions(labels, allowed, reach):
                if _is_variable(light[:, *box][:, here], limits.threshold):
                    part = labels[box]
                    part[part == number] = 0
            region = labels > 0
            if limits.grow:
                region = ndimage.binary_dilation(region, _SQUARE, limits.grow)
            found[index] = region & usable[index]
    most = np.maximum(1, (limits.maximum_share * count).astype(np.int16))
    found &= found.sum(axis=0, dtype=np.int16) <= most
    return found


def _regions(
    labels: NDArray[np.int64], allowed: NDArray[np.bool_], reach: int
) -> Iterator[tuple[int, tuple[slice, ...], NDArray[np.bool_]]]:
    """Yield number, box and pixels of each region with its surroundings, in which a source would show, too."""
    for number, inner in enumerate(ndimage.find_objects(labels), 1):
        box = tuple(slice(max(0, part.start - reach), part.stop + reach) for part in inner)
        yield number, box, ndimage.binary_dilation(labels[box] == number, _SQUARE, reach) & allowed[box]


def _is_variable(light: NDArray[np.float32], threshold: float) -> bool:
    """Whether pixels are those of a source times some factor, within noise and the difference of PSFs.

    Parameters
    ----------
    light : ndarray of float32, shape (4, n)
        Pixels of one exposure and of the others, the noise of their difference, and by how much PSFs make them differ.
    threshold : float
        Deviation that counts as more than noise, standard errors.
    """
    values, source, noise, slack = light
    if source.max() < threshold * noise.min():
        return False
    factor = float(values @ source) / float(source @ source)
    unlike = np.abs(values - factor * source) > threshold * noise + max(1.0, factor) * slack
    return factor > 0 and not bool(unlike.any())
