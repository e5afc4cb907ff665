"""Detect sources on an exposure, set the mask planes that tell where, and look at the background again."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from obs.algorithms.background import fit_background
from obs.algorithms.detection import Footprints, Smoothed, above_threshold, find_footprints, grow, noise_of, smooth
from obs.config.base import TaskConfig, setting
from obs.errors import MeasurementError
from obs.image.background import Background
from obs.image.masked_image import MaskedImage
from obs.tasks.background import BackgroundConfig, bad_pixels, subtract_background

__all__ = ["Detected", "DetectionConfig", "detect_sources"]


class DetectionConfig(TaskConfig):
    """How sources are found."""

    threshold: float = setting(5.0, "Threshold in noise of the smoothed image.", unit="sigma", gt=0)
    include_threshold_factor: float = setting(
        1.0, "Sources must reach this many times the threshold to be kept.", unit="", ge=1
    )
    grow: float = setting(2.4, "Footprints grow by this many PSF sigma.", ge=0, le=20)
    minimum_pixels: int = setting(1, "Smaller regions are dropped.", unit="pixel", ge=1)
    kernel_size: float = setting(7.0, "Full size of the smoothing kernel in PSF sigma.", gt=1, le=20)
    local_background_size: int = setting(
        64,
        "Cell of a temporary small-scale background under which noise peaks in the wings of bright sources vanish; 0 "
        "switches it off.",
        unit="pixel",
        ge=0,
    )
    reestimate_background: bool = setting(True, "Fit the background again when the sources are known.")
    noise_beside_sources: bool = setting(
        True,
        "Measure the noise beside the sources; else, as the LSST stack does, everywhere, which in crowded fields takes "
        "sources for noise and raises the threshold.",
    )
    noise_bad_planes: list[str] = setting(
        ["BAD", "SAT", "EDGE", "NO_DATA", "UNMASKEDNAN"], "Mask planes left out of the noise."
    )


@dataclass(frozen=True)
class Detected:
    """Footprints, and the background found beside them if asked for."""

    footprints: Footprints
    background: Background | None


def detect_sources(
    masked_image: MaskedImage, sigma: float, config: DetectionConfig, background: BackgroundConfig
) -> Detected:
    """Find footprints and peaks.

    Parameters
    ----------
    masked_image : MaskedImage
        Background-subtracted pixels; the planes EDGE, DETECTED and DETECTED_NEGATIVE are set anew, and the background
        is subtracted again if the settings say so.
    sigma : float
        Size of the PSF, pixels.
    config : DetectionConfig
        Settings.
    background : BackgroundConfig
        Settings of the second look at the background.

    Returns
    -------
    Detected

    Raises
    ------
    MeasurementError
        If the noise is not known: all pixels are bad, or all alike, or too few for the smoothing kernel.
    """
    mask = masked_image.mask
    mask.clear("DETECTED", "DETECTED_NEGATIVE")
    finite = np.isfinite(masked_image.image)
    bad = bad_pixels(masked_image, config.noise_bad_planes) | ~finite
    smoothed = smooth(_finite(masked_image.image, finite), sigma, config.kernel_size)
    if min(mask.shape) <= 2 * smoothed.margin:
        raise MeasurementError(
            f"an image of {mask.shape[1]} x {mask.shape[0]} pixels is smaller than the smoothing kernel of "
            f"{2 * smoothed.margin + 1} pixels: there is nothing to detect on"
        )
    noise = noise_of(smoothed, bad)
    if not noise > 0:
        raise MeasurementError(
            f"no noise to measure sources against: {np.count_nonzero(~bad)} of {bad.size} pixels are good; look at the "
            "mask planes and the image"
        )
    if config.noise_beside_sources:
        noise = _noise_beside_sources(smoothed, bad, noise, config.threshold)
    threshold = config.threshold * noise
    n_grow = int(config.grow * sigma + 0.5)
    local, local_threshold = _local_background(masked_image, smoothed, bad, config)
    factor = config.include_threshold_factor
    footprints = find_footprints(
        smoothed,
        threshold=threshold,
        minimum_height=factor * threshold,
        n_grow=n_grow,
        minimum_pixels=config.minimum_pixels,
        local_background=local,
        local_threshold=local_threshold,
    )
    edge = np.ones(mask.shape, bool)
    edge[smoothed.inner] = False
    mask.set(edge, "EDGE")
    # the mask knows all sources, also those too faint to be kept: their light is no sky
    mask.set(grow(above_threshold(smoothed, threshold), n_grow), "DETECTED")
    inverted = Smoothed(np.negative(smoothed.image), smoothed.margin)
    mask.set(grow(above_threshold(inverted, threshold), n_grow), "DETECTED_NEGATIVE")
    again = subtract_background(masked_image, background) if config.reestimate_background else None
    return Detected(footprints, again)


def _noise_beside_sources(smoothed: Smoothed, bad: NDArray[np.bool_], noise: float, threshold: float) -> float:
    """Noise of the pixels away from what a first threshold finds: faint wings would pass for noise."""
    beside = noise_of(smoothed, bad | grow(np.abs(smoothed.image) > threshold * noise, smoothed.margin))
    # where sources cover everything there is nothing beside them
    return beside if beside > 0 else noise


def _finite(image: NDArray[np.float32], finite: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Pixels with zero, the sky, for those that are not finite; no copy where all are."""
    return image if finite.all() else np.where(finite, image, np.float32(0.0))


def _local_background(
    masked_image: MaskedImage, smoothed: Smoothed, bad: NDArray[np.bool_], config: DetectionConfig
) -> tuple[NDArray[np.float32] | None, float | None]:
    if not config.local_background_size:
        return None, None
    fit = fit_background(masked_image.image, bad, bin_size=config.local_background_size, style="akima")
    if not np.isfinite(fit.level).any():
        return None, None
    local = fit.image()
    flat = Smoothed(smoothed.image - local, smoothed.margin)
    noise = noise_of(flat, bad)
    if config.noise_beside_sources:
        noise = _noise_beside_sources(flat, bad, noise, config.threshold)
    return local, config.threshold * noise
