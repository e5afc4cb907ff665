"""How each type of calibration is made: which steps of signature removal are left out, and what follows."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from obs.algorithms.pixels.statistics import ClippedStatistics, clipped_statistics
from obs.errors import MeasurementError
from obs.frozen import frozen
from obs.image.exposure import Exposure
from obs.tasks.isr_config import IsrConfig

__all__ = ["RECIPES", "Recipe", "level_statistics", "signature_config"]

#: What no calibration frame wants: filled pixels, rough zero points, statistics of a sky.
_NEVER = (
    "do_place_windows",
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
    "do_find_saturation",
    "do_mask_constant",
    "expect_wcs",
    "write",
)
_LEVEL_PIXELS = 500_000


def level_statistics(image: NDArray[np.float32], bad: NDArray[np.bool_]) -> ClippedStatistics:
    """Return clipped statistics of the pixels that are not bad, of some of them in a large image.

    Parameters
    ----------
    image : ndarray of float32, shape (ny, nx)
        A frame.
    bad : ndarray of bool, shape (ny, nx)
        Pixels that do not count.
    """
    step = max(1, image.size // _LEVEL_PIXELS)
    return clipped_statistics(image.ravel()[::step][~bad.ravel()[::step]])


@frozen
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
        Whether counts are not light, and so have only the noise of a read.
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
    level = level_statistics(exposure.masked_image.image, bad)
    if not level.mean > level.sigma:
        raise MeasurementError(
            f"its level is {level.mean:.4g} ADU, its scatter {level.sigma:.4g} ADU: there is no light in it"
        )
    return level.mean


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
    """Return the settings of signature removal for the frames of a type of calibration.

    Parameters
    ----------
    name : str
        Type of the calibration: "bias", "dark", "flat" or another one of the recipes.
    config : IsrConfig
        Settings of the user. Steps that must not run for this type are switched off in a copy.
    """
    off = dict.fromkeys((*_NEVER, *RECIPES[name].off), False)
    return config.model_copy(update=off)
