"""Backgrounds, in the stack's words."""

from typing import Any, ClassVar

import numpy as np

from obs.compat.lsst.afw.image.image import ImageF
from obs.compat.lsst.afw.image.masked_image import MaskedImageF
from obs.compat.lsst.afw.image.pixels import Pixels
from obs.compat.lsst.afw.math.approximate import Approximate, ApproximateControl
from obs.compat.lsst.afw.math.interpolate import Interpolate
from obs.compat.lsst.afw.math.statistics import ERRORS, MEAN, MEANCLIP, MEDIAN, StatisticsControl, makeStatistics
from obs.image.background import Background as Own
from obs.image.background import total_background

__all__ = ["Background", "BackgroundControl", "BackgroundList", "BackgroundMI", "makeBackground"]


class BackgroundControl:
    """In how many cells a background is measured, and how.

    Parameters
    ----------
    *given : object
        As in the stack, perhaps the style first (an `Interpolate` or its name), then the number of columns and rows of
        cells, then perhaps a `StatisticsControl` and the statistic, such as ``MEANCLIP``.
    """

    def __init__(self, *given: Any) -> None:
        rest = [one for one in given if not isinstance(one, str)]
        controls = [one for one in rest if isinstance(one, StatisticsControl)]
        numbers = [int(one) for one in rest if isinstance(one, int | np.integer)]
        before = next((number for number, one in enumerate(rest) if isinstance(one, StatisticsControl)), len(rest))
        sizes = [int(one) for one in rest[:before] if isinstance(one, int | np.integer)]
        sizes = sizes[1:] if len(sizes) == 3 else sizes
        if len(sizes) != 2 or min(sizes) < 1:
            raise ValueError(f"a background needs the number of its columns and rows of cells, got {given}")
        self._size = sizes[0], sizes[1]
        self._control = controls[0] if controls else StatisticsControl()
        later = numbers[len(numbers) - (len(rest) - before - len(controls)) :] if before < len(rest) else []
        self._what = later[0] if later else MEANCLIP

    def getNxSample(self) -> int:
        """Return the number of columns of cells."""
        return self._size[0]

    def getNySample(self) -> int:
        """Return the number of rows of cells."""
        return self._size[1]

    def setNxSample(self, count: int) -> None:
        """Set the number of columns of cells."""
        self._size = count, self._size[1]

    def setNySample(self, count: int) -> None:
        """Set the number of rows of cells."""
        self._size = self._size[0], count

    def getStatisticsControl(self) -> StatisticsControl:
        """Return which pixels count in each cell."""
        return self._control

    def getStatisticsProperty(self) -> int:
        """Return the statistic of each cell."""
        return self._what


class Background:
    """A background on cells, as in the LSST stack; an item of a list of backgrounds, whose first part is itself.

    Parameters
    ----------
    own : obs.image.background.Background
        The background of `obs`.
    """

    def __init__(self, own: Own) -> None:
        #: The background of `obs`.
        self.own = own

    def __getitem__(self, part: int) -> "Background":
        if part:
            raise IndexError(f"part {part} of a background: only the first is here, the background itself")
        return self

    def getImageF(self, style: Any = None, *_: Any) -> ImageF:  # noqa: ANN401 - an `Interpolate`, or its name
        """Return the background of every pixel."""
        if style in (Interpolate.CONSTANT, "CONSTANT"):
            known = self.own
            return ImageF(Own(known.level, known.error, known.x, known.y, shape=known.shape, style="constant").image())
        return ImageF(self.own.image())

    def getApproximate(self, control: ApproximateControl, *_: Any) -> Approximate:
        """Return the polynomial that is fitted to the cells."""
        return Approximate(self.own, control)

    def getStatsImage(self) -> MaskedImageF:
        """Return the level of each cell, with its variance; a copy."""
        return MaskedImageF(ImageF(self.own.level.copy()), None, ImageF(np.square(self.own.error)))

    def getImageBBox(self) -> Any:  # noqa: ANN401 - a box
        """Return the box of the image that it is of."""
        return Pixels(self.own.shape).getBBox()


BackgroundMI = Background


class BackgroundList(list[Background]):
    """Backgrounds that were subtracted one after the other, as in the LSST stack.

    Parameters
    ----------
    *given : object
        Backgrounds, of `obs` or of the stack's kind, or one list of them.
    """

    _parts: ClassVar[tuple[type, ...]] = (Background, Own)

    def __init__(self, *given: Any) -> None:
        items = given[0] if len(given) == 1 and not isinstance(given[0], self._parts) else given
        super().__init__(item if isinstance(item, Background) else Background(item) for item in items)

    def append(self, item: Any) -> None:  # noqa: ANN401 - a background, or a tuple that begins with one
        """Append a background, as in the LSST stack: perhaps with words about it, which are left out."""
        super().append(item[0] if isinstance(item, tuple) else item)

    def getImage(self) -> ImageF:
        """Return the sum of all of them, of every pixel."""
        return ImageF(total_background([item.own for item in self]))


def makeBackground(image: Any, control: BackgroundControl) -> Background:  # noqa: ANN401 - an image
    """Measure a background in cells of an image.

    Parameters
    ----------
    image : ImageF, MaskedImageF or ExposureF
        The image. Masked pixels are left out by the control's ``setAndMask``.
    control : BackgroundControl
        How many cells, and which statistic.
    """
    planes = image.getMaskedImage() if hasattr(image, "getMaskedImage") else image
    height, width = planes.getHeight(), planes.getWidth()
    edges_x = np.arange(control.getNxSample() + 1) * width // control.getNxSample()
    edges_y = np.arange(control.getNySample() + 1) * height // control.getNySample()
    shape = control.getNySample(), control.getNxSample()
    level, error = np.full(shape, np.nan, np.float32), np.full(shape, np.nan, np.float32)
    what = control.getStatisticsProperty()
    pixels = (planes.getImage() if isinstance(planes, MaskedImageF) else planes).getArray()
    good = np.isfinite(pixels)
    if isinstance(planes, MaskedImageF):
        good &= (planes.getMask().getArray() & control.getStatisticsControl().getAndMask()) == 0
    for j, i in np.ndindex(shape):
        cell = slice(edges_y[j], edges_y[j + 1]), slice(edges_x[i], edges_x[i + 1])
        found = makeStatistics(pixels[cell][good[cell]], what | ERRORS, control.getStatisticsControl())
        level[j, i], error[j, i] = found.getValue(), found.getError() if what in (MEAN, MEDIAN, MEANCLIP) else np.nan
    x, y = (0.5 * (edges[:-1] + edges[1:] - 1) for edges in (edges_x, edges_y))
    return Background(Own(level, error, x, y, shape=(height, width)))
