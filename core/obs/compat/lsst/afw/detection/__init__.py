"""Point-spread functions and footprints, in the place where the stack has them."""

from obs.compat.lsst.absent import refuse
from obs.compat.lsst.afw.detection.footprint import Footprint, PeakRecord
from obs.compat.lsst.afw.image.psf import Psf

__all__ = ["Footprint", "HeavyFootprintF", "PeakRecord", "Psf"]

HeavyFootprintF = Footprint

__getattr__ = refuse(__name__)
