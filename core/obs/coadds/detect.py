"""Detection on coadds, whose depth differs from place to place."""

import numpy as np
from numpy.typing import NDArray

from obs.algorithms.pixels.smoothing import Smoothed
from obs.algorithms.sources.detection import Footprints
from obs.image.background import Background
from obs.image.masked_image import MaskedImage
from obs.tasks.background import BackgroundConfig, subtract_background
from obs.tasks.detect import DetectionConfig, detect_sources

__all__ = ["detect_evenly"]


def detect_evenly(
    pixels: MaskedImage,
    sigma: float,
    config: DetectionConfig,
    background: BackgroundConfig,
    score: NDArray[np.float32] | None = None,
) -> tuple[Footprints, Background | None]:
    """Detect on the image in units of its noise, which differs between parts of different depth.

    One threshold for the whole image would take noise for sources where few exposures are, and miss sources elsewhere.

    Parameters
    ----------
    pixels : MaskedImage
        Changed in place: mask planes of detections are set, and what is left of the sky is subtracted. The variance is
        positive and finite.
    sigma : float
        Size of the PSF, pixels.
    config : DetectionConfig
        Settings of the detection.
    background : BackgroundConfig
        Settings of the background.
    score : ndarray of float32, shape (ny, nx), optional
        Fluxes of point sources at each pixel over their standard errors, on which to detect instead of the smoothed
        image. Pixels that were filled in must not be in it.
    """
    relative = np.sqrt(pixels.variance / np.median(pixels.variance))
    even = MaskedImage(pixels.image / relative, pixels.mask, pixels.variance / relative**2)
    alone = config.model_copy(update={"reestimate_background": False})
    if score is None:
        found = detect_sources(even, sigma, alone, background)
    else:
        alone = alone.model_copy(update={"noise": "smoothed", "filled_planes": [], "local_background_size": 0})
        found = detect_sources(even, sigma, alone, background, smoothed=Smoothed(score, 0))
    return found.footprints, subtract_background(pixels, background) if config.reestimate_background else None
