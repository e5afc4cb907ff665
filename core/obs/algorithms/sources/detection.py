"""Find sources: regions of the smoothed image above a threshold, and their peaks."""

import numpy as np
from numpy.typing import NDArray

from obs.algorithms.pixels.grow import grow
from obs.algorithms.pixels.label import label_regions, measure_regions, renumber_regions, select_regions
from obs.algorithms.pixels.smoothing import Smoothed
from obs.algorithms.sources.prominence import find_prominent_peaks
from obs.frozen import frozen
from obs.kernels.library import Kernel

__all__ = ["Footprints", "Peaks", "above_threshold", "find_footprints", "find_peaks"]

_COMPILED = Kernel("list_maxima", "float32", "bool", "int", "int", "int", "int64")
_NEIGHBORS = [(dy, dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1) if (dy, dx) != (0, 0)]


@frozen
class Peaks:
    """Local maxima of the smoothed image.

    Parameters
    ----------
    x, y : ndarray of int64, shape (n,)
        Pixel of the maximum.
    value : ndarray of float32, shape (n,)
        Smoothed image there.
    footprint : ndarray of int64, shape (n,)
        Number of the footprint, from 1.
    """

    x: NDArray[np.int64]
    y: NDArray[np.int64]
    value: NDArray[np.float32]
    footprint: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.x)

    def select(self, which: NDArray[np.bool_] | NDArray[np.int64]) -> "Peaks":
        """Return the chosen peaks, in the given order.

        Parameters
        ----------
        which : ndarray of bool, shape (n,), or of int64
            Mask over the peaks, or their rows.
        """
        return Peaks(self.x[which], self.y[which], self.value[which], self.footprint[which])


@frozen
class Footprints:
    """Connected regions above a threshold, and their peaks.

    Parameters
    ----------
    labels : ndarray of int32, shape (ny, nx)
        Footprint number of each pixel, 0 outside.
    n : int
        Number of footprints.
    peaks : Peaks
        Ordered by footprint, brightest first within each.
    threshold : float
        Level in the smoothed image.
    """

    labels: NDArray[np.int32]
    n: int
    peaks: Peaks
    threshold: float

    def keep(self, which: NDArray[np.bool_]) -> "Footprints":
        """Return the footprints with the chosen of their peaks; those that have none left are no more.

        Parameters
        ----------
        which : ndarray of bool, shape (n_peak,)
            Peaks to keep. The remaining footprints are numbered anew from 1.
        """
        if which.all():
            return self
        peaks = self.peaks.select(which)
        left = np.zeros(self.n + 1, np.int32)
        left[peaks.footprint] = 1
        number = np.cumsum(left, dtype=np.int32) * left
        labels = self.labels if left[1:].all() else renumber_regions(self.labels, number)
        footprint = number[peaks.footprint].astype(np.int64)
        return Footprints(labels, int(left.sum()), Peaks(peaks.x, peaks.y, peaks.value, footprint), self.threshold)


