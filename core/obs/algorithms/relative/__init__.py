"""Positions and magnitudes that many exposures have in common."""
