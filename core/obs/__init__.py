"""From raw CCD frames to calibrated images and source catalogs, for any camera."""

__all__ = ["__version__"]

__version__ = "0.1.0"
