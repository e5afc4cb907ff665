"""All objects of a patch, from the detections of all filters."""

import numpy as np
from numpy.typing import NDArray

from obs.algorithms.sources.merge import Merged
from obs.frozen import frozen

__all__ = ["PatchObjects"]


@frozen
class PatchObjects:
    """All objects of a patch.

    Parameters
    ----------
    merged : Merged
        Their footprints; the last column of ``detected`` is blank sky.
    footprint_flags : dict of str to ndarray of bool, shape (n_footprint,)
        Which footprints have pixels detected in each filter.
    """

    merged: Merged
    footprint_flags: dict[str, NDArray[np.bool_]]

    def footprint_numbers(self) -> NDArray[np.int64]:
        """Return the number of the footprint of each row of catalogs: footprints, and then children of blends."""
        found = self.merged.footprints
        blended = np.bincount(found.peaks.footprint, minlength=found.n + 1) > 1
        children = found.peaks.footprint[blended[found.peaks.footprint]]
        return np.concatenate([np.arange(1, found.n + 1), children])

    def is_sky(self, n: int) -> NDArray[np.bool_]:
        """Return which of the first `n` rows of catalogs are blank sky.

        Parameters
        ----------
        n : int
            Number of rows.
        """
        return np.asarray(self.merged.by_source()[:n, -1])

    def sky_positions(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return x and y of each row of catalogs that is blank sky; NaN for the others."""
        peaks = self.merged.footprints.peaks
        n = len(self.merged.by_source())
        x, y = np.full(n, np.nan), np.full(n, np.nan)
        sky = np.flatnonzero(self.merged.detected[:, -1])
        row = peaks.footprint[sky] - 1
        x[row], y[row] = peaks.x[sky], peaks.y[sky]
        return x, y
