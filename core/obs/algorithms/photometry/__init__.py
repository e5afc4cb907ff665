"""Bring fluxes to one aperture, and apertures to magnitudes."""
