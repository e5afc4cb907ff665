"""Join the detections of several images of the same pixels, such as those of several bands."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from obs.algorithms.numeric.nearest import PointTree
from obs.algorithms.pixels.label import label_regions
from obs.algorithms.sources.detection import Footprints, Peaks
from obs.frozen import frozen

__all__ = ["Merged", "merge_footprints"]


@frozen
class Merged:
    """Footprints of all images, and which image has which peak.

    Parameters
    ----------
    footprints : Footprints
        Regions that any image has, joined where they touch, and the peaks of all. Values are those of the smoothed
        image that brought the peak, over its threshold.
    detected : ndarray of bool, shape (n_peak, n_image)
        In which images each peak was found.
    """

    footprints: Footprints
    detected: NDArray[np.bool_]

    def by_source(self) -> NDArray[np.bool_]:
        """Return, shape (n_source, n_image), where each footprint and, below them, each child of a blend was found."""
        peaks, n = self.footprints.peaks, self.footprints.n
        whole = np.zeros((n, self.detected.shape[1]), bool)
        np.logical_or.at(whole, peaks.footprint - 1, self.detected)
        blended = np.bincount(peaks.footprint, minlength=n + 1) > 1
        return np.concatenate([whole, self.detected[blended[peaks.footprint]]])


def merge_footprints(images: Sequence[Footprints], *, same: float, apart: float) -> Merged:
    """Merge footprints and peaks; earlier images count more.

    Parameters
    ----------
    images : sequence of Footprints
        Detections on images of one shape, the most trusted first.
    same : float
        Peaks of different images nearer than this, pixels, are one.
    apart : float
        A peak farther than this, pixels, from all others is a new one. What is between belongs to the nearest peak, but
        does not say where that is.
    """
    x, y = (np.concatenate([getattr(found.peaks, axis) for found in images]) for axis in ("x", "y"))
    source = np.repeat(np.arange(len(images)), [len(found.peaks) for found in images])
    first = images[0].peaks
    kept_x, kept_y = [first.x], [first.y]
    kept_value = [first.value / np.float32(images[0].threshold)]
    for found in images[1:]:
        peaks = found.peaks
        known = np.c_[np.concatenate(kept_x), np.concatenate(kept_y)]
        place = np.c_[peaks.x, peaks.y]
        distance = PointTree(known).nearest(place)[0] if len(known) else np.full(len(place), np.inf)
        fresh = distance > max(apart, same)
        kept_x.append(peaks.x[fresh])
        kept_y.append(peaks.y[fresh])
        kept_value.append(peaks.value[fresh] / np.float32(found.threshold))
    merged = np.c_[np.concatenate(kept_x), np.concatenate(kept_y)]
    detected = np.zeros((len(merged), len(images)), bool)
    if len(merged) and len(x):
        distance, nearest = PointTree(merged).nearest(np.c_[x, y], below=max(apart, same) + 1e-9)
        near = np.isfinite(distance)
        detected[nearest[near], source[near]] = True
    labels, n = label_regions(np.logical_or.reduce([found.labels > 0 for found in images]))
    footprint = labels[merged[:, 1], merged[:, 0]].astype(np.int64)
    has_peak = np.zeros(n + 1, np.int32)
    has_peak[footprint] = 1
    has_peak[0] = 0
    number = np.cumsum(has_peak, dtype=np.int32) * has_peak
    footprint = number[footprint].astype(np.int64)
    strength = np.concatenate(kept_value)
    order = np.lexsort((-strength, footprint))
    peaks = Peaks(merged[order, 0], merged[order, 1], strength[order].astype(np.float32), footprint[order])
    return Merged(Footprints(number[labels], int(has_peak.sum()), peaks, 1.0), detected[order])
