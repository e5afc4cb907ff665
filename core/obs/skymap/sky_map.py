"""What all sky maps do: give tracts, find the one that holds a position, and say what they are."""

import hashlib
import struct
from abc import ABC, abstractmethod
from collections.abc import Sequence
from functools import lru_cache
from typing import ClassVar, Generic, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from obs.errors import DataIdError
from obs.sky_vectors import sky_vectors
from obs.skymap.projection import TractWcs
from obs.skymap.settings import SkyMapSettings
from obs.skymap.tract import Tract, make_tract

__all__ = ["SkyMap"]

S = TypeVar("S", bound=SkyMapSettings)
_KEPT = 64


class SkyMap(ABC, Generic[S]):
    """An immutable, numbered list of tracts that cover the sky, or a part of it.

    Parameters
    ----------
    settings : SkyMapSettings
        The type's own settings.
    """

    #: Name of the type in files and on the command line, and name of the class in the LSST stack.
    type_name: ClassVar[str]
    lsst_name: ClassVar[str]

    def __init__(self, settings: S) -> None:
        self.settings = settings
        self._cached_tract = lru_cache(_KEPT)(self._make_tract)

    @property
    @abstractmethod
    def n_tract(self) -> int:
        """Number of tracts of this sky map."""

    @abstractmethod
    def centers(self) -> NDArray[np.float64]:
        """Return right ascensions and declinations, degrees, of the centers of all tracts, shape (n_tract, 2)."""

    @abstractmethod
    def _make_tract(self, number: int) -> Tract: ...

    @abstractmethod
    def _pack_settings(self) -> bytes:
        """Return the settings that only this type has, as the LSST stack packs them."""

    def __len__(self) -> int:
        return self.n_tract

    def tract(self, number: int) -> Tract:
        """Return a tract by its number.

        Parameters
        ----------
        number : int
            Number of the tract, from 0.

        Raises
        ------
        DataIdError
            If there is no such tract.
        """
        if not 0 <= number < self.n_tract:
            raise DataIdError(f"tract={number}: this sky map has the tracts 0 to {self.n_tract - 1}", key="tract")
        return self._cached_tract(number)

    def find_tract(self, *, ra: ArrayLike, dec: ArrayLike) -> NDArray[np.int64]:
        """Return the number of the tract to which each position belongs, that of the nearest center.

        Parameters
        ----------
        ra, dec : array_like of float, shape (n,)
            Degrees.

        Returns
        -------
        ndarray of int64, shape (n,)
        """
        centers = self.centers()
        positions = sky_vectors(np.atleast_1d(ra), np.atleast_1d(dec))
        return np.asarray(np.argmax(positions @ sky_vectors(*centers.T).T, axis=1), np.int64)

    def tracts_with(self, *, ra: ArrayLike, dec: ArrayLike) -> list[Tract]:
        """Return all tracts that hold any of some positions, overlaps included.

        Parameters
        ----------
        ra, dec : array_like of float, shape (n,)
            Positions, degrees.

        Returns
        -------
        list of Tract
            In the order of their numbers.
        """
        ra, dec = np.atleast_1d(np.asarray(ra, np.float64)), np.atleast_1d(np.asarray(dec, np.float64))
        nearest = sky_vectors(*self.centers().T) @ sky_vectors(ra, dec).T
        candidates = np.flatnonzero((nearest >= np.cos(np.deg2rad(self._reach))).any(axis=1))
        tracts = [self.tract(int(number)) for number in candidates]
        return [tract for tract in tracts if (tract.find_patch(ra=ra, dec=dec) >= 0).any()]

    @property
    def _reach(self) -> float:
        """Largest distance of a position of a tract from its center, degrees."""
        numbers = {0, self.n_tract // 2, self.n_tract - 1}
        distances = [
            np.rad2deg(np.arccos(np.clip(sky_vectors(*np.array(t.corners()).T) @ sky_vectors(*t.center)[0], -1, 1)))
            for t in map(self.tract, numbers)
        ]
        return float(min(1.1 * np.nanmax(distances), 180.0))

    @property
    def sha1(self) -> str:
        """Hash over type and settings, hexadecimal, equal to that of the LSST stack for the same sky map."""
        settings = self.settings
        packed = struct.pack(
            "<iiidd3sd",
            settings.patch_width,
            settings.patch_height,
            settings.patch_border,
            settings.tract_overlap,
            settings.pixel_scale,
            settings.projection.encode("ascii"),
            settings.rotation,
        )
        return hashlib.sha1(self.lsst_name.encode() + packed + self._pack_settings(), usedforsecurity=False).hexdigest()

    def _wcs(self, center: tuple[float, float]) -> TractWcs:
        return TractWcs(center, self.settings.pixel_scale, self.settings.projection, self.settings.rotation)

    def _tract_around(
        self, number: int, center: tuple[float, float], wcs: TractWcs, points: Sequence[tuple[float, float]]
    ) -> Tract:
        size = self.settings.patch_width, self.settings.patch_height
        return make_tract(number, center, wcs, points, patch_size=size, border=self.settings.patch_border)
