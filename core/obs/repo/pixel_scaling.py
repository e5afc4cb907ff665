"""Images whose pixel values do not grow linearly with light."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from obs.image.wcs_cards import has_plate_solution

__all__ = ["linear_pixels", "warn_of_densities"]

_SCALE = 2.5 * np.log10(np.e)  # magnitudes of a factor e


def linear_pixels(image: NDArray[np.float32], header: Mapping[str, Any]) -> tuple[NDArray[np.float32], str]:
    """Undo the asinh scaling in which Pan-STARRS stores stacks and warps.

    Parameters
    ----------
    image : ndarray of float32, shape (ny, nx)
        Pixels as they are stored.
    header : mapping
        Card name to value. ``BSOFTEN`` and ``BOFFSET`` give the scaling.

    Returns
    -------
    pixels : ndarray of float32, shape (ny, nx)
        Linear in light.
    note : str
        What was done, in words; empty if the pixels were linear.

    References
    ----------
    C. Waters et al. (2020), ApJS 251, 4.
    """
    softening, offset = header.get("BSOFTEN"), header.get("BOFFSET")
    if not (isinstance(softening, int | float) and isinstance(offset, int | float)):
        return image, ""
    if not (0 < softening < np.inf and np.isfinite(offset)):
        return image, ""
    with np.errstate(over="ignore", invalid="ignore"):
        linear = offset + 2.0 * softening * np.sinh(image.astype(np.float64) / _SCALE)
    return linear.astype(np.float32), f"asinh scaling undone (BSOFTEN {softening:g}, BOFFSET {offset:g})"


def warn_of_densities(header: Mapping[str, Any]) -> str:
    """Return a warning if an image is the scan of a photographic plate, else an empty string.

    Parameters
    ----------
    header : mapping
        Card name to value.
    """
    if not has_plate_solution(header):
        return ""
    return (
        "a scan of a photographic plate: pixel values are densities, which do not grow linearly with light, so fluxes "
        "and magnitudes are wrong. Positions are right"
    )
