"""Images on the pixels of another WCS, in the stack's words."""

import re
from dataclasses import dataclass
from typing import Any

import numpy as np

from obs.algorithms.coadd.position_map import map_positions
from obs.algorithms.coadd.resample import ResamplingKernel, resample_rows
from obs.algorithms.pixels.grow import grow
from obs.algorithms.psf.width import half_maximum_width
from obs.coadds.warp import frame_transform, warped_psf
from obs.compat.lsst.afw.geom.box import Box2I
from obs.compat.lsst.afw.geom.point import Extent2I, Point2I
from obs.compat.lsst.afw.image.exposure import ExposureF
from obs.compat.lsst.afw.image.image import ImageF
from obs.compat.lsst.afw.image.masked_image import MaskedImageF
from obs.compat.lsst.afw.image.wcs import SkyWcs
from obs.geom import Box

__all__ = ["Warper", "WarpingControl", "warpExposure", "warpImage"]

#: Bit by which pixels that no kernel reaches, or only with pixels that are not numbers, are told from others.
_OUTSIDE = 1 << 30
_HALF = 0.5  # pixels from the center of a pixel to its border


@dataclass
class WarpingControl:
    """Settings with which images are warped.

    Parameters
    ----------
    warpingKernelName : str, optional
        ``lanczos3``, with any number from 2 to 9.
    maskWarpingKernelName : str, optional
        Has no effect: bits of masks are those of the nearest pixel.
    """

    warpingKernelName: str = "lanczos3"
    maskWarpingKernelName: str = ""

    def kernel(self) -> ResamplingKernel:
        """Return the kernel of `obs`.

        Raises
        ------
        ValueError
            If it is not a Lanczos kernel.
        """
        match = re.fullmatch("lanczos([2-9])", self.warpingKernelName)
        if match is None:
            raise ValueError(f"images are warped with lanczos2 to lanczos9 here, not with '{self.warpingKernelName}'")
        return ResamplingKernel("lanczos", int(match[1]))


class Warper:
    """Warps images, as in the LSST stack.

    Parameters
    ----------
    warpingKernelName : str, optional
        See `WarpingControl`.
    """

    def __init__(self, warpingKernelName: str = "lanczos3", *_: Any, **__: Any) -> None:
        self._control = WarpingControl(warpingKernelName)

    def getWarpingKernel(self) -> ResamplingKernel:
        """Return the kernel of `obs`."""
        return self._control.kernel()

    def warpExposure(
        self,
        destWcs: SkyWcs,
        srcExposure: ExposureF,
        border: int = 0,
        maxBBox: Box2I | None = None,
        destBBox: Box2I | None = None,
    ) -> ExposureF:
        """Return an exposure on the pixels of a WCS; see `warpExposure`.

        Parameters
        ----------
        destWcs : SkyWcs
            WCS of the result.
        srcExposure : ExposureF
            The exposure.
        border : int, optional
            Pixels around it.
        maxBBox : Box2I, optional
            What is outside of this box is left out.
        destBBox : Box2I, optional
            Pixels of the result; those around the exposure if absent.
        """
        box = destBBox or _box_around(destWcs, srcExposure, border)
        if destBBox is None and maxBBox is not None:
            box = Box2I(box)
            box.clip(maxBBox)
        made = ExposureF(box.getWidth(), box.getHeight())
        made.setXY0(box.getMin())
        made.setWcs(destWcs)
        warpExposure(made, srcExposure, self._control)
        return made

    def warpImage(
        self,
        destWcs: SkyWcs,
        srcImage: ImageF | MaskedImageF,
        srcWcs: SkyWcs,
        border: int = 0,
        maxBBox: Box2I | None = None,
        destBBox: Box2I | None = None,
    ) -> ImageF | MaskedImageF:
        """Return an image or planes on the pixels of a WCS; arguments as of `warpExposure`."""
        planes = srcImage if isinstance(srcImage, MaskedImageF) else MaskedImageF(srcImage)
        found = self.warpExposure(destWcs, ExposureF(planes, srcWcs), border, maxBBox, destBBox).getMaskedImage()
        return found if isinstance(srcImage, MaskedImageF) else found.getImage()


