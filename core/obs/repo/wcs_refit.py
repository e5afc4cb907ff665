"""Any map from pixels to the sky as TAN-SIP, over an image."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from obs.errors import FileFormatError, MeasurementError
from obs.image.wcs import TanSipWcs
from obs.image.wcs_fit import fit_tan_sip

__all__ = ["AMPLE", "SkyMapping", "largest_separation", "refit_tan_sip", "sample_pixels"]

Floats = NDArray[np.float64]
#: Right ascension and declination, degrees, of pixels (x, y), 0-based.
SkyMapping = Callable[[Floats, Floats], tuple[Floats, Floats]]

AMPLE = 0.1
"""Error, mas, below which no higher order is tried."""

_MAX_ORDER = 9  # of the SIP convention
_GRID = 40  # positions along a side, of which every second is fitted


def sample_pixels(shape: tuple[int, int]) -> tuple[Floats, Floats]:
    """Return x and y of a grid over an image of a shape (ny, nx), from edge to edge, shape (n,).

    Parameters
    ----------
    shape : tuple of int
        Shape (ny, nx) of the image.

    Returns
    -------
    x, y : ndarray of float64, shape (n,)
        0-based pixels, so that the edges are at -0.5 and ``size - 0.5``.
    """
    x, y = np.meshgrid(*(np.linspace(-0.5, size - 0.5, _GRID) for size in shape[::-1]))
    return x.ravel(), y.ravel()


def refit_tan_sip(
    sky: tuple[Floats, Floats], shape: tuple[int, int], kind: str, frame: str = "ICRS"
) -> tuple[TanSipWcs, float]:
    """Fit TAN-SIP to sky positions of the pixels of `sample_pixels`, with the lowest order that follows them.

    Parameters
    ----------
    sky : tuple of ndarray of float64
        Right ascension and declination, degrees, shape (n,).
    shape : tuple of int
        Shape (ny, nx) of the image.
    kind : str
        The WCS in words, for errors.
    frame : str, default: "ICRS"
        Celestial frame.

    Returns
    -------
    wcs : TanSipWcs
    error : float
        Largest distance between both over the image, mas.

    Raises
    ------
    FileFormatError
        If no order follows it.
    """
    x, y = sample_pixels(shape)
    ra, dec = sky
    if not np.isfinite(ra + dec).all():
        raise FileFormatError(f"WCS ({kind}): a part of the image is not on the sky")
    center = ((shape[1] - 1) / 2, (shape[0] - 1) / 2)
    column, row = np.divmod(np.arange(x.size), _GRID)
    chosen = (column + row) % 2 == 0
    best: TanSipWcs | None = None
    error = np.inf
    for order in range(1, _MAX_ORDER + 1):
        try:
            wcs = fit_tan_sip(x=x[chosen], y=y[chosen], ra=ra[chosen], dec=dec[chosen], order=order, crpix=center)
        except (MeasurementError, ValueError) as problem:
            raise FileFormatError(f"WCS ({kind}) cannot be refitted to TAN-SIP: {problem}") from None
        now = largest_separation(wcs.pixel_to_sky(x=x, y=y), (ra, dec))
        if now < error:
            best, error = wcs, now
        if error <= AMPLE:
            break
    if best is None:
        raise FileFormatError(f"WCS ({kind}) cannot be refitted to TAN-SIP: the fit does not follow it")
    return TanSipWcs(best.crval, best.crpix, best.cd, best.a, best.b, best.ap, best.bp, frame), error


def largest_separation(first: tuple[Floats, Floats], second: tuple[Floats, Floats]) -> float:
    """Return the largest angle between positions, degrees, in mas.

    Parameters
    ----------
    first, second : tuple of ndarray of float64, shape (n,)
        Right ascensions and declinations, degrees, of the same points.

    Returns
    -------
    float
        Milliarcseconds.
    """
    ra_1, dec_1, ra_2, dec_2 = map(np.deg2rad, (*first, *second))
    half = np.sin((dec_1 - dec_2) / 2) ** 2 + np.cos(dec_1) * np.cos(dec_2) * np.sin((ra_1 - ra_2) / 2) ** 2
    return float(np.rad2deg(2 * np.arcsin(np.sqrt(half.max()))) * 3.6e6)
