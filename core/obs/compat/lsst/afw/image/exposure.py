"""Exposures: planes of pixels with all that is known about them."""

from pathlib import Path
from typing import Any, Self

import numpy as np

from obs.compat.lsst.afw.cameraGeom import Detector
from obs.compat.lsst.afw.geom.box import Box2I
from obs.compat.lsst.afw.geom.point import Extent2I, Point2D, Point2I
from obs.compat.lsst.afw.image.attached import ApCorrMap, CoaddInputs, Polygon
from obs.compat.lsst.afw.image.calib import Calib, Filter, PhotoCalib
from obs.compat.lsst.afw.image.detector_of_file import find_detector
from obs.compat.lsst.afw.image.image import ImageF
from obs.compat.lsst.afw.image.mask import Mask
from obs.compat.lsst.afw.image.masked_image import MaskedImageF
from obs.compat.lsst.afw.image.pixels import LOCAL, PARENT, Pixels, find_place, local_box
from obs.compat.lsst.afw.image.psf import Psf
from obs.compat.lsst.afw.image.transmission_curve import TransmissionCurve
from obs.compat.lsst.afw.image.visit_info import VisitInfo
from obs.compat.lsst.afw.image.wcs import SkyWcs
from obs.compat.lsst.daf.base import PropertyList
from obs.image import exposure as own
from obs.image import masked_image as own_planes
from obs.repo.fits_exposure import read_exposure, write_exposure

__all__ = ["ExposureD", "ExposureF", "ExposureI", "ExposureInfo", "ExposureU", "makeExposure"]


