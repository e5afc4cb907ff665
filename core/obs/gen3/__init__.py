"""Cameras for the third-generation LSST stack."""
