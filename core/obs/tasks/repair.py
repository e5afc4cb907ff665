"""Find cosmic rays and dark pixels, and fill them from their neighbors."""

import numpy as np
from numpy.typing import NDArray

from obs.algorithms.detector.cosmic_rays import are_too_sharp, find_cosmic_rays
from obs.algorithms.detector.interpolate import interpolate_pixels
from obs.algorithms.pixels.grow import grow
from obs.config.base import TaskConfig, setting
from obs.errors import MeasurementError
from obs.frozen import frozen
from obs.image.masked_image import MaskedImage
from obs.image.psf import Psf

__all__ = ["CosmicRayConfig", "CosmicRays", "find_hits", "repair_cosmic_rays", "repair_dark_pixels"]

DARK = 8.0
"""Noise of the sky by which a dark pixel lies below it. Light only adds, and noise does not reach so far."""

WORTH_TELLING = 1e-4
"""Fraction of dark pixels from which the user is warned."""

ALIKE = 10.0
"""Pixels half as dark for each dark one, above which they are not dead: the sky was measured too high."""

AT_ONCE = 100_000
"""Dark pixels that are looked at together, so that memory is bounded."""

USELESS = ("SAT", "BAD", "NO_DATA", "UNMASKEDNAN", "INTRP")

MIN_SUM = 10.0
"""Least sum of a hit above its neighbors, in noise of the sky."""


class CosmicRayConfig(TaskConfig):
    """How cosmic rays are found."""

    enabled: bool = setting(True, "Find cosmic rays, flag them CR and fill them from their neighbors.")
    min_sigma: float = setting(
        5.0, "Minimum significance of a cosmic-ray hit above its neighbors, in standard deviations.", unit="sigma", gt=0
    )
    min_counts: float | None = setting(
        None, "Least sum of a hit above its neighbors; ten times the noise of the sky if null.", unit="count", ge=0
    )
    contrast: float = setting(2.5, "By how much a hit must be sharper than a star, in noise.", unit="sigma", ge=0)
    contrast_second: float = setting(
        0.6,
        "Minimum contrast, relative to the PSF, of pixels beside one that was hit. Lower values follow tracks further.",
        unit="sigma",
        ge=0,
    )
    n_iteration: int = setting(
        3,
        "Number of times that the pixels beside a hit are examined. Higher values follow long tracks further.",
        unit="pixel",
        ge=0,
        le=20,
    )
    max_pixels: int | None = setting(
        None, "Maximum number of hit pixels. With more, something else is wrong, and the exposure fails.", ge=0
    )
    max_fraction: float = setting(
        0.05,
        "Where more of the pixels than this fraction look like cosmic rays they are something else, and are left alone "
        "with a warning.",
        gt=0,
        le=1,
    )
    first_psf_fwhm: float = setting(
        2.0,
        "Width of the stars that are certainly left alone in the first round, before the PSF is known; six tenths of "
        "the width that the sources share where that is less.",
        unit="pixel",
        gt=0,
    )
    dark_pixels: bool = setting(
        True,
        "Find pixels below the sky too: dead ones, and hot ones from which a wrong dark was subtracted. They are "
        "flagged BAD and filled.",
    )


@frozen
class CosmicRays:
    """Number of pixels that cosmic rays hit, and what the user should know; empty where there is nothing.

    Parameters
    ----------
    n_pixel : int
        Number of pixels that were hit.
    warning : str, default: ""
        Text for the user.
    """

    n_pixel: int
    warning: str = ""


