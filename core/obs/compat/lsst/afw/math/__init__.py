"""Backgrounds, fields and statistics, in the stack's words."""

from obs.compat.lsst.absent import refuse
from obs.compat.lsst.afw.image.image import ImageF
from obs.compat.lsst.afw.math.bounded_field import BoundedField
from obs.compat.lsst.afw.math.statistics import (
    ERRORS,
    IQRANGE,
    MAX,
    MEAN,
    MEANCLIP,
    MEANSQUARE,
    MEDIAN,
    MIN,
    NPOINT,
    STDEV,
    STDEVCLIP,
    SUM,
    VARIANCE,
    VARIANCECLIP,
    Statistics,
    StatisticsControl,
    makeStatistics,
    stringToStatisticsProperty,
)
from obs.compat.lsst.afw.math.turned import binImage, flipImage, rotateImageBy90
from obs.image.background import Background, total_background

__all__ = [
    "ERRORS",
    "IQRANGE",
    "MAX",
    "MEAN",
    "MEANCLIP",
    "MEANSQUARE",
    "MEDIAN",
    "MIN",
    "NPOINT",
    "STDEV",
    "STDEVCLIP",
    "SUM",
    "VARIANCE",
    "VARIANCECLIP",
    "BackgroundList",
    "BoundedField",
    "ChebyshevBoundedField",
    "Statistics",
    "StatisticsControl",
    "binImage",
    "flipImage",
    "makeStatistics",
    "rotateImageBy90",
    "stringToStatisticsProperty",
]

ChebyshevBoundedField = BoundedField


class BackgroundList(list[Background]):
    """Backgrounds that were subtracted one after the other."""

    def getImage(self) -> ImageF:
        """Return the sum of all of them, of every pixel."""
        return ImageF(total_background(self))


__getattr__ = refuse(__name__)
