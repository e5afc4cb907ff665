"""Images, masks, exposures, and what is known about them."""

from obs.compat.lsst.afw.fits import readMetadata
from obs.compat.lsst.afw.image import utils
from obs.compat.lsst.afw.image.attached import ApCorrMap, CoaddInputs
from obs.compat.lsst.afw.image.calib import (
    Calib,
    Filter,
    FilterLabel,
    PhotoCalib,
    abMagErrFromFluxErr,
    abMagFromFlux,
    fluxErrFromABMagErr,
    fluxFromABMag,
)
from obs.compat.lsst.afw.image.decorated_image import DecoratedImageD, DecoratedImageF, DecoratedImageI, DecoratedImageU
from obs.compat.lsst.afw.image.exposure import ExposureD, ExposureF, ExposureI, ExposureInfo, ExposureU, makeExposure
from obs.compat.lsst.afw.image.image import (
    LOCAL,
    PARENT,
    Image,
    ImageD,
    ImageF,
    ImageI,
    ImageU,
    makeImageFromArray,
)
from obs.compat.lsst.afw.image.index import X, Y, indexToPosition, positionToIndex
from obs.compat.lsst.afw.image.mask import Mask, MaskU, MaskX
from obs.compat.lsst.afw.image.masked_image import (
    MaskedImageD,
    MaskedImageF,
    MaskedImageI,
    MaskedImageU,
    makeMaskedImage,
)
from obs.compat.lsst.afw.image.readers import (
    ExposureFitsReader,
    ImageFitsReader,
    MaskedImageFitsReader,
    bboxFromMetadata,
)
from obs.compat.lsst.afw.image.transmission_curve import TransmissionCurve
from obs.compat.lsst.afw.image.visit_info import VisitInfo
from obs.compat.lsst.afw.image.wcs import SkyWcs, TanWcs, Wcs, makeWcs

__all__ = [
    "LOCAL",
    "PARENT",
    "ApCorrMap",
    "Calib",
    "CoaddInputs",
    "DecoratedImageD",
    "DecoratedImageF",
    "DecoratedImageI",
    "DecoratedImageU",
    "ExposureD",
    "ExposureF",
    "ExposureFitsReader",
    "ExposureI",
    "ExposureInfo",
    "ExposureU",
    "Filter",
    "FilterLabel",
    "Image",
    "ImageD",
    "ImageF",
    "ImageFitsReader",
    "ImageI",
    "ImageU",
    "Mask",
    "MaskU",
    "MaskX",
    "MaskedImageD",
    "MaskedImageF",
    "MaskedImageFitsReader",
    "MaskedImageI",
    "MaskedImageU",
    "PhotoCalib",
    "SkyWcs",
    "TanWcs",
    "TransmissionCurve",
    "VisitInfo",
    "Wcs",
    "X",
    "Y",
    "abMagErrFromFluxErr",
    "abMagFromFlux",
    "bboxFromMetadata",
    "fluxErrFromABMagErr",
    "fluxFromABMag",
    "indexToPosition",
    "makeExposure",
    "makeImageFromArray",
    "makeMaskedImage",
    "makeWcs",
    "positionToIndex",
    "readMetadata",
    "utils",
]
