"""Images in DS9, and mosaics of many images."""

from obs.compat.lsst.afw.display import ds9, utils
from obs.compat.lsst.afw.display.display import (
    Display,
    getDefaultBackend,
    getDisplay,
    setDefaultBackend,
    setDefaultMaskPlaneColor,
    setDefaultMaskTransparency,
)
from obs.compat.lsst.afw.display.ds9 import BLACK, BLUE, CYAN, GREEN, MAGENTA, ORANGE, RED, WHITE, YELLOW

__all__ = [
    "BLACK",
    "BLUE",
    "CYAN",
    "GREEN",
    "MAGENTA",
    "ORANGE",
    "RED",
    "WHITE",
    "YELLOW",
    "Display",
    "ds9",
    "getDefaultBackend",
    "getDisplay",
    "setDefaultBackend",
    "setDefaultMaskPlaneColor",
    "setDefaultMaskTransparency",
    "utils",
]
