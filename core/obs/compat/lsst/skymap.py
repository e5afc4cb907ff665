"""Sky maps, tracts and patches, in the stack's words."""

from collections.abc import Iterator, Sequence
from typing import Any

from obs.compat.lsst.absent import refuse
from obs.compat.lsst.afw.coord import Coord, IcrsCoord
from obs.compat.lsst.afw.geom.angle import degrees
from obs.compat.lsst.afw.geom.box import Box2I
from obs.compat.lsst.afw.geom.point import Extent2I
from obs.compat.lsst.afw.image.wcs import SkyWcs
from obs.errors import DataIdError
from obs.skymap.sky_map import SkyMap as OwnSkyMap
from obs.skymap.tract import Patch, Tract

__all__ = ["BaseSkyMap", "PatchInfo", "TractInfo"]


class PatchInfo:
    """A patch of a tract.

    Parameters
    ----------
    own : Patch
        The patch of `obs`.
    """

    def __init__(self, own: Patch) -> None:
        #: The patch of `obs`.
        self.own = own

    def getIndex(self) -> tuple[int, int]:
        """Return column and row, as in the LSST stack."""
        return self.own.index

    def getInnerBBox(self) -> Box2I:
        """Return the pixels that belong to this patch alone."""
        return Box2I.from_box(self.own.inner_box)

    def getOuterBBox(self) -> Box2I:
        """Return the pixels of the patch with its border."""
        return Box2I.from_box(self.own.outer_box)

    def __repr__(self) -> str:
        return f"PatchInfo(index={self.own.index})"


class TractInfo:
    """A tract, which is iterated to its patches.

    Parameters
    ----------
    own : Tract
        The tract of `obs`.
    """

    def __init__(self, own: Tract) -> None:
        #: The tract of `obs`.
        self.own = own

    def getId(self) -> int:
        """Return the number, as in the LSST stack."""
        return self.own.number

    def getWcs(self) -> SkyWcs:
        """Return the WCS of the pixels of the tract."""
        return SkyWcs(self.own.wcs.to_tan_sip(self.own.box))

    def getBBox(self) -> Box2I:
        """Return all pixels, as in the LSST stack."""
        return Box2I.from_box(self.own.box)

    def getCtrCoord(self) -> IcrsCoord:
        """Return the sky position of the center."""
        return _coord(*self.own.center)

    def getVertexList(self) -> list[IcrsCoord]:
        """Return the sky positions of the corners, from the lower left one."""
        return [_coord(ra, dec) for ra, dec in self.own.corners()]

    def getNumPatches(self) -> Extent2I:
        """Return the numbers of columns and rows of patches."""
        return Extent2I(*self.own.n_patch)

    def getPatchInnerDimensions(self) -> Extent2I:
        """Return the size of the pixels that belong to one patch alone."""
        return Extent2I(*self.own.patch_size)

    def getPatchBorder(self) -> int:
        """Return the width of the border of patches, pixels."""
        return self.own.border

    def getPatchInfo(self, index: Sequence[int] | int) -> PatchInfo:
        """Return a patch by column and row, or by its number."""
        return PatchInfo(self.own.patch(index))

    def findPatch(self, coord: Coord) -> PatchInfo:
        """Return the patch whose own pixels hold a position.

        Raises
        ------
        LookupError
            If the position is not in the tract.
        """
        ra, dec = _degrees(coord)
        column, row = self.own.find_patch(ra=ra, dec=dec)[0].tolist()
        if column < 0:
            raise LookupError(f"tract {self.own.number} does not hold ra={ra:.5f} dec={dec:.5f}")
        return PatchInfo(self.own.patch((column, row)))

    def __iter__(self) -> Iterator[PatchInfo]:
        return (PatchInfo(patch) for patch in self.own)

    def __len__(self) -> int:
        return self.own.n_patch[0] * self.own.n_patch[1]

    def __getitem__(self, index: Sequence[int] | int) -> PatchInfo:
        return self.getPatchInfo(index)

    def __repr__(self) -> str:
        return f"TractInfo(id={self.own.number})"


class BaseSkyMap:
    """A sky map, which is iterated to its tracts.

    Parameters
    ----------
    own : SkyMap
        The sky map of `obs`.
    """

    def __init__(self, own: OwnSkyMap[Any]) -> None:
        #: The sky map of `obs`.
        self.own = own

    def findTract(self, coord: Coord) -> TractInfo:
        """Return the tract to which a position belongs."""
        ra, dec = _degrees(coord)
        return self[int(self.own.find_tract(ra=ra, dec=dec)[0])]

    def findAllTracts(self, coord: Coord) -> list[TractInfo]:
        """Return all tracts that hold a position."""
        ra, dec = _degrees(coord)
        return [TractInfo(tract) for tract in self.own.tracts_with(ra=ra, dec=dec)]

    def findTractPatchList(self, coordList: Sequence[Coord]) -> list[tuple[TractInfo, list[PatchInfo]]]:
        """Return the tracts that hold some of the positions, each with the patches that do."""
        found: dict[int, dict[tuple[int, int], PatchInfo]] = {}
        for coord in coordList:
            for tract in self.findAllTracts(coord):
                patch = tract.findPatch(coord)
                found.setdefault(tract.getId(), {})[patch.getIndex()] = patch
        return [(self[number], list(patches.values())) for number, patches in found.items()]

    def findClosestTractPatchList(self, coordList: Sequence[Coord]) -> list[tuple[TractInfo, list[PatchInfo]]]:
        """Return the tracts to which the positions belong, each with the patches that hold them."""
        found: dict[int, dict[tuple[int, int], PatchInfo]] = {}
        for coord in coordList:
            tract = self.findTract(coord)
            patch = tract.findPatch(coord)
            found.setdefault(tract.getId(), {})[patch.getIndex()] = patch
        return [(self[number], list(patches.values())) for number, patches in found.items()]

    def getSha1(self) -> str:
        """Return the digest of type and settings."""
        return self.own.sha1

    def __iter__(self) -> Iterator[TractInfo]:
        return (self[number] for number in range(len(self.own)))

    def __len__(self) -> int:
        return len(self.own)

    def __getitem__(self, number: int) -> TractInfo:
        try:
            return TractInfo(self.own.tract(number))
        except DataIdError as error:
            raise IndexError(str(error)) from error


def _coord(ra: float, dec: float) -> IcrsCoord:
    return IcrsCoord(ra * degrees, dec * degrees)


def _degrees(coord: Coord) -> tuple[float, float]:
    icrs = coord.toIcrs()
    return float(icrs.getRa().asDegrees()), float(icrs.getDec().asDegrees())


__getattr__ = refuse(__name__)