def warpExposure(destExposure: ExposureF, srcExposure: ExposureF, control: Any = None, *_: Any) -> int:  # noqa: ANN401
    """Write an exposure on the pixels of another one, and return how many of them it reaches.

    Fluxes are conserved. Bits of masks are those of the nearest pixel. Variances are such that those of sums over many
    pixels are right, so that single pixels scatter less. Pixels that the exposure does not reach are NaN, with infinite
    variance and NO_DATA. Zero point, filter and PSF are those of the exposure, the PSF on the new pixels.

    Parameters
    ----------
    destExposure : ExposureF
        What is written; its WCS and its place count.
    srcExposure : ExposureF
        The exposure.
    control : WarpingControl or str, optional
        How it is warped.

    Raises
    ------
    ValueError
        If one of both has no WCS.
    """
    target, source = destExposure.exposure, srcExposure.exposure
    if target.wcs is None or source.wcs is None:
        raise ValueError("both exposures need a WCS to be warped; set it with setWcs")
    given = WarpingControl(control) if isinstance(control, str) else control or WarpingControl()
    kernel = given.kernel()
    to_source = frame_transform(target.wcs, source.wcs)
    planes = source.masked_image
    lost = ~np.isfinite(planes.image)
    bits = planes.mask.array | np.where(grow(lost, kernel.reach), np.int32(_OUTSIDE), np.int32(0))
    image = np.where(lost, np.float32(0.0), planes.image)
    positions = map_positions(to_source, target.shape)
    mask = target.masked_image.mask
    bit_pairs = [(np.int32(1 << bit), np.int32(mask.add_plane(name))) for name, bit in planes.mask.planes.items()]
    no_data, count = mask.add_plane("NO_DATA"), 0
    for low, high, values, noise, found in resample_rows(
        image, planes.variance, bits, positions, outside=_OUTSIDE, kernel=kernel
    ):
        outside = (found & _OUTSIDE) != 0
        target.masked_image.image[low:high] = np.where(outside, np.nan, values)
        target.masked_image.variance[low:high] = np.where(outside, np.inf, noise)
        here = np.where(outside, np.int32(no_data), np.int32(0))
        for own, new in bit_pairs:
            here[~outside & ((found & own) != 0)] |= new
        mask.array[low:high] = here
        count += int(np.count_nonzero(~outside))
    target.photo_calib, target.physical_filter = source.photo_calib, source.physical_filter
    target.visit_info = source.visit_info
    if source.psf is not None and count:
        height, width = target.shape
        whole = Box(0, 0, width, height)
        middle = {"x": source.shape[1] / 2, "y": source.shape[0] / 2}
        fwhm = half_maximum_width(source.psf, **middle) * source.wcs.pixel_scale / target.wcs.pixel_scale
        target.psf = warped_psf(source.psf, to_source, whole, whole, fwhm, kernel)
    return count


def warpImage(
    destImage: ImageF | MaskedImageF,
    destWcs: SkyWcs,
    srcImage: ImageF | MaskedImageF,
    srcWcs: SkyWcs,
    control: Any = None,  # noqa: ANN401 - as of warpExposure
    *_: Any,
) -> int:
    """Write an image on the pixels of another one, and return how many of them it reaches; see `warpExposure`.

    Parameters
    ----------
    destImage, srcImage : ImageF or MaskedImageF
        What is written, and what is read.
    destWcs, srcWcs : SkyWcs
        Their WCS.
    control : WarpingControl or str, optional
        How it is warped.
    """
    both = [image if isinstance(image, MaskedImageF) else MaskedImageF(image) for image in (destImage, srcImage)]
    target, source = (ExposureF(planes, wcs) for planes, wcs in zip(both, (destWcs, srcWcs), strict=True))
    return warpExposure(target, source, control)


def _box_around(wcs: SkyWcs, exposure: ExposureF, border: int) -> Box2I:
    """Return the pixels of a WCS around an exposure.

    Raises
    ------
    ValueError
        If the exposure has no WCS.
    """
    own = exposure.getWcs()
    if own is None:
        raise ValueError("the exposure has no WCS, so that it cannot be warped")
    box = exposure.getBBox()
    x = np.array([box.getMinX() - _HALF, box.getMaxX() + _HALF])
    y = np.array([box.getMinY() - _HALF, box.getMaxY() + _HALF])
    sky = own.pixelToSkyArray(*(axis.ravel() for axis in np.meshgrid(x, y)))
    there = np.stack(wcs.skyToPixelArray(*sky))
    low, high = np.ceil(there.min(axis=1)).astype(int) - border, np.floor(there.max(axis=1)).astype(int) + border
    return Box2I(Point2I(*map(int, low)), Extent2I(*(int(size) + 1 for size in high - low)))
