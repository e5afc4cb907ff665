"""Subtract the background, and keep what was subtracted."""

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from obs.algorithms.numeric.special import poisson_above
from obs.algorithms.pixels.grow import grow
from obs.algorithms.sky.background import fit_background
from obs.algorithms.sky.structure import follow_structure, measure_residual
from obs.config.base import TaskConfig, setting
from obs.image.background import Background
from obs.image.masked_image import MaskedImage

__all__ = [
    "BackgroundConfig",
    "check_background",
    "clip_few_counts",
    "clip_no_photons",
    "no_sky",
    "subtract_background",
]

SOURCE_PLANES = ("DETECTED", "DETECTED_NEGATIVE")

MOSTLY_NONE = 0.65
"""Photons in a pixel below which more than half of the pixels have none."""

FEW_COUNTS, LOST = 20.0, 1e-4
"""Electrons of the sky in a pixel below which its noise is skewed; fraction of pixels that clipping may lose then."""

LARGEST_COVER = 0.8
"""Where grown sources cover more of the image than this, they are not grown."""


class BackgroundConfig(TaskConfig):
    """How the background is fitted."""

    bin_size: int = setting(
        128,
        "Size of the cells in which the sky is measured. Smaller cells follow the sky more closely, and remove the "
        "light of large galaxies.",
        unit="pixel",
        ge=8,
    )
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
    follow: bool = setting(
        True,
        "Where the polynomial leaves structure in many cells (nebulae, halos of galaxies), follow it with splines "
        "through smaller cells. Large galaxies lose light to the background then.",
    )
    clip: float = setting(
        3.0,
        "Pixels further from the mean of their cell are left out. Lower values leave out more faint sources.",
        unit="sigma",
        gt=0,
    )


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
    hidden = no_sky(masked_image, config)
    background = fit_background(
        masked_image.image,
        hidden,
        bin_size=config.bin_size,
        style=config.style,
        order=config.order,
        clip=config.clip,
    )
    if not np.isfinite(background.level).any():
        return background
    if config.follow and config.style == "chebyshev":
        background, model, _ = follow_structure(
            masked_image.image, hidden, background, bin_size=config.bin_size, clip=config.clip
        )
    else:
        model = background.image()
    del hidden
    masked_image.image -= model
    return background


def clip_few_counts(config: BackgroundConfig, background: Background, metadata: Mapping[str, Any]) -> BackgroundConfig:
    """Return settings that clip no photons of a sky with few in each pixel, whose noise is skewed.

    Parameters
    ----------
    config : BackgroundConfig
        Settings; returned as they are unless the sky has few photons and there is hardly any read noise.
    background : Background
        The sky as it was subtracted.
    metadata : mapping
        Header of the image, with GAIN and RDNOISE.

    Returns
    -------
    BackgroundConfig
    """
    gain, read_noise = (metadata.get(card) for card in ("GAIN", "RDNOISE"))
    level = background.level[np.isfinite(background.level)]
    if not isinstance(gain, int | float) or not isinstance(read_noise, int | float) or not len(level):
        return config
    counts = float(np.median(level)) * gain
    if not 0 < counts < FEW_COUNTS or not np.isfinite(read_noise):
        return config
    return clip_no_photons(config, counts, float(read_noise))


def clip_no_photons(config: BackgroundConfig, counts: float, read_noise: float) -> BackgroundConfig:
    """Return settings that clip hardly any photons of the sky.

    Parameters
    ----------
    config : BackgroundConfig
        Settings.
    counts : float
        Mean number of photons in a pixel of the sky.
    read_noise : float
        Electrons.
    """
    most = int(counts)
    while poisson_above(most, counts) > LOST:
        most += 1
    clip = (most + 0.5 - counts) / np.sqrt(counts + read_noise**2)
    update: dict[str, object] = {"clip": max(config.clip, float(clip))}
    if counts < MOSTLY_NONE:
        # what is subtracted must leave pixels without a photon equal: by that the next look at them knows them
        update |= {"style": "constant", "follow": False}
    return config.model_copy(update=update)


def check_background(masked_image: MaskedImage, config: BackgroundConfig, cause: str = "") -> tuple[float, str]:
    """Measure what the background leaves beside the sources, in cells of half the size that it was fitted in.

    Parameters
    ----------
    masked_image : MaskedImage
        Background-subtracted pixels with their sources masked.
    config : BackgroundConfig
        Settings.
    cause : str, optional
        Known cause of a structure, for the warning.

    Returns
    -------
    rms : float
        Standard deviation of the cells beyond their errors, in noise of a pixel; NaN if no cell has sky.
    warning : str
        What the user should know; empty if the cells differ by their errors.
    """
    size = max(config.bin_size // 2, 8)
    cells = fit_background(masked_image.image, no_sky(masked_image, config), bin_size=size, clip=config.clip)
    residual = measure_residual(cells, np.zeros(masked_image.shape, np.float32), size**2)
    if not residual.is_structured:
        return residual.rms, ""
    remedy = (
        cause
        or (
            "set characterize.background.follow and calibrate.background.follow to true; if stars are wider than 4.5 "
            "pixels, set calibrate.measurement.local_sky=true, which subtracts the sky beside each source"
            if not config.follow
            else "lower characterize.background.bin_size and calibrate.background.bin_size"
        )
        + ", or look for steps between amplifiers, scattered light and a wrong flat"
    )
    return residual.rms, (
        f"the background leaves structure: {100 * residual.fraction:.0f} % of the cells of {size} pixels differ from "
        f"the sky by more than their error, by {residual.rms:.2g} of the noise of a pixel (rms); {remedy}"
    )


def no_sky(masked_image: MaskedImage, config: BackgroundConfig) -> NDArray[np.bool_]:
    """Return the pixels that say nothing about the sky, shape (ny, nx).

    Parameters
    ----------
    masked_image : MaskedImage
        Exposure; it is not changed.
    config : BackgroundConfig
        Planes to leave out, and how far sources are grown, pixels.

    Returns
    -------
    ndarray of bool, shape (ny, nx)
        Sources are not grown if that would leave too little of the image.
    """
    bad = bad_pixels(masked_image, config.bad_planes)
    sources = [plane for plane in SOURCE_PLANES if plane in config.bad_planes]
    if not config.grow or not sources:
        return bad
    wide = bad | grow(bad_pixels(masked_image, sources), config.grow)
    return wide if np.count_nonzero(wide) < LARGEST_COVER * wide.size else bad


def bad_pixels(masked_image: MaskedImage, planes: list[str]) -> NDArray[np.bool_]:
    """Return, bool, shape (ny, nx), where any of the planes is set; planes that the mask lacks are never set."""
    return masked_image.mask.any_known(planes)
