"""What is drawn of an object: pixels, mask, place on the sky, and words."""

from collections.abc import Sequence
from dataclasses import field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from obs.display.binning import bin_image, bin_mask, bin_step
from obs.errors import DatasetNotFoundError
from obs.frozen import frozen
from obs.geom import Box
from obs.image.background import Background, total_background
from obs.image.catalog import Catalog
from obs.image.exposure import Exposure
from obs.image.mask import Mask
from obs.image.masked_image import MaskedImage
from obs.image.psf import PixelPsf
from obs.image.wcs import TanSipWcs

__all__ = ["Outline", "View", "make_view"]


@frozen
class Outline:
    """A box that is drawn over an image.

    Parameters
    ----------
    box : Box
        Pixels of the image.
    color : str
        A name of a color.
    label : str, optional
        Words in the legend, once for all boxes that have them.
    text : str, optional
        Words in the middle of the box.
    """

    box: Box
    color: str
    label: str = ""
    text: str = ""


@frozen
class View:
    """An image as it is drawn.

    Parameters
    ----------
    image : ndarray of float32, shape (ny, nx)
        Pixel values.
    title : str, optional
        Words above the image.
    unit : str, optional
        Unit of the pixel values; empty where not known.
    quantity : str, optional
        What the pixel values are; empty where there is only a mask.
    mask : Mask, optional
        Mask of the same shape.
    wcs : TanSipWcs, optional
        Pixel to sky, for pixels counted from 0 at the first one of `image`.
    x_min, y_min : int, optional
        Number of the first column and row, on the axes.
    outlines : sequence of Outline, optional
        Boxes, for pixels counted as on the axes.
    limits_from : ndarray, optional
        Pixels whose values decide what is black and white, unless the image is binned; those of `image` if absent.
    step : int, optional
        How many pixels a side of the original each pixel of `image` and `mask` stands for. Everything else counts
        pixels of the original.
    full_shape : tuple of int, optional
        Shape (ny, nx) of the original; that of `image` if absent.
    zero_point : float, optional
        Magnitude of a pixel value of 1; NaN where not known.
    scale : str, optional
        Scale that suits the image; see `obs.display.look.Look`.
    """

    image: NDArray[np.float32]
    title: str = ""
    unit: str = ""
    quantity: str = "pixel value"
    mask: Mask | None = None
    wcs: TanSipWcs | None = None
    x_min: int = 0
    y_min: int = 0
    outlines: Sequence[Outline] = field(default_factory=tuple)
    limits_from: NDArray[np.float32] | None = None
    step: int = 1
    full_shape: tuple[int, int] = (0, 0)
    zero_point: float = float("nan")
    scale: str = "zscale"

    def __post_init__(self) -> None:
        if self.full_shape == (0, 0):
            object.__setattr__(self, "full_shape", self.shape)

    @property
    def shape(self) -> tuple[int, int]:
        """Shape (ny, nx) of the pixel array."""
        return self.image.shape[0], self.image.shape[1]

    def cut(self, box: Box) -> "View":
        """Return the part in a box of pixels, counted as on the axes; what is outside of the image is left out.

        Parameters
        ----------
        box : Box
            Pixels as counted on the axes, so that the first one of a cutout need not be 0.

        Raises
        ------
        DatasetNotFoundError
            If the box is outside of the image.
        """
        whole = Box(self.x_min, self.y_min, self.shape[1], self.shape[0])
        inside = whole.intersection(box)
        if inside.is_empty:
            raise DatasetNotFoundError(
                f"x {box.x_min} to {box.x_max - 1}, y {box.y_min} to {box.y_max - 1} is outside of the image with "
                f"x {whole.x_min} to {whole.x_max - 1}, y {whole.y_min} to {whole.y_max - 1}"
            )
        x, y = inside.x_min - self.x_min, inside.y_min - self.y_min
        slices = Box(x, y, inside.width, inside.height).slices
        return replace(
            self,
            image=self.image[slices],
            mask=None if self.mask is None else Mask(self.mask.array[slices], self.mask.planes),
            wcs=None if self.wcs is None else self.wcs.shifted(x=x, y=y),
            x_min=inside.x_min,
            y_min=inside.y_min,
            limits_from=self.image if self.limits_from is None else self.limits_from,
            full_shape=inside.shape,
        )

    def data_box(self) -> Box:
        """Return the smallest box with all pixels that have data, counted as on the axes; all of an empty image."""
        has_data = np.isfinite(self.image)
        if self.mask is not None and "NO_DATA" in self.mask.planes:
            has_data &= ~self.mask.any("NO_DATA")
        x, y = np.flatnonzero(has_data.any(axis=0)), np.flatnonzero(has_data.any(axis=1))
        if not x.size:
            return Box(self.x_min, self.y_min, self.shape[1], self.shape[0])
        width, height = int(x[-1] - x[0]) + 1, int(y[-1] - y[0]) + 1
        return Box(self.x_min + int(x[0]), self.y_min + int(y[0]), width, height)

    def binned(self, largest: int) -> "View":
        """Return the image with ``largest`` pixels a side at most, means of the original ones.

        Parameters
        ----------
        largest : int
            Largest allowed number of binned pixels along an axis.
        """
        return self.binned_by(bin_step(self.shape, largest))

    def binned_by(self, step: int) -> "View":
        """Return the image with ``step`` pixels a side in one; see `obs.display.binning`.

        Parameters
        ----------
        step : int
            Side of a block, pixels.
        """
        if step == 1:
            return self
        return replace(
            self,
            image=bin_image(self.image, step),
            mask=None if self.mask is None else Mask(bin_mask(self.mask.array, step), self.mask.planes),
            step=step * self.step,
        )


