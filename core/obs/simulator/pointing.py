"""Where the telescope points, and which pixel sees what."""

from collections.abc import Sequence
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from obs.camera.camera import Camera
from obs.camera.detector import Detector
from obs.frozen import frozen
from obs.image.wcs import TanSipWcs
from obs.instrument import boresight_wcs
from obs.sky_vectors import sky_vectors

__all__ = ["Circle", "Pointing", "covering_circle", "enclosing_circle"]

Floats = NDArray[np.float64]


@frozen
class Circle:
    """A circle on the sky: center and radius, degrees.

    Parameters
    ----------
    ra, dec : float
        Center, degrees.
    radius : float
        Radius, degrees.
    """

    ra: float
    dec: float
    radius: float


@frozen
class Pointing:
    """The optical axis on the sky.

    Parameters
    ----------
    camera : Camera
        The camera.
    ra, dec : float
        Direction of the optical axis, degrees.
    rotation : float
        Angle of the rotator, which adds to the camera's own rotation, degrees.
    """

    camera: Camera
    ra: float
    dec: float
    rotation: float

    @cached_property
    def _projection(self) -> TanSipWcs:
        return boresight_wcs.field_projection(self.camera, ra=self.ra, dec=self.dec, rotation=self.rotation)

    def pixel_to_sky(self, detector: Detector, *, x: ArrayLike, y: ArrayLike) -> tuple[Floats, Floats]:
        """Return right ascension and declination, degrees, of pixels of a detector.

        Parameters
        ----------
        detector : Detector
            Detector of the pixels.
        x, y : array_like of float
            Positions, 0-based pixels.
        """
        return boresight_wcs.pixel_to_sky(self.camera, detector, self._projection, x=x, y=y)

    def sky_to_pixel(self, detector: Detector, *, ra: ArrayLike, dec: ArrayLike) -> tuple[Floats, Floats]:
        """Return the pixels of a detector, also beyond its border, at which sky coordinates (degrees) are seen.

        They are NaN where the optics show nothing.

        Parameters
        ----------
        detector : Detector
            Detector of the pixels.
        ra, dec : array_like of float
            Positions on the sky, degrees.

        Returns
        -------
        x, y : ndarray of float64
            0-based pixels.
        """
        return boresight_wcs.sky_to_pixel(self.camera, detector, self._projection, ra=ra, dec=dec)

    def circle(self, detector: Detector, *, margin: float = 0.0) -> Circle:
        """Return a circle on the sky around a detector and ``margin`` pixels beyond.

        Parameters
        ----------
        detector : Detector
            The detector.
        margin : float, default: 0.0
            Distance beyond the edges of the detector, pixels.
        """
        box = detector.bbox
        x, y = np.array([-margin, box.width + margin]), np.array([-margin, box.height + margin])
        ra, dec = self.pixel_to_sky(detector, x=x[[0, 0, 1, 1]], y=y[[0, 1, 0, 1]])
        return enclosing_circle(ra, dec)


def enclosing_circle(ra: ArrayLike, dec: ArrayLike, radius: ArrayLike = 0.0) -> Circle:
    """Return a circle around circles on the sky (array_like of float, shape (n,), degrees), which may be points.

    Parameters
    ----------
    ra, dec : array_like of float, shape (n,)
        Centers of the circles, degrees.
    radius : array_like of float, default: 0.0
        Their radii, degrees.

    Returns
    -------
    Circle
        It need not be the smallest one: its center is the mean of the directions.
    """
    vectors = sky_vectors(ra, dec)
    center = vectors.mean(axis=0)
    length = float(np.linalg.norm(center))
    if length < 1e-9:
        return Circle(0.0, 90.0, 180.0)
    chord = np.linalg.norm(vectors - center / length, axis=1)
    reach = np.degrees(2.0 * np.arcsin(np.minimum(chord / 2.0, 1.0))) + np.asarray(radius, np.float64)
    x, y, z = (float(part) for part in center / length)
    return Circle(float(np.degrees(np.arctan2(y, x))) % 360.0, float(np.degrees(np.arcsin(z))), float(reach.max()))


def covering_circle(pointings: Sequence[Pointing], detectors: Sequence[Detector]) -> Circle:
    """Return a circle around all detectors in all pointings.

    Parameters
    ----------
    pointings : sequence of Pointing
        Directions of the telescope.
    detectors : sequence of Detector
        Detectors of the camera.
    """
    circles = [pointing.circle(detector) for pointing in pointings for detector in detectors]
    ra, dec, radius = (np.array([getattr(circle, name) for circle in circles]) for name in ("ra", "dec", "radius"))
    return enclosing_circle(ra, dec, radius)
