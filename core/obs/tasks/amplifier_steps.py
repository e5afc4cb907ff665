"""Level the amplifiers of an exposure: measure the steps between them, and remove them."""

import numpy as np
from numpy.typing import NDArray

from obs.algorithms.pixels.statistics import robust_sigma
from obs.algorithms.sky.level_steps import LevelSteps, find_level_steps, find_steps_of_halves
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

    The steps are taken as light or bias that adds, not as gains: fluxes stay as they are.

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
    image, mask = masked_image.image, masked_image.mask
    bad = mask.any_known(BAD_PLANES)
    bad |= ~np.isfinite(image)
    rows = slice(None, None, max(1, image.size // SAMPLE))
    noise = robust_sigma((image[rows, LAG:] - image[rows, :-LAG])[~(bad[rows, LAG:] | bad[rows, :-LAG])]) / np.sqrt(2)
    # between columns first: quadrants of one half are then alike, and what is left are steps of whole rows
    heights: list[float] = []
    found = [*_level("x", image, bad, noise, heights), *_level("y", image.T, bad.T, noise, heights)]
    if not found:
        return [], 0.0
    warning = (
        f"the sky has steps, as between amplifiers: {'; '.join(found)}. They are removed, as levels. If they are "
        "gains, a flat removes them, and fluxes differ between amplifiers until then; to keep them set "
        "characterize.amplifier_steps.enabled=false"
    )
    return [warning], max(map(abs, heights))


def _level(
    axis: str, image: NDArray[np.float32], bad: NDArray[np.bool_], noise: float, heights: list[float]
) -> list[str]:
    """Remove steps between columns, in place, add their heights to a list, and return them in words."""
    steps, halves = find_level_steps(image, bad, noise), find_steps_of_halves(image, bad, noise)
    if halves is None:
        if not len(steps.places):
            return []
        image -= steps.offsets(image.shape[1])
        heights += map(float, steps.heights)
        return [_list(axis, steps)]
    middle, words = len(image) // 2, []
    other = "y" if axis == "x" else "x"
    for rows, part, where in ((np.s_[:middle], halves[0], "<"), (np.s_[middle:], halves[1], ">=")):
        if len(part.places):
            image[rows] -= part.offsets(image.shape[1])
            heights += map(float, part.heights)
            words.append(f"{_list(axis, part)} where {other}{where}{middle}")
    return words


def _list(axis: str, steps: LevelSteps) -> str:
    pairs = zip(steps.places, steps.heights, strict=True)
    return ", ".join(f"{height:+.3g} counts at {axis}={place}" for place, height in pairs)
