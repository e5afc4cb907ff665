"""Packages of the stack below ``lsst.afw``."""
