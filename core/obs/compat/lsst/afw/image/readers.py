"""Read parts of FITS files, in the stack's words."""

from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, Generic, TypeVar

from obs.compat.lsst.afw.fits import readMetadata
from obs.compat.lsst.afw.geom.box import Box2I
from obs.compat.lsst.afw.geom.point import Extent2I, Point2I
from obs.compat.lsst.afw.image.calib import Filter, PhotoCalib
from obs.compat.lsst.afw.image.exposure import ExposureF, ExposureInfo
from obs.compat.lsst.afw.image.image import PARENT, ImageF
from obs.compat.lsst.afw.image.mask import Mask
from obs.compat.lsst.afw.image.masked_image import MaskedImageF
from obs.compat.lsst.afw.image.psf import Psf
from obs.compat.lsst.afw.image.visit_info import VisitInfo
from obs.compat.lsst.afw.image.wcs import SkyWcs
from obs.compat.lsst.daf.base import PropertySet
from obs.repo.fits_exposure_header import header_origin

__all__ = [
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


T = TypeVar("T", ImageF, ExposureF)


class _FitsReader(Generic[T]):
    """Reads what a file holds once, when more than its header is asked for.

    Parameters
    ----------
    path : str or Path
        A FITS file.
    """

    _kind: ClassVar[Any]

    def __init__(self, path: str | Path) -> None:
        self._path = Path(path)

    @property
    def fileName(self) -> str:
        """The name of the file."""
        return str(self._path)

    @cached_property
    def _whole(self) -> T:
        whole: T = type(self)._kind(self._path)
        return whole

    def readMetadata(self) -> PropertySet:
        """Return the header, without reading pixels."""
        return readMetadata(self._path)

    def readBBox(self) -> Box2I:
        """Return the box of the image."""
        return self._whole.getBBox()

    def readXY0(self) -> Point2I:
        """Return where the first pixel is in the parent image."""
        return self._whole.getXY0()


class ImageFitsReader(_FitsReader[ImageF]):
    """Reads an image, or a part of it."""

    _kind = ImageF

    def read(self, bbox: Box2I | None = None, origin: str = PARENT) -> ImageF:
        """Return the image, or the part in a box."""
        return ImageF(self._whole, bbox, origin, True)


class _PlanesReader(_FitsReader[ExposureF]):
    """Reads the planes of a file."""

    _kind = ExposureF

    def _part(self, bbox: Box2I | None) -> ExposureF:
        return (self._whole if bbox is None else self._whole[bbox]).clone()

    def readImage(self, bbox: Box2I | None = None) -> ImageF:
        """Return the image plane, as in the LSST stack."""
        return self._part(bbox).getImage()

    def readMask(self, bbox: Box2I | None = None) -> Mask:
        """Return the mask plane, as in the LSST stack."""
        return self._part(bbox).getMask()

    def readVariance(self, bbox: Box2I | None = None) -> ImageF:
        """Return the variance plane, as in the LSST stack."""
        return self._part(bbox).getVariance()


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
        return self._whole.getWcs()

    def readPsf(self) -> Psf | None:
        """Return the PSF, None if there is none."""
        return self._whole.getPsf()

    def readPhotoCalib(self) -> PhotoCalib | None:
        """Return the photometric calibration, or None."""
        return self._whole.getPhotoCalib()

    def readFilter(self) -> Filter:
        """Return the filter, as in the LSST stack."""
        return self._whole.getFilter()

    def readVisitInfo(self) -> VisitInfo | None:
        """Return when and where it was taken, or None."""
        return self._whole.getInfo().getVisitInfo()

    def readExposureInfo(self) -> ExposureInfo:
        """Return what is attached to the exposure."""
        return self._whole.getInfo()


class MaskedImageFitsReader(_PlanesReader):
    """Reads the three planes of a FITS file."""

    def read(self, bbox: Box2I | None = None) -> MaskedImageF:
        """Return the planes, or the part of them in a box."""
        return self._part(bbox).getMaskedImage()
