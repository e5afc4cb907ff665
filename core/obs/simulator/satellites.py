"""Trails of satellites: straight lines across a detector."""

import numpy as np
from numpy.typing import NDArray

from obs.simulator.changes_config import SatelliteConfig

__all__ = ["add_trails"]

#: The profile of a trail ends here, in standard deviations.
_REACH = 6.0


def add_trails(
    electrons: NDArray[np.float32], config: SatelliteConfig, visit: int, random: np.random.Generator
) -> list[tuple[float, float, float]]:
    """Add the trails of an exposure to the light on a detector.

    Parameters
    ----------
    electrons : ndarray of float32, shape (ny, nx)
        Light, electrons; changed in place.
    config : SatelliteConfig
        How many trails, and how bright.
    visit : int
        Number of the exposure.
    random : Generator
        Random numbers.

    Returns
    -------
    list of (float, float, float)
        A point x, y of each trail, pixels, and its angle to the x axis, degrees.
    """
    if visit % config.every:
        return []
    trails = []
    height, width = electrons.shape
    for _ in range(config.count):
        x = float(random.uniform(0.25, 0.75) * width)
        y, angle = float(random.uniform(0.25, 0.75) * height), float(random.uniform(0.0, np.pi))
        _add_trail(electrons, config, x, y, angle)
        trails.append((x, y, float(np.degrees(angle))))
    return trails


def _add_trail(electrons: NDArray[np.float32], config: SatelliteConfig, x: float, y: float, angle: float) -> None:
    columns = np.arange(electrons.shape[1], dtype=np.float32)
    for start in range(0, len(electrons), 256):  # blocks of rows, so that memory does not grow with the detector
        block = electrons[start : start + 256]
        rows = np.arange(start, start + len(block), dtype=np.float32)[:, None]
        across = (rows - np.float32(y)) * np.float32(np.cos(angle)) - (columns - np.float32(x)) * np.float32(
            np.sin(angle)
        )
        scaled = across / np.float32(config.width)
        block += np.where(
            np.abs(scaled) < _REACH, np.float32(config.peak) * np.exp(-0.5 * scaled**2), np.float32(0.0)
        ).astype(np.float32)
