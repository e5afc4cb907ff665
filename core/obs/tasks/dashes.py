"""Mask lines of dashes, as aircraft and tumbling satellites leave them, and warn of them."""

import numpy as np

from obs.algorithms.pixels.grow import grow
from obs.algorithms.sources.dashes import find_dashes
from obs.algorithms.sources.detection import Peaks
from obs.image.masked_image import MaskedImage

__all__ = ["mask_dashes"]


def mask_dashes(masked_image: MaskedImage, peaks: Peaks, fwhm: float) -> list[str]:
    """Mask the sources of lines of dashes SUSPECT, in place, and return a warning if there are any.

    Parameters
    ----------
    masked_image : MaskedImage
        Background-subtracted pixels.
    peaks : Peaks
        Peaks of the sources.
    fwhm : float
        Full width at half maximum of the PSF, pixels.

    Returns
    -------
    list of str
        What the user should know; empty if there are no dashes.
    """
    dashes = find_dashes(masked_image.image, peaks.y, peaks.x, fwhm)
    if not dashes.any():
        return []
    middle = np.zeros(masked_image.image.shape, bool)
    middle[peaks.y[dashes], peaks.x[dashes]] = True
    masked_image.mask.set(grow(middle, int(np.ceil(fwhm))), "SUSPECT")
    x, y = peaks.x[dashes], peaks.y[dashes]
    return [
        f"{np.count_nonzero(dashes)} sources are on lines of dashes (x {x.min()} to {x.max()}, y {y.min()} to "
        f"{y.max()}), as aircraft and tumbling satellites leave them. They are masked SUSPECT: leave out sources with "
        "base_PixelFlags_flag_suspect"
    ]
