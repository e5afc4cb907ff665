"""Sky maps of the twelve faces of a dodecahedron."""

import struct

import numpy as np
from numpy.typing import NDArray

from obs.sky_vectors import sky_vectors
from obs.skymap.settings import DodecahedronSettings
from obs.skymap.sky_map import SkyMap
from obs.skymap.tract import Tract, surrounding_points

__all__ = ["DodecahedronSkyMap"]

_TURN = 72.0  # degrees between faces around a pole
#: Angle between a corner of the dodecahedron and the centers of the three faces that meet there, and of the next three.
_NEAR = float(np.rad2deg(np.arccos(np.sqrt((5 + 2 * np.sqrt(5)) / 15))))
_FAR = float(np.rad2deg(np.arccos(np.sqrt((5 - 2 * np.sqrt(5)) / 15))))
_LATITUDE = float(np.rad2deg(np.arctan(0.5)))  # of the faces next to one at a pole
_N_CORNER = 5


class DodecahedronSkyMap(SkyMap[DodecahedronSettings]):
    """Twelve overlapping tracts, numbered from north to south, and by right ascension."""

    type_name, lsst_name = "dodecahedron", "DodecaSkyMap"

    @property
    def n_tract(self) -> int:
        """Number of tracts of this sky map."""
        return 12

    def centers(self) -> NDArray[np.float64]:
        """Return right ascensions and declinations, degrees, shape (12, 2)."""
        if self.settings.tracts_on_poles:
            ring = np.arange(5) * _TURN
            upper = [(ra, _LATITUDE) for ra in ring]
            lower = [(ra, -_LATITUDE) for ra in ring + _TURN / 2]
            return np.array([(0.0, 90.0), *upper, *lower, (0.0, -90.0)])
        rows = (90 - _NEAR, (0.0, 120.0, 240.0)), (90 - _FAR, (60.0, 180.0, 300.0))
        north = [(ra, dec) for dec, row in rows for ra in row]
        south = [(ra, -dec) for (dec, _), (_, row) in zip(rows[::-1], rows, strict=True) for ra in row]
        return np.array([*north, *south])

    def _corners(self, number: int) -> list[tuple[float, float]]:
        """Return the corners of a face: the directions in which it meets two neighbors."""
        faces = sky_vectors(*self.centers().T)
        neighbors = [faces[i] for i in np.argsort(-(faces @ faces[number]), kind="stable")[1 : _N_CORNER + 1]]
        pairs = [(a, b) for i, a in enumerate(neighbors) for b in neighbors[i + 1 :] if a @ b > 0]
        corners = np.array([faces[number] + a + b for a, b in pairs])
        dec = np.rad2deg(np.arctan2(corners[:, 2], np.hypot(corners[:, 0], corners[:, 1])))
        return list(zip(np.rad2deg(np.arctan2(corners[:, 1], corners[:, 0])).tolist(), dec.tolist(), strict=True))

    def _make_tract(self, number: int) -> Tract:
        ra, dec = self.centers()[number]
        points = surrounding_points(self._corners(number), self.settings.tract_overlap / 2)
        center = float(ra), float(dec)
        return self._tract_around(number, center, self._wcs(center), points)

    def _pack_settings(self) -> bytes:
        return struct.pack("<?", self.settings.tracts_on_poles)