def repair_cosmic_rays(masked_image: MaskedImage, psf: Psf, config: CosmicRayConfig) -> CosmicRays:
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
    CosmicRays

    Raises
    ------
    MeasurementError
        If there are more than the settings allow.
    """
    mask = masked_image.mask
    found = find_hits(masked_image, psf, config)
    n = int(np.count_nonzero(found))
    if config.max_pixels is not None and n > config.max_pixels:
        raise MeasurementError(
            f"{n} pixels look like cosmic rays, more than the {config.max_pixels} of "
            "characterize.cosmic_rays.max_pixels: is the PSF too wide, or the image unflattened?"
        )
    if n > config.max_fraction * found.size:
        return CosmicRays(
            0,
            f"cosmic rays not removed: {n / found.size:.0%} of the pixels look like some, which no exposure has; check "
            "gain and read noise, or set characterize.cosmic_rays.enabled=false",
        )
    mask.set(found, "CR")
    interpolate_pixels(masked_image, planes=("CR",))
    return CosmicRays(n)


def repair_dark_pixels(masked_image: MaskedImage, psf: Psf, config: CosmicRayConfig) -> CosmicRays:
    """Flag pixels that lie below the sky more sharply than a star stands above it, and fill them, in place.

    Parameters
    ----------
    masked_image : MaskedImage
        Background-subtracted pixels. Dark ones get the planes BAD and INTRP.
    psf : Psf
        Point-spread function.
    config : CosmicRayConfig
        Settings.

    Returns
    -------
    CosmicRays
        Number of dark pixels, and a warning if they are many.
    """
    if not config.dark_pixels:
        return CosmicRays(0)
    mask, image = masked_image.mask, masked_image.image
    sky = float(np.nanmedian(masked_image.variance[:: max(1, image.shape[0] // 256)]))
    noise_of_sky = np.sqrt(max(sky, 0.0))
    good = ~mask.any_known(USELESS)
    dark = (image < -DARK * noise_of_sky) & good
    row, column = np.nonzero(dark)
    if not len(row):
        return CosmicRays(0)
    found, stars = dark, _stars(psf, masked_image.shape)
    for first in range(0, len(row), AT_ONCE):
        y, x = row[first : first + AT_ONCE], column[first : first + AT_ONCE]
        pixels, noise = (_beside(plane, y, x) for plane in (image, masked_image.variance))
        # a pixel without light has less noise than the sky, but its neighbors do not
        found[y, x] = are_too_sharp(-pixels, np.fmax(noise, np.float32(sky)), stars)
    n = int(np.count_nonzero(found))
    # dead pixels stand alone; where many more are half as dark, the sky between stars is below that which was measured
    half = int(np.count_nonzero((image < -0.5 * DARK * noise_of_sky) & good)) - len(row)
    many = n >= WORTH_TELLING * found.size
    if n > config.max_fraction * found.size or (many and half > ALIKE * n):
        below = max(n, half) / found.size
        return CosmicRays(0, f"{below:.1%} of the pixels are far below the sky: it was measured wrongly there")
    mask.set(found, "BAD")
    interpolate_pixels(masked_image, planes=("BAD",))
    if not many:
        return CosmicRays(n)
    return CosmicRays(
        n,
        f"{n} pixels are more than {DARK:.0f} times its noise below the sky, as dead pixels do: masked BAD and filled. "
        "Check dark and flat, or add these pixels to the defects",
    )


def _beside(plane: NDArray[np.float32], row: NDArray[np.int64], column: NDArray[np.int64]) -> NDArray[np.float32]:
    """Return pixels with those beside them, shape (n, 3, 3); the border of the image is repeated."""
    offset = np.arange(-1, 2)
    y, x = (
        np.clip(place[:, None] + offset, 0, size - 1) for place, size in zip((row, column), plane.shape, strict=True)
    )
    return np.asarray(plane[y[:, :, None], x[:, None, :]])


def _stars(psf: Psf, shape: tuple[int, int]) -> NDArray[np.float32]:
    """Return the PSF at places all over an image."""
    grid_x, grid_y = np.meshgrid(np.linspace(0, shape[1] - 1, 5), np.linspace(0, shape[0] - 1, 5))
    return psf.evaluate(x=grid_x.ravel(), y=grid_y.ravel())


def find_hits(masked_image: MaskedImage, psf: Psf, config: CosmicRayConfig) -> NDArray[np.bool_]:
    """Return which pixels, shape (ny, nx), are sharper than the PSF allows.

    Parameters
    ----------
    masked_image : MaskedImage
        Exposure without background; it is not changed.
    psf : Psf
        Point-spread function.
    config : CosmicRayConfig
        Settings. If ``min_counts`` is not set, the noise of the sky decides.
    """
    mask, variance = masked_image.mask, masked_image.variance
    bad = mask.any_known(USELESS)
    saturated = mask.any_known(("SAT",))
    if saturated.any():
        # what the core was filled with is fainter than it was, so that the rim of an undersampled star looks sharp
        bad |= grow(saturated, 1)
    least = config.min_counts
    if least is None:
        sky = float(np.nanmedian(variance[:: max(1, len(variance) // 256)]))
        least = MIN_SUM * np.sqrt(max(sky, 0.0))
    return find_cosmic_rays(
        masked_image.image,
        variance,
        _stars(psf, masked_image.shape),
        bad=bad,
        min_sigma=config.min_sigma,
        min_counts=least,
        contrast=config.contrast,
        contrast_second=config.contrast_second,
        n_iteration=config.n_iteration,
    )
