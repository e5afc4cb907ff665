"""What atmosphere and telescope do to the light: the PSF over the field, and vignetting."""

import numpy as np
from numpy.typing import NDArray

from obs.camera.camera import Camera
from obs.camera.detector import Detector
from obs.frozen import frozen
from obs.simulator.config import OpticsConfig
from obs.simulator.moffat import MoffatShapes
from obs.simulator.seeds import generator

__all__ = ["Optics", "field_radius", "simulate_optics"]

Floats = NDArray[np.float64]

#: Wavelength for which the seeing is given, nm.
_SEEING_WAVELENGTH = 500.0


@frozen
class Optics:
    """The optics during one exposure.

    Parameters
    ----------
    fwhm : float
        Width of the PSF on the axis, arcsec.
    shear : complex
        Reduced shear of the PSF on the axis, in the focal plane.
    radius : float
        Radius of the field, mm.
    plate_scale : float
        arcsec/mm.
    config : OpticsConfig
        How the PSF changes over the field.
    """

    fwhm: float
    shear: complex
    radius: float
    plate_scale: float
    config: OpticsConfig

    def psf(self, detector: Detector, *, x: Floats, y: Floats) -> MoffatShapes:
        """Return the PSF at pixels of a detector, in units and along the axes of its pixels.

        Parameters
        ----------
        detector : Detector
            Detector of the positions.
        x, y : ndarray of float64, shape (n,)
            Positions, 0-based pixels.

        Returns
        -------
        MoffatShapes
            Full widths at half maximum in pixels, and both components of the shear.
        """
        across, up = detector.pixel_to_focal_plane(x=x, y=y)
        place = (across + 1j * up) / self.radius
        square = np.minimum(np.abs(place), 2.0) ** 2
        arcsec = self.fwhm * (1.0 + self.config.growth * square + self.config.gradient * np.clip(place.real, -2.0, 2.0))
        # The shear along the radius turns with twice its angle, as does a shear seen from a turned detector.
        along = np.where(np.abs(place) > 0, place / np.maximum(np.abs(place), 1e-12), 1.0) ** 2
        shear = self.shear + self.config.astigmatism * square * along
        shear = shear * np.exp(-2j * np.radians(detector.yaw))
        pixel = self.plate_scale * np.sqrt(detector.pixel_size_x * detector.pixel_size_y)
        return MoffatShapes(arcsec / pixel, shear.real, shear.imag, self.config.beta)


def simulate_optics(
    config: OpticsConfig, camera: Camera, *, seed: int, exposure: int, airmass: float, wavelength: float
) -> Optics:
    """Return the optics during one exposure.

    Parameters
    ----------
    config : OpticsConfig
        Median seeing and its scatter.
    camera : Camera
        The camera.
    seed : int
        Seed of the simulation.
    exposure : int
        Number of the exposure, the same for all detectors.
    airmass : float
        Airmass.
    wavelength : float
        Effective wavelength, nm; NaN for 500 nm.
    """
    random = generator(seed, "optics", exposure)
    seeing = config.seeing * float(np.exp(config.seeing_scatter * random.standard_normal()))
    color = wavelength / _SEEING_WAVELENGTH if np.isfinite(wavelength) else 1.0
    fwhm = seeing * airmass**0.6 * color**-0.2
    if config.seeing_range is not None:
        fwhm = float(generator(seed, "seeing", exposure).uniform(*config.seeing_range))
    shear = config.ellipticity * np.exp(2j * np.pi * random.random())
    return Optics(
        fwhm=fwhm if config.fixed_seeing is None else config.fixed_seeing,
        shear=complex(shear),
        radius=field_radius(camera),
        plate_scale=camera.plate_scale,
        config=config,
    )


def field_radius(camera: Camera) -> float:
    """Return the distance from the axis to the farthest corner of a detector, mm.

    Parameters
    ----------
    camera : Camera
        The camera.
    """
    corners = []
    for detector in camera:
        box = detector.bbox
        x, y = detector.pixel_to_focal_plane(
            x=[box.x_min, box.x_max, box.x_min, box.x_max], y=[box.y_min, box.y_min, box.y_max, box.y_max]
        )
        corners.append(np.hypot(x, y).max())
    return float(max(corners))
