"""See what the pixels themselves show to be unusable: padding, dead amplifiers, saturated stars, noise cut off."""

import numpy as np
from numpy.typing import NDArray

from obs.algorithms.detector.constant_pixels import find_constant_pixels
from obs.algorithms.detector.flag_values import are_flags
from obs.algorithms.detector.flat_tops import find_flat_tops
from obs.algorithms.detector.interpolate import interpolate_pixels
from obs.algorithms.detector.lost_values import find_lost_values
from obs.algorithms.detector.wrapped_counts import WrappedCounts, find_wrapped_counts
from obs.algorithms.pixels.grow import grow
from obs.algorithms.pixels.statistics import ClippedStatistics, clipped_statistics
from obs.errors import MeasurementError
from obs.image.masked_image import MaskedImage

__all__ = [
    "fill_narrow_gaps",
    "fill_wrapped_counts",
    "mask_constant_pixels",
    "mask_flat_tops",
    "mask_wrapped_counts",
    "refuse_flags",
    "restore_negative_counts",
    "warn_of_lost_values",
]

NO_VALUE = ("BAD", "NO_DATA", "UNMASKEDNAN", "INTRP")
UNUSABLE = ("BAD", "NO_DATA", "UNMASKEDNAN", "SAT", "INTRP")

UNSIGNED = 65536
"""Number at which unsigned counts of 16 bits begin again."""

LEAST_NEGATIVE, MOST_OF_HIGH, DEEPEST = 1e-4, 0.8, 8.0
"""Least share of negative counts, their least part of the high ones, and how far below zero they are, in noise."""

SAMPLE = 500_000
"""Pixels that give the level of the sky."""

VALUES = 100_000
"""Values that show whether noise is cut off or counts are coarse."""

NARROW = 6
"""Pixels; wider gaps, and borders of more than half of this, are not filled."""

WORTH_TELLING = 1e-3
"""Fraction of constant pixels from which the user is warned."""


def refuse_flags(image: NDArray[np.float32]) -> None:
    """Refuse an image whose pixels are flags.

    Parameters
    ----------
    image : ndarray of float32, shape (ny, nx)
        Pixels as they were read.

    Raises
    ------
    MeasurementError
        If they are.
    """
    if are_flags(image):
        raise MeasurementError(
            "the pixels are flags (most are 0, the others powers of two): a data-quality mask, not an image; give the "
            "file that it belongs to, or name the HDU with the image (process-file: -c hdu=NUMBER)"
        )


