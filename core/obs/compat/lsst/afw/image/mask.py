"""Masks, whose planes are asked for by name."""

import sys
from collections.abc import Callable
from pathlib import Path
from types import MethodType
from typing import Any, Concatenate, Generic, ParamSpec, Self, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from obs.compat.lsst.afw.geom.box import Box2I
from obs.compat.lsst.afw.geom.point import Extent2D, Extent2I, Point2I
from obs.compat.lsst.afw.image.pixels import LOCAL, PARENT, Pixels, find_place, local_box
from obs.image import mask as own
from obs.repo.fits_exposure import read_exposure

__all__ = ["Mask", "MaskU", "MaskX"]


P = ParamSpec("P")
R = TypeVar("R")


#: Planes that scripts add to the class.
_ADDED: list[str] = []


class _AlsoOfClass(Generic[P, R]):
    """Method of a mask that, asked of the class, answers for the usual planes; it is static in the stack."""

    def __init__(self, method: "Callable[Concatenate[Any, P], R]") -> None:
        self._method = method
        self.__doc__ = method.__doc__

    def __get__(self, mask: "Mask | None", kind: "type[Mask]") -> Callable[P, R]:
        return cast(Callable[P, R], MethodType(self._method, kind.for_class() if mask is None else mask))


class Mask(Pixels):
    """A mask with named planes.

    Parameters
    ----------
    source : Mask, obs.image.mask.Mask, Box2I, Extent2I, int, str or Path
        A mask, of which this is a view; the box or size of an empty one; or the FITS file of an exposure.
    box : int or Box2I, optional
        Height; or the part of the mask that is wanted.
    origin : str, optional
        How the box counts: ``PARENT`` or ``LOCAL``.
    deep : bool, optional
        Copy the pixels.
    place : Point2I, optional
        Where the first pixel is in the parent image, for a mask of `obs`.
    """

    def __init__(
        self,
        source: Any,  # noqa: ANN401 - as the docstring says
        box: Any = None,  # noqa: ANN401 - as the docstring says
        origin: str = PARENT,
        deep: bool = False,
        place: Point2I | None = None,
    ) -> None:
        mask: own.Mask
        if isinstance(source, str | Path):  # the number of its HDU may follow, which a file of the stack does not need
            exposure = read_exposure(source)
            mask, place = exposure.masked_image.mask, Point2I(*exposure.origin)
        elif isinstance(source, Mask):
            mask, place = source._mask, source.getXY0()
        elif isinstance(source, own.Mask):
            mask = source
        else:
            if isinstance(source, Box2I):
                place, source = source.getMin(), source.getDimensions()
            size = source if isinstance(source, Extent2D) else Extent2I(source, box)
            mask, box = own.Mask.zeros((int(size.y), int(size.x))), None
        super().__init__(mask.shape, place)
        if isinstance(box, Box2I):
            found = local_box(self, box, origin)
            mask = own.Mask(mask.array[found.slices], mask.planes)
            super().__init__(mask.shape, self.getXY0() + Extent2I(found.x_min, found.y_min))
        self._mask: own.Mask = mask.copy() if deep else mask
        self._is_for_class = False

    def _with_added(self) -> own.Mask:
        """Return the mask of `obs`, which has the planes that were added to the class."""
        for name in _ADDED:
            self._mask.add_plane(name)
        return self._mask

    @classmethod
    def for_class(cls) -> Self:
        """Return the mask that answers where the class is asked."""
        made = cls(1, 1)
        made._is_for_class = True
        return made

    def getArray(self) -> NDArray[np.int32]:
        """Return the bits, int32, shape (ny, nx); what is written there is written to the mask."""
        return self._mask.array

    @property
    def array(self) -> NDArray[np.int32]:
        """The bits, int32, shape (ny, nx)."""
        return self._mask.array

    @_AlsoOfClass
    def getPlaneBitMask(self, names: str | list[str]) -> int:
        """Return the bits of a plane, or of several or-ed together.

        Raises
        ------
        KeyError
            If there is no such plane.
        """
        return self._with_added().bits(*([names] if isinstance(names, str) else names))

    @_AlsoOfClass
    def getMaskPlane(self, name: str) -> int:
        """Return the number of the bit of a plane.

        Raises
        ------
        KeyError
            If there is no such plane.
        """
        return self._with_added().bits(name).bit_length() - 1

    @_AlsoOfClass
    def getMaskPlaneDict(self) -> dict[str, int]:
        """Return planes and the numbers of their bits."""
        return dict(self._with_added().planes)

    @_AlsoOfClass
    def addMaskPlane(self, name: str) -> int:
        """Make sure that there is a plane, and return the number of its bit.

        Of the class, as in the stack: of all masks that are made from now on.
        """
        if self._is_for_class:
            _ADDED.append(name)
        return self._mask.add_plane(name).bit_length() - 1

    def clearMaskPlane(self, plane: int) -> None:
        """Clear the bit of a number everywhere."""
        self._mask.array &= ~np.int32(1 << plane)

    def removeAndClearMaskPlane(self, name: str, removeFromDefault: bool = False) -> None:
        """Clear the bit of a plane everywhere, and forget the plane.

        Raises
        ------
        KeyError
            If there is no such plane.
        """
        self.clearMaskPlane(self.getMaskPlane(name))
        del self._mask.planes[name]
        if removeFromDefault and name in _ADDED:
            _ADDED.remove(name)

    def convertU(self) -> Self:
        """Return the mask, as in older stacks: its bits fit."""
        return self

    def clearAllMaskPlanes(self) -> None:
        """Clear all bits, as in the LSST stack."""
        self._mask.array[...] = 0

    def getAsString(self, value: int) -> str:
        """Return the names of the planes that a value has set."""
        return ",".join(name for name, bit in self._mask.planes.items() if value >> bit & 1)

    interpret = getAsString

    @_AlsoOfClass
    def printMaskPlanes(self) -> None:
        """Print the planes and the numbers of their bits."""
        for name, bit in sorted(self._with_added().planes.items(), key=lambda plane: plane[1]):
            sys.stdout.write(f"Plane {bit} -> {name}\n")

    def get(self, x: int, y: int) -> int:
        """Return the bits of one pixel."""
        return int(self._mask.array[y, x])

    def clone(self) -> Self:
        """Return a mask with its own bits."""
        return type(self)(self, deep=True)

    def Factory(self, *arguments: Any, **keywords: Any) -> Self:
        """Make a mask, as in the LSST stack."""
        return type(self)(*arguments, **keywords)

    def __getitem__(self, place: Any) -> Any:  # noqa: ANN401 - a pixel, or a sub-image
        found = find_place(self, place)
        return type(self)(self, found, LOCAL) if isinstance(found, Box2I) else self.get(*found)

    def __setitem__(self, place: Any, bits: Any) -> None:  # noqa: ANN401 - a pixel, or a sub-image
        found = find_place(self, place)
        if isinstance(found, Box2I):
            self._mask.array[found.to_box().slices] = _bits(bits)
        else:
            self._mask.array[found[1], found[0]] = bits

    def __iand__(self, other: Any) -> Self:  # noqa: ANN401 - a mask or bits
        self._mask.array &= _bits(other)
        return self

    def __ior__(self, other: Any) -> Self:  # noqa: ANN401 - a mask or bits
        self._mask.array |= _bits(other)
        return self

    def __ixor__(self, other: Any) -> Self:  # noqa: ANN401 - a mask or bits
        self._mask.array ^= _bits(other)
        return self


MaskU = MaskX = Mask


def _bits(value: Any) -> Any:  # noqa: ANN401 - an array or a number
    return value.getArray() if isinstance(value, Mask) else np.asarray(value).astype(np.int32)
