"""Sky maps of single square tracts, wherever they are needed."""

import struct

import numpy as np
from numpy.typing import NDArray

from obs.skymap.settings import DiscreteSettings
from obs.skymap.sky_map import SkyMap
from obs.skymap.tract import Tract, cardinal_points

__all__ = ["DiscreteSkyMap"]


class DiscreteSkyMap(SkyMap[DiscreteSettings]):
    """Square tracts with given centers and radii."""

    type_name, lsst_name = "discrete", "DiscreteSkyMap"

    @property
    def n_tract(self) -> int:
        """Number of tracts of this sky map."""
        return len(self.settings.ra)

    def centers(self) -> NDArray[np.float64]:
        """Return right ascensions and declinations, degrees, shape (n_tract, 2)."""
        return np.stack([self.settings.ra, self.settings.dec], axis=1)

    def _make_tract(self, number: int) -> Tract:
        settings = self.settings
        center = settings.ra[number], settings.dec[number]
        points = cardinal_points(center, settings.radius[number] + settings.tract_overlap)
        return self._tract_around(number, center, self._wcs(center), points)

    def _pack_settings(self) -> bytes:
        rows = zip(self.settings.ra, self.settings.dec, self.settings.radius, strict=True)
        return b"".join(struct.pack("<ddd", *row) for row in rows)
