"""Read parts of FITS files, in the stack's words."""

from functools import cached_property
from pathlib import Path
from typing import ClassVar

from obs.compat.lsst.afw.fits import readMetadata
from obs.compat.lsst.afw.geom.box import Box2I
from obs.compat.lsst.afw.geom.point import Extent2I, Point2I
from obs.compat.lsst.afw.image.calib import Filter, PhotoCalib
from obs.compat.lsst.afw.image.exposure import ExposureF, ExposureInfo
from obs.compat.lsst.afw.image.image import PARENT, Image, ImageD, ImageF, ImageI, ImageU
from obs.compat.lsst.afw.image.mask import Mask
from obs.compat.lsst.afw.image.masked_image import MaskedImageF
from obs.compat.lsst.afw.image.psf import Psf
from obs.compat.lsst.afw.image.visit_info import VisitInfo
from obs.compat.lsst.afw.image.wcs import SkyWcs
from obs.compat.lsst.daf.base import PropertySet
from obs.repo.fits_exposure_header import header_origin

__all__ = [
    "DecoratedImageD",
    "DecoratedImageF",
    "DecoratedImageI",
    "DecoratedImageU",
    "ExposureFitsReader",
    "ImageFitsReader",
    "MaskedImageFitsReader",
    "bboxFromMetadata",
]


def bboxFromMetadata(metadata: PropertySet) -> Box2I:
    """Return the box of the image that a header is of, in the image that it is a part of.

    Parameters
    ----------
    metadata : PropertySet
        The cards.

    Raises
    ------
    KeyError
        If they tell no size.
    """
    cards = metadata.toDict()
    size = [int(cards.get(f"ZNAXIS{axis}", cards.get(f"NAXIS{axis}", 0))) for axis in (1, 2)]
    if 0 in size:
        raise KeyError("the header has no NAXIS1 and NAXIS2, which tell the size of an image")
    return Box2I(Point2I(*header_origin(cards)), Extent2I(*size))


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


class ImageFitsReader:
    """Reads an image, or a part of it.

    Parameters
    ----------
    path : str or Path
        A FITS file, which is read once, when pixels are asked for.
    """

    def __init__(self, path: str | Path) -> None:
        self._path = Path(path)

    @property
    def fileName(self) -> str:
        """The name of the file."""
        return str(self._path)

    @cached_property
    def _image(self) -> ImageF:
        return ImageF(self._path)

    def read(self, bbox: Box2I | None = None, origin: str = PARENT) -> ImageF:
        """Return the image, or the part in a box."""
        return ImageF(self._image, bbox, origin, True)

    def readMetadata(self) -> PropertySet:
        """Return the header, without reading pixels."""
        return readMetadata(self._path)

    def readBBox(self) -> Box2I:
        """Return the box of the image."""
        return self._image.getBBox()

    def readXY0(self) -> Point2I:
        """Return where the first pixel is in the parent image."""
        return self._image.getXY0()


class _PlanesReader:
    """Reads the planes of a file.

    Parameters
    ----------
    path : str or Path
        A FITS file, which is read once, when more than the header is asked for.
    """

    def __init__(self, path: str | Path) -> None:
        self._path = Path(path)

    @property
    def fileName(self) -> str:
        """The name of the file."""
        return str(self._path)

    @cached_property
    def _exposure(self) -> ExposureF:
        return ExposureF(self._path)

    def _part(self, bbox: Box2I | None) -> ExposureF:
        return (self._exposure if bbox is None else self._exposure[bbox]).clone()

    def readImage(self, bbox: Box2I | None = None) -> ImageF:
        """Return the image plane, as in the LSST stack."""
        return self._part(bbox).getImage()

    def readMask(self, bbox: Box2I | None = None) -> Mask:
        """Return the mask plane, as in the LSST stack."""
        return self._part(bbox).getMask()

    def readVariance(self, bbox: Box2I | None = None) -> ImageF:
        """Return the variance plane, as in the LSST stack."""
        return self._part(bbox).getVariance()

    def readMetadata(self) -> PropertySet:
        """Return the header, without reading pixels."""
        return readMetadata(self._path)

    def readBBox(self) -> Box2I:
        """Return the box of the exposure."""
        return self._exposure.getBBox()

    def readXY0(self) -> Point2I:
        """Return where the first pixel is in the parent image."""
        return self._exposure.getXY0()


class ExposureFitsReader(_PlanesReader):
    """Reads an exposure, or what is attached to it."""

    def read(self, bbox: Box2I | None = None) -> ExposureF:
        """Return the exposure, or the part in a box."""
        return self._part(bbox)

    def readMaskedImage(self, bbox: Box2I | None = None) -> MaskedImageF:
        """Return image, mask and variance."""
        return self._part(bbox).getMaskedImage()

    def readWcs(self) -> SkyWcs | None:
        """Return the WCS, None if there is none."""
        return self._exposure.getWcs()

    def readPsf(self) -> Psf | None:
        """Return the PSF, None if there is none."""
        return self._exposure.getPsf()

    def readPhotoCalib(self) -> PhotoCalib | None:
        """Return the photometric calibration, or None."""
        return self._exposure.getPhotoCalib()

    def readFilter(self) -> Filter:
        """Return the filter, as in the LSST stack."""
        return self._exposure.getFilter()

    def readVisitInfo(self) -> VisitInfo | None:
        """Return when and where it was taken, or None."""
        return self._exposure.getInfo().getVisitInfo()

    def readExposureInfo(self) -> ExposureInfo:
        """Return what is attached to the exposure."""
        return self._exposure.getInfo()


class MaskedImageFitsReader(_PlanesReader):
    """Reads the three planes of a FITS file."""

    def read(self, bbox: Box2I | None = None) -> MaskedImageF:
        """Return the planes, or the part of them in a box."""
        return self._part(bbox).getMaskedImage()
