"""Where a camera's pixels are on the sky, as far as its description and the telescope's pointing tell.

Field angles are coordinates in the plane that touches the sky at the boresight. `field_projection` goes between them
and the sky; `fit_boresight_wcs` puts the whole way from a detector's pixels into one WCS, to start astrometry from.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from obs.camera.camera import Camera
from obs.camera.detector import Detector
from obs.image.wcs import TanSipWcs
from obs.image.wcs_fit import fit_tan_sip

__all__ = ["field_projection", "fit_boresight_wcs", "pixel_to_sky", "sky_to_pixel"]

_ORDER = 5
_GRID = 16  # points a side


def field_projection(camera: Camera, *, ra: float, dec: float, rotation: float = 0.0) -> TanSipWcs:
    """Return the projection between field angles and the sky.

    Parameters
    ----------
    camera : Camera
        Tells how its focal plane stands.
    ra, dec : float
        The boresight, degrees.
    rotation : float
        Angle of the rotator: the focal plane's y axis points this far, with the camera's own rotation added, from north
        through east, degrees.

    Returns
    -------
    TanSipWcs
        Its pixels are field angles in arcsec.
    """
    angle = np.deg2rad(camera.rotation + rotation)
    sine, cosine = np.sin(angle), np.cos(angle)
    # x is to the right of y as seen on the sky, where east is to the left of north
    right = 1.0 if camera.flip_x else -1.0
    cd = np.array([[right * cosine, sine], [-right * sine, cosine]]) / 3600.0
    return TanSipWcs((ra, dec), (0.0, 0.0), cd)


def pixel_to_sky(
    camera: Camera, detector: Detector, projection: TanSipWcs, *, x: ArrayLike, y: ArrayLike
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the sky coordinates, degrees, of pixels of a detector (array_like of float, 0-based).

    Parameters
    ----------
    camera : Camera
        The camera.
    detector : Detector
        One of its detectors.
    projection : TanSipWcs
        From `field_projection`.
    x, y : array_like of float, shape (n,)
        Positions, pixels.

    Returns
    -------
    ra, dec : ndarray of float64, shape (n,)
        Degrees.
    """
    across, up = camera.pixel_to_field(detector, x=x, y=y)
    return projection.pixel_to_sky(x=across, y=up)


def sky_to_pixel(
    camera: Camera, detector: Detector, projection: TanSipWcs, *, ra: ArrayLike, dec: ArrayLike
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the pixels of a detector at sky coordinates, the inverse of `pixel_to_sky`.

    Parameters
    ----------
    camera : Camera
        The camera.
    detector : Detector
        One of its detectors.
    projection : TanSipWcs
        Projection of the field, from `field_projection`.
    ra, dec : array_like of float, shape (n,)
        Degrees.

    Returns
    -------
    x, y : ndarray of float64, shape (n,)
        Pixels; outside the detector where the sky is, NaN where the camera's optics do not reach.
    """
    across, up = projection.sky_to_pixel(ra=ra, dec=dec)
    return camera.field_to_pixel(detector, x=across, y=up)


def fit_boresight_wcs(
    camera: Camera,
    detector: Detector,
    *,
    boresight_ra: float,
    boresight_dec: float,
    rotation: float = 0.0,
    order: int = _ORDER,
) -> TanSipWcs:
    """Return the WCS that a detector should have, from the pointing and the camera's description alone.

    Parameters
    ----------
    camera : Camera
        The camera.
    detector : Detector
        One of its detectors.
    boresight_ra, boresight_dec : float
        Where the optical axis points, degrees.
    rotation : float
        Angle of the rotator, degrees; see `field_projection`.
    order : int
        Order of the distortion polynomials. The default follows the distortion of a corrector for a wide field to a
        thousandth of a pixel over a detector.

    Returns
    -------
    TanSipWcs
        Tangent point at the middle of the detector.
    """
    projection = field_projection(camera, ra=boresight_ra, dec=boresight_dec, rotation=rotation)
    box = detector.bbox
    # Chebyshev points, so that the fit is as good at the edges as within
    nodes = 0.5 - 0.5 * np.cos(np.pi * (np.arange(_GRID) + 0.5) / _GRID)
    x, y = (
        part.ravel() for part in np.meshgrid(box.x_min - 0.5 + box.width * nodes, box.y_min - 0.5 + box.height * nodes)
    )
    ra, dec = pixel_to_sky(camera, detector, projection, x=x, y=y)
    center = box.x_min + (box.width - 1) / 2, box.y_min + (box.height - 1) / 2
    return fit_tan_sip(x=x, y=y, ra=ra, dec=dec, order=order, crpix=center)
