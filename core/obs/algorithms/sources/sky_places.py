"""Places of an image without sources, which show what is measured of nothing."""

import numpy as np
from numpy.typing import NDArray

from obs.algorithms.numeric.nearest import PointTree
from obs.algorithms.pixels.window import plane_windows
from obs.algorithms.sources.detection import Footprints, Peaks
from obs.algorithms.sources.merge import Merged

__all__ = ["add_sky_places", "find_sky_places"]

Ints = NDArray[np.int64]

_TRIES = 30  # random places for each that is wanted


def find_sky_places(occupied: NDArray[np.bool_], n: int, radius: int, *, seed: int) -> tuple[Ints, Ints]:
    """Return x and y of random pixels around which nothing is.

    Parameters
    ----------
    occupied : ndarray of bool, shape (ny, nx)
        Pixels of sources, and those without data.
    n : int
        Number of places; fewer are found in a crowded image.
    radius : int
        Half width of the square around each place that is free, pixels.
    seed : int
        Seed of the random numbers.

    Returns
    -------
    x, y : ndarray of int64, shape (n_found,)
        Their squares do not overlap.
    """
    height, width = occupied.shape
    if n <= 0 or min(height, width) <= 2 * radius:
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    rng = np.random.default_rng(seed)
    x, y = (rng.integers(radius, size - radius, _TRIES * n) for size in (width, height))
    free = ~plane_windows(occupied.astype(np.uint8), y, x, radius).any(axis=(1, 2))
    x, y = x[free], y[free]
    place = np.stack([x, y], axis=1)
    later: dict[int, list[int]] = {}
    if len(place):
        for first, second in PointTree(place).pairs_within(2 * radius, square=True).tolist():
            later.setdefault(first, []).append(second)
    keep = np.ones(len(place), bool)
    for first in sorted(later):  # few: what is left of a few thousand places
        if keep[first]:
            keep[later[first]] = False
    rows = np.flatnonzero(keep)[:n]
    return x[rows], y[rows]


def add_sky_places(merged: Merged, x: Ints, y: Ints, radius: int) -> Merged:
    """Return merged detections with a footprint, a disk, at each of some places.

    Parameters
    ----------
    merged : Merged
        Detections.
    x, y : ndarray of int64, shape (n,)
        Pixels, from `find_sky_places`.
    radius : int
        Radius of the footprints, pixels.

    Returns
    -------
    Merged
        Its ``detected`` has one column more, which says which peaks are such places.
    """
    found, detected = merged.footprints, merged.detected
    old = np.concatenate([detected, np.zeros((len(detected), 1), bool)], axis=1)
    new = np.zeros((len(x), old.shape[1]), bool)
    new[:, -1] = True
    labels = found.labels.copy()
    step = np.arange(-radius, radius + 1)
    rows, columns = (axis.ravel() for axis in np.meshgrid(step, step, indexing="ij"))
    disk = rows**2 + columns**2 <= radius**2
    number = found.n + 1 + np.arange(len(x))
    labels[y[:, None] + rows[disk], x[:, None] + columns[disk]] = number[:, None]
    peaks = found.peaks
    every = Peaks(
        np.concatenate([peaks.x, x]),
        np.concatenate([peaks.y, y]),
        np.concatenate([peaks.value, np.zeros(len(x), np.float32)]),
        np.concatenate([peaks.footprint, number]),
    )
    footprints = Footprints(labels, found.n + len(x), every, found.threshold)
    return Merged(footprints, np.concatenate([old, new]))
