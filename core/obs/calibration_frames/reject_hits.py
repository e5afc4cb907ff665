"""Reject the values of darks that cosmic rays have spoilt."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from obs.geom import Box
from obs.repo.frame_stack import FrameStack
from obs.tasks.calibs_config import CalibsConfig
from obs.tasks.combine_calibs import combine_frames
from obs.tasks.dark_hits import find_dark_hits

__all__ = ["reject_hits"]


def reject_hits(
    stack: FrameStack, levels: Sequence[float], regions: Sequence[Box], config: CalibsConfig
) -> NDArray[np.int64]:
    """Reject hits in place; return the number of values of each dark that are rejected only now, shape (n_frame,).

    Parameters
    ----------
    stack : FrameStack
        Prepared darks. They are read one at a time.
    levels : sequence of float
        What each was divided by.
    regions : sequence of Box
        Amplifiers.
    config : CalibsConfig
        Settings.
    """
    if not config.dark_hits.enabled:
        return np.zeros(stack.n_frame, np.int64)
    steady, variance = _without_hits(stack, levels, regions, config)
    return np.array([_reject(stack, k, level, config, steady, variance) for k, level in enumerate(levels)], np.int64)


def _without_hits(
    stack: FrameStack, levels: Sequence[float], regions: Sequence[Box], config: CalibsConfig
) -> tuple[NDArray[np.float32] | None, NDArray[np.float32] | None]:
    """Return image and variance of what all darks have in common; None for a single dark."""
    if stack.n_frame < 2:
        return None, None
    combined = combine_frames(stack, levels, regions, config.combine, grow=False).combined
    return combined.image, combined.variance


def _reject(
    stack: FrameStack,
    number: int,
    level: float,
    config: CalibsConfig,
    steady: NDArray[np.float32] | None,
    steady_variance: NDArray[np.float32] | None,
) -> int:
    image, variance, rejected = stack.frame(number)
    hits = find_dark_hits(
        image, variance, rejected, config.dark_hits, lowest=steady, lowest_variance=steady_variance, scale=level
    )
    stack.reject(number, rejected | hits)
    return int(np.count_nonzero(hits & ~rejected))
