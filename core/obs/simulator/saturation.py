"""Pixels that hold more charge than they can: it flows along the columns."""

import numpy as np
from numpy.typing import NDArray

__all__ = ["bleed"]


def bleed(charge: NDArray[np.float32], full_well: float) -> None:
    """Let charge above the full well flow along the columns, half of it up, half down, until there is room.

    What reaches the border is lost.

    Parameters
    ----------
    charge : ndarray of float32, shape (ny, nx)
        Electrons, changed in place.
    full_well : float
        Electrons that a pixel can hold.
    """
    columns = np.flatnonzero((charge > full_well).any(axis=0))
    if not len(columns):
        return
    part = charge[:, columns].astype(np.float64)
    excess = np.maximum(part - full_well, 0.0) / 2.0
    np.minimum(part, full_well, out=part)
    _flow(part, excess, full_well)
    _flow(part[::-1], excess[::-1], full_well)
    charge[:, columns] = part


def _flow(part: NDArray[np.float64], excess: NDArray[np.float64], full_well: float) -> None:
    """Move charge towards higher rows; row by row, since each takes what the one below could not hold."""
    moving = np.zeros(part.shape[1])
    for row, spilled in zip(part, excess, strict=True):
        moving += spilled
        taken = np.minimum(full_well - row, moving)
        row += taken
        moving -= taken
