"""Point-spread functions and footprints, in the place where the stack has them."""

from obs.compat.lsst.absent import refuse
from obs.compat.lsst.afw.detection.footprint import Footprint, PeakRecord
from obs.compat.lsst.afw.detection.footprint_set import FootprintSet, Threshold
from obs.compat.lsst.afw.detection.gaussian_psf import DoubleGaussianPsf, GaussianPsf
from obs.compat.lsst.afw.image.psf import Psf

__all__ = [
    "DoubleGaussianPsf",
    "Footprint",
    "FootprintSet",
    "GaussianPsf",
    "HeavyFootprintF",
    "PeakRecord",
    "Psf",
    "Threshold",
    "createThreshold",
]

HeavyFootprintF = Footprint


def createThreshold(value: float, typeStr: str = "value", polarity: bool = True) -> Threshold:
    """Return a threshold of a type by its name, such as ``stdev``."""
    return Threshold(value, getattr(Threshold, typeStr.upper()), polarity)


__getattr__ = refuse(__name__)
