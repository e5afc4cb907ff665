"""The noise of light of each value, from all frames together.

A variance that comes from a value's own counts is high where the value is high by chance, and low where it is low. Low
values would then be rejected more often than high ones, and the mean would be too high.
"""

import numpy as np
from numpy.typing import NDArray

from obs.algorithms.combine.frames import Stack

__all__ = ["share_light_noise"]


def share_light_noise(stack: Stack, floor: NDArray[np.floating], level: NDArray[np.floating]) -> NDArray[np.float32]:
    """Return variances of which the part above the floor is that of the mean light of all frames.

    Parameters
    ----------
    stack : Stack
        Values that were divided by a level, such as the exposure time or the mean light, and their own variance.
    floor : ndarray of float, shape (n_frame,)
        Variance of a value of each frame without light.
    level : ndarray of float, shape (n_frame,)
        What each frame was divided by. The variance of the light is inverse to it.

    Returns
    -------
    ndarray of float32, shape (n_frame, n_row, n_x)
        NaN where no frame has a good value.
    """
    scale = np.asarray(level, np.float32)[:, None, None]
    base = np.asarray(floor, np.float32)[:, None, None]
    good = ~stack.rejected & np.isfinite(stack.variance)
    light = np.where(good, np.square(scale) * np.maximum(stack.variance - base, np.float32(0)), np.float32(0))
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = light.sum(axis=0) / np.where(good, scale, np.float32(0)).sum(axis=0)
        shared: NDArray[np.float32] = base + mean / scale
    return shared
