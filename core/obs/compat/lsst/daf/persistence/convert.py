"""Objects of `obs` as the stack's classes, and back."""

from typing import Any

import numpy as np

from obs.camera.camera import Camera as OwnCamera
from obs.camera.detector import Detector as OwnDetector
from obs.compat.lsst.afw.cameraGeom import Camera, Detector
from obs.compat.lsst.afw.geom.box import Box2I
from obs.compat.lsst.afw.geom.point import Extent2I, Point2I
from obs.compat.lsst.afw.image import (
    ExposureF,
    Filter,
    ImageF,
    ImageI,
    Mask,
    MaskedImageF,
    PhotoCalib,
    SkyWcs,
    VisitInfo,
)
from obs.compat.lsst.afw.image.psf import Psf
from obs.compat.lsst.afw.math import BackgroundList
from obs.compat.lsst.afw.table import SourceCatalog
from obs.compat.lsst.daf.base import PropertyList, PropertySet
from obs.compat.lsst.skymap import BaseSkyMap
from obs.geom import Box
from obs.image.background import Background
from obs.image.catalog import Catalog
from obs.image.exposure import Exposure
from obs.image.mask import Mask as OwnMask
from obs.image.masked_image import MaskedImage
from obs.image.photo_calib import PhotoCalib as OwnPhotoCalib
from obs.image.psf import PixelPsf
from obs.image.visit_info import VisitInfo as OwnVisitInfo
from obs.image.wcs import TanSipWcs
from obs.skymap.sky_map import SkyMap as OwnSkyMap

__all__ = ["from_stack", "to_stack"]


def to_stack(
    value: Any,  # noqa: ANN401 - any dataset
    *,
    suffix: str = "",
    is_calibration: bool = False,
    detector: OwnDetector | None = None,
    camera: OwnCamera | None = None,
    origin: tuple[int, int] = (0, 0),
) -> Any:  # noqa: ANN401 - any dataset
    """Return an object of `obs` as the stack has it; what the stack has alike is returned as it is.

    Parameters
    ----------
    value : object
        What the Butler read.
    suffix : str, optional
        The part of a dataset that it is.
    is_calibration : bool, optional
        Whether it is a calibration frame, which the stack gives as an exposure.
    detector : Detector, optional
        The detector of an exposure.
    camera : Camera, optional
        The camera of the detector.
    origin : tuple of int, optional
        Number of the first column and row in the parent image, in which the stack counts positions.
    """
    known = None if detector is None else Detector(detector, camera=camera)
    match value:
        case Exposure():
            return ExposureF(value, detector=known)
        case MaskedImage():
            return ExposureF(value, detector=known) if is_calibration else MaskedImageF(value)
        case np.ndarray() if value.ndim == 2:
            return (ImageF if value.dtype.kind == "f" else ImageI)(value)
        case Catalog():
            return SourceCatalog(value)
        case PixelPsf():
            box = detector.bbox if detector else Box(0, 0, 1, 1)
            return Psf(value, Box2I(Point2I(*origin), Extent2I(box.width, box.height)))
        case [Background(), *_]:
            return BackgroundList(value)
        case dict():
            return PropertyList(value) if suffix == "md" or not _holds_datasets(value) else _converted(value)
        case str() if suffix == "filter":
            return Filter(value)
        case str() if suffix == "detector":
            return known
        case _:
            return _small(value, origin)


def _small(value: Any, origin: tuple[int, int]) -> Any:  # noqa: ANN401 - any part of a dataset
    x, y = origin
    match value:
        case TanSipWcs():
            return SkyWcs(value.shifted(x=-x, y=-y))
        case OwnPhotoCalib():
            return PhotoCalib(value.shifted(x=-x, y=-y))
        case OwnVisitInfo():
            return VisitInfo(value)
        case OwnMask():
            return Mask(value)
        case Box():
            return Box2I.from_box(Box(value.x_min + x, value.y_min + y, value.width, value.height))
        case OwnCamera():
            return Camera(value)
        case OwnSkyMap():
            return BaseSkyMap(value)
        case _:
            return value


def _holds_datasets(value: dict[str, Any]) -> bool:
    return any(isinstance(part, Exposure | MaskedImage | Catalog) for part in value.values())


def _converted(value: dict[str, Any]) -> dict[str, Any]:
    """Return the parts of a composite as the stack has them."""
    return {name: to_stack(part) for name, part in value.items()}


def from_stack(value: Any) -> Any:  # noqa: ANN401 - any dataset
    """Return an object of the stack's classes as `obs` has it; other objects as they are."""
    match value:
        case ExposureF():
            return value.placed()
        case MaskedImageF():
            return value.planes
        case ImageF() | ImageI():
            return value.getArray()
        case SourceCatalog():
            return value.catalog
        case BackgroundList():
            return [item.own for item in value]
        case Psf() | SkyWcs() | PhotoCalib() | VisitInfo() | BaseSkyMap():
            return value.own
        case PropertySet():
            return value.toDict()
        case _:
            return value
