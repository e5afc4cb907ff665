"""Pictures of images: mosaics are made, a display is not there yet."""

from obs.compat.lsst.afw.display import ds9, utils

__all__ = ["ds9", "utils"]
