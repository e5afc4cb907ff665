"""Positions of pixels and their numbers: pixel 0 is around position 0."""

import math

__all__ = ["X", "Y", "indexToPosition", "positionToIndex"]

#: Names of the axes.
X, Y = 0, 1


def positionToIndex(position: float, wantResidual: bool = False) -> int | tuple[int, float]:
    """Return the number of the pixel at a position; if asked for, with the rest between -0.5 and 0.5."""
    index = math.floor(position + 0.5)
    return (index, position - index) if wantResidual else index


def indexToPosition(index: float) -> float:
    """Return the position of the middle of a pixel."""
    return float(index)
