"""Mask what lies along edges of the sky, as vignetting, a dome or an obstacle make them, and warn of false sources.

No background follows an edge. It leaves a bright band, which breaks up into sources, with a dark band beside it. Stars
and galaxies leave no dark bands, so these show where the edges are.
"""

import numpy as np

from obs.algorithms.pixels.grow import grow
from obs.algorithms.pixels.label import label_regions
from obs.algorithms.sources.detection import Peaks
from obs.image.masked_image import MaskedImage

__all__ = ["mask_sky_edges"]

LEAST_AREA = 200.0
"""Area of a dark region, in squares of the FWHM, that noise, defects and the gaps of a nebula do not have."""

REACH = 12.0
"""Distance from a dark band, in FWHM, along rows and columns together, within which the bright band is."""


def mask_sky_edges(masked_image: MaskedImage, peaks: Peaks, fwhm: float) -> list[str]:
    """Mask what is beside dark bands SUSPECT, in place, and return a warning if there are any.

    Parameters
    ----------
    masked_image : MaskedImage
        Background-subtracted pixels with their sources masked.
    peaks : Peaks
        Peaks of the sources.
    fwhm : float
        Full width at half maximum of the PSF, pixels.

    Returns
    -------
    list of str
        What the user should know; empty if there are no dark bands.
    """
    dark = masked_image.mask.any_known(("DETECTED_NEGATIVE",))
    if np.count_nonzero(dark) < LEAST_AREA * fwhm**2:
        return []
    labels, _ = label_regions(dark)
    area = np.bincount(labels.ravel())
    wide = area >= LEAST_AREA * fwhm**2
    wide[0] = False
    if not wide.any():
        return []
    reach = round(REACH * fwhm)
    near = grow(wide[labels], reach)
    masked_image.mask.set(near, "SUSPECT")
    number = int(np.count_nonzero(near[peaks.y, peaks.x]))
    y, x = np.nonzero(labels == int(np.argmax(np.where(wide, area, 0))))
    where = f"x {x.min()} to {x.max()}, y {y.min()} to {y.max()}"
    return [
        "the sky has edges, as vignetting, a dome or an obstacle make them, where no background follows it: "
        f"{number} of {len(peaks)} sources are within {reach} pixels of dark bands (the largest within {where}), and "
        "up to half of these are false. They are masked SUSPECT: leave out sources with base_PixelFlags_flag_suspect"
    ]
