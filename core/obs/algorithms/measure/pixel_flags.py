"""Which mask planes a source touches: anywhere in its footprint, and at its center."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from obs.algorithms.sources.deblend import Children
from obs.algorithms.sources.stamps import SourceList
from obs.image.mask import Mask

__all__ = ["ANYWHERE", "AT_CENTER", "measure_pixel_flags"]

ANYWHERE: Mapping[str, tuple[str, ...]] = {
    "edge": ("EDGE", "NO_DATA"),
    "bad": ("BAD",),
    "cr": ("CR",),
    "interpolated": ("INTRP",),
    "saturated": ("SAT",),
    "suspect": ("SUSPECT",),
    "streak": ("STREAK",),
}
"""Flag to mask planes, for the whole footprint."""

AT_CENTER: Mapping[str, tuple[str, ...]] = {
    "crCenter": ("CR",),
    "interpolatedCenter": ("INTRP",),
    "saturatedCenter": ("SAT",),
    "suspectCenter": ("SUSPECT",),
    "streakCenter": ("STREAK",),
}
"""Flag to mask planes, for the three by three pixels about the centroid."""


def measure_pixel_flags(
    mask: Mask,
    labels: NDArray[np.int32],
    sources: SourceList,
    children: Children,
    x: NDArray[np.float64],
    y: NDArray[np.float64],
) -> dict[str, NDArray[np.bool_]]:
    """Look up mask planes under sources.

    Parameters
    ----------
    mask : Mask
        Mask of the image.
    labels : ndarray of int32, shape (ny, nx)
        Footprint of each pixel.
    sources : SourceList
        The sources.
    children : Children
        Pixels of the deblended ones.
    x, y : ndarray of float64, shape (n,)
        Centroids, pixels.

    Returns
    -------
    dict of str to ndarray of bool, shape (n,)
        Flag to value; ``offImage`` for centroids outside the image.
    """
    height, width = mask.shape
    column, row = np.rint(x).astype(np.int64), np.rint(y).astype(np.int64)
    off = (column < 0) | (column >= width) | (row < 0) | (row >= height)
    flags = {"offImage": off}
    child = sources.child
    # few pixels are flagged, so that the footprints come to the pixels and not the other way round
    names = {plane for planes in ANYWHERE.values() for plane in planes}
    every, flagged = mask.known_bits(names), np.flatnonzero(mask.any_known(names))
    seen, footprint = mask.array.ravel()[flagged], labels.ravel()[flagged]
    child_seen = mask.array.ravel()[children.pixel]
    entry = np.flatnonzero(child_seen & every)
    child_seen, owner = child_seen[entry], children.owner_of(entry)
    n_footprint = int(max(footprint.max(initial=0), sources.footprint.max(initial=0)))
    for name, planes in ANYWHERE.items():
        bits = mask.known_bits(planes)
        hit = np.zeros(n_footprint + 1, bool)
        hit[footprint[(seen & bits) != 0]] = True
        child_hit = np.zeros(len(children) + 1, bool)
        child_hit[owner[(child_seen & bits) != 0]] = True
        flags[name] = np.where(child >= 0, child_hit[child], hit[sources.footprint])
    near = np.arange(-1, 2)
    rows = np.clip(row[:, None] + near, 0, height - 1)
    columns = np.clip(column[:, None] + near, 0, width - 1)
    around = np.bitwise_or.reduce(mask.array[rows[:, :, None], columns[:, None, :]], axis=(1, 2))
    for name, planes in AT_CENTER.items():
        flags[name] = (around & mask.known_bits(planes)) != 0
    return flags