class ExposureF(Pixels):
    """A masked image with WCS, PSF, zero point and metadata.

    Parameters
    ----------
    source : ExposureF, obs.image.exposure.Exposure, MaskedImageF, Box2I, Extent2I, int, str or Path
        An exposure, of which this is a view; planes; the box or size of an empty one; or a FITS file.
    box : int, Box2I or SkyWcs, optional
        Height; the part that is wanted; or the WCS of planes.
    origin : str, optional
        How the box counts: ``PARENT`` or ``LOCAL``.
    deep : bool, optional
        Copy pixels and metadata.
    detector : Detector, optional
        The detector, where the camera is known.
    """

    def __init__(
        self,
        source: Any,  # noqa: ANN401 - as the docstring says
        box: Any = None,  # noqa: ANN401 - as the docstring says
        origin: str = PARENT,
        deep: bool = False,
        detector: Detector | None = None,
    ) -> None:
        exposure = _own(source, box)
        place = Point2I(*exposure.origin)
        if isinstance(source, Pixels | Box2I):
            place = source.getXY0() if isinstance(source, Pixels) else source.getMin()
        super().__init__(exposure.shape, place)
        if isinstance(box, Box2I):
            found = local_box(self, box, origin)
            exposure = exposure.cutout(found)
            super().__init__(exposure.shape, self.getXY0() + Extent2I(found.x_min, found.y_min))
        self._detector: Detector | None = source._detector if isinstance(source, ExposureF) else detector
        self._path = Path(source) if isinstance(source, str | Path) else getattr(source, "_path", None)
        self._is_detector_known = getattr(source, "_is_detector_known", False) or detector is not None
        #: The exposure of `obs`, which holds everything.
        self.exposure = exposure.copy() if deep else exposure
        if isinstance(box, SkyWcs):
            self.setWcs(box)

    # The pixels

    def getMaskedImage(self) -> MaskedImageF:
        """Return image, mask and variance, as views."""
        planes = MaskedImageF(self.exposure.masked_image)
        planes.setXY0(self.getXY0())
        return planes

    def getImage(self) -> ImageF:
        """Return the image, as a view."""
        return self.getMaskedImage().getImage()

    def getMask(self) -> Mask:
        """Return the mask, as a view."""
        return self.getMaskedImage().getMask()

    def getVariance(self) -> ImageF:
        """Return the variance, as a view."""
        return self.getMaskedImage().getVariance()

    def setMaskedImage(self, planes: MaskedImageF) -> None:
        """Set image, mask and variance."""
        self.exposure = self.exposure.with_pixels(planes.planes)

    def placed(self) -> own.Exposure:
        """Return the exposure of `obs`, with its place in the parent image as it was set here."""
        place = self.getX0(), self.getY0()
        if place == self.exposure.origin:
            return self.exposure
        moved = self.exposure.with_pixels(self.exposure.masked_image)
        moved.origin = place
        return moved

    # What is known about them

    def getMetadata(self) -> PropertyList:
        """Return the metadata; what is set there is set here. The zero point counts as FLUXMAG0."""
        calib = self.exposure.photo_calib
        fixed = {} if calib is None else {"FLUXMAG0": calib.flux_mag0, "FLUXMAG0ERR": calib.flux_mag0_err}
        return PropertyList(self.exposure.metadata, fixed)

    def setMetadata(self, metadata: Any) -> None:  # noqa: ANN401 - a mapping
        """Set the metadata, as in the LSST stack."""
        values = dict(metadata.toDict() if hasattr(metadata, "toDict") else metadata)
        self.exposure.metadata.clear()
        self.exposure.metadata.update(values)

    def containsSkyCoords(self, ra: Any, dec: Any, padding: float = 0) -> Any:  # noqa: ANN401 - quantities with units
        """Return which positions on the sky are on the pixels; all false without a WCS.

        Parameters
        ----------
        ra, dec : Quantity
            Positions.
        padding : float, optional
            So many pixels beyond the border count, too.
        """
        longitude, latitude = (np.atleast_1d(angle.to_value("deg")) for angle in (ra, dec))
        wcs = self.exposure.wcs
        if wcs is None:
            return np.zeros(longitude.shape, bool)
        x, y = wcs.sky_to_pixel(ra=longitude, dec=latitude)
        low = -0.5 - padding
        return (x >= low) & (x < self.getWidth() - 0.5 + padding) & (y >= low) & (y < self.getHeight() - 0.5 + padding)

    def getConvexPolygon(self, padding: float = 10) -> Any:  # noqa: ANN401 - of another package
        """Return the corners of the image on the sky.

        Parameters
        ----------
        padding : float, optional
            So many pixels beyond the border are inside, too.

        Returns
        -------
        lsst.sphgeom.ConvexPolygon
            Of the package lsst-sphgeom (``pip install obs[gen3]``); None without a WCS.
        """
        from lsst.sphgeom import ConvexPolygon, LonLat, UnitVector3d  # noqa: PLC0415 - an optional package

        wcs = self.exposure.wcs
        if wcs is None:
            return None
        low, x, y = -0.5 - padding, self.getWidth() - 0.5 + padding, self.getHeight() - 0.5 + padding
        corners = wcs.pixel_to_sky(x=np.array([low, x, x, low]), y=np.array([low, low, y, y]))
        return ConvexPolygon([UnitVector3d(LonLat.fromDegrees(*map(float, at))) for at in zip(*corners, strict=True)])

    @property
    def convex_polygon(self) -> Any:  # noqa: ANN401 - of another package
        """The corners of the image on the sky, with 10 pixels more on each side."""
        return self.getConvexPolygon()

    def hasWcs(self) -> bool:
        """Return whether there is a WCS."""
        return self.exposure.wcs is not None

    def getWcs(self) -> SkyWcs | None:
        """Return the WCS, or None; its pixels are those of the parent image, as in the stack."""
        wcs = self.exposure.wcs
        return None if wcs is None else SkyWcs(wcs.shifted(x=-self.getX0(), y=-self.getY0()))

    def setWcs(self, wcs: SkyWcs | None) -> None:
        """Set the WCS, as in the LSST stack."""
        self.exposure.wcs = None if wcs is None else wcs.own.shifted(x=self.getX0(), y=self.getY0())

    def hasPsf(self) -> bool:
        """Return whether there is a PSF."""
        return self.exposure.psf is not None

    def getPsf(self) -> Psf | None:
        """Return the PSF, or None; positions are those of the parent image, as in the stack."""
        return None if self.exposure.psf is None else Psf(self.exposure.psf, self.getBBox())

    def setPsf(self, psf: Psf | None) -> None:
        """Set the PSF, as in the LSST stack."""
        self.exposure.psf = None if psf is None else psf.own

    def getPhotoCalib(self) -> PhotoCalib | None:
        """Return the zero point, or None; positions are those of the parent image, as in the stack."""
        calib = self.exposure.photo_calib
        return None if calib is None else PhotoCalib(calib.shifted(x=-self.getX0(), y=-self.getY0()))

    def getCalib(self) -> Calib | None:
        """Return the zero point in the words of older stacks, or None."""
        found = self.getPhotoCalib()
        return None if found is None else Calib(found.own)

    def setPhotoCalib(self, calib: PhotoCalib | None) -> None:
        """Set the zero point, as in the LSST stack."""
        self.exposure.photo_calib = None if calib is None else calib.own.shifted(x=self.getX0(), y=self.getY0())

    setCalib = setPhotoCalib

    def getFilter(self) -> Filter:
        """Return the filter, as in the LSST stack."""
        return Filter(self.exposure.physical_filter)

    getFilterLabel = getFilter

    def setFilter(self, filter: Filter | None) -> None:
        """Set the filter, as in the LSST stack."""
        self.exposure.physical_filter = "" if filter is None else filter.getName()

    setFilterLabel = setFilter

    def setDetector(self, detector: Detector | None) -> None:
        """Set the detector, as in the LSST stack."""
        self._detector, self._is_detector_known = detector, True
        self.exposure.detector_name = "" if detector is None else detector.getName()

    def getDetector(self) -> Detector | None:
        """Return the detector; that of a file is looked for in the camera of the repository around it."""
        if not self._is_detector_known and self.exposure.detector_name:
            self._detector, self._is_detector_known = find_detector(self._path, self.exposure.detector_name), True
        return self._detector

    def getInfo(self) -> "ExposureInfo":
        """Return what is known besides the pixels."""
        return ExposureInfo(self)

    image, mask, variance = property(getImage), property(getMask), property(getVariance)
    maskedImage, metadata, info = property(getMaskedImage), property(getMetadata), property(getInfo)
    wcs, psf, photoCalib, detector = property(getWcs), property(getPsf), property(getPhotoCalib), property(getDetector)
    filter, filterLabel = property(getFilter), property(getFilterLabel)

    # The whole

    def clone(self) -> Self:
        """Return an exposure with its own pixels and metadata."""
        return type(self)(self, deep=True)

    def Factory(self, *arguments: Any, **keywords: Any) -> Self:
        """Make an exposure, as in the LSST stack."""
        return type(self)(*arguments, **keywords)

    def __getitem__(self, place: Any) -> Self:  # noqa: ANN401 - a box, or slices
        found = find_place(self, place)
        if not isinstance(found, Box2I):
            raise TypeError("an exposure has no single pixels; ask its image, mask or variance")
        return type(self)(self, found, LOCAL)

    def subset(self, box: Box2I, origin: str = PARENT) -> Self:
        """Return a part of the exposure, as a view."""
        return type(self)(self, box, origin)

    def convertF(self) -> Self:
        """Return a copy; its pixels are 32-bit floats already."""
        return self.clone()

    def getCutout(self, center: Any, size: Any) -> Self:  # noqa: ANN401 - a position or a pixel; any pair
        """Return a copy of the pixels around a position on the sky or in the image.

        Raises
        ------
        ValueError
            If the exposure has no WCS to find the position with, or the middle is outside of it.
        """
        wcs = self.getWcs()
        if not isinstance(center, Point2D | Point2I):
            if wcs is None:
                raise ValueError("the exposure has no WCS, so that a position on the sky cannot be found")
            center = wcs.skyToPixel(center)
        middle, extent = Point2I(round(center[0]), round(center[1])), Extent2I(size)
        if not self.getBBox().contains(middle):
            raise ValueError(f"{middle} is outside of the exposure, whose pixels are {self.getBBox()}")
        box = Box2I(Point2I(middle.x - extent.x // 2, middle.y - extent.y // 2), extent)
        box.clip(self.getBBox())
        return type(self)(self, box, deep=True)

    def writeFits(self, path: str | Path) -> None:
        """Write the exposure to a FITS file."""
        write_exposure(self.placed(), path)

    @classmethod
    def readFits(cls, path: str | Path) -> Self:
        """Read a FITS file, as in the LSST stack."""
        return cls(path)


#: Questions about what is known whose answers are methods of the exposure.
_HAS = ("hasWcs", "hasPsf", "hasPhotoCalib", "hasDetector", "hasFilter", "hasFilterLabel")
ExposureD = ExposureI = ExposureU = ExposureF


class ExposureInfo:
    """What is known about an exposure besides its pixels.

    Parameters
    ----------
    exposure : ExposureF
        The exposure.
    """

    def __init__(self, exposure: ExposureF) -> None:
        self.getWcs, self.getPsf, self.getPhotoCalib = exposure.getWcs, exposure.getPsf, exposure.getPhotoCalib
        self.getFilter, self.getDetector = exposure.getFilter, exposure.getDetector
        self.getFilterLabel = exposure.getFilterLabel
        self.getMetadata = exposure.getMetadata
        self._exposure = exposure

    def getVisitInfo(self) -> VisitInfo | None:
        """Return when, where and how the exposure was taken, or None."""
        visit_info = self._exposure.exposure.visit_info
        return None if visit_info is None else VisitInfo(visit_info)

    def getId(self) -> int:
        """Return the number of the exposure, 0 if it is not known."""
        visit_info = self.getVisitInfo()
        return 0 if visit_info is None else visit_info.getExposureId()

    def getApCorrMap(self) -> ApCorrMap | None:
        """Return the aperture corrections that the stack attached, or None."""
        own = self._attached("apCorrMap")
        return None if own is None else ApCorrMap(own)

    def getCoaddInputs(self) -> CoaddInputs | None:
        """Return the exposures that the stack made a coadd of, or None."""
        own = self._attached("coaddInputs")
        return None if own is None else CoaddInputs(own, getattr(self._exposure.exposure.attached, "path", None))

    def getTransmissionCurve(self) -> TransmissionCurve | None:
        """Return the transmission curve that the stack attached, or None."""
        own = self._attached("transmissionCurve")
        return None if own is None else TransmissionCurve(own)

    def getValidPolygon(self) -> Polygon | None:
        """Return the valid part that the stack attached, or None."""
        corners = self._attached("validPolygon")
        return None if corners is None else Polygon(corners)

    def _attached(self, name: str) -> Any:  # noqa: ANN401 - any object
        attached = self._exposure.exposure.attached
        return attached.get(name)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - a method
        if (name.startswith("has") and hasattr(type(self), f"get{name[3:]}")) or name in _HAS:
            return lambda: getattr(self, f"get{name[3:]}")() is not None
        raise AttributeError(f"'ExposureInfo' has no attribute '{name}'")


def _own(source: Any, height: Any) -> own.Exposure:  # noqa: ANN401 - as ExposureF says
    """Return the exposure of `obs` for whatever one can be made of."""
    match source:
        case ExposureF():
            return source.exposure
        case own.Exposure():
            return source
        case own_planes.MaskedImage():
            return own.Exposure(source)
        case str() | Path():
            return read_exposure(source)
        case MaskedImageF():
            return own.Exposure(source.planes)
        case _:
            return own.Exposure(MaskedImageF(source, None if isinstance(height, Box2I | SkyWcs) else height).planes)


def makeExposure(planes: MaskedImageF, wcs: SkyWcs | None = None) -> ExposureF:
    """Return an exposure of planes, which it shares, with a WCS.

    Parameters
    ----------
    planes : MaskedImageF
        Image, mask and variance.
    wcs : SkyWcs, optional
        Of the pixels of the parent image.
    """
    return ExposureF(planes, wcs)