def mask_constant_pixels(masked_image: MaskedImage) -> list[str]:
    """Mask areas of exactly equal pixels NO_DATA, and set them to NaN, in place.

    Where these areas are 0 and counts are not coarse, so are single pixels that are 0: holes of stacked images.

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
    constant &= ~mask.any_known(UNUSABLE)
    if not constant.any():
        return []
    value = float(np.median(image[constant]))
    fraction = float(constant.mean())
    if value == 0 and _has_own_values(image, constant):
        constant |= (image == 0) & ~mask.any_known(UNUSABLE)
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


def _has_own_values(image: NDArray[np.float32], constant: NDArray[np.bool_]) -> bool:
    """Whether most pixels that are not constant have values of their own, so that none is another's by chance."""
    step = max(1, image.size // VALUES)
    values = image.ravel()[::step][~constant.ravel()[::step]]
    return values.size > 0 and 2 * np.unique(values).size > values.size


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
    bad = mask.any_known(UNUSABLE)
    bad |= ~np.isfinite(image)
    sky = _sky(image, bad)
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


def restore_negative_counts(masked_image: MaskedImage) -> list[str]:
    """Restore counts below zero that an unsigned number holds as large ones, in place.

    Parameters
    ----------
    masked_image : MaskedImage
        Pixels as they were read.

    Returns
    -------
    list of str
        What the user should know.
    """
    image = masked_image.image
    sample = image[:: max(1, image.size // SAMPLE)]
    low, high = sample[sample < 0.5 * UNSIGNED], sample[sample >= 0.5 * UNSIGNED]
    if len(high) < LEAST_NEGATIVE * sample.size or not len(low) or low.min() < 0 or not high.max() < UNSIGNED:
        return []
    sky = clipped_statistics(low)
    near = np.count_nonzero(high > UNSIGNED - DEEPEST * sky.sigma)
    # stars have light between, and a sky far above zero has no noise below it
    if near < MOST_OF_HIGH * len(high) or sky.mean > DEEPEST * sky.sigma:
        return []
    negative = image > np.float32(UNSIGNED - DEEPEST * sky.sigma)
    image[negative] -= np.float32(UNSIGNED)
    return [
        f"{100 * negative.mean():.1f} % of the pixels are just below {UNSIGNED}, which are negative counts in unsigned "
        "numbers: restored. Save images with signed numbers, or with an offset"
    ]


def mask_wrapped_counts(masked_image: MaskedImage) -> list[str]:
    """Mask the cores of stars SAT whose counts begin again at the lowest number, in place.

    Parameters
    ----------
    masked_image : MaskedImage
        Pixels as they were read. Those beyond the largest number get it, as on a detector that is saturated there.

    Returns
    -------
    list of str
        What the user should know.
    """
    image, mask = masked_image.image, masked_image.mask
    bad = mask.any_known(NO_VALUE)
    bad |= ~np.isfinite(image)
    sky = _sky(image, bad)
    found = find_wrapped_counts(image, bad, sky=sky.mean, noise=sky.sigma) if sky.sigma > 0 else None
    if found is None:
        return []
    return [fill_wrapped_counts(masked_image, found)]


def fill_wrapped_counts(masked_image: MaskedImage, found: WrappedCounts) -> str:
    """Give pixels whose counts wrap the largest number, mask them and the rims SAT, in place, and return a warning.

    Parameters
    ----------
    masked_image : MaskedImage
        Changed in place. Pixels within one pixel of a wrapped one are masked too.
    found : WrappedCounts
        Where counts wrap, for this image.
    """
    masked_image.image[found.pixels] = np.float32(found.level)
    saturated = grow(found.pixels, 1)
    masked_image.mask.set(saturated, "SAT")
    stars = f"{found.n_star} bright {'star' if found.n_star == 1 else 'stars'}"
    cause = (
        f"counts wrap at {found.modulus}: beyond the largest number they begin again, so that the cores of {stars} "
        "read too low. Save images with 32 bits, or expose shorter"
        if found.modulus
        else f"the cores of {stars} read too low, within rims of up to {found.level:.6g} counts, as where counts wrap "
        "or a detector is saturated in its first readout. Expose shorter"
    )
    return f"{cause}; {np.count_nonzero(saturated)} pixels masked SAT"


def _sky(image: NDArray[np.float32], bad: NDArray[np.bool_]) -> ClippedStatistics:
    rows = slice(None, None, max(1, image.size // SAMPLE))
    return clipped_statistics(image[rows][~bad[rows]])


def warn_of_lost_values(masked_image: MaskedImage) -> list[str]:
    """Return warnings about values that the file could not hold: noise below zero, light between coarse steps.

    Parameters
    ----------
    masked_image : MaskedImage
        Pixels as they were read, with constant areas masked.

    Returns
    -------
    list of str
        What the user should know.
    """
    image, mask = masked_image.image, masked_image.mask
    rows = slice(None, None, max(1, image.size // SAMPLE))
    good = ((mask.array[rows] & mask.known_bits(UNUSABLE)) == 0) & np.isfinite(image[rows])
    values = image[rows][good]
    lost = find_lost_values(values[:: max(1, len(values) // VALUES)])
    if np.isfinite(lost.lowest):
        return [
            f"the noise is cut off: {100 * lost.share:.0f} % of the pixels have the lowest value, {lost.lowest:g}. "
            "Faint sources come out too faint, some detections are false, and errors are wrong. Process the image as "
            "it was before its negative pixels were set to this value; for raw images, raise the offset of the camera"
        ]
    if np.isfinite(lost.step):
        return [
            f"counts are too coarse: they come in steps of {lost.step:g}, the noise of the sky is {lost.noise:.2g}. "
            "Faint light is lost between the steps. Process the image as it was before it was rounded; for "
            "raw images, raise the gain setting of the camera"
        ]
    return []


def fill_narrow_gaps(masked_image: MaskedImage) -> None:
    """Fill single pixels and columns that hold no data or are bad, in place; wide gaps and borders stay.

    Sources beside such a pixel would else count as cut by an edge, and those on it would have its value.

    Parameters
    ----------
    masked_image : MaskedImage
        Pixels with their variance. Filled ones lose NO_DATA, and gain BAD and INTRP.
    """
    mask = masked_image.mask
    planes = ("BAD", "NO_DATA", "UNMASKEDNAN")
    holes, before = mask.any(*planes), mask.any("INTRP")
    interpolate_pixels(masked_image, planes, maximum_width=NARROW)
    filled = holes & mask.any("INTRP") & ~before
    mask.array[filled] &= ~np.int32(mask.bits("NO_DATA"))
    mask.set(filled, "BAD")
