"""Find the pattern of a slow shutter in flats: light that parts of the detector miss by the same time."""

import numpy as np
from numpy.typing import NDArray

from obs.algorithms.combine.smooth_surface import fit_smooth

__all__ = ["shutter_pattern"]

_LEAST_CHANGE = 0.3
"""Least change of 1 / exposure time over the frames, relative to the largest, that shows a pattern."""
_EXPLAINED = 0.8
"""Least fraction of the smooth differences that follow 1 / exposure time. Of five frames chance gives it to 1 in 25."""
_LEAST_FRAMES = 3


def shutter_pattern(cells: NDArray[np.float64], places: NDArray[np.float64], seconds: NDArray[np.float64]) -> float:
    """Return the time by which parts of the detector are exposed differently; 0 if the frames do not show any.

    Parameters
    ----------
    cells : ndarray of float64, shape (n_frame, n_cell)
        Clipped means of cells of frames that were divided by their level, as of `odd_frames.measure_cells`.
    places : ndarray of float64, shape (n_cell, 2)
        Middles of the cells, as of `odd_frames.cell_places`.
    seconds : ndarray of float64, shape (n_frame,)
        Exposure times.

    Returns
    -------
    float
        Longest minus shortest time that is added to the exposure time, s.
    """
    if len(cells) < _LEAST_FRAMES or not (np.isfinite(seconds) & (seconds > 0)).all():
        return 0.0
    rate = 1.0 / seconds
    if np.ptp(rate) < _LEAST_CHANGE * rate.max():
        return 0.0
    smooth = fit_smooth(cells, places)
    if smooth is None:
        return 0.0
    smooth = smooth - smooth.mean(axis=1, keepdims=True)
    rate = rate - rate.mean()
    slope = rate @ smooth / (rate @ rate)
    total = float(np.sum(smooth**2))
    if not (total > 0 and float(rate @ rate) * float(np.sum(slope**2)) > _EXPLAINED * total):
        return 0.0
    return float(np.ptp(slope))
