"""Level the amplifiers of an exposure: measure the steps between them, and remove them."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from obs.algorithms.pixels.statistics import robust_sigma
from obs.algorithms.sky.level_steps import LevelSteps, find_level_steps, find_steps_of_halves
from obs.algorithms.sky.step_gains import measure_step_gains
from obs.config.base import TaskConfig, setting
from obs.image.masked_image import MaskedImage

__all__ = ["AmplifierStepsConfig", "level_amplifiers"]

BAD_PLANES = ("BAD", "SAT", "NO_DATA", "UNMASKEDNAN")

SAMPLE = 500_000
LAG = 4
"""Pixels whose differences give the noise, and their distance."""


class AmplifierStepsConfig(TaskConfig):
    """How steps between amplifiers are found."""

    enabled: bool = setting(
        True, "Look for steps of the sky along whole columns or rows, as between amplifiers, and remove them."
    )


def level_amplifiers(masked_image: MaskedImage, config: AmplifierStepsConfig) -> tuple[list[str], float]:
    """Remove steps of the level between whole columns or rows, in place.

    Where the noise shows that they are gains, pixels are divided by them. Else the steps are taken as light or bias
    that adds, and fluxes stay as they are.

    Parameters
    ----------
    masked_image : MaskedImage
        Pixels with their sky.
    config : AmplifierStepsConfig
        Settings.

    Returns
    -------
    warnings : list of str
        What the user should know.
    largest : float
        Height of the largest step, counts; 0 if there is none.
    """
    if not config.enabled:
        return [], 0.0
    image, variance, mask = masked_image.image, masked_image.variance, masked_image.mask
    bad = mask.any_known(BAD_PLANES)
    bad |= ~np.isfinite(image)
    rows = slice(None, None, max(1, image.size // SAMPLE))
    noise = robust_sigma((image[rows, LAG:] - image[rows, :-LAG])[~(bad[rows, LAG:] | bad[rows, :-LAG])]) / np.sqrt(2)
    # between columns first: quadrants of one half are then alike, and what is left are steps of whole rows
    found = _Removed()
    _level("x", image, variance, bad, noise, found)
    _level("y", image.T, variance.T, bad.T, noise, found)
    warnings = []
    if found.levels:
        warnings.append(
            f"the sky has steps, as between amplifiers: {'; '.join(found.levels)}. They are removed, as levels. If "
            "they are gains, a flat removes them, and fluxes differ between amplifiers until then; to keep them set "
            "characterize.amplifier_steps.enabled=false"
        )
    if found.gains:
        warnings.append(
            f"amplifiers differ in gain: {'; '.join(found.gains)}. Noise and sky grow alike, so pixels are divided by "
            "these factors. A flat, or right gains in the camera, make up for it too; to keep the pixels as they are "
            "set characterize.amplifier_steps.enabled=false"
        )
    return warnings, max(map(abs, found.heights), default=0.0)


@dataclass
class _Removed:
    """Steps that were removed: as levels and as gains, in words, and the heights of all, counts."""

    levels: list[str] = field(default_factory=list)
    gains: list[str] = field(default_factory=list)
    heights: list[float] = field(default_factory=list)


def _level(
    axis: str,
    image: NDArray[np.float32],
    variance: NDArray[np.float32],
    bad: NDArray[np.bool_],
    noise: float,
    found: _Removed,
) -> None:
    """Remove steps between columns, in place, and note them."""
    steps, halves = find_level_steps(image, bad, noise), find_steps_of_halves(image, bad, noise)
    if halves is None:
        _remove(axis, "", image, variance, bad, steps, found)
        return
    middle, other = len(image) // 2, "y" if axis == "x" else "x"
    for rows, part, where in ((np.s_[:middle], halves[0], "<"), (np.s_[middle:], halves[1], ">=")):
        place = f" where {other}{where}{middle}"
        _remove(axis, place, image[rows], variance[rows], bad[rows], part, found)


def _remove(
    axis: str,
    where: str,
    image: NDArray[np.float32],
    variance: NDArray[np.float32],
    bad: NDArray[np.bool_],
    steps: LevelSteps,
    found: _Removed,
) -> None:
    """Remove steps between columns of a part of the image, in place, and note them."""
    if not len(steps.places):
        return
    found.heights += map(float, steps.heights)
    factors = measure_step_gains(image, variance, bad, steps)
    if factors is None:
        image -= steps.offsets(image.shape[1])
        pairs = zip(steps.places, steps.heights, strict=True)
        found.levels.append(", ".join(f"{height:+.3g} counts at {axis}={place}" for place, height in pairs) + where)
        return
    image /= factors.astype(np.float32)
    # the light's part of the variance goes with the light, as one gain was assumed for all
    variance /= factors.astype(np.float32)
    edges = [0, *map(int, steps.places)]
    found.gains.append(", ".join(f"{factors[place]:.4f} from {axis}={place}" for place in edges) + where)
