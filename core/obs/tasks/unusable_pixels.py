"""Mask what the pixels themselves show to be unusable: padding, dead amplifiers, saturated stars."""

import numpy as np

from obs.algorithms.detector.constant_pixels import find_constant_pixels
from obs.algorithms.detector.flat_tops import find_flat_tops
from obs.algorithms.pixels.statistics import clipped_statistics
from obs.errors import MeasurementError
from obs.image.masked_image import MaskedImage

__all__ = ["mask_constant_pixels", "mask_flat_tops"]

UNUSABLE = ("BAD", "NO_DATA", "UNMASKEDNAN", "SAT", "INTRP")

SAMPLE = 500_000
"""Pixels that give the level of the sky."""

WORTH_TELLING = 1e-3
"""Fraction of constant pixels from which the user is warned."""


def mask_constant_pixels(masked_image: MaskedImage) -> list[str]:
    """Mask areas of exactly equal pixels NO_DATA, and set them to NaN, in place.

    Parameters
    ----------
    masked_image : MaskedImage
        Pixels as they were read.

    Returns
    -------
    list of str
        What the user should know.

    Raises
    ------
    MeasurementError
        If all pixels are equal.
    """
    image, mask = masked_image.image, masked_image.mask
    constant = find_constant_pixels(image)
    constant &= (mask.array & mask.known_bits(UNUSABLE)) == 0
    if not constant.any():
        return []
    value = float(np.median(image[constant]))
    fraction = float(constant.mean())
    if fraction > 0.99:
        raise MeasurementError(
            f"{100 * fraction:.0f} % of the pixels have exactly equal neighbors (value {value:g}): there is no image "
            "to process; name the HDU with the image (process-file: -c hdu=NUMBER)"
        )
    mask.set(constant, "NO_DATA")
    image[constant] = np.nan
    if fraction < WORTH_TELLING:
        return []
    return [
        f"{100 * fraction:.1f} % of the pixels have exactly equal neighbors (value {value:g}), as padding and dead "
        "amplifiers have: masked NO_DATA"
    ]


def mask_flat_tops(masked_image: MaskedImage) -> list[str]:
    """Mask stars SAT that are cut off at a level which several share, in place.

    Parameters
    ----------
    masked_image : MaskedImage
        Pixels with their sky; what is masked SAT already is left alone.

    Returns
    -------
    list of str
        What the user should know.
    """
    image, mask = masked_image.image, masked_image.mask
    bad = (mask.array & mask.known_bits(UNUSABLE)) != 0
    bad |= ~np.isfinite(image)
    sample = image[:: max(1, image.size // SAMPLE)][~bad[:: max(1, image.size // SAMPLE)]]
    sky = clipped_statistics(sample)
    if not sky.sigma > 0:
        return []
    found = find_flat_tops(image, bad, sky=sky.mean, noise=sky.sigma)
    if not len(found.levels):
        return []
    mask.set(found.saturated, "SAT")
    levels = ", ".join(f"{level:.6g}" for level in found.levels)
    return [
        f"stars are cut off at {levels} counts, which no setting or header gives as saturation: "
        f"{np.count_nonzero(found.saturated)} pixels masked SAT"
    ]
