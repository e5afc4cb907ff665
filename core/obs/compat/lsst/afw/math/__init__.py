"""Backgrounds, fields and statistics, in the stack's words."""

from obs.compat.lsst.absent import refuse
from obs.compat.lsst.afw.image.bounded_field import BoundedField
from obs.compat.lsst.afw.math.approximate import Approximate, ApproximateControl
from obs.compat.lsst.afw.math.background import (
    Background,
    BackgroundControl,
    BackgroundList,
    BackgroundMI,
    makeBackground,
)
from obs.compat.lsst.afw.math.interpolate import Interpolate, makeInterpolate, stringToInterpStyle
from obs.compat.lsst.afw.math.kernels import (
    AnalyticKernel,
    ConvolutionControl,
    DeltaFunctionKernel,
    DoubleGaussianFunction2D,
    FixedKernel,
    GaussianFunction1D,
    GaussianFunction2D,
    SeparableKernel,
    convolve,
)
from obs.compat.lsst.afw.math.offset import offsetImage
from obs.compat.lsst.afw.math.random import (
    Random,
    randomGaussianImage,
    randomPoissonImage,
    randomUniformImage,
    randomUniformIntImage,
    randomUniformPosImage,
)
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
from obs.compat.lsst.afw.math.warp import Warper, WarpingControl, warpExposure, warpImage

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
    "AnalyticKernel",
    "Approximate",
    "ApproximateControl",
    "Background",
    "BackgroundControl",
    "BackgroundList",
    "BackgroundMI",
    "BoundedField",
    "ChebyshevBoundedField",
    "ConvolutionControl",
    "DeltaFunctionKernel",
    "DoubleGaussianFunction2D",
    "FixedKernel",
    "GaussianFunction1D",
    "GaussianFunction2D",
    "Interpolate",
    "Random",
    "SeparableKernel",
    "Statistics",
    "StatisticsControl",
    "Warper",
    "WarpingControl",
    "binImage",
    "convolve",
    "flipImage",
    "makeBackground",
    "makeInterpolate",
    "makeStatistics",
    "offsetImage",
    "randomGaussianImage",
    "randomPoissonImage",
    "randomUniformImage",
    "randomUniformIntImage",
    "randomUniformPosImage",
    "rotateImageBy90",
    "statisticsStack",
    "stringToInterpStyle",
    "stringToStatisticsProperty",
    "warpExposure",
    "warpImage",
]

ChebyshevBoundedField = BoundedField
__getattr__ = refuse(__name__)
