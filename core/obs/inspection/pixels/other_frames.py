"""Overscan that the pixels of one frame show, held against the pixels of others: light may be uneven by chance."""

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from obs.inspection.amplifier_place import Place

__all__ = ["find_contradiction"]

_HOT = 20.0
"""Standard deviations by which a hot pixel stands out in a dark."""
_ENOUGH = 8
"""Hot pixels that have to be expected before their lack tells anything."""


def find_contradiction(
    place: Place, pixels: NDArray[np.float32], others: Iterable[tuple[str, NDArray[np.float32]]]
) -> str:
    """Return which other frame says that the columns taken for overscan see light; empty if none does.

    Parameters
    ----------
    place : Place
        The amplifier, its overscan found in the pixels.
    pixels : ndarray of float32, shape (ny, nx)
        The frame in which it was found, ADU.
    others : iterable of (str, ndarray of float32, shape (ny, nx))
        Other frames of the same camera: name and pixels.
    """
    if place.overscan.is_empty:
        return ""
    dark = pixels[place.overscan.slices]
    before, noise = float(np.median(dark)), _noise(dark)
    for name, other in others:
        if other.shape != pixels.shape:
            continue
        level, data = (float(np.median(other[box.slices])) for box in (place.overscan, place.data))
        if level - before > max(20.0, 10.0 * noise) and abs(data - level) < 0.5 * (level - before):
            return f"{name} has light in them ({level:.0f} ADU, the data {data:.0f})"
        hot, expected = _hot_pixels(other[place.overscan.slices]), _hot_pixels(other[place.data.slices])
        expected *= place.overscan.width * place.overscan.height / (place.data.width * place.data.height)
        if expected >= _ENOUGH and hot > 0.3 * expected and data - level < 10.0 * noise:
            return f"{name} has as many hot pixels in them as elsewhere"
    return ""


def _noise(pixels: NDArray[np.floating[Any]]) -> float:
    return float(1.4826 * np.median(np.abs(pixels - np.median(pixels)))) or 1.0


def _hot_pixels(pixels: NDArray[np.float32]) -> float:
    """Return how many pixels stand far above the others of their column."""
    away = pixels - np.median(pixels, axis=0)
    return float(np.count_nonzero(away > _HOT * _noise(away)))
