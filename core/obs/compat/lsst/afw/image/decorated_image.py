"""Images with their headers, in the stack's words."""

from pathlib import Path
from typing import ClassVar

from obs.compat.lsst.afw.fits import readMetadata
from obs.compat.lsst.afw.geom.point import Extent2I
from obs.compat.lsst.afw.image.image import Image, ImageD, ImageF, ImageI, ImageU
from obs.compat.lsst.daf.base import PropertySet

__all__ = ["DecoratedImageD", "DecoratedImageF", "DecoratedImageI", "DecoratedImageU"]


class DecoratedImageF:
    """An image and its header, as in the LSST stack.

    Parameters
    ----------
    path : str or Path
        A FITS file.
    """

    _kind: ClassVar[type[Image]] = ImageF

    def __init__(self, path: str | Path) -> None:
        self.image = self._kind(path)
        self._metadata = readMetadata(path)

    def getImage(self) -> Image:
        """Return the image, as in the LSST stack."""
        return self.image

    def getMetadata(self) -> PropertySet:
        """Return the header, as in the LSST stack."""
        return self._metadata

    def getDimensions(self) -> Extent2I:
        """Return width and height of the image."""
        return self.image.getDimensions()

    def getWidth(self) -> int:
        """Return the number of columns."""
        return self.image.getWidth()

    def getHeight(self) -> int:
        """Return the number of rows."""
        return self.image.getHeight()


class DecoratedImageD(DecoratedImageF):
    """An image of 64-bit floats and its header."""

    _kind = ImageD


class DecoratedImageI(DecoratedImageF):
    """An image of 32-bit integers and its header."""

    _kind = ImageI


class DecoratedImageU(DecoratedImageF):
    """An image of 16-bit integers and its header."""

    _kind = ImageU