def make_view(
    thing: Any,  # noqa: ANN401 - any image
    title: str = "",
    unit: str = "",
    *,
    place: tuple[float, float] | None = None,
) -> View:
    """Return how an object is drawn.

    Parameters
    ----------
    thing : Exposure, MaskedImage, Mask, ndarray, Background, list of Background, or PixelPsf
        The object.
    title, unit : str, optional
        Words above the image, and the unit of its pixels where the object does not know it.
    place : tuple of float, optional
        Position (x, y) for which a PSF is drawn, pixels; where its polynomials have their zero if absent.

    Raises
    ------
    DatasetNotFoundError
        If the object is not an image.
    """
    match thing:
        case Exposure():
            pixels = thing.masked_image
            unit = str(thing.metadata.get("BUNIT", unit or "adu"))
            zero_point = float("nan") if thing.photo_calib is None else thing.photo_calib.zero_point
            title = title or thing.detector_name
            left, low = thing.origin
            return View(
                pixels.image, title, unit, mask=pixels.mask, wcs=thing.wcs, zero_point=zero_point, x_min=left, y_min=low
            )
        case MaskedImage():
            return View(thing.image, title, unit, mask=thing.mask)
        case Mask():
            return View(np.zeros(thing.shape, np.float32), title, quantity="", mask=thing)
        case Background():
            return View(thing.image(), title, unit, "background level")
        case [Background(), *_]:
            return View(total_background(thing), title, unit, "background level")
        case PixelPsf():
            x, y = (thing.x_zero, thing.y_zero) if place is None else place
            stamp = thing.evaluate(x=[x], y=[y])[0]
            half = stamp.shape[1] // 2, stamp.shape[0] // 2
            return View(
                stamp, title, "1/pixel", "fraction of the light", x_min=-half[0], y_min=-half[1], scale="minmax"
            )
        case np.ndarray() if thing.ndim == 2 and thing.dtype.kind in "biuf":
            return View(thing.astype(np.float32, copy=False), title, unit)
        case _ if isinstance(getattr(thing, "image", None), np.ndarray):  # of a camera with readers of its own
            return make_view(thing.image, title, unit)
        case _:
            advice = "; draw its sources on their image: --sources" if isinstance(thing, Catalog) else ""
            raise DatasetNotFoundError(
                f"{title or 'this'} is not an image but {_kind(thing)}, which cannot be drawn{advice}"
            )


def _kind(thing: object) -> str:
    if isinstance(thing, np.ndarray):
        return f"an array of shape {thing.shape}, {thing.dtype}"
    return f"a {type(thing).__name__}"
