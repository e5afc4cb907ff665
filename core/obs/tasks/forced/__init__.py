"""Fluxes at given positions, whether or not anything was detected there."""
