"""Footprints of what is above a threshold, or of what a mask marks, in the stack's words."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from obs.algorithms.pixels.label import label_regions
from obs.algorithms.pixels.statistics import clipped_statistics
from obs.compat.lsst.afw.detection.footprint import Footprint
from obs.compat.lsst.afw.geom.box import Box2I
from obs.compat.lsst.afw.image.image import Image
from obs.compat.lsst.afw.image.mask import Mask
from obs.compat.lsst.afw.image.masked_image import MaskedImageF
from obs.compat.lsst.afw.image.pixels import Pixels
from obs.image.catalog import Catalog
from obs.repo.lsst_objects import footprints as own

__all__ = ["FootprintSet", "Threshold"]


class Threshold:
    """What pixels must have to belong to a footprint, as in the LSST stack.

    Parameters
    ----------
    value : float
        The threshold.
    type : int, optional
        ``VALUE``, ``BITMASK`` (one of these bits), ``STDEV`` or ``VARIANCE`` (of all pixels, clipped), or
        ``PIXEL_STDEV`` (by the variance of each pixel).
    polarity : bool, optional
        Whether pixels are above it; false for those below minus the threshold.
    """

    VALUE, BITMASK, STDEV, VARIANCE, PIXEL_STDEV = range(5)

    def __init__(self, value: float, type: int = 0, polarity: bool = True) -> None:
        self._value, self._type, self._polarity = value, type, polarity

    def getValue(self) -> float:
        """Return the threshold, as in the LSST stack."""
        return self._value

    def getType(self) -> int:
        """Return of which type it is, as in the LSST stack."""
        return self._type

    def getPolarity(self) -> bool:
        """Return whether pixels are above it, as in the LSST stack."""
        return self._polarity

    def select(self, pixels: NDArray[Any], variance: NDArray[Any] | None) -> NDArray[np.bool_]:
        """Return which pixels belong to a footprint.

        Parameters
        ----------
        pixels, variance : ndarray, shape (ny, nx)
            Values, or bits; variance, where it is known.

        Raises
        ------
        ValueError
            If the variance is needed and not known.
        """
        if self._type == self.BITMASK:
            return np.asarray(pixels & int(self._value) != 0)
        values = pixels if self._polarity else -pixels
        with np.errstate(invalid="ignore"):
            if self._type == self.PIXEL_STDEV:
                if variance is None:
                    raise ValueError("PIXEL_STDEV needs a masked image, which has a variance")
                return np.asarray(values >= self._value * np.sqrt(variance))
            sigma = 1.0
            if self._type in (self.STDEV, self.VARIANCE):
                sigma = clipped_statistics(pixels[np.isfinite(pixels)].astype(np.float64), 3.0, 3).sigma
            return np.asarray(values >= self._value * (sigma**2 if self._type == self.VARIANCE else sigma))


class FootprintSet:
    """Footprints of an image or a mask, as in the LSST stack.

    Parameters
    ----------
    source : ImageF, MaskedImageF, Mask, FootprintSet or Box2I
        The pixels; footprints that are to be grown; or the box of an empty set.
    threshold : Threshold or int, optional
        Which pixels belong to a footprint; of footprints, by how many pixels they grow.
    *more : object
        Of an image perhaps the name of a plane to set in its mask, and the smallest number of pixels; of footprints
        whether they grow by circles (else by squares).
    """

    def __init__(self, source: Any, threshold: Any = None, *more: Any) -> None:  # noqa: ANN401 - as the docstring says
        self._footprints: list[Footprint]
        if isinstance(source, Box2I):
            self._region, self._footprints = source, []
            return
        if isinstance(source, FootprintSet):
            self._region = source._region
            self._footprints = _find(source._grown(int(threshold), not more or bool(more[0])), None, self._region, 1)
            return
        names = [one for one in more if isinstance(one, str) and one]
        smallest = next((int(one) for one in more if isinstance(one, int) and not isinstance(one, bool)), 1)
        chosen = threshold if isinstance(threshold, Threshold) else Threshold(threshold)
        plane = source.getImage() if isinstance(source, MaskedImageF) else source
        variance = source.getVariance().getArray() if isinstance(source, MaskedImageF) else None
        values = plane.getArray()
        self._region = source.getBBox()
        signed = None if isinstance(source, Mask) else (values if chosen.getPolarity() else -values)
        self._footprints = _find(chosen.select(values, variance), signed, self._region, smallest)
        for name in names:
            self.setMask(source.getMask(), name)

    def getFootprints(self) -> list[Footprint]:
        """Return the footprints; what is appended to the list counts."""
        return self._footprints

    def setFootprints(self, footprints: list[Footprint]) -> None:
        """Set the footprints, as in the LSST stack."""
        self._footprints = list(footprints)

    def getRegion(self) -> Box2I:
        """Return the box of the image that they were found in."""
        return self._region

    def setMask(self, mask: Mask, name: str) -> None:
        """Set a plane of a mask where there is a footprint; the plane is added if there is none."""
        mask.addMaskPlane(name)
        inside = _paint(self._footprints, mask)
        mask.getArray()[inside] |= mask.getPlaneBitMask(name)

    def insertIntoImage(self, *_: Any) -> Image:
        """Return an image with the number of the footprint of each pixel, from 1; 0 where there is none."""
        image = Image(self._region.getDimensions())
        image.setXY0(self._region.getMin())
        for number, footprint in enumerate(self._footprints, 1):
            image.getArray()[_paint([footprint], image)] = number
        return image

    def makeHeavy(self, image: MaskedImageF) -> None:
        """Give all footprints the values of their pixels in an image."""
        self._footprints = [_with_values(footprint, image) for footprint in self._footprints]

    def _grown(self, radius: int, is_round: bool) -> NDArray[np.bool_]:
        frame = Pixels((self._region.getHeight(), self._region.getWidth()), self._region.getMin())
        inside = _paint(self._footprints, frame)
        if radius <= 0 or not inside.any():
            return inside
        # needed by few scripts, and slow to import
        from scipy import ndimage  # noqa: PLC0415

        if is_round:
            return np.asarray(ndimage.distance_transform_edt(~inside) <= radius)
        return np.asarray(ndimage.maximum_filter(inside, 2 * radius + 1))

    def __len__(self) -> int:
        return len(self._footprints)


def _paint(footprints: list[Footprint], frame: Pixels) -> NDArray[np.bool_]:
    """Return which pixels of an image are in one of the footprints."""
    inside = np.zeros((frame.getHeight(), frame.getWidth()), np.bool_)
    for footprint in footprints:
        row, column = footprint.own.pixels()
        row, column = row - frame.getY0(), column - frame.getX0()
        kept = (row >= 0) & (row < frame.getHeight()) & (column >= 0) & (column < frame.getWidth())
        inside[row[kept], column[kept]] = True
    return inside


def _with_values(footprint: Footprint, image: MaskedImageF) -> Footprint:
    row, column = footprint.own.pixels()
    place = row - image.getY0(), column - image.getX0()
    planes = (plane.getArray()[place] for plane in (image.getImage(), image.getMask(), image.getVariance()))
    return Footprint(own.Footprint(footprint.own.y, footprint.own.x0, footprint.own.x1, footprint.own.peaks, *planes))


def _find(inside: NDArray[np.bool_], values: NDArray[Any] | None, region: Box2I, smallest: int) -> list[Footprint]:
    """Return the regions of pixels that touch one another, also at corners, with their peaks, the highest first."""
    labels, count = label_regions(inside)
    if not count:
        return []
    x_min, y_min = region.getMinX(), region.getMinY()
    edges = np.diff(np.pad(labels, ((0, 0), (1, 1))), axis=1) != 0
    row, first = np.nonzero(edges[:, :-1] & (labels > 0))
    last = np.nonzero(edges[:, 1:] & (labels > 0))[1]
    owner = labels[row, first]
    order = np.argsort(owner, kind="stable")
    row, first, last, owner = row[order], first[order], last[order], owner[order]
    bounds = np.searchsorted(owner, np.arange(1, count + 2))
    area = np.bincount(owner, last - first + 1, count + 1)
    peaks = _peaks(labels, values)
    found = []
    for number in range(1, count + 1):
        if area[number] >= smallest:
            runs = slice(bounds[number - 1], bounds[number])
            at = list(peaks.get(number, ()))
            catalog = Catalog()
            for position, name in enumerate(("x", "y", "value")):
                shift = (x_min, y_min, 0.0)[position]
                catalog.add(name, np.array([peak[position] + shift for peak in at], np.float64), "", name)
            y, x0, x1 = (
                (part[runs] + add).astype(np.int64) for part, add in ((row, y_min), (first, x_min), (last, x_min))
            )
            found.append(Footprint(own.Footprint(y, x0, x1, catalog)))
    return found


def _peaks(labels: NDArray[np.int32], values: NDArray[Any] | None) -> dict[int, list[tuple[float, float, float]]]:
    """Return the pixels that none of their eight neighbors exceeds, by region, the highest first; a mask has none."""
    if values is None:
        return {}
    padded = np.pad(np.where(np.isfinite(values), values, -np.inf).astype(np.float64), 1, constant_values=-np.inf)
    ny, nx = values.shape
    neighbors = [padded[1 + j : 1 + j + ny, 1 + i : 1 + i + nx] for j in (-1, 0, 1) for i in (-1, 0, 1) if i or j]
    is_peak = (labels > 0) & (padded[1:-1, 1:-1] >= np.maximum.reduce(neighbors)) & np.isfinite(values)
    y, x = np.nonzero(is_peak)
    order = np.argsort(-values[y, x], kind="stable")
    found: dict[int, list[tuple[float, float, float]]] = {}
    for j, i in zip(y[order].tolist(), x[order].tolist(), strict=True):
        found.setdefault(int(labels[j, i]), []).append((float(i), float(j), float(values[j, i])))
    return found
