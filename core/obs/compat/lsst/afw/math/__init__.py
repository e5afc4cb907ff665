"""Backgrounds and fields, in the stack's words."""

from obs.compat.lsst.afw.image.image import ImageF
from obs.compat.lsst.afw.math.bounded_field import BoundedField
from obs.image.background import Background, total_background

__all__ = ["BackgroundList", "BoundedField", "ChebyshevBoundedField"]

ChebyshevBoundedField = BoundedField


class BackgroundList(list[Background]):
    """Backgrounds that were subtracted one after the other."""

    def getImage(self) -> ImageF:
        """Return the sum of all of them, of every pixel."""
        return ImageF(total_background(self))
