"""Where the pixels of one image are on another, interpolated between nodes."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from obs.frozen import frozen

__all__ = ["PositionMap", "Transform", "map_positions"]

Positions = NDArray[np.float64]
#: Takes x and y of output pixels, returns x and y on the input.
Transform = Callable[[Positions, Positions], tuple[Positions, Positions]]
#: Largest error of interpolated positions, pixels.
TOLERANCE = 0.01
_STEPS = (64, 32, 16, 8, 4, 2, 1)


@frozen
class PositionMap:
    """Positions on an input image at nodes of an output grid, bilinear between them.

    Parameters
    ----------
    x, y : ndarray of float64, shape (n_row, n_column)
        Positions at the nodes, pixels of the input, 0-based.
    area : ndarray of float64, shape (n_row, n_column)
        Area of an output pixel in input pixels.
    step : int
        Output pixels between nodes; the first node is at the first output pixel.
    shape : tuple of int
        Shape (ny, nx) of the output.
    """

    x: Positions
    y: Positions
    area: Positions
    step: int
    shape: tuple[int, int]

    def rows(self, low: int, high: int) -> tuple[NDArray[np.float32], ...]:
        """Return x, y and area, float32, each of shape (high - low, nx), of some output rows.

        Parameters
        ----------
        low, high : int
            First output row, and the one after the last.
        """
        place = np.arange(low, high) / self.step
        first = np.minimum(place.astype(np.int64), len(self.x) - 2)
        share = (place - first)[:, None]
        across = np.arange(self.shape[1]) / self.step
        left = np.minimum(across.astype(np.int64), self.x.shape[1] - 2)
        right_share = across - left

        def fill(nodes: Positions) -> NDArray[np.float32]:
            used = nodes[first[0] : first[-1] + 2]
            wide = used[:, left] * (1 - right_share) + used[:, left + 1] * right_share
            here = first - first[0]
            return np.asarray(wide[here] * (1 - share) + wide[here + 1] * share, np.float32)

        return fill(self.x), fill(self.y), fill(self.area)

    def jacobian(self) -> Positions:
        """Return the typical change of x and y on the input (rows) from one output pixel to the next (columns)."""
        slopes = [np.gradient(nodes, self.step)[::-1] for nodes in (self.x, self.y)]
        return np.array([[np.nanmedian(slope) for slope in pair] for pair in slopes])


def map_positions(transform: Transform, shape: tuple[int, int]) -> PositionMap:
    """Make a map whose interpolated positions are right to 0.01 pixel.

    Parameters
    ----------
    transform : callable
        Takes x and y of output pixels, returns x and y on the input.
    shape : tuple of int
        Shape (ny, nx) of the output.
    """
    for step in _STEPS:
        nodes = _sample(transform, shape, step)
        if step == 1 or _error(transform, nodes) <= TOLERANCE:
            break
    return nodes


def _sample(transform: Transform, shape: tuple[int, int], step: int) -> PositionMap:
    counts = [max(2, -(-(size - 1) // step) + 1) for size in shape]
    columns, rows = np.meshgrid(np.arange(counts[1]) * float(step), np.arange(counts[0]) * float(step))
    x, y = transform(columns, rows)
    (x_row, x_column), (y_row, y_column) = (np.gradient(values, step) for values in (x, y))
    return PositionMap(x, y, np.abs(x_column * y_row - x_row * y_column), step, shape)


def _error(transform: Transform, nodes: PositionMap) -> float:
    """Return the largest error in the middle between nodes, pixels; NaN positions do not count."""
    count_y, count_x = nodes.x.shape
    columns, rows = np.meshgrid(
        (np.arange(count_x - 1) + 0.5) * nodes.step, (np.arange(count_y - 1) + 0.5) * nodes.step
    )
    errors = [
        np.abs(true - (known[:-1, :-1] + known[:-1, 1:] + known[1:, :-1] + known[1:, 1:]) / 4)
        for true, known in zip(transform(columns, rows), (nodes.x, nodes.y), strict=True)
    ]
    worst = np.fmax(*errors)
    return float(np.nanmax(worst)) if np.isfinite(worst).any() else 0.0
