"""Images in DS9, and mosaics of many images."""

from obs.compat.lsst.afw.display import ds9, utils

__all__ = ["ds9", "utils"]
