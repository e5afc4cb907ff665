"""Point-spread functions, in the stack's words."""

from typing import Any

import numpy as np

from obs.algorithms.measure.aperture_flux import measure_aperture_flux
from obs.algorithms.measure.shape import measure_shape
from obs.compat.lsst.absent import SaysWhatInstead
from obs.compat.lsst.afw.geom.box import Box2D, Box2I
from obs.compat.lsst.afw.geom.ellipses import Quadrupole
from obs.compat.lsst.afw.geom.point import Extent2I, Point2D, Point2I
from obs.compat.lsst.afw.image.image import Image, ImageD
from obs.errors import MeasurementError
from obs.image.psf import Psf as OwnPsf

__all__ = ["LocalKernel", "Psf"]


class LocalKernel:
    """The PSF at one position, as a kernel of the LSST stack.

    Parameters
    ----------
    stamp : ImageD
        Its pixels.
    """

    def __init__(self, stamp: ImageD) -> None:
        self._stamp = stamp

    def getWidth(self) -> int:
        """Return the number of columns."""
        return self._stamp.getWidth()

    def getHeight(self) -> int:
        """Return the number of rows."""
        return self._stamp.getHeight()

    def getDimensions(self) -> Extent2I:
        """Return width and height, as in the LSST stack."""
        return self._stamp.getDimensions()

    def computeImage(self, image: Image, doNormalize: bool = True) -> float:
        """Write the kernel into an image, and return the sum of its pixels.

        Parameters
        ----------
        image : Image
            An image of the size of the kernel.
        doNormalize : bool, optional
            Make the sum 1.

        Raises
        ------
        ValueError
            If the image has another size.
        """
        if image.getDimensions() != self.getDimensions():
            raise ValueError(f"the kernel has {self.getDimensions()} pixels, the image {image.getDimensions()}")
        pixels = self._stamp.getArray()
        image.getArray()[...] = pixels / pixels.sum() if doNormalize else pixels
        image.setXY0(self._stamp.getXY0())
        return 1.0 if doNormalize else float(pixels.sum())


class Psf(SaysWhatInstead):
    """A PSF, as in the LSST stack.

    Parameters
    ----------
    own : obs.image.psf.Psf
        The PSF of `obs`.
    box : Box2I
        Pixels of the image, counted in its parent as all positions are; the PSF of ``own`` counts from the first of
        them. A PSF that is asked for without a position is that of their middle.
    """

    def __init__(self, own: OwnPsf, box: Box2I) -> None:
        #: The PSF of `obs`.
        self.own = own
        self._box = box

    def getAveragePosition(self) -> Point2D:
        """Return the middle of the image."""
        return Box2D(self._box).getCenter()

    def computeKernelImage(self, position: Any = None) -> ImageD:  # noqa: ANN401 - a point
        """Return the PSF centered on the middle pixel of a stamp."""
        x, y = self._own(self._at(position))
        return self._stamp(self.own.evaluate(x=[x], y=[y])[0], Point2I(0, 0))

    def computeImage(self, position: Any = None) -> ImageD:  # noqa: ANN401 - a point
        """Return the image of a star at a position, in a stamp whose pixels are those of the frame."""
        point = self._at(position)
        x, y = self._own(point)
        return self._stamp(self.own.render(x=[x], y=[y])[0], Point2I(round(point.x), round(point.y)))

    def getLocalKernel(self, position: Any = None) -> LocalKernel:  # noqa: ANN401 - a point
        """Return the PSF at a position, as a kernel."""
        return LocalKernel(self.computeKernelImage(position))

    getKernel = getLocalKernel

    def clone(self) -> "Psf":
        """Return the PSF, which never changes."""
        return self

    def computeBBox(self, position: Any = None) -> Box2I:  # noqa: ANN401 - a point
        """Return the box of the stamp of `computeKernelImage`."""
        return self.computeKernelImage(position).getBBox()

    def computePeak(self, position: Any = None) -> float:  # noqa: ANN401 - a point
        """Return the highest pixel of a star with a flux of 1 that is in the middle of a pixel."""
        return float(self.computeKernelImage(position).getArray().max())

    def computeApertureFlux(self, radius: float, position: Any = None) -> float:  # noqa: ANN401 - a point
        """Return the share of the light of a star that is within a circle.

        Parameters
        ----------
        radius : float
            Radius, pixels.
        position : Point2D, optional
            Where the star is.
        """
        x, y = self._own(self._at(position))
        stamp = np.asarray(self.own.evaluate(x=[x], y=[y]), np.float32)
        center, inside = np.zeros(1), np.ones(stamp.shape, np.bool_)
        found = measure_aperture_flux(stamp, np.ones_like(stamp), inside, center, center, radius, sinc=True)
        return float(found.flux[0])

    def computeShape(self, position: Any = None) -> Quadrupole:  # noqa: ANN401 - a point
        """Return the adaptive moments of the PSF.

        Raises
        ------
        MeasurementError
            If it has none.
        """
        point = self._at(position)
        x, y = self._own(point)
        stamp = self.own.evaluate(x=[x], y=[y])
        shape = measure_shape(stamp, np.ones_like(stamp), np.zeros(1), np.zeros(1))
        if shape.failed[0]:
            raise MeasurementError(f"the PSF at {point} has no measurable moments")
        return Quadrupole(float(shape.xx[0]), float(shape.yy[0]), float(shape.xy[0]))

    def _at(self, position: Any) -> Point2D:  # noqa: ANN401 - a point
        return self.getAveragePosition() if position is None else Point2D(position)

    def _own(self, point: Point2D) -> tuple[float, float]:
        """Return a position counted from the first pixel of the image."""
        return point.x - self._box.getMinX(), point.y - self._box.getMinY()

    @staticmethod
    def _stamp(pixels: Any, middle: Point2I) -> ImageD:  # noqa: ANN401 - an array
        image = ImageD(np.asarray(pixels, np.float64))
        image.setXY0(middle.x - pixels.shape[1] // 2, middle.y - pixels.shape[0] // 2)
        return image

    def __repr__(self) -> str:
        return f"Psf({self.own!r})"
