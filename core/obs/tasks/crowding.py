"""Tell crowded fields from others, because their faint sources and their sky are not what they seem."""

import numpy as np

from obs.image.catalog import Catalog

__all__ = ["CROWDED_BEAMS", "beams_per_source", "warn_of_crowding"]

BEAM = 1.133
"""Area of a Gaussian beam in squares of its full width at half maximum."""

CROWDED_BEAMS = 25.0
"""With fewer beams for each source, sources too faint to be told apart make the noise: below 30 (Hogg 2001, AJ 121,
1207) where pairs blend at the width of the PSF, and fewer here, where companions nearer than that count as sources."""

FEWEST_SOURCES = 30
"""Fewer sources are not a crowd, however small the image."""


def beams_per_source(catalog: Catalog, shape: tuple[int, int], fwhm: float) -> float:
    """Return the area of the image for each undivided source, in beams of the PSF; infinite if there are few sources.

    Parameters
    ----------
    catalog : Catalog
        Sources.
    shape : tuple of int
        Shape (ny, nx) of the image.
    fwhm : float
        Full width at half maximum of the PSF, pixels.
    """
    number = int(np.count_nonzero(catalog["deblend_nChild"] == 0))
    if number < FEWEST_SOURCES or not fwhm > 0:
        return float("inf")
    return shape[0] * shape[1] / (number * BEAM * fwhm**2)


def warn_of_crowding(catalog: Catalog, shape: tuple[int, int], fwhm: float) -> str:
    """Return a warning if the field is crowded, else an empty string.

    Parameters
    ----------
    catalog : Catalog
        All sources.
    shape : tuple of int
        Shape (ny, nx) of the image.
    fwhm : float
        Full width at half maximum of the PSF, pixels.
    """
    beams = beams_per_source(catalog, shape, fwhm)
    if beams >= CROWDED_BEAMS:
        return ""
    return (
        f"the field is crowded: {beams:.0f} beams of the PSF for each source, where sources blend below "
        f"{CROWDED_BEAMS:.0f}. Stars that are not resolved brighten their neighbors and the background: use bright "
        "stars only, find more of the blended ones with -c calibrate.detection.shoulders=0.5, or use a program that "
        "fits all stars together"
    )
