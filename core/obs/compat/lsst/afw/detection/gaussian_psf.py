"""PSFs with a Gaussian profile, in the stack's words."""

import numpy as np

from obs.compat.lsst.afw.geom.box import Box2I
from obs.compat.lsst.afw.geom.point import Extent2I, Point2I
from obs.compat.lsst.afw.image.psf import Psf
from obs.image.psf import PixelPsf

__all__ = ["DoubleGaussianPsf", "GaussianPsf"]


class DoubleGaussianPsf(Psf):
    """The sum of two Gaussians, the same everywhere.

    Parameters
    ----------
    width, height : int
        Size of the stamps, pixels, odd.
    sigma1, sigma2 : float
        Widths, pixels.
    b : float, optional
        Height of the second one, in that of the first.
    """

    def __init__(self, width: int, height: int, sigma1: float = 1.0, sigma2: float = 1.0, b: float = 0.0) -> None:
        x, y = (np.arange(size) - size // 2 for size in (width, height))
        square = np.square(x) + np.square(y)[:, None]
        profile = np.exp(-0.5 * square / sigma1**2) + b * np.exp(-0.5 * square / sigma2**2)
        own = PixelPsf((profile / profile.sum()).astype(np.float32)[None], 0, stamp_shape=(height, width))
        super().__init__(own, Box2I(Point2I(0, 0), Extent2I(1, 1)))
        self._sigma = sigma1

    def getSigma(self) -> float:
        """Return the width of the (first) Gaussian, pixels."""
        return self._sigma


class GaussianPsf(DoubleGaussianPsf):
    """A Gaussian, the same everywhere.

    Parameters
    ----------
    width, height : int
        Size of the stamps, pixels, odd.
    sigma : float
        Its width, pixels.
    """

    def __init__(self, width: int, height: int, sigma: float) -> None:
        super().__init__(width, height, sigma)
