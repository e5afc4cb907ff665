"""Sky maps whose tracts are the pixels of a HEALPix map."""

import struct
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from obs.errors import PluginError
from obs.skymap.settings import HealpixSettings
from obs.skymap.sky_map import SkyMap
from obs.skymap.tract import Tract, surrounding_points

__all__ = ["HealpixSkyMap"]

_PER_SIDE = 4


class HealpixSkyMap(SkyMap[HealpixSettings]):
    """One tract for each pixel, in RING or NESTED order; needs astropy-healpix.

    Parameters
    ----------
    settings : HealpixSettings
        Base-2 logarithm of nside, the order of the tracts, and the settings of all sky maps.

    References
    ----------
    K. Gorski et al. (2005), ApJ 622, 759.
    """

    type_name, lsst_name = "healpix", "HealpixSkyMap"

    def __init__(self, settings: HealpixSettings) -> None:
        super().__init__(settings)
        self._grid = _open_grid(settings)

    @property
    def n_tract(self) -> int:
        """Number of tracts of this sky map."""
        return int(12 * 4**self.settings.log2_nside)

    def centers(self) -> NDArray[np.float64]:
        """Return right ascensions and declinations, degrees, shape (n_tract, 2)."""
        ra, dec = self._grid.healpix_to_lonlat(np.arange(self.n_tract))
        return np.stack([ra.deg, dec.deg], axis=1)

    def find_tract(self, *, ra: ArrayLike, dec: ArrayLike) -> NDArray[np.int64]:
        """Return the number of the HEALPix pixel that holds each position; see `SkyMap.find_tract`.

        Parameters
        ----------
        ra, dec : array_like of float, shape (n,)
            Positions, degrees.

        Returns
        -------
        ndarray of int64, shape (n,)
            Tract of each position.
        """
        from astropy import units  # noqa: PLC0415 - this type alone needs it

        return np.asarray(
            self._grid.lonlat_to_healpix(np.atleast_1d(ra) * units.deg, np.atleast_1d(dec) * units.deg), np.int64
        )

    def _make_tract(self, number: int) -> Tract:
        ra, dec = self._grid.healpix_to_lonlat(np.array([number]))
        center = float(ra.deg[0]), float(dec.deg[0])
        edge_ra, edge_dec = self._grid.boundaries_lonlat(np.array([number]), _PER_SIDE)
        edge = list(zip(edge_ra.deg[0].tolist(), edge_dec.deg[0].tolist(), strict=True))
        points = surrounding_points(edge, self.settings.tract_overlap / 2)
        return self._tract_around(number, center, self._wcs(center), points)

    def _pack_settings(self) -> bytes:
        return struct.pack("<i?", self.settings.log2_nside, self.settings.nest)


def _open_grid(settings: HealpixSettings) -> Any:  # noqa: ANN401 - a class of the library
    try:
        from astropy_healpix import HEALPix  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise PluginError("HEALPix sky maps need astropy-healpix: pip install 'obs-toolkit[healpix]'") from error
    return HEALPix(2**settings.log2_nside, order="nested" if settings.nest else "ring")
