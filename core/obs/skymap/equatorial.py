"""Sky maps of equal tracts around the equator (SDSS stripes)."""

import struct

import numpy as np
from numpy.typing import NDArray

from obs.skymap.settings import EquatorialSettings
from obs.skymap.sky_map import SkyMap
from obs.skymap.tract import Tract, surrounding_points

__all__ = ["EquatorialSkyMap"]


class EquatorialSkyMap(SkyMap[EquatorialSettings]):
    """A band of declination, divided in right ascension; the first tract begins at 0."""

    type_name, lsst_name = "equatorial", "EquatSkyMap"

    @property
    def n_tract(self) -> int:
        """Number of tracts of this sky map."""
        return self.settings.n_tract

    @property
    def _width(self) -> float:
        return 360.0 / self.settings.n_tract

    def centers(self) -> NDArray[np.float64]:
        """Return right ascensions and declinations, degrees, shape (n_tract, 2)."""
        ra = (np.arange(self.n_tract) + 0.5) * self._width
        return np.stack([ra, np.full(len(ra), (self.settings.dec_min + self.settings.dec_max) / 2)], axis=1)

    def _make_tract(self, number: int) -> Tract:
        ra, dec = (float(value) for value in self.centers()[number])
        low, high = number * self._width, (number + 1) * self._width
        corners = [(ra, dec) for dec in (self.settings.dec_min, self.settings.dec_max) for ra in (low, high)]
        points = surrounding_points(corners, self.settings.tract_overlap / 2)
        return self._tract_around(number, (ra, dec), self._wcs((ra, 0.0)), points)

    def _pack_settings(self) -> bytes:
        return struct.pack("<i2d", self.settings.n_tract, self.settings.dec_min, self.settings.dec_max)
