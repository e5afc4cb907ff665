"""How wide a PSF is, and how far its light reaches."""

import numpy as np

from obs.image.psf import Psf

__all__ = ["half_maximum_width", "light_radius"]

PHASES = 8
"""The PSF is rendered at this many sub-pixel places in x and in y."""


def half_maximum_width(psf: Psf, *, x: float, y: float) -> float:
    """Return the full width at half maximum of a PSF at a place.

    Parameters
    ----------
    psf : Psf
        The PSF.
    x, y : float
        The place, pixels.

    Returns
    -------
    float
        Pixels: the diameter of the circle that has the area of what is above half of the maximum.
    """
    offset = (np.arange(PHASES) + 0.5) / PHASES - 0.5
    dx, dy = (axis.ravel() for axis in np.meshgrid(offset, offset))
    fine = psf.render(x=np.rint(x) + dx, y=np.rint(y) + dy)
    area = np.sum(fine > 0.5 * fine.max()) / len(dx)
    return float(2.0 * np.sqrt(area / np.pi))


def light_radius(psf: Psf, *, x: float, y: float, fraction: float = 0.95) -> float:
    """Return the radius of the circle that holds a fraction of the light of a PSF at a place.

    Parameters
    ----------
    psf : Psf
        The PSF.
    x, y : float
        The place, pixels.
    fraction : float, optional
        Fraction of the light within the stamp.

    Returns
    -------
    float
        Pixels.
    """
    stamp = psf.evaluate(x=[x], y=[y])[0].astype(np.float64)
    height, width = stamp.shape
    radius = np.hypot(np.arange(height)[:, None] - height // 2, np.arange(width) - width // 2).ravel()
    order = np.argsort(radius, kind="stable")
    light = np.cumsum(stamp.ravel()[order])
    return float(radius[order][np.searchsorted(np.maximum.accumulate(light), fraction * light[-1])])
