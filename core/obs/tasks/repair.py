"""Find cosmic rays and fill the pixels that they hit."""

import numpy as np

from obs.algorithms.detector.cosmic_rays import find_cosmic_rays
from obs.algorithms.detector.interpolate import interpolate_pixels
from obs.config.base import TaskConfig, setting
from obs.errors import MeasurementError
from obs.image.masked_image import MaskedImage
from obs.image.psf import Psf

__all__ = ["CosmicRayConfig", "repair_cosmic_rays"]


class CosmicRayConfig(TaskConfig):
    """How cosmic rays are found."""

    enabled: bool = setting(True, "Find cosmic rays, flag them CR and fill them from their neighbors.")
    min_sigma: float = setting(5.0, "Significance of a hit above its neighbors.", unit="sigma", gt=0)
    min_counts: float = setting(150.0, "Least sum of a hit above its neighbors.", unit="count", ge=0)
    contrast: float = setting(2.5, "By how much a hit must be sharper than a star, in noise.", unit="sigma", ge=0)
    contrast_second: float = setting(0.6, "The same for pixels beside a hit.", unit="sigma", ge=0)
    n_iteration: int = setting(3, "How far a hit is followed.", unit="pixel", ge=0, le=20)
    max_pixels: int = setting(
        1_000_000, "More hit pixels than this mean that something else is wrong, and the exposure fails.", ge=0
    )
    first_psf_fwhm: float = setting(
        2.0,
        "Width of the stars that are certainly left alone in the first round, before the PSF is known.",
        unit="pixel",
        gt=0,
    )


def repair_cosmic_rays(masked_image: MaskedImage, psf: Psf, config: CosmicRayConfig) -> int:
    """Flag cosmic rays and fill them, in place.

    Parameters
    ----------
    masked_image : MaskedImage
        Background-subtracted pixels. Hits get the planes CR and INTRP.
    psf : Psf
        Point-spread function.
    config : CosmicRayConfig
        Settings.

    Returns
    -------
    int
        Number of pixels.

    Raises
    ------
    MeasurementError
        If there are more than the settings allow.
    """
    height, width = masked_image.shape
    grid_x, grid_y = np.meshgrid(np.linspace(0, width - 1, 5), np.linspace(0, height - 1, 5))
    stars = psf.evaluate(x=grid_x.ravel(), y=grid_y.ravel())
    mask = masked_image.mask
    bad = (mask.array & mask.known_bits(["SAT", "BAD", "NO_DATA", "UNMASKEDNAN", "INTRP"])) != 0
    found = find_cosmic_rays(
        masked_image.image,
        masked_image.variance,
        stars,
        bad=bad,
        min_sigma=config.min_sigma,
        min_counts=config.min_counts,
        contrast=config.contrast,
        contrast_second=config.contrast_second,
        n_iteration=config.n_iteration,
    )
    n = int(np.count_nonzero(found))
    if n > config.max_pixels:
        raise MeasurementError(
            f"{n} pixels look like cosmic rays, more than the {config.max_pixels} of "
            "characterize.cosmic_rays.max_pixels: is the PSF too wide, or the image unflattened?"
        )
    mask.set(found, "CR")
    interpolate_pixels(masked_image, planes=("CR",))
    return n
