"""Image, mask and variance together."""

from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from obs.compat.lsst.afw.geom.box import Box2I
from obs.compat.lsst.afw.geom.point import Extent2D, Extent2I, Point2I
from obs.compat.lsst.afw.image.image import ImageF
from obs.compat.lsst.afw.image.mask import Mask
from obs.compat.lsst.afw.image.pixels import LOCAL, PARENT, Pixels, find_place, local_box
from obs.image import mask as own_mask
from obs.image import masked_image as own
from obs.repo.fits_exposure import read_exposure

__all__ = ["MaskedImageD", "MaskedImageF", "MaskedImageI", "MaskedImageU", "makeMaskedImage"]


class MaskedImageF(Pixels):
    """Three planes of one shape.

    Parameters
    ----------
    source : MaskedImageF, obs.image.masked_image.MaskedImage, ImageF, Box2I, Extent2I, int, str or Path
        Planes, of which these are views; an image, which gets an empty mask; the box or size of empty planes; or a FITS
        file.
    box : int, Box2I or Mask, optional
        Height; the part that is wanted; or the mask of an image.
    origin : str or ImageF, optional
        How the box counts, ``PARENT`` or ``LOCAL``; or the variance of an image.
    deep : bool, optional
        Copy the pixels.
    """

    def __init__(
        self,
        source: Any,  # noqa: ANN401 - as the docstring says
        box: Any = None,  # noqa: ANN401 - as the docstring says
        origin: Any = PARENT,  # noqa: ANN401 - as the docstring says
        deep: bool = False,
    ) -> None:
        place: Point2I | None = source.getXY0() if isinstance(source, Pixels) else None
        planes: own.MaskedImage
        if isinstance(source, MaskedImageF):
            planes = source.planes
        elif isinstance(source, own.MaskedImage):
            planes = source
        elif isinstance(source, str | Path):
            exposure = read_exposure(source)
            planes, place = exposure.masked_image, Point2I(*exposure.origin)
        elif isinstance(source, ImageF):
            mask = own_mask.Mask(box.getArray(), box.getMaskPlaneDict()) if isinstance(box, Mask) else None
            variance = origin.getArray() if isinstance(origin, ImageF) else None
            planes = own.MaskedImage(source.getArray(), mask, variance)
        else:
            if isinstance(source, Box2I):
                place, source = source.getMin(), source.getDimensions()
            size = source if isinstance(source, Extent2D) else Extent2I(source, box)
            zeros = np.zeros((int(size.y), int(size.x)), np.float32)
            planes, box = own.MaskedImage(zeros, variance=zeros.copy()), None
        super().__init__(planes.shape, place)
        if isinstance(box, Box2I):
            found = local_box(self, box, origin)
            planes = planes.cutout(found)
            super().__init__(planes.shape, self.getXY0() + Extent2I(found.x_min, found.y_min))
        #: Our own object, which holds the pixels.
        self.planes: own.MaskedImage = planes.copy() if deep else planes

    def getImage(self) -> ImageF:
        """Return the image, as a view."""
        return ImageF(self.planes.image, place=self.getXY0())

    def getMask(self) -> Mask:
        """Return the mask, as a view."""
        return Mask(self.planes.mask, place=self.getXY0())

    def getVariance(self) -> ImageF:
        """Return the variance, as a view."""
        return ImageF(self.planes.variance, place=self.getXY0())

    image, mask, variance = property(getImage), property(getMask), property(getVariance)

    def set(self, image: float, mask: int = 0, variance: float = 0.0) -> None:
        """Set all pixels of the three planes to one value each."""
        self.planes.image[...], self.planes.mask.array[...], self.planes.variance[...] = image, mask, variance

    def assign(self, other: "MaskedImageF", box: Box2I | None = None, origin: str = PARENT) -> None:
        """Copy the pixels of other planes into these, or into a part of them."""
        part = self if box is None else type(self)(self, box, origin)
        for own_plane, new in zip(part.getArrays(), other.getArrays(), strict=True):
            own_plane[...] = new

    def getArrays(self) -> tuple[NDArray[np.float32], NDArray[np.int32], NDArray[np.float32]]:
        """Return the arrays of image, mask and variance."""
        return self.planes.image, self.planes.mask.array, self.planes.variance

    def clone(self) -> Self:
        """Return planes of its own."""
        return type(self)(self, deep=True)

    def Factory(self, *arguments: Any, **keywords: Any) -> Self:
        """Make planes of the same type."""
        return type(self)(*arguments, **keywords)

    def __getitem__(self, place: Any) -> Any:  # noqa: ANN401 - a part, or the three values of a pixel
        found = find_place(self, place)
        if isinstance(found, Box2I):
            return type(self)(self, found, LOCAL)
        return tuple(plane[found[1], found[0]].item() for plane in self.getArrays())

    def __imul__(self, other: Any) -> Self:  # noqa: ANN401 - a number, an image or planes
        if isinstance(other, MaskedImageF):
            first, second = self.planes, other.planes
            first.variance[...] = first.variance * second.image**2 + second.variance * first.image**2
            first.image *= second.image
            first.mask.array |= second.mask.array
            return self
        factor = other.getArray() if isinstance(other, ImageF) else other
        self.planes.image *= factor
        self.planes.variance *= factor * factor
        return self

    def __itruediv__(self, other: Any) -> Self:  # noqa: ANN401 - a number, an image or planes
        if isinstance(other, MaskedImageF):
            first, second = self.planes, other.planes
            first.image /= second.image
            first.variance[...] = (first.variance + second.variance * first.image**2) / second.image**2
            first.mask.array |= second.mask.array
            return self
        factor = other.getArray() if isinstance(other, ImageF) else other
        self.planes.image /= factor
        self.planes.variance /= factor * factor
        return self

    def __iadd__(self, other: Any) -> Self:  # noqa: ANN401 - a number, an image or planes
        return self._added(other, 1.0)

    def __isub__(self, other: Any) -> Self:  # noqa: ANN401 - a number, an image or planes
        return self._added(other, -1.0)

    def _added(self, other: Any, sign: float) -> Self:  # noqa: ANN401 - a number, an image or planes
        if isinstance(other, MaskedImageF):
            self.planes.image += np.float32(sign) * other.planes.image
            self.planes.mask.array |= other.planes.mask.array
            self.planes.variance += other.planes.variance
        else:
            self.planes.image += np.float32(sign) * (other.getArray() if isinstance(other, ImageF) else other)
        return self


def makeMaskedImage(image: ImageF, mask: Mask | None = None, variance: ImageF | None = None) -> MaskedImageF:
    """Return planes of an image, which it shares, with an empty mask unless one is given."""
    return MaskedImageF(image, mask, PARENT if variance is None else variance)


MaskedImageD = MaskedImageI = MaskedImageU = MaskedImageF
