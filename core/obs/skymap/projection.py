"""Pixel to sky of a tract: a plain projection without distortion."""

from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from obs.frozen import frozen
from obs.geom import Box
from obs.image.wcs import TanSipWcs
from obs.image.wcs_fit import fit_tan_sip

__all__ = ["PROJECTIONS", "TractWcs"]

Positions = NDArray[np.float64]

#: Projections of tracts, by their FITS codes.
PROJECTIONS = {"TAN": "gnomonic", "STG": "stereographic", "ZEA": "zenithal equal-area", "CEA": "cylindrical equal-area"}
_ORDER, _GRID = 5, 24


@frozen
class TractWcs:
    """North up and east left before rotation, the same scale in both axes at the reference point.

    Parameters
    ----------
    crval : tuple of float
        Right ascension and declination of the reference point, degrees; for CEA the declination must be 0.
    scale : float
        Pixel scale, arcsec.
    projection : {"TAN", "STG", "ZEA", "CEA"}
        FITS code.
    rotation : float, optional
        Position angle of +y, from north through east, degrees.
    crpix : tuple of float, optional
        Pixel of the reference point, 0-based.

    References
    ----------
    M. Calabretta & E. Greisen (2002), A&A 395, 1077.
    """

    crval: tuple[float, float]
    scale: float
    projection: str
    rotation: float = 0.0
    crpix: tuple[float, float] = (0.0, 0.0)

    @property
    def cd(self) -> NDArray[np.float64]:
        """Degrees per pixel, shape (2, 2)."""
        cos, sin = np.cos(np.deg2rad(self.rotation)), np.sin(np.deg2rad(self.rotation))
        return np.array([[-cos, sin], [sin, cos]]) * (self.scale / 3600.0)

    def shifted(self, *, x: float, y: float) -> "TractWcs":
        """Return the WCS of pixels counted from pixel (x, y) of this one.

        Parameters
        ----------
        x, y : float
            Position of the new first pixel, 0-based pixels.
        """
        return replace(self, crpix=(self.crpix[0] - x, self.crpix[1] - y))

    def sky_to_pixel(self, *, ra: ArrayLike, dec: ArrayLike) -> tuple[Positions, Positions]:
        """Return pixels (x, y), 0-based, of sky coordinates, degrees; NaN where the projection does not reach.

        Parameters
        ----------
        ra, dec : array_like of float
            Positions on the sky, degrees.
        """
        ra, dec = np.asarray(ra, np.float64), np.asarray(dec, np.float64)
        delta = np.deg2rad((ra - self.crval[0] + 180.0) % 360.0 - 180.0)
        if self.projection == "CEA":
            xi, eta = np.rad2deg(delta), np.rad2deg(np.sin(np.deg2rad(dec)))
        else:
            xi, eta = self._project(delta, np.deg2rad(dec))
        inverse = np.linalg.inv(self.cd)
        return (
            inverse[0, 0] * xi + inverse[0, 1] * eta + self.crpix[0],
            inverse[1, 0] * xi + inverse[1, 1] * eta + self.crpix[1],
        )

    def pixel_to_sky(self, *, x: ArrayLike, y: ArrayLike) -> tuple[Positions, Positions]:
        """Return right ascension (0 to 360) and declination, degrees, of pixels, 0-based; NaN off the projection.

        Parameters
        ----------
        x, y : array_like of float
            Positions, 0-based pixels.
        """
        u, v = np.asarray(x, np.float64) - self.crpix[0], np.asarray(y, np.float64) - self.crpix[1]
        cd = self.cd
        xi, eta = cd[0, 0] * u + cd[0, 1] * v, cd[1, 0] * u + cd[1, 1] * v
        if self.projection == "CEA":
            sine = np.deg2rad(eta)
            dec = np.rad2deg(np.arcsin(np.where(np.abs(sine) <= 1, sine, np.nan)))
            return np.mod(xi + self.crval[0], 360.0), dec
        return self._deproject(np.deg2rad(xi), np.deg2rad(eta))

    def _project(self, delta: Positions, dec: Positions) -> tuple[Positions, Positions]:
        """Return native plane coordinates, degrees, of offsets in right ascension and declinations, radians."""
        dec_0 = np.deg2rad(self.crval[1])
        east = np.cos(dec) * np.sin(delta)
        north = np.sin(dec) * np.cos(dec_0) - np.cos(dec) * np.sin(dec_0) * np.cos(delta)
        depth = np.sin(dec) * np.sin(dec_0) + np.cos(dec) * np.cos(dec_0) * np.cos(delta)
        with np.errstate(divide="ignore", invalid="ignore"):
            if self.projection == "TAN":
                factor = np.where(depth > 0, 1.0 / depth, np.nan)
            elif self.projection == "STG":
                factor = np.where(depth > -1, 2.0 / (1.0 + depth), np.nan)
            else:
                factor = np.where(depth > -1, np.sqrt(2.0 / (1.0 + depth)), np.nan)
        return np.rad2deg(east * factor), np.rad2deg(north * factor)

    def _deproject(self, xi: Positions, eta: Positions) -> tuple[Positions, Positions]:
        """Return the sky of native plane coordinates, radians."""
        square = xi * xi + eta * eta
        with np.errstate(invalid="ignore"):
            if self.projection == "TAN":
                depth = 1.0 / np.sqrt(1.0 + square)
                factor = depth
            elif self.projection == "STG":
                depth = (4.0 - square) / (4.0 + square)
                factor = (1.0 + depth) / 2.0
            else:
                depth = np.where(square <= 4, 1.0 - square / 2.0, np.nan)
                factor = np.sqrt((1.0 + depth) / 2.0)
        east, north = xi * factor, eta * factor
        dec_0 = np.deg2rad(self.crval[1])
        sine = np.clip(north * np.cos(dec_0) + depth * np.sin(dec_0), -1.0, 1.0)
        forward = depth * np.cos(dec_0) - north * np.sin(dec_0)
        ra = np.mod(np.rad2deg(np.arctan2(east, forward)) + self.crval[0], 360.0)
        return np.where(ra == 360.0, 0.0, ra), np.rad2deg(np.arctan2(sine, np.hypot(east, forward)))

    def to_tan_sip(self, box: Box) -> TanSipWcs:
        """Return the WCS of the pixels in ``box``, counted from its first one, in the form that images have.

        TAN is exact. Of other projections a polynomial of order 5 is fitted over the box.

        Parameters
        ----------
        box : Box
            Region in 0-based pixels of this WCS.
        """
        if self.projection == "TAN":
            crpix = (self.crpix[0] - box.x_min, self.crpix[1] - box.y_min)
            return TanSipWcs(self.crval, crpix, self.cd)
        x, y = np.meshgrid(np.linspace(-0.5, box.width - 0.5, _GRID), np.linspace(-0.5, box.height - 0.5, _GRID))
        ra, dec = self.pixel_to_sky(x=x.ravel() + box.x_min, y=y.ravel() + box.y_min)
        middle = ((box.width - 1) / 2, (box.height - 1) / 2)
        return fit_tan_sip(x=x.ravel(), y=y.ravel(), ra=ra, dec=dec, order=_ORDER, crpix=middle)
