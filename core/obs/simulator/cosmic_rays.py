"""Tracks of charged particles in silicon: straight ones, and those of slow electrons, which curl."""

import numpy as np
from numpy.typing import NDArray

from obs.simulator.config import CosmicRayConfig

__all__ = ["cosmic_ray_charge", "track_count"]

#: Length of a step, pixels; charge is put down in so many packets a step.
_STEP, _PACKETS = 0.2, 3
_LONGEST = 400.0  # pixels
_CURL = 0.25  # radians a step
_MEAN_CURLED_LENGTH = 12.0  # pixels


def track_count(
    config: CosmicRayConfig, *, shape: tuple[int, int], pixel_size: float, dark_time: float, random: np.random.Generator
) -> int:
    """Return the number of tracks in an exposure of ``dark_time`` seconds; pixels of ``pixel_size`` mm.

    Parameters
    ----------
    config : CosmicRayConfig
        Its ``count``, if set, is returned; else the number is drawn with the mean of its ``rate``.
    shape : tuple of int
        Shape (ny, nx) of the detector.
    pixel_size : float
        Side of a pixel, mm.
    dark_time : float
        Time in which the detector collects charge, seconds.
    random : numpy.random.Generator
        Source of random numbers.
    """
    if config.count is not None:
        return config.count
    area = shape[0] * shape[1] * pixel_size**2 / 100.0
    return int(random.poisson(config.rate * area * dark_time))


def cosmic_ray_charge(
    config: CosmicRayConfig,
    *,
    shape: tuple[int, int],
    pixel_size: float,
    count: int,
    random: np.random.Generator,
) -> NDArray[np.float32]:
    """Return the charge that cosmic rays leave.

    Parameters
    ----------
    config : CosmicRayConfig
        Depth and charge.
    shape : tuple of int
        Shape (ny, nx) of the detector.
    pixel_size : float
        Side of a pixel, mm.
    count : int
        Number of tracks.
    random : Generator
        Random numbers.

    Returns
    -------
    ndarray of float32, shape (ny, nx)
        Electrons.
    """
    charge = np.zeros(shape, np.float32)
    if not count:
        return charge
    depth = config.thickness / pixel_size
    curled = random.random(count) < config.curled
    # Muons come with the square of the cosine of their angle to the vertical, on a detector that faces it.
    cosine = np.maximum(random.random(count) ** (1.0 / 3.0), 1e-3)
    straight = depth * np.sqrt(1.0 - cosine**2) / cosine
    length = np.minimum(np.where(curled, random.exponential(_MEAN_CURLED_LENGTH, count), straight), _LONGEST)
    steps = np.ceil(length / _STEP).astype(np.int64) + 1
    track = np.repeat(np.arange(count), steps)
    first = np.cumsum(steps) - steps
    path = np.where(curled, np.maximum(length, depth), np.hypot(length, depth)) * pixel_size
    energy = config.ionization * path * np.exp(0.3 * random.standard_normal(count))

    turn = np.where(curled[track], _CURL * random.standard_normal(len(track)), 0.0)
    turn[first] = random.uniform(0.0, 2.0 * np.pi, count)
    angle = _sum_along(turn, first, track)
    along = (length / steps)[track]
    x = random.uniform(-0.5, shape[1] - 0.5, count)[track] + _sum_along(along * np.cos(angle), first, track)
    y = random.uniform(-0.5, shape[0] - 0.5, count)[track] + _sum_along(along * np.sin(angle), first, track)
    # Losses fluctuate from step to step.
    loss = random.exponential(1.0, len(track))
    loss *= (energy / np.bincount(track, loss, count))[track]

    packets = (len(track), _PACKETS)
    column = np.rint(x[:, None] + config.diffusion * random.standard_normal(packets)).astype(np.int64)
    row = np.rint(y[:, None] + config.diffusion * random.standard_normal(packets)).astype(np.int64)
    inside = (column >= 0) & (column < shape[1]) & (row >= 0) & (row < shape[0])
    packet = np.broadcast_to((loss / _PACKETS).astype(np.float32)[:, None], packets)
    np.add.at(charge.reshape(-1), (row * shape[1] + column)[inside], packet[inside])
    return charge


def _sum_along(values: NDArray[np.float64], first: NDArray[np.int64], track: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the running sum within each track."""
    total = np.cumsum(values)
    before = total[first] - values[first]
    summed: NDArray[np.float64] = total - before[track]
    return summed
