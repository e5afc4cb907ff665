"""Combine prepared frames, and turn the result into a calibration frame.

Each frame is prepared by `obs.tasks.prepare_calib_frame`; the pixels are combined by `obs.algorithms.combine.frames`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from obs.algorithms.combine.frames import Combined, Stack, combine_rows, measure_noise_factor
from obs.algorithms.sky.background import fit_background
from obs.errors import MeasurementError
from obs.geom import Box
from obs.image.mask import Mask
from obs.image.masked_image import MaskedImage
from obs.tasks.calibration_recipes import level_statistics
from obs.tasks.calibs_config import CalibsConfig, CombineConfig

__all__ = ["Frames", "Master", "combine_frames", "finish_frame"]

_SAMPLED_ROWS = 48


@dataclass(frozen=True)
class Master:
    """A combined frame.

    Parameters
    ----------
    combined : Combined
        Mean of the frames.
    noise_factors : list of float
        For each region, by how much the noise exceeds what gain and read noise tell.
    """

    combined: Combined
    noise_factors: list[float]


class Frames(Protocol):
    """Frames of which some rows can be read at a time; see `obs.repo.frame_stack.FrameStack`."""

    shape: tuple[int, int]
    n_frame: int

    def read(self, low: int, high: int) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.bool_]]:
        """Return image, variance and rejection of some rows of all frames, each (n_frame, high - low, nx)."""
        ...


def combine_frames(
    frames: Frames, weights: NDArray[np.float64], regions: Sequence[Box], config: CombineConfig
) -> Master:
    """Combine prepared frames.

    Parameters
    ----------
    frames : Frames
        The frames.
    weights : ndarray of float64, shape (n_frame,)
        Their weights.
    regions : sequence of Box
        Amplifiers, for each of which the noise is measured.
    config : CombineConfig
        Settings.
    """

    def read(low: int, high: int) -> Stack:
        return Stack(*frames.read(low, high))

    factors = [measure_noise_factor(_sample(read, region)) for region in regions]

    def noise_factor(low: int, high: int) -> NDArray[np.float32]:
        factor = np.ones((high - low, frames.shape[1]), np.float32)
        for region, value in zip(regions, factors, strict=True):
            factor[max(region.y_min - low, 0) : max(region.y_max - low, 0), region.slices[1]] = value
        return factor

    combined = combine_rows(
        read,
        frames.shape,
        frames.n_frame,
        weights=weights,
        noise_factor=noise_factor,
        clip=config.clip,
        n_iteration=config.iterations,
        grow=config.grow if frames.n_frame > 1 else 0,
        memory=int(config.memory * 1e6),
    )
    return Master(combined, factors)


def _sample(read: Callable[[int, int], Stack], region: Box) -> list[Stack]:
    rows = np.unique(np.linspace(region.y_min, region.y_max - 1, min(_SAMPLED_ROWS, region.height)).astype(int))
    columns = region.slices[1]
    lines = (read(row, row + 1) for row in rows.tolist())
    return [Stack(line.image[..., columns], line.variance[..., columns], line.rejected[..., columns]) for line in lines]


def finish_frame(name: str, combined: Combined, mask: Mask, config: CalibsConfig) -> MaskedImage:
    """Turn a combined frame into a calibration frame.

    Parameters
    ----------
    name : str
        Type of calibration.
    combined : Combined
        Mean of the frames.
    mask : Mask
        What is said of a pixel in all frames; changed in place.
    config : CalibsConfig
        Settings.

    Returns
    -------
    MaskedImage
        Where no frame has a value: the medians of image and variance, masked BAD and NO_DATA.

    Raises
    ------
    MeasurementError
        If no pixel has a value.
    """
    image, variance = combined.image, combined.variance
    empty = ~(np.isfinite(image) & np.isfinite(variance))
    mask.set(empty, "BAD", "NO_DATA")
    if empty.all():
        raise MeasurementError("not one pixel has a value in any frame")
    if name == "sky":
        bad = empty | mask.any("BAD")
        background = fit_background(image, None if not bad.any() else bad, bin_size=config.sky_bin_size)
        image = background.image()
        image /= np.float32(level_statistics(image, ~np.isfinite(image)).mean)
        empty = ~np.isfinite(image)
    if name == "fringe":
        image = image - np.float32(level_statistics(image, empty).mean)
    if name == "flat":
        mask.set(~empty & ~(image > 0), "BAD")
    for plane in (image, variance):
        plane[empty] = np.median(plane[~empty])
    return MaskedImage(image, mask, variance)
