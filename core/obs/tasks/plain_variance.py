"""The variance of an image that comes without one, from gain and read noise, or from its sky."""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from obs.algorithms.pixels.statistics import clipped_statistics
from obs.algorithms.sky.few_photons import count_photons
from obs.algorithms.sky.scatter import measure_scatter
from obs.tasks.noise import LARGEST_READ_NOISE

__all__ = ["PlainVariance", "make_variance"]

READ_SHARE = 0.1
"""Share of the sky's variance that is taken for read noise where neither gain nor read noise is known."""

LEAST_SHARE = 0.01
"""Least share of the sky's variance that an unknown read noise has."""

LEAST_READ_NOISE = 1.0
"""Electrons, where a gain that must be wrong makes it impossible to measure."""

SAMPLE = 10_000
"""Pixels that show whether an image has whole numbers. Noise that is smaller than their step is not that of photons."""

PHOTONS = 0.75, 1.3
"""Range of variance over level, both in the step of whole numbers, that counts of photons have."""

NO_SKY = 0.3
"""A sky lower than this, in its noise, says nothing about the gain."""

FEW_ELECTRONS = 20.0
"""Where the sky has fewer electrons, its level gives the variance of its pixels: their own counts say little."""

OWN_LIGHT = 3.0
"""Height above such a sky, in its noise, from which a pixel's own counts give its variance."""


class PlainVariance(NamedTuple):
    """A variance plane, and what it rests on.

    Parameters
    ----------
    variance : ndarray of float32, shape (ny, nx)
        Image units squared.
    gain, read_noise : float
        Electrons per count, electrons; NaN where the variance does not depend on the light.
    warning : str
        What the user should know; empty if there is nothing.
    """

    variance: NDArray[np.float32]
    gain: float
    read_noise: float
    warning: str = ""


def make_variance(
    image: NDArray[np.float32],
    good: NDArray[np.bool_],
    *,
    gain: float | None,
    read_noise: float | None,
    background_subtracted: bool = False,
) -> PlainVariance:
    """Compute the variance of every pixel.

    Parameters
    ----------
    image : ndarray of float32, shape (ny, nx)
        Counts.
    good : ndarray of bool, shape (ny, nx)
        Pixels that hold data.
    gain, read_noise : float or None
        Electrons per count, electrons; measured from the sky if None.
    background_subtracted : bool, optional
        The sky was subtracted from the image: its noise is measured.

    Returns
    -------
    PlainVariance
    """
    sky = clipped_statistics(image[good], overwrite=True)
    measured = measure_scatter(image, np.broadcast_to(np.float32(1), image.shape), ~good).pixel
    # an image of a few pixels has no cells
    noise = measured**2 if measured > 0 else sky.sigma**2
    level = sky.mean
    dark = count_photons(image)
    if dark is not None:
        level, noise = dark.level, dark.sigma**2
    warning = ""
    if background_subtracted:
        line = (1 / gain if gain else 0.0), noise
        level, image = 0.0, image - np.float32(sky.mean)
    elif gain is None and dark is not None:
        line = dark.photon, _floor(1 / dark.photon, read_noise, level, noise)
        warning = (
            f"the gain is not known: most pixels have no photon, and one photon counts {dark.photon:.3g}, which is "
            f"{1 / dark.photon:.3g} electron/adu; give another one with -c gain=VALUE"
        )
    elif gain is None:
        sample = image[good][:SAMPLE]
        coarse = noise < 1 and bool((sample == np.rint(sample)).all())
        line, warning = _from_sky(level, noise, read_noise, too_coarse=coarse)
    else:
        line = 1 / gain, _floor(gain, read_noise, level, noise)
    slope, floor = line
    light = np.maximum(image, np.float32(0.0))
    if 0 < level < FEW_ELECTRONS * slope:
        light[image < np.float32(level + OWN_LIGHT * math.sqrt(noise))] = level
    variance = light
    variance *= np.float32(slope)
    variance += np.float32(floor)
    variance[~good] = np.float32(noise)
    if not slope > 0:
        return PlainVariance(variance, math.nan, math.nan, warning)
    return PlainVariance(variance, 1 / slope, math.sqrt(floor) / slope, warning)


def _floor(gain: float, read_noise: float | None, level: float, noise: float) -> float:
    """Return the variance without light; an unknown read noise is what the noise of the sky has beyond its light."""
    least = max(LEAST_SHARE * noise, 1e-12)
    if read_noise is not None:
        return max((read_noise / gain) ** 2, 1e-6 * noise, 1e-12)
    rest = noise - max(level, 0.0) / gain
    implausible = math.sqrt(max(rest, 0.0)) * gain > LARGEST_READ_NOISE and level > NO_SKY * math.sqrt(noise)
    return (LEAST_READ_NOISE / gain) ** 2 if implausible else max(rest, least)


def _from_sky(
    level: float, noise: float, read_noise: float | None, *, too_coarse: bool
) -> tuple[tuple[float, float], str]:
    """Return slope and floor of the variance of an image of unknown gain, and what the user should know."""
    if too_coarse and PHOTONS[0] < noise / max(level, 1e-9) < PHOTONS[1]:
        return (1.0, LEAST_SHARE * noise), (
            "the gain is not known: whole numbers that scatter as they do are counts of photons, 1 electron/adu; give "
            "another one with -c gain=VALUE"
        )
    if too_coarse or level < NO_SKY * math.sqrt(noise):
        return (0.0, noise), (
            "the gain is not known, and the sky is too dark, or its counts too coarse, to measure it: the variance is "
            "that of the sky alone, and errors of bright sources are lower limits; give the gain with -c gain=VALUE"
        )
    if read_noise:
        # (read noise / gain)^2 + level / gain is the noise of the sky
        slope = (math.sqrt(level**2 + 4 * read_noise**2 * noise) - level) / (2 * read_noise**2)
        line = slope, (read_noise * slope) ** 2
    else:
        line = (1 - READ_SHARE) * noise / level, READ_SHARE * noise
    return line, (
        f"the gain is not known: level and noise of the sky give {1 / line[0]:.3g} electron/adu (too high if a bias "
        "level is still in the image); give it with -c gain=VALUE"
    )
