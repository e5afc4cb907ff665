"""Many small images in one. The module has the name that it has in the stack."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from obs.compat.lsst.afw.display import ds9
from obs.compat.lsst.afw.geom.box import Box2I
from obs.compat.lsst.afw.geom.point import Extent2I, Point2I
from obs.compat.lsst.afw.image.image import ImageF
from obs.compat.lsst.afw.image.masked_image import MaskedImageF

__all__ = ["Mosaic"]


class Mosaic:
    """Puts images beside each other, in the order in which they come.

    Parameters
    ----------
    gutter : int, optional
        Pixels between images.
    background : float, optional
        Value of these pixels, and of those that no image covers.
    mode : str or int, optional
        ``square``, ``x`` (one row), ``y`` (one column), or the number of images in a row.
    """

    def __init__(self, gutter: int = 3, background: float = 0.0, mode: str | int = "square") -> None:
        self.gutter, self.background, self.mode = gutter, background, mode
        self.images: list[Any] = []
        self.labels: list[tuple[str, str]] = []
        self.nImage, self.nx, self.ny, self.xsize, self.ysize = 0, 0, 0, 0, 0

    def setGutter(self, gutter: int) -> None:
        """Set the number of pixels between images."""
        self.gutter = int(gutter)

    def setBackground(self, background: float) -> None:
        """Set the value of pixels that no image covers."""
        self.background = background

    def setMode(self, mode: str | int) -> None:
        """Set how images are arranged.

        Raises
        ------
        ValueError
            If it is not a mode.
        """
        if mode not in ("square", "x", "y") and not isinstance(mode, int):
            raise ValueError(f"the mode of a mosaic is square, x, y or the number of images in a row, got {mode!r}")
        self.mode = mode

    def reset(self) -> None:
        """Forget all images, as in the LSST stack."""
        self.images, self.labels = [], []

    def append(self, image: Any, label: Any = None, ctype: str | None = None) -> int:  # noqa: ANN401 - any image
        """Add an image with its label, and return its number."""
        self.images.append(image)
        self.labels.append(("" if label is None else str(label), ctype or ds9.GREEN))
        return len(self.images) - 1

    def makeMosaic(
        self,
        images: Sequence[Any] | None = None,
        frame: Any = None,  # noqa: ANN401 - as in the stack
        mode: str | int | None = None,
        background: float | None = None,
        title: str = "",
    ) -> ImageF:
        """Return one image of all images, or of those that were appended.

        Raises
        ------
        RuntimeError
            If there is none.
        """
        arrays = [_array(image) for image in (images if images else self.images)]
        if not arrays:
            raise RuntimeError("a mosaic needs images: append some, or give a list of them")
        if mode is not None:
            self.setMode(mode)
        self.nImage = len(arrays)
        self.xsize, self.ysize = max(a.shape[1] for a in arrays), max(a.shape[0] for a in arrays)
        self._arrange()
        shape = self.ny * (self.ysize + self.gutter) - self.gutter, self.nx * (self.xsize + self.gutter) - self.gutter
        whole = ImageF(np.full(shape, self.background if background is None else background, np.float32))
        for number, array in enumerate(arrays):
            corner = self.getBBox(number).getMin()
            whole.getArray()[corner.y : corner.y + array.shape[0], corner.x : corner.x + array.shape[1]] = array
        if frame is not None:
            ds9.mtv(whole, frame=frame, title=title)
            self.drawLabels(frame=frame)
        return whole

    def _arrange(self) -> None:
        """Set the numbers of columns and rows; a square one is as near to square pixels as can be."""
        if isinstance(self.mode, int):
            self.nx = min(self.mode, self.nImage)
        elif self.mode == "square":
            ratio = (self.ysize + self.gutter) / (self.xsize + self.gutter)
            self.nx = min(max(round(math.sqrt(self.nImage * ratio)), 1), self.nImage)
        else:
            self.nx = self.nImage if self.mode == "x" else 1
        self.ny = math.ceil(self.nImage / self.nx)

    def getBBox(self, ix: int, iy: int | None = None) -> Box2I:
        """Return the pixels of an image, by its number or by its column and row."""
        if iy is None:
            ix, iy = ix % self.nx, ix // self.nx
        corner = Point2I(ix * (self.xsize + self.gutter), iy * (self.ysize + self.gutter))
        return Box2I(corner, Extent2I(self.xsize, self.ysize))

    def drawLabels(self, labels: Any = None, frame: Any = None) -> None:  # noqa: ANN401 - as in the stack
        """Write the labels, or those that were appended, to the lower left corners of the images in DS9.

        Raises
        ------
        ValueError
            If there are not as many labels as images.
        """
        known = self.labels if labels is None else [(str(label), ds9.GREEN) for label in labels]
        if not known:
            return
        if len(known) != self.nImage:
            raise ValueError(f"a mosaic of {self.nImage} images needs as many labels, got {len(known)}")
        with ds9.Buffering():
            for number, (text, color) in enumerate(known):
                corner = self.getBBox(number).getMin()
                ds9.dot(text, corner.x, corner.y, frame=frame, ctype=color)


def _array(image: Any) -> Any:  # noqa: ANN401 - any image
    """Return the pixels of an image, of planes or of an exposure."""
    if hasattr(image, "getMaskedImage"):
        image = image.getMaskedImage()
    return (image.getImage() if isinstance(image, MaskedImageF) else image).getArray()
