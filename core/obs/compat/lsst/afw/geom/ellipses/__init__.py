"""Ellipses by their moments, their axes, or an ellipticity and a radius."""

from obs.compat.lsst.afw.geom.ellipses.cores import Axes, BaseCore, Quadrupole
from obs.compat.lsst.afw.geom.ellipses.ellipse import Ellipse
from obs.compat.lsst.afw.geom.ellipses.ellipticity import ConformalShear, Distortion, ReducedShear
from obs.compat.lsst.afw.geom.ellipses.separable import (
    SeparableConformalShearDeterminantRadius,
    SeparableConformalShearTraceRadius,
    SeparableDistortionDeterminantRadius,
    SeparableDistortionTraceRadius,
    SeparableReducedShearDeterminantRadius,
    SeparableReducedShearTraceRadius,
)

__all__ = [
    "Axes",
    "BaseCore",
    "ConformalShear",
    "Distortion",
    "Ellipse",
    "Quadrupole",
    "ReducedShear",
    "SeparableConformalShearDeterminantRadius",
    "SeparableConformalShearTraceRadius",
    "SeparableDistortionDeterminantRadius",
    "SeparableDistortionTraceRadius",
    "SeparableReducedShearDeterminantRadius",
    "SeparableReducedShearTraceRadius",
]
