"""Combine prepared frames, and turn the result into a calibration frame.

Each frame is prepared by `obs.tasks.prepare_calib_frame`; the pixels are combined by `obs.algorithms.combine.frames`.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from obs.algorithms.combine.frames import Combined, Stack, combine_rows
from obs.algorithms.combine.light_noise import share_light_noise
from obs.algorithms.combine.noise_factors import measure_noise_factors
from obs.algorithms.sky.background import fit_background
from obs.errors import MeasurementError
from obs.frozen import frozen
from obs.geom import Box
from obs.image.mask import Mask
from obs.image.masked_image import MaskedImage
from obs.tasks.calibration_recipes import level_statistics
from obs.tasks.calibs_config import CalibsConfig, CombineConfig

__all__ = ["Frames", "Master", "combine_frames", "finish_frame", "sample_rows", "typical_variance"]

_SAMPLED_ROWS, _SAMPLED_PIXELS = 48, 20_000
"""Least rows and pixels of a region that its noise is measured from."""
_FLOOR_PERCENTILE = 1.0
"""Percentile of the variance that represents values without light; the least one may be that of a dead pixel."""


@frozen
class Master:
    """A combined calibration frame with its noise.

    Parameters
    ----------
    combined : Combined
        Mean of the frames.
    noise_factors : ndarray of float64, shape (n_region, n_frame)
        Noise of each frame in each region, relative to what its variance predicts; NaN where it was not measured.
    weights : ndarray of float64, shape (n_region, n_frame)
        Weights of the frames, whose sum is 1 in each region.
    noise : ndarray of float64, shape (n_region,)
        Noise of the combination relative to the prediction; NaN where it was not measured.
    """

    combined: Combined
    noise_factors: NDArray[np.float64]
    weights: NDArray[np.float64]
    noise: NDArray[np.float64]


class Frames(Protocol):
    """Frames of which some rows can be read at a time; see `obs.repo.frame_stack.FrameStack`."""

    shape: tuple[int, int]
    n_frame: int

    def read(self, low: int, high: int) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.bool_]]:
        """Return image, variance and rejection of some rows of all frames, each (n_frame, high - low, nx).

        Parameters
        ----------
        low, high : int
            First row, and the one after the last, 0-based.

        Returns
        -------
        image, variance : ndarray of float32, shape (n_frame, high - low, nx)
            Pixels and their variances.
        rejected : ndarray of bool, shape (n_frame, high - low, nx)
            Pixels that do not count.
        """
        ...


def combine_frames(
    frames: Frames, levels: Sequence[float], regions: Sequence[Box], config: CombineConfig, *, grow: bool = True
) -> Master:
    """Combine prepared frames, each with the weight that its own noise gives it.

    Parameters
    ----------
    frames : Frames
        The frames.
    levels : sequence of float
        What each frame was divided by.
    regions : sequence of Box
        Amplifiers, for each of which the noise is measured.
    config : CombineConfig
        Settings.
    grow : bool, optional
        Whether outliers take their surroundings with them.
    """
    samples = [sample_rows(frames, region) for region in regions]
    floors, scale = [_noise_floor(sample) for sample in samples], np.array(levels)
    samples = [
        [part._replace(variance=share_light_noise(part, floor, scale)) for part in sample]
        for sample, floor in zip(samples, floors, strict=True)
    ]
    measured = np.array([measure_noise_factors(sample) for sample in samples])
    factors = np.where(np.isfinite(measured), measured, 1.0)
    typical = np.array([typical_variance(sample) for sample in samples])
    with np.errstate(divide="ignore", invalid="ignore"):
        weights = np.where(typical > 0, 1.0 / (factors**2 * typical), 0.0)
        weights /= weights.sum(axis=1, keepdims=True)
        expected = np.sqrt(np.sum(weights**2 * factors**2 * typical, axis=1, where=typical > 0))
        expected /= np.sqrt(np.sum(weights**2 * typical, axis=1, where=typical > 0))
    noise = np.where(np.isfinite(measured).any(axis=1), expected, np.nan)

    def read(low: int, high: int) -> Stack:
        stack = Stack(*frames.read(low, high))
        for region, floor, values in zip(regions, floors, factors, strict=True):
            part = _part(region, low, high)
            inner = Stack(stack.image[part], stack.variance[part], stack.rejected[part])
            variance = share_light_noise(inner, floor, scale)
            stack.variance[part] = variance * np.square(values).astype(np.float32)[:, None, None]
        return stack

    def read_weights(low: int, high: int) -> NDArray[np.float32]:
        result = np.zeros((frames.n_frame, high - low, frames.shape[1]), np.float32)
        for region, values in zip(regions, weights, strict=True):
            result[_part(region, low, high)] = np.nan_to_num(values).astype(np.float32)[:, None, None]
        return result

    combined = combine_rows(
        read,
        frames.shape,
        frames.n_frame,
        weights=read_weights,
        clip=config.clip,
        grow=config.grow if grow and frames.n_frame > 1 else 0,
        memory=int(config.memory * 1e6),
    )
    return Master(combined, measured, weights, noise)


def _noise_floor(sample: Sequence[Stack]) -> NDArray[np.float64]:
    """Return the variance of the values without light of each frame, shape (n_frame,)."""
    floors = []
    for frame in range(len(sample[0].image)):
        values = np.concatenate([part.variance[frame][~part.rejected[frame]] for part in sample])
        values = values[np.isfinite(values)]
        floors.append(float(np.percentile(values, _FLOOR_PERCENTILE)) if len(values) else 0.0)
    return np.array(floors)


def _part(region: Box, low: int, high: int) -> tuple[slice, slice, slice]:
    """Return the index of a region in a stack of the rows from ``low`` to ``high``."""
    return slice(None), slice(max(region.y_min - low, 0), max(region.y_max - low, 0)), region.slices[1]


def typical_variance(samples: Sequence[Stack]) -> NDArray[np.float64]:
    """Return the median variance of the good values of each frame, shape (n_frame,); 0 for none.

    Parameters
    ----------
    samples : sequence of Stack
        Rows of the frames, as `sample_rows` returns them.
    """
    found = []
    for frame in range(len(samples[0].image)):
        values = np.concatenate([part.variance[frame][~part.rejected[frame]] for part in samples])
        values = values[np.isfinite(values) & (values > 0)]
        found.append(float(np.median(values)) if len(values) else 0.0)
    return np.array(found)


def sample_rows(frames: Frames, region: Box) -> list[Stack]:
    """Return some rows of a region of all frames, spread evenly.

    Parameters
    ----------
    frames : Frames
        The frames to combine.
    region : Box
        Region of the detector, 0-based pixels, usually an amplifier.

    Returns
    -------
    list of Stack
        One for each row, with the columns of the region.
    """
    number = min(max(_SAMPLED_ROWS, _SAMPLED_PIXELS // max(region.width, 1)), region.height)
    rows = np.unique(np.linspace(region.y_min, region.y_max - 1, number).astype(int))
    columns = region.slices[1]
    lines = (Stack(*frames.read(row, row + 1)) for row in rows.tolist())
    return [Stack(line.image[..., columns], line.variance[..., columns], line.rejected[..., columns]) for line in lines]


def finish_frame(
    name: str, combined: Combined, mask: Mask, config: CalibsConfig, n_rejected: Mapping[str, int] | None = None
) -> MaskedImage:
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
    n_rejected : mapping of str to int, optional
        Number of values of all frames that each mask plane rejects, for the message of an error.

    Returns
    -------
    MaskedImage
        Where no frame has a value: the medians of image and variance, masked BAD and NO_DATA.

    Raises
    ------
    MeasurementError
        If no pixel has a value, or more pixels have none than the settings allow.
    """
    image, variance = combined.image, combined.variance
    empty = ~(np.isfinite(image) & np.isfinite(variance))
    # Amplifiers that the camera does not have, or calls bad, are not fault of the frames.
    lost = float(np.mean(empty & ~mask.any("BAD", "NO_DATA")))
    if lost > config.combine.maximum_without_data and not empty.all():
        total = sum((n_rejected or {}).values())
        causes = [f"{plane} {100 * n / total:.0f} %" for plane, n in Counter(n_rejected or {}).most_common(3) if n]
        raise MeasurementError(
            f"{100 * lost:.0f} % of the pixels of the {name} have no value in any frame (limit "
            f"{100 * config.combine.maximum_without_data:.0f} %). "
            + (f"Rejected values are: {', '.join(causes)}. " if causes else "")
            + f"Choose {'fainter' if (n_rejected or {}).get('SAT', 0) > 0.5 * total else 'more or other'} frames "
            + "with --id, or raise combine.maximum_without_data"
        )
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
