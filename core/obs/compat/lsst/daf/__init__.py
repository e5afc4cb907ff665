"""Packages of the stack below ``lsst.daf``."""
