"""Sources that are shoulders of brighter ones where the image is smoothed as the PSF, and maxima where it is less.

Smoothing with the PSF finds the faintest sources that are alone, but makes each source wider by the square root of two.
In a crowd that costs sources: a star at 2.3 widths from one ten times as bright is not a maximum any more.
"""

import numpy as np
from numpy.typing import NDArray

from obs.algorithms.numeric.nearest import PointTree
from obs.algorithms.pixels.smoothing import Smoothed
from obs.algorithms.sources.detection import Footprints, Peaks, find_peaks
from obs.algorithms.sources.prominence import find_prominent_peaks

__all__ = ["add_shoulders"]

_SAME = 1.5
"""Peaks of both images nearer than this, in units of the sigma of the PSF, are the same source."""
_BETWEEN = 2.5
"""A peak nearer than this to a new one may lie between two sources, and is moved to its own maximum."""


def add_shoulders(
    footprints: Footprints,
    smoothed: Smoothed,
    sharp: Smoothed,
    sigma: float,
    minimum: float,
    variance: NDArray[np.float32],
) -> Footprints:
    """Return footprints with the peaks of a less smoothed image that are not among theirs.

    Parameters
    ----------
    footprints : Footprints
        Regions, and peaks of the smoothed image.
    smoothed : Smoothed
        Image smoothed as the PSF. New peaks are above the threshold of the footprints in it.
    sharp : Smoothed
        Image smoothed less.
    sigma : float
        Size of the PSF, pixels.
    minimum : float
        Height of new peaks above the saddle to a higher one in the sharp image, where the noise is that of the sky.
    variance : ndarray of float32, shape (ny, nx)
        Variance of the pixels.

    Returns
    -------
    Footprints
    """
    old = footprints.peaks
    above = (footprints.labels > 0) & (smoothed.image > footprints.threshold)
    found = find_peaks(sharp.image, above, footprints.labels, sharp.margin)
    height, width = above.shape
    found = found.select((found.x > 0) & (found.x < width - 1) & (found.y > 0) & (found.y < height - 1))
    if not len(found) or not len(old):
        return footprints
    sky = np.nanmedian(variance[:: max(1, len(variance) // 256)])
    noise = np.sqrt(np.maximum(variance[found.y, found.x] / sky, 1.0))
    found = found.select(find_prominent_peaks(sharp.image, above, found.x, found.y, minimum * noise))
    places = np.stack([found.x, found.y], axis=1).astype(np.float64)
    distance, own = PointTree(places).nearest(np.stack([old.x, old.y], axis=1).astype(np.float64))
    has_own = distance < _SAME * sigma
    new = np.ones(len(found), bool)
    new[own[has_own]] = False
    if not new.any():
        return footprints
    # a maximum between two sources that are not apart in the smoothed image belongs to neither
    gap, _ = PointTree(places[new]).nearest(np.stack([old.x, old.y], axis=1).astype(np.float64))
    moved = has_own & (gap < _BETWEEN * sigma)
    x, y = np.where(moved, found.x[own], old.x), np.where(moved, found.y[own], old.y)
    x, y = np.r_[x, found.x[new]], np.r_[y, found.y[new]]
    footprint = np.r_[old.footprint, found.footprint[new]]
    value = smoothed.image[y, x]
    order = np.lexsort((-value, footprint))
    peaks = Peaks(x[order], y[order], value[order], footprint[order])
    return Footprints(footprints.labels, footprints.n, peaks, footprints.threshold)
