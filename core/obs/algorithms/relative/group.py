"""Which detections of many frames are the same star."""

import numpy as np
from numpy.typing import NDArray

from obs.algorithms.numeric.nearest import PointTree

__all__ = ["group_detections"]

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


def group_detections(vectors: Floats, frame: Ints, radius: float, *, first: Floats | None = None) -> Ints:
    """Return the number of the star that each detection belongs to.

    Frames are taken one after the other. A detection belongs to the nearest star within the radius, or begins a new
    one. Detections that have a neighbor of the same frame within the radius belong to none, because it is not certain
    which of them is which.

    Parameters
    ----------
    vectors : ndarray of float64, shape (n, 3)
        Unit vectors of the detections.
    frame : ndarray of int, shape (n,)
        Frame of each detection, from 0.
    radius : float
        Largest distance on the sky, arcsec.
    first : ndarray of float64, shape (m, 3), optional
        Unit vectors of known stars, such as those of a reference catalog: they get the numbers 0 to m - 1.

    Returns
    -------
    ndarray of int, shape (n,)
        Number of the star, or -1.
    """
    chord = 2.0 * np.sin(np.radians(radius / 3600.0) / 2.0)
    stars = np.empty((0, 3)) if first is None else np.asarray(first, np.float64)
    star = np.full(len(vectors), -1, np.int64)
    order = np.argsort(frame, kind="stable")
    ends = np.flatnonzero(np.diff(frame[order])) + 1
    for rows in np.split(order, ends):
        if not len(rows):
            continue
        places = vectors[rows]
        close = PointTree(places).pairs_within(chord)
        alone = np.ones(len(rows), bool)
        alone[close.ravel()] = False
        found = _nearest(stars, places, chord)
        # Of two detections near one star, neither counts: they are closer to each other than twice the radius.
        taken, count = np.unique(found[found >= 0], return_counts=True)
        alone &= ~np.isin(found, taken[count > 1])
        new = alone & (found < 0)
        star[rows[alone & (found >= 0)]] = found[alone & (found >= 0)]
        star[rows[new]] = len(stars) + np.arange(int(new.sum()))
        stars = np.concatenate([stars, places[new]])
    return star


def _nearest(stars: Floats, places: Floats, chord: float) -> Ints:
    """Return the nearest star of each place within a distance, or -1."""
    if not len(stars):
        return np.full(len(places), -1, np.int64)
    distance, nearest = PointTree(stars).nearest(places, below=chord)
    return np.where(np.isfinite(distance), nearest, -1).astype(np.int64)
