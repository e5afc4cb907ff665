"""Backgrounds, fields and statistics, in the stack's words."""

from obs.compat.lsst.absent import refuse
from obs.compat.lsst.afw.math.background import (
    Background,
    BackgroundControl,
    BackgroundList,
    BackgroundMI,
    Interpolate,
    makeBackground,
)
from obs.compat.lsst.afw.math.bounded_field import BoundedField
from obs.compat.lsst.afw.math.stack import statisticsStack
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
    "Background",
    "BackgroundControl",
    "BackgroundList",
    "BackgroundMI",
    "BoundedField",
    "ChebyshevBoundedField",
    "Interpolate",
    "Statistics",
    "StatisticsControl",
    "binImage",
    "flipImage",
    "makeBackground",
    "makeStatistics",
    "rotateImageBy90",
    "statisticsStack",
    "stringToStatisticsProperty",
]

ChebyshevBoundedField = BoundedField


__getattr__ = refuse(__name__)
