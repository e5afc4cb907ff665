"""Subtract the background, and keep what was subtracted."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from obs.algorithms.background import fit_background
from obs.config.base import TaskConfig, setting
from obs.image.background import Background
from obs.image.masked_image import MaskedImage

__all__ = ["BackgroundConfig", "subtract_background"]


class BackgroundConfig(TaskConfig):
    """How the background is fitted."""

    bin_size: int = setting(128, "Size of the cells in which the sky is measured.", unit="pixel", ge=8)
    style: Literal["chebyshev", "akima", "constant"] = setting(
        "chebyshev", "From cells to pixels: a smooth polynomial, splines through every cell, or the mean of all cells."
    )
    order: int = setting(6, "Total order of the polynomial; lowered where there are too few cells.", ge=0, le=15)
    bad_planes: list[str] = setting(
        ["BAD", "SAT", "EDGE", "DETECTED", "DETECTED_NEGATIVE", "NO_DATA", "UNMASKEDNAN"],
        "Mask planes whose pixels say nothing about the sky.",
    )
    clip: float = setting(3.0, "Pixels further from the cell's mean are left out.", unit="sigma", gt=0)


def subtract_background(
    masked_image: MaskedImage, config: BackgroundConfig, *, ignore: tuple[str, ...] = ()
) -> Background:
    """Fit the background and subtract it in place.

    Parameters
    ----------
    masked_image : MaskedImage
        Pixels, changed in place.
    config : BackgroundConfig
        Settings.
    ignore : tuple of str, optional
        Planes that do not count as bad for once.

    Returns
    -------
    Background
        What was subtracted; where no cell has a good pixel, nothing is.
    """
    background = fit_background(
        masked_image.image,
        bad_pixels(masked_image, [plane for plane in config.bad_planes if plane not in ignore]),
        bin_size=config.bin_size,
        style=config.style,
        order=config.order,
        clip=config.clip,
    )
    if np.isfinite(background.level).any():
        masked_image.image -= background.image()
    return background


def bad_pixels(masked_image: MaskedImage, planes: list[str]) -> NDArray[np.bool_]:
    """Return, bool, shape (ny, nx), where any of the planes is set; planes that the mask lacks are never set."""
    return np.asarray((masked_image.mask.array & masked_image.mask.known_bits(planes)) != 0)
