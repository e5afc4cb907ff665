"""Sizes that follow from the width of the PSF, where settings leave them open or were made for ordinary seeing."""

from collections.abc import Sequence

import numpy as np

from obs.tasks.background import BackgroundConfig

__all__ = [
    "FWHM_PER_SIGMA",
    "ORDINARY_FWHM",
    "REFERENCE_RADIUS",
    "psf_stamp_size",
    "reference_radius",
    "scale_background",
]

FWHM_PER_SIGMA = 2.3548200450309493

ORDINARY_FWHM = 4.5
"""Up to this width, pixels, sizes in pixels that settings have by default fit."""

STAMP_FWHMS, SMALLEST_STAMP, LARGEST_STAMP = 3.0, 31, 201
"""Stamps of stars reach this many FWHM from the middle; least and largest size, pixels."""

REFERENCE_RADIUS, LEAST_FWHMS, MOST_FWHMS = 12.0, 2.67, 5.0
"""Radius of the reference aperture, pixels, which is no less and no more than these many FWHM."""

EXTENTS = 1.64
"""It need not reach further than this many times the radius with 95 % of the light: for seeing that is the least above,
for stars out of focus, whose light ends where they end, less."""

ELONGATED = 1.3
"""Long axis in units of the mean of both from which stars are drawn out (axis ratio 0.6), and the long one counts."""

CELL_FWHMS = 16.0
"""Cells of the background are no smaller than this many FWHM, or stars would fill them."""


def psf_stamp_size(fwhm: float) -> int:
    """Return the size of stamps, odd, pixels, for stars of a full width along their longer axis, pixels.

    Parameters
    ----------
    fwhm : float
        Full width at half maximum along the longer axis, pixels.
    """
    return int(np.clip(2 * int(np.ceil(STAMP_FWHMS * fwhm)) + 1, SMALLEST_STAMP, LARGEST_STAMP))


def reference_radius(
    fwhm: float, radii: Sequence[float], extent: float = float("inf"), elongation: float = 1.0
) -> float:
    """Return the radius of the reference aperture, pixels: of the listed ones where they reach.

    Parameters
    ----------
    fwhm : float
        Full width at half maximum of the PSF, pixels.
    radii : sequence of float
        Apertures that are measured anyway, pixels.
    extent : float, optional
        Radius with 95 % of the light of the PSF, pixels.
    elongation : float, optional
        Its long axis in units of the mean of both.
    """
    if elongation > ELONGATED:
        fwhm = fwhm * elongation
    wanted = min(max(REFERENCE_RADIUS, min(LEAST_FWHMS * fwhm, EXTENTS * extent)), MOST_FWHMS * fwhm)
    return min((radius for radius in radii if radius >= wanted), default=float(np.ceil(wanted)))


def scale_background(config: BackgroundConfig, fwhm: float) -> BackgroundConfig:
    """Return settings of the background for wide stars: larger cells, more room about sources, no structure.

    Parameters
    ----------
    config : BackgroundConfig
        Settings made for ordinary seeing; returned as they are where it is.
    fwhm : float
        Full width at half maximum of the PSF, pixels.

    Returns
    -------
    BackgroundConfig
    """
    if not fwhm > ORDINARY_FWHM:
        return config
    bin_size = max(config.bin_size, int(np.ceil(CELL_FWHMS * fwhm)))
    grow = min(50, int(np.ceil(config.grow * fwhm / ORDINARY_FWHM)))
    # structure is followed in smaller cells, and would be the stars
    return config.model_copy(update={"bin_size": bin_size, "grow": grow, "follow": False})
