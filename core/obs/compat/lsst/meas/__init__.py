"""Packages of the stack below ``lsst.meas``."""
