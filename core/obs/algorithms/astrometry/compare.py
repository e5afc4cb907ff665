"""By how much two WCS of a frame differ."""

import numpy as np
from numpy.typing import NDArray

from obs.frozen import frozen
from obs.image.tangent_plane import to_plane
from obs.image.wcs import TanSipWcs
from obs.sky_vectors import sky_vectors

__all__ = ["WcsChange", "compare_wcs"]


@frozen
class WcsChange:
    """What is to be changed in one WCS to get another, in the middle of a frame.

    Parameters
    ----------
    offset : float
        Distance between the two positions of the middle, arcsec.
    rotation : float
        Change of the position angle of the frame's y axis, from north through east, degrees, -180 to 180.
    scale : float
        Ratio of the pixel scales.
    mirrored : bool
        Whether the sky turns the other way round.
    """

    offset: float
    rotation: float
    scale: float
    mirrored: bool


def compare_wcs(found: TanSipWcs, apriori: TanSipWcs, shape: tuple[int, int]) -> WcsChange:
    """Return what astrometry has changed.

    Parameters
    ----------
    found, apriori : TanSipWcs
        The fitted WCS, and the one before.
    shape : tuple of int
        Shape (ny, nx) of the image, in the middle of which they are compared.
    """
    (middle, new), (before, old) = (_at_middle(wcs, shape) for wcs in (found, apriori))
    angles = [np.degrees(np.arctan2(jacobian[0, 1], jacobian[1, 1])) for jacobian in (new, old)]
    chord = float(np.linalg.norm(sky_vectors(*middle) - sky_vectors(*before)))
    areas = float(np.linalg.det(new)), float(np.linalg.det(old))
    return WcsChange(
        offset=float(np.degrees(2.0 * np.arcsin(min(0.5 * chord, 1.0)))) * 3600.0,
        rotation=float((angles[0] - angles[1] + 180.0) % 360.0 - 180.0),
        scale=float(np.sqrt(abs(areas[0] / areas[1]))),
        mirrored=areas[0] * areas[1] < 0,
    )


def _at_middle(wcs: TanSipWcs, shape: tuple[int, int]) -> tuple[tuple[float, float], NDArray[np.float64]]:
    """Return the sky coordinates of the middle of a frame, and how they change with x and y, degrees for a pixel."""
    x, y = (shape[1] - 1) / 2.0, (shape[0] - 1) / 2.0
    ra, dec = wcs.pixel_to_sky(x=[x, x + 1, x - 1, x, x], y=[y, y, y, y + 1, y - 1])
    center = float(ra[0]), float(dec[0])
    east, north = to_plane(center, ra, dec)
    jacobian = 0.5 * np.array([[east[1] - east[2], east[3] - east[4]], [north[1] - north[2], north[3] - north[4]]])
    return center, jacobian
