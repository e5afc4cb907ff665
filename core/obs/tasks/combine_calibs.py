"""Make calibration frames: what is done to each frame, to the stack of them, and to the result.

`RECIPES` says for each type which steps of signature removal are left out, and what follows. Frames are combined by
`obs.algorithms.combine`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from obs.algorithms.background import fit_background
from obs.algorithms.combine import Combined, Stack, combine_rows, measure_noise_factor
from obs.algorithms.grow import grow
from obs.algorithms.noise import noise_of
from obs.algorithms.smoothing import smooth
from obs.algorithms.statistics import ClippedStatistics, clipped_statistics
from obs.config.base import TaskConfig, setting
from obs.errors import MeasurementError
from obs.geom import Box
from obs.image.exposure import Exposure
from obs.image.mask import Mask
from obs.image.masked_image import MaskedImage
from obs.tasks.dark_hits import DarkHitsConfig
from obs.tasks.isr_config import IsrConfig

__all__ = [
    "RECIPES",
    "CalibsConfig",
    "CombineConfig",
    "Frames",
    "Master",
    "Prepared",
    "Recipe",
    "combine_frames",
    "find_objects",
    "finish_frame",
    "prepare_frame",
    "signature_config",
]

#: What no calibration frame wants: filled pixels, rough zero points, statistics of a sky.
_NEVER = (
    "do_brighter_fatter",
    "do_stray_light",
    "do_apply_gains",
    "do_attach_transmission_curve",
    "do_illumination_correction",
    "do_set_bad_regions",
    "do_interpolate",
    "do_rough_zero_point",
    "do_measure_background",
    "do_widen_saturation_trails",
    "expect_wcs",
    "write",
)
_SAMPLED_ROWS = 48
_LEVEL_PIXELS = 500_000
#: No more than this part of a frame's variance is taken for that of what was subtracted from it.
_MOST_COMMON = 0.9


class CombineConfig(TaskConfig):
    """How frames are combined."""

    clip: float = setting(3.0, "Values further from the mean of the others are rejected.", unit="sigma", gt=0)
    iterations: int = setting(3, "Number of clippings.", ge=1)
    grow: int = setting(
        1, "Distance from cosmic rays within which values of the same frame are rejected.", unit="pixel", ge=0
    )
    bad_planes: list[str] = setting(
        ["SAT", "NO_DATA", "INTRP", "CR", "UNMASKEDNAN", "DETECTED"], "Mask planes whose pixels are rejected."
    )
    memory: float = setting(64.0, "Memory for the rows that are combined at a time.", unit="MB", gt=0)


class ObjectsConfig(TaskConfig):
    """How stars and galaxies in frames of the sky are masked."""

    threshold: float = setting(2.0, "Smoothed pixels above are objects.", unit="sigma", gt=0)
    smoothing: float = setting(2.0, "Sigma of the smoothing.", unit="pixel", gt=0)
    grow: int = setting(4, "Distance by which objects are grown.", unit="pixel", ge=0)
    bin_size: int = setting(128, "Cells of the background below the objects.", unit="pixel", ge=8)


class DefectsConfig(TaskConfig):
    """Which pixels are defects."""

    hot: float = setting(
        30.0, "Dark frames: pixels this far above their surroundings.", unit="sigma of one frame", gt=0
    )
    dim: float = setting(0.5, "Flats: pixels below this part of their surroundings.", gt=0, lt=1)
    bright: float = setting(1.5, "Flats: pixels above this many times their surroundings.", gt=1)
    bin_size: int = setting(64, "Cells of the surroundings.", unit="pixel", ge=8)
    light: float = setting(
        20.0,
        "Where the registry does not tell, frames whose level is this many times their noise are flats, others darks.",
        unit="sigma",
        gt=0,
    )


class CalibsConfig(TaskConfig):
    """From raw frames to calibration frames."""

    isr: IsrConfig = setting(IsrConfig(), "Instrument-signature removal; later steps are left out.")
    combine: CombineConfig = setting(CombineConfig(), "Combination.")
    dark_hits: DarkHitsConfig = setting(DarkHitsConfig(), "Cosmic rays in darks.")
    objects: ObjectsConfig = setting(ObjectsConfig(), "Objects in frames of the sky.")
    sky_bin_size: int = setting(256, "Cells of the pattern of the sky, which is smooth.", unit="pixel", ge=8)
    defects: DefectsConfig = setting(DefectsConfig(), "Defects.")


@dataclass(frozen=True)
class Prepared:
    """A frame ready to be combined.

    Parameters
    ----------
    image, variance : ndarray of float32, shape (ny, nx)
        Values on the common scale, and their variance.
    rejected : ndarray of bool, shape (ny, nx)
        Values that must not be used.
    level : float
        What the frame was divided by.
    weight : float
        Inverse of its typical variance.
    """

    image: NDArray[np.float32]
    variance: NDArray[np.float32]
    rejected: NDArray[np.bool_]
    level: float
    weight: float


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


@dataclass(frozen=True)
class Recipe:
    """How one type of calibration is made.

    Parameters
    ----------
    off : tuple of str
        Switches of signature removal that are off besides `_NEVER`.
    level : callable
        From an exposure, and which of its pixels are bad, to the value that it is divided by.
    mask_objects : bool
        Whether objects are masked.
    subtract_background : bool
        Whether the background is subtracted.
    keep_detector_scale : bool
        Whether detectors keep their levels relative to one another.
    without_light : bool
        Whether counts are no light, and so have only the noise of a read.
    find_hits : bool
        Whether cosmic rays are looked for in every frame: where there is no light all that is sharp is none of it.
    """

    off: tuple[str, ...]
    level: Callable[[Exposure, NDArray[np.bool_]], float]
    mask_objects: bool = False
    subtract_background: bool = False
    keep_detector_scale: bool = False
    without_light: bool = False
    find_hits: bool = False


def _unit(exposure: Exposure, bad: NDArray[np.bool_]) -> float:
    return 1.0


def _dark_time(exposure: Exposure, bad: NDArray[np.bool_]) -> float:
    info = exposure.visit_info
    time = float("nan") if info is None else info.dark_time if np.isfinite(info.dark_time) else info.exposure_time
    if not (np.isfinite(time) and time > 0):
        raise MeasurementError(f"its dark time is {time} s, by which it cannot be divided")
    return time


def _light(exposure: Exposure, bad: NDArray[np.bool_]) -> float:
    level = _statistics(exposure.masked_image.image, bad)
    if not level.mean > level.sigma:
        raise MeasurementError(
            f"its level is {level.mean:.4g} ADU, its scatter {level.sigma:.4g} ADU: there is no light in it"
        )
    return level.mean


def _statistics(image: NDArray[np.float32], bad: NDArray[np.bool_]) -> ClippedStatistics:
    step = max(1, image.size // _LEVEL_PIXELS)
    return clipped_statistics(image.ravel()[::step][~bad.ravel()[::step]])


_BEFORE_BIAS = ("do_bias", "do_dark", "do_flat", "do_fringe", "do_linearize", "do_crosstalk", "do_vignette")

RECIPES: dict[str, Recipe] = {
    "bias": Recipe((*_BEFORE_BIAS, "do_bias_before_overscan"), _unit, without_light=True),
    "dark": Recipe(("do_dark", "do_flat", "do_fringe", "do_vignette"), _dark_time, find_hits=True),
    "flat": Recipe(("do_flat", "do_fringe"), _light, keep_detector_scale=True),
    "fringe": Recipe(("do_fringe",), _light, mask_objects=True, subtract_background=True),
    "sky": Recipe(("do_fringe",), _light, mask_objects=True, keep_detector_scale=True),
    "defects": Recipe(("do_dark", "do_flat", "do_fringe", "do_defect", "do_vignette"), _unit),
}


def signature_config(name: str, config: IsrConfig) -> IsrConfig:
    """Return the settings of signature removal for the frames of a type of calibration."""
    off = dict.fromkeys((*_NEVER, *RECIPES[name].off), False)
    return config.model_copy(update=off)


def prepare_frame(
    name: str,
    exposure: Exposure,
    config: CalibsConfig,
    *,
    regions: Sequence[Box],
    common_variance: NDArray[np.float32] | None = None,
) -> Prepared:
    """Put a frame on the scale that all are combined on.

    Parameters
    ----------
    name : str
        Type of calibration.
    exposure : Exposure
        The frame without signature; its pixels are changed in place.
    config : CalibsConfig
        Settings.
    regions : sequence of Box
        Amplifiers.
    common_variance : ndarray of float32, shape (ny, nx), optional
        Part of its variance that it shares with the other frames: that of the bias and dark that were subtracted.

    Raises
    ------
    MeasurementError
        If it has no light, no dark time, or no good pixel.
    """
    recipe, pixels = RECIPES[name], exposure.masked_image
    bad = (pixels.mask.array & pixels.mask.known_bits(config.combine.bad_planes)) != 0
    bad |= ~np.isfinite(pixels.image)
    defective = bad | pixels.mask.any("BAD")
    if recipe.without_light:
        for region in regions:
            variance = pixels.variance[region.slices]
            variance[...] = variance.min()
    level = recipe.level(exposure, defective)
    if common_variance is not None:
        # What does not differ between frames is no noise to judge them by, and does not average out.
        pixels.variance -= np.minimum(common_variance, _MOST_COMMON * pixels.variance)
    if recipe.subtract_background:
        pixels.image -= fit_background(pixels.image, defective, bin_size=config.objects.bin_size).image()
        bad |= ~np.isfinite(pixels.image)
    if level != 1.0:
        pixels.image /= np.float32(level)
        pixels.variance /= np.float32(level**2)
    step = max(1, bad.size // _LEVEL_PIXELS)
    known = pixels.variance.ravel()[::step][~defective.ravel()[::step]]
    known = known[np.isfinite(known) & (known > 0)]
    if not len(known):
        # Without a prediction, differences of the frames tell the noise.
        pixels.variance[...] = 1.0
    return Prepared(pixels.image, pixels.variance, bad, level, 1 / float(np.median(known)) if len(known) else 1.0)


def find_objects(
    image: NDArray[np.float32], rejected: NDArray[np.bool_], pattern: NDArray[np.float32], config: ObjectsConfig
) -> NDArray[np.bool_]:
    """Return where stars and galaxies are in a prepared frame.

    Parameters
    ----------
    image : ndarray of float32, shape (ny, nx)
        The frame.
    rejected : ndarray of bool, shape (ny, nx)
        Pixels that are bad already.
    pattern : ndarray of float32, shape (ny, nx)
        What all frames have in common, which is no object: their combination.
    config : ObjectsConfig
        Settings.
    """
    residual = image - pattern
    bad = rejected | ~np.isfinite(residual)
    found: NDArray[np.bool_] = np.zeros_like(bad)
    for _ in range(2):
        background = fit_background(residual, bad | found, bin_size=config.bin_size).image()
        clean = np.where(bad | ~np.isfinite(background), np.float32(0), residual - background)
        smoothed = smooth(clean, config.smoothing)
        found = grow(smoothed.image > config.threshold * noise_of(smoothed, bad | found), config.grow)
    return found


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
        image /= np.float32(_statistics(image, ~np.isfinite(image)).mean)
        empty = ~np.isfinite(image)
    if name == "fringe":
        image = image - np.float32(_statistics(image, empty).mean)
    if name == "flat":
        mask.set(~empty & ~(image > 0), "BAD")
    for plane in (image, variance):
        plane[empty] = np.median(plane[~empty])
    return MaskedImage(image, mask, variance)
