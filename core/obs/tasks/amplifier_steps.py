"""Level the amplifiers of an exposure: measure the steps between them, and remove them."""

import numpy as np

from obs.algorithms.pixels.statistics import robust_sigma
from obs.algorithms.sky.level_steps import LevelSteps, find_level_steps
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


def level_amplifiers(masked_image: MaskedImage, config: AmplifierStepsConfig) -> list[str]:
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
    list of str
        What the user should know.
    """
    if not config.enabled:
        return []
    image, mask = masked_image.image, masked_image.mask
    bad = (mask.array & mask.known_bits(BAD_PLANES)) != 0
    bad |= ~np.isfinite(image)
    rows = slice(None, None, max(1, image.size // SAMPLE))
    noise = robust_sigma((image[rows, LAG:] - image[rows, :-LAG])[~(bad[rows, LAG:] | bad[rows, :-LAG])]) / np.sqrt(2)
    columns, lines = find_level_steps(image, bad, noise), find_level_steps(image.T, bad.T, noise)
    found = []
    if len(columns.places):
        image -= columns.offsets(image.shape[1])
        found.append(_list("x", columns))
    if len(lines.places):
        image -= lines.offsets(image.shape[0])[:, None]
        found.append(_list("y", lines))
    if not found:
        return []
    return [
        f"the sky has steps, as between amplifiers: {'; '.join(found)}. They are removed, as levels. If they are "
        "gains, a flat removes them, and fluxes differ between amplifiers until then; to keep them set "
        "characterize.amplifier_steps.enabled=false"
    ]


def _list(axis: str, steps: LevelSteps) -> str:
    pairs = zip(steps.places, steps.heights, strict=True)
    return ", ".join(f"{height:+.3g} counts at {axis}={place}" for place, height in pairs)
