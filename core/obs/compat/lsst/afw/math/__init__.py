"""Backgrounds, in the stack's words."""

from obs.compat.lsst.afw.image.image import ImageF
from obs.image.background import Background, total_background

__all__ = ["BackgroundList"]


class BackgroundList(list[Background]):
    """Backgrounds that were subtracted one after the other."""

    def getImage(self) -> ImageF:
        """Return the sum of all of them, of every pixel."""
        return ImageF(total_background(self))
