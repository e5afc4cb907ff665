"""Sky maps of rings of constant declination (HSC, Rubin)."""

import struct
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from obs.skymap.settings import RingsSettings
from obs.skymap.sky_map import SkyMap
from obs.skymap.tract import Tract, cardinal_points

__all__ = ["RingsSkyMap"]


class RingsSkyMap(SkyMap[RingsSettings]):
    """Rings from south to north; tract 0 is the cap at the south pole, the last one that at the north pole.

    The numbers are those of the LSST stack's version 1; its version 0 counted the first tract of the first ring twice.
    """

    type_name, lsst_name = "rings", "RingsSkyMap"

    @property
    def _height(self) -> float:
        """Height of a ring, radians."""
        return float(np.pi / (self.settings.n_ring + 1))

    @cached_property
    def _counts(self) -> NDArray[np.int64]:
        """Number of tracts in each ring."""
        low = self._height * (np.arange(self.settings.n_ring) + 0.5) - np.pi / 2
        widest = np.minimum(np.abs(low), np.abs(low + self._height))
        return np.asarray((2 * np.pi * np.cos(widest) / self._height).astype(np.int64) + 1)

    @cached_property
    def _starts(self) -> NDArray[np.int64]:
        """Number of the first tract of each ring, and of the north cap."""
        return np.concatenate([[1], 1 + np.cumsum(self._counts)])

    @property
    def n_tract(self) -> int:
        """Number of tracts of this sky map."""
        return int(self._starts[-1]) + 1

    def centers(self) -> NDArray[np.float64]:
        """Return right ascensions and declinations, degrees, shape (n_tract, 2)."""
        rings = np.repeat(np.arange(self.settings.n_ring), self._counts)
        place = np.arange(1, self.n_tract - 1) - self._starts[rings]
        ra = np.mod(360.0 * place / self._counts[rings] + self.settings.ra_start, 360.0)
        dec = np.rad2deg(self._height * (rings + 1)) - 90.0
        return np.concatenate([[[0.0, -90.0]], np.stack([ra, dec], axis=1), [[0.0, 90.0]]])

    def find_tract(self, *, ra: ArrayLike, dec: ArrayLike) -> NDArray[np.int64]:
        """Return the number of the tract to which each position belongs; see `SkyMap.find_tract`.

        Parameters
        ----------
        ra, dec : array_like of float, shape (n,)
            Positions, degrees.

        Returns
        -------
        ndarray of int64, shape (n,)
            Tract of each position; the first one is about the south pole, the last one about the north pole.
        """
        ra, dec = np.atleast_1d(np.asarray(ra, np.float64)), np.atleast_1d(np.asarray(dec, np.float64))
        first = self._height / 2 - np.pi / 2
        ring = np.floor((np.deg2rad(dec) - first) / self._height).astype(np.int64)
        inner = np.clip(ring, 0, self.settings.n_ring - 1)
        width = 360.0 / self._counts[inner]
        place = (np.mod(ra - self.settings.ra_start, 360.0) / width + 0.5).astype(np.int64) % self._counts[inner]
        found = self._starts[inner] + place
        found = np.where(np.deg2rad(dec) < first, 0, found)
        return np.where(np.deg2rad(dec) > -first, self.n_tract - 1, found)

    def _make_tract(self, number: int) -> Tract:
        center = self._center(number)
        radius = float(np.rad2deg(self._height)) / 2 + self.settings.tract_overlap
        return self._tract_around(number, center, self._wcs(center), cardinal_points(center, radius))

    def _center(self, number: int) -> tuple[float, float]:
        ra, dec = self.centers()[number]
        return float(ra), float(dec)

    def _pack_settings(self) -> bytes:
        return struct.pack("<id", self.settings.n_ring, self.settings.ra_start)