def find_peaks(
    image: NDArray[np.float32], above: NDArray[np.bool_], labels: NDArray[np.int32], margin: int = 0
) -> Peaks:
    """List the pixels of ``above`` that no neighbor exceeds.

    Parameters
    ----------
    image : ndarray of float32, shape (ny, nx)
        Smoothed image.
    above : ndarray of bool, shape (ny, nx)
        Where peaks may be.
    labels : ndarray of int32, shape (ny, nx)
        Footprint of each pixel.
    margin : int, optional
        Pixels at the border whose value is not known; neighbors there do not count.

    Returns
    -------
    Peaks
        Ordered by footprint, brightest first within each.
    """
    height, width = image.shape
    if _COMPILED:
        # no two maxima are neighbors; memory that is not written to is never taken
        place = np.empty(((height + 1) // 2) * ((width + 1) // 2), np.int64)
        n = _COMPILED(np.ascontiguousarray(image), np.ascontiguousarray(above), height, width, margin, place)
        y, x = np.divmod(place[:n], width)
    else:
        y, x = _maxima(image, above, margin)
    value, footprint = image[y, x], labels[y, x].astype(np.int64)
    order = np.lexsort((-value, footprint))
    return Peaks(x[order], y[order], value[order], footprint[order])


def _maxima(
    image: NDArray[np.float32], above: NDArray[np.bool_], margin: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return row and column of the pixels of ``above`` that no neighbor exceeds."""
    height, width = image.shape
    y, x = np.nonzero(above)
    flat, index, value = image.ravel(), y * width + x, image[y, x]
    low, high_y, high_x = margin, height - 1 - margin, width - 1 - margin
    border = np.flatnonzero((y <= low) | (y >= high_y) | (x <= low) | (x >= high_x))
    peak = np.ones(len(x), bool)
    for dy, dx in _NEIGHBORS:
        neighbor = flat.take(index + (dy * width + dx), mode="clip")
        # of equal neighbors the first in reading order is the peak
        highest = neighbor <= value if (dy, dx) > (0, 0) else neighbor < value
        at_y, at_x = y[border] + dy, x[border] + dx
        highest[border[(at_y < low) | (at_y > high_y) | (at_x < low) | (at_x > high_x)]] = True
        peak &= highest
    return y[peak], x[peak]


def above_threshold(smoothed: Smoothed, threshold: float) -> NDArray[np.bool_]:
    """Return, shape (ny, nx), which of the pixels that the whole kernel saw exceed a level; below a negative one.

    Parameters
    ----------
    smoothed : Smoothed
        Image convolved with the kernel, with the margin of pixels that only a part of the kernel saw.
    threshold : float
        Level in the unit of the image. Negative levels select lower pixels.
    """

    def beyond(image: NDArray[np.float32]) -> NDArray[np.bool_]:
        return np.asarray(image > threshold if threshold >= 0 else image < threshold)

    if not smoothed.margin:
        return beyond(smoothed.image)
    above = np.zeros(smoothed.image.shape, bool)
    above[smoothed.inner] = beyond(smoothed.image[smoothed.inner])
    return above


def find_footprints(
    smoothed: Smoothed,
    *,
    threshold: float,
    minimum_height: float | None = None,
    n_grow: int = 0,
    minimum_pixels: int = 1,
    above_local: NDArray[np.float32] | None = None,
    local_threshold: float | None = None,
    prominence: float = 0.0,
    variance: NDArray[np.float32] | None = None,
) -> Footprints:
    """Find the regions above a threshold, grow them, and list their peaks.

    Parameters
    ----------
    smoothed : Smoothed
        Image to search.
    threshold : float
        Level in the smoothed image.
    minimum_height : float, optional
        Regions whose highest pixel stays below are dropped.
    n_grow : int, optional
        Manhattan distance, pixels, by which the regions grow; those that touch become one.
    minimum_pixels : int, optional
        Smaller regions, before growing, are dropped.
    above_local : ndarray of float32, shape (ny, nx), optional
        The image less a background on a small scale. Where a region has several peaks, those that do not stand above
        that are noise in the wings of a bright source and are dropped; the brightest always stays.
    local_threshold : float, optional
        Level above the local background; ``threshold`` if absent.
    prominence : float, optional
        Peaks that rise less than this above the saddle to a higher one are dropped: noise in the wings of a bright
        source, in its region or just outside.
    variance : ndarray of float32, shape (ny, nx), optional
        Variance of the pixels: where a source's own light makes it more than that of the sky, more prominence is asked.

    Returns
    -------
    Footprints
        Numbered in reading order of their first pixel.
    """
    above = above_threshold(smoothed, threshold)
    seeds, n = label_regions(above)
    if minimum_pixels > 1 or minimum_height is not None:
        count, height = measure_regions(seeds, n, smoothed.image)
        keep = count >= minimum_pixels
        if minimum_height is not None:
            keep &= height > minimum_height
        keep[0] = False
        above = select_regions(seeds, keep)
    peaks = find_peaks(smoothed.image, above, seeds, smoothed.margin)
    del seeds  # planes of a large detector, as all that are given up here
    labels, n = label_regions(grow(above, n_grow))
    del above
    merged = Peaks(peaks.x, peaks.y, peaks.value, labels[peaks.y, peaks.x].astype(np.int64))
    merged = merged.select(np.lexsort((-merged.value, merged.footprint)))
    merged = _without_border_slopes(merged, smoothed)
    if above_local is not None:
        level = threshold if local_threshold is None else local_threshold
        merged = _peaks_above_local(merged, above_local, labels, level, smoothed.margin)
        merged = _without_border_slopes(merged, smoothed)
        del above_local
    found = Footprints(labels, n, merged, threshold)
    kept = np.ones(len(merged), bool) if smoothed.margin else _inside(merged, smoothed.image.shape)
    if prominence:
        kept[kept] = _prominent(merged.select(kept), smoothed.image, threshold, prominence, variance)
    return found.keep(kept)


def _inside(peaks: Peaks, shape: tuple[int, int]) -> NDArray[np.bool_]:
    """Which peaks are not on the border of the image, where they are slopes of what is beyond."""
    height, width = shape
    return (peaks.x > 0) & (peaks.x < width - 1) & (peaks.y > 0) & (peaks.y < height - 1)


def _without_border_slopes(peaks: Peaks, smoothed: Smoothed) -> Peaks:
    """Drop maxima of the outermost known pixels, most of them slopes; a footprint's highest peak stays."""
    (height, width), margin = smoothed.image.shape, smoothed.margin
    border = (peaks.x == margin) | (peaks.x == width - 1 - margin)
    border |= (peaks.y == margin) | (peaks.y == height - 1 - margin)
    return peaks.select(~border | _first_of_footprint(peaks))


def _first_of_footprint(peaks: Peaks) -> NDArray[np.bool_]:
    first = np.ones(len(peaks), bool)
    first[1:] = peaks.footprint[1:] != peaks.footprint[:-1]
    return first


def _peaks_above_local(
    peaks: Peaks, flat: NDArray[np.float32], labels: NDArray[np.int32], threshold: float, margin: int
) -> Peaks:
    n_peak = np.bincount(peaks.footprint, minlength=labels.max() + 1)
    crowded = n_peak > 1
    crowded[0] = False
    above = crowded[labels] & (flat > threshold)
    fresh = find_peaks(flat, above, labels, margin)
    renewed = np.zeros(len(crowded), bool)
    renewed[fresh.footprint] = True
    kept = peaks.select(~crowded[peaks.footprint] | (_first_of_footprint(peaks) & ~renewed[peaks.footprint]))
    merged = Peaks(
        np.concatenate([kept.x, fresh.x]),
        np.concatenate([kept.y, fresh.y]),
        np.concatenate([kept.value, fresh.value]),
        np.concatenate([kept.footprint, fresh.footprint]),
    )
    return merged.select(np.lexsort((-merged.value, merged.footprint)))


def _prominent(
    peaks: Peaks, image: NDArray[np.float32], threshold: float, prominence: float, variance: NDArray[np.float32] | None
) -> NDArray[np.bool_]:
    """Which peaks stand well above the way to a higher one."""
    minimum = np.full(len(peaks), prominence)
    if variance is not None:
        # every so many rows give the sky's, which is that of most pixels
        sky = np.nanmedian(variance[:: max(1, len(variance) // 256)])
        minimum *= np.sqrt(np.maximum(variance[peaks.y, peaks.x] / sky, 1.0))
    # a way that leads lower than this lies deep enough below every peak
    return find_prominent_peaks(image, image > threshold - prominence, peaks.x, peaks.y, minimum)
