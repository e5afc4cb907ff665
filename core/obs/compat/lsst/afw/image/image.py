"""Images of one plane."""

from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from obs.compat.lsst.afw.geom.box import Box2I
from obs.compat.lsst.afw.geom.point import Extent2D, Extent2I, Point2I
from obs.compat.lsst.afw.image.pixels import LOCAL, PARENT, Pixels, find_place, local_box
from obs.repo.fits_exposure import read_image, write_image
from obs.repo.fits_exposure_header import header_origin, origin_cards, read_exposure_header

__all__ = ["LOCAL", "PARENT", "Image", "ImageD", "ImageF", "ImageI", "ImageU", "makeImageFromArray"]


class Image(Pixels):
    """An image, as in the LSST stack.

    Parameters
    ----------
    source : int, Extent2I, Box2I, Image, ndarray, str or Path
        Width (with the height after it), size or box of an image of zeros; an image, of which this is a view; an array,
        kept without a copy; or a FITS file.
    box : int or Box2I, optional
        Height; the part of the image that is wanted; or, of a file, the number of the HDU, counted from 0.
    origin : str, optional
        How the box counts: `PARENT` or `LOCAL`.
    deep : bool, optional
        Copy the pixels.
    place : Point2I, optional
        Where the first pixel is in the parent image, for an array.
    """

    _dtype: ClassVar[Any] = np.float32

    def __init__(
        self,
        source: Any = 0,  # noqa: ANN401 - as the docstring says
        box: Any = None,  # noqa: ANN401 - as the docstring says
        origin: str = PARENT,
        deep: bool = False,
        place: Point2I | None = None,
    ) -> None:
        array, known = _pixels(source, box, self._dtype)
        super().__init__(array.shape, known or place)
        self._array = array
        if isinstance(box, Box2I):
            found = local_box(self, box, origin)
            self._array = array[found.slices]
            super().__init__(self._array.shape, self.getXY0() + Extent2I(found.x_min, found.y_min))
        if deep:
            self._array = self._array.copy()

    def getArray(self) -> NDArray[Any]:
        """Return the pixels, shape (ny, nx); what is written there is written to the image."""
        return self._array

    @property
    def array(self) -> NDArray[Any]:
        """The pixels, shape (ny, nx)."""
        return self._array

    @array.setter
    def array(self, values: Any) -> None:  # noqa: ANN401 - whatever numpy takes
        self._array[...] = values

    def get(self, x: int, y: int) -> Any:  # noqa: ANN401 - a number of the image's type
        """Return one pixel, as in the LSST stack."""
        return self._array[y, x].item()

    def set(self, x: Any, y: int | None = None, value: Any = None) -> None:  # noqa: ANN401 - one value, or a pixel's
        """Set all pixels to one value, or one pixel ``(x, y)`` to one."""
        if y is None:
            self._array[...] = x
        else:
            self._array[y, x] = value

    def clone(self) -> Self:
        """Return an image with its own pixels."""
        return type(self)(self, deep=True)

    def Factory(self, *arguments: Any, **keywords: Any) -> Self:
        """Make an image of the same type."""
        return type(self)(*arguments, **keywords)

    def writeFits(self, path: str | Path) -> None:
        """Write the image to a FITS file."""
        write_image(self._array, path, origin_cards((self.getX0(), self.getY0())))

    @classmethod
    def readFits(cls, path: str | Path) -> Self:
        """Read a FITS file, as in the LSST stack."""
        return cls(path)

    def __getitem__(self, place: Any) -> Any:  # noqa: ANN401 - a pixel, or a sub-image
        found = find_place(self, place)
        return type(self)(self, found, LOCAL) if isinstance(found, Box2I) else self.get(*found)

    def __setitem__(self, place: Any, value: Any) -> None:  # noqa: ANN401 - a pixel, or a sub-image
        found = find_place(self, place)
        if isinstance(found, Box2I):
            self._array[found.to_box().slices] = _plain(value)
        else:
            self._array[found[1], found[0]] = value

    def assign(self, other: "Image", box: Box2I | None = None, origin: str = PARENT) -> None:
        """Copy the pixels of another image into this one, or into a part of it."""
        part = self if box is None else type(self)(self, box, origin)
        part._array[...] = other.getArray()

    def convertF(self) -> "ImageF":
        """Return an image of 32-bit floats, as in the LSST stack."""
        return ImageF(self._array.astype(np.float32), place=self.getXY0())

    def convertD(self) -> "ImageD":
        """Return an image of 64-bit floats, as in the LSST stack."""
        return ImageD(self._array.astype(np.float64), place=self.getXY0())

    def scaledPlus(self, factor: float, other: "Image") -> None:
        """Add a multiple of another image."""
        self._array += factor * other.getArray()

    def scaledMinus(self, factor: float, other: "Image") -> None:
        """Subtract a multiple of another image."""
        self._array -= factor * other.getArray()

    def __iadd__(self, other: Any) -> Self:  # noqa: ANN401 - an image or a number
        self._array += _plain(other)
        return self

    def __isub__(self, other: Any) -> Self:  # noqa: ANN401 - an image or a number
        self._array -= _plain(other)
        return self

    def __imul__(self, other: Any) -> Self:  # noqa: ANN401 - an image or a number
        self._array *= _plain(other)
        return self

    def __itruediv__(self, other: Any) -> Self:  # noqa: ANN401 - an image or a number
        self._array /= _plain(other)
        return self


def makeImageFromArray(array: NDArray[Any]) -> Image:
    """Return an image of the type of an array, whose pixels it shares.

    Raises
    ------
    TypeError
        If there is no image of this type.
    """
    kinds = {np.dtype(kind._dtype): kind for kind in (ImageF, ImageD, ImageI, ImageU)}
    if array.dtype not in kinds:
        raise TypeError(f"there is no image of {array.dtype}; there are {', '.join(map(str, kinds))}")
    return kinds[array.dtype](array)


class ImageF(Image):
    """An image of 32-bit floats."""


class ImageD(Image):
    """An image of 64-bit floats."""

    _dtype = np.float64


class ImageI(Image):
    """An image of 32-bit integers."""

    _dtype = np.int32


class ImageU(Image):
    """An image of unsigned 16-bit integers."""

    _dtype = np.uint16


def _plain(value: Any) -> Any:  # noqa: ANN401 - an array or a number
    return value.getArray() if hasattr(value, "getArray") else value


def _pixels(source: Any, box: Any, dtype: Any) -> tuple[NDArray[Any], Point2I | None]:  # noqa: ANN401
    """Return an array for whatever an image can be made of, and the place of its first pixel."""
    if isinstance(source, Image):
        return source._array.astype(dtype, copy=False), source.getXY0()
    if isinstance(source, np.ndarray):
        return source.astype(dtype, copy=False), None
    if isinstance(source, str | Path):
        place = header_origin(read_exposure_header(source))
        number = None if isinstance(box, Box2I) or box is None else int(box)
        return read_image(source, hdu=number).astype(dtype, copy=False), Point2I(*place)
    if isinstance(source, Box2I):
        return np.zeros(source.to_box().shape, dtype), source.getMin()
    if isinstance(source, Extent2D):
        return np.zeros((int(source.y), int(source.x)), dtype), None
    return np.zeros((0 if box is None else int(box), int(source)), dtype), None
