"""Point-spread functions, in the place where the stack has them."""

from obs.compat.lsst.afw.image.psf import Psf

__all__ = ["Psf"]
