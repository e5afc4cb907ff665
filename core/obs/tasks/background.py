"""Subtract the background, and keep what was subtracted."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from obs.algorithms.pixels.grow import grow
from obs.algorithms.sky.background import fit_background
from obs.config.base import TaskConfig, setting
from obs.image.background import Background
from obs.image.masked_image import MaskedImage

__all__ = ["BackgroundConfig", "subtract_background"]

SOURCE_PLANES = ("DETECTED", "DETECTED_NEGATIVE")

LARGEST_COVER = 0.8
"""Where grown sources cover more of the image than this, they are not grown."""


class BackgroundConfig(TaskConfig):
    """How the background is fitted."""

    bin_size: int = setting(128, "Size of the cells in which the sky is measured.", unit="pixel", ge=8)
    style: Literal["chebyshev", "akima", "constant"] = setting(
        "chebyshev", "From cells to pixels: a smooth polynomial, splines through every cell, or the mean of all cells."
    )
    order: int = setting(6, "Total order of the polynomial; lowered where there are too few cells.", ge=0, le=15)
    bad_planes: list[str] = setting(
        ["BAD", "SAT", "EDGE", "DETECTED", "DETECTED_NEGATIVE", "NO_DATA", "UNMASKEDNAN", "STREAK"],
        "Mask planes whose pixels say nothing about the sky.",
    )
    grow: int = setting(
        6,
        "Pixels by which detected sources are grown before the sky is measured, for the light in their wings; not done "
        "where hardly any sky would be left.",
        unit="pixel",
        ge=0,
        le=50,
    )
    clip: float = setting(3.0, "Pixels further from the cell's mean are left out.", unit="sigma", gt=0)


def subtract_background(masked_image: MaskedImage, config: BackgroundConfig) -> Background:
    """Fit the background and subtract it in place.

    Parameters
    ----------
    masked_image : MaskedImage
        Pixels, changed in place.
    config : BackgroundConfig
        Settings.

    Returns
    -------
    Background
        What was subtracted; where no cell has a good pixel, nothing is.
    """
    background = fit_background(
        masked_image.image,
        _no_sky(masked_image, config),
        bin_size=config.bin_size,
        style=config.style,
        order=config.order,
        clip=config.clip,
    )
    if np.isfinite(background.level).any():
        masked_image.image -= background.image()
    return background


def _no_sky(masked_image: MaskedImage, config: BackgroundConfig) -> NDArray[np.bool_]:
    """Return the pixels that say nothing about the sky, shape (ny, nx)."""
    bad = bad_pixels(masked_image, config.bad_planes)
    sources = [plane for plane in SOURCE_PLANES if plane in config.bad_planes]
    if not config.grow or not sources:
        return bad
    wide = bad | grow(bad_pixels(masked_image, sources), config.grow)
    return wide if np.count_nonzero(wide) < LARGEST_COVER * wide.size else bad


def bad_pixels(masked_image: MaskedImage, planes: list[str]) -> NDArray[np.bool_]:
    """Return, bool, shape (ny, nx), where any of the planes is set; planes that the mask lacks are never set."""
    return np.asarray((masked_image.mask.array & masked_image.mask.known_bits(planes)) != 0)
