"""Cut sources out of an image, with their neighbors replaced by noise."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from obs.algorithms.pixels.window import plane_windows
from obs.algorithms.sources.deblend import Children
from obs.algorithms.sources.detection import Footprints
from obs.frozen import frozen
from obs.kernels.library import Kernel

__all__ = ["OwnLight", "SourceList", "StampCutter", "Stamps", "list_sources"]

PIXELS_AT_ONCE = 1_000_000


_COMPILED = Kernel(
    "cut_stamps",
    *("float32", "float32", "float32", "int32", "int", "int"),
    *("int64", "int64", "int64", "int64", "int", "int"),
    *("int64", "uint8", "int", "float32", "float32", "float32", "bool"),
)


@frozen
class SourceList:
    """What is measured: every footprint, and every child of the blended ones.

    Parameters
    ----------
    x, y : ndarray of int64, shape (n,)
        Peak pixel.
    footprint : ndarray of int64, shape (n,)
        Number of the footprint, from 1.
    parent : ndarray of int64, shape (n,)
        Index of the parent in this list; -1 for a footprint.
    child : ndarray of int64, shape (n,)
        Index in `Children`; -1 for a footprint.
    n_child : ndarray of int64, shape (n,)
        Number of children.
    """

    x: NDArray[np.int64]
    y: NDArray[np.int64]
    footprint: NDArray[np.int64]
    parent: NDArray[np.int64]
    child: NDArray[np.int64]
    n_child: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.x)


def list_sources(footprints: Footprints, children: Children) -> SourceList:
    """List footprints, in their order, and then children.

    Parameters
    ----------
    footprints : Footprints
        Regions and peaks.
    children : Children
        What blended footprints were divided into.

    Returns
    -------
    SourceList
    """
    peaks = footprints.peaks
    first = np.searchsorted(peaks.footprint, np.arange(1, footprints.n + 1))
    n_child = np.bincount(children.peaks.footprint, minlength=footprints.n + 1)[1:]
    none = np.full(footprints.n, -1)
    return SourceList(
        np.concatenate([peaks.x[first], children.peaks.x]),
        np.concatenate([peaks.y[first], children.peaks.y]),
        np.concatenate([np.arange(1, footprints.n + 1), children.peaks.footprint]),
        np.concatenate([none, children.peaks.footprint - 1]),
        np.concatenate([none, np.arange(len(children))]),
        np.concatenate([n_child, np.zeros(len(children), n_child.dtype)]),
    )


@frozen
class Stamps:
    """Square cutouts of an image around sources.

    Parameters
    ----------
    image, variance : ndarray of float32, shape (n, size, size)
        Pixels; 0 and NaN-free outside the image.
    inside : ndarray of bool, shape (n, size, size)
        Which pixels lie in the image.
    """

    image: NDArray[np.float32]
    variance: NDArray[np.float32]
    inside: NDArray[np.bool_]

    def select(self, rows: NDArray[np.int64]) -> "Stamps":
        """Return copies of the chosen stamps.

        Parameters
        ----------
        rows : ndarray of int64, shape (m,)
            Rows of the stamps, in the order of the result.
        """
        return Stamps(self.image[rows], self.variance[rows], self.inside[rows])

    def replace(self, rows: NDArray[np.int64], other: "Stamps") -> None:
        """Put other stamps in the place of the chosen ones.

        Parameters
        ----------
        rows : ndarray of int64, shape (m,)
            Stamps to overwrite.
        other : Stamps
            ``m`` stamps of the same size.
        """
        self.image[rows], self.variance[rows], self.inside[rows] = other.image, other.variance, other.inside


@frozen
class OwnLight:
    """Pixels of sources, one entry a pixel of a source.

    Parameters
    ----------
    source : ndarray of int64, shape (n_entry,)
        Index of the source.
    pixel : ndarray of int64, shape (n_entry,)
        Flat index of the pixel in the image.
    light : ndarray of float32, shape (n_entry,)
        Its light, less the noise that stands in its place.
    """

    source: NDArray[np.int64]
    pixel: NDArray[np.int64]
    light: NDArray[np.float32]


class StampCutter:
    """Cuts stamps in which only the source itself and the sky are left.

    Parameters
    ----------
    image, variance : ndarray of float32, shape (ny, nx)
        Background-subtracted pixels and variance, image units squared.
    footprints : Footprints
        Regions of all sources.
    children : Children
        Pixels of the deblended ones.
    sources : SourceList
        The sources.
    noise : float
        Standard deviation of the sky, image units, drawn in place of neighbors.
    seed : int
        Seed of the noise: the same exposure always gets the same.
    """

    def __init__(
        self,
        image: NDArray[np.float32],
        variance: NDArray[np.float32],
        footprints: Footprints,
        children: Children,
        sources: SourceList,
        *,
        noise: float,
        seed: int,
    ) -> None:
        self._image, self._variance, self._labels = image.ravel(), variance.ravel(), footprints.labels.ravel()
        self._shape = image.shape
        self._children, self._sources = children, sources
        lit = np.flatnonzero(self._labels != 0)
        self._empty = self._image.copy()
        self._empty[lit] = np.random.default_rng(seed).standard_normal(len(lit), np.float32) * np.float32(noise)

    @property
    def empty(self) -> NDArray[np.float32]:
        """The image, shape (ny, nx), with every source replaced by noise."""
        return self._empty.reshape(self._shape)

    @property
    def variance(self) -> NDArray[np.float32]:
        """Variance of the image, shape (ny, nx)."""
        return self._variance.reshape(self._shape)

    def iterate_source_pixels(self) -> Iterator[OwnLight]:
        """Yield the light of every source in parts: that of its footprint, or the child's share of it."""
        for first in range(0, self._labels.size, PIXELS_AT_ONCE):
            pixel = first + np.flatnonzero(self._labels[first : first + PIXELS_AT_ONCE] != 0)
            # footprints come first in the list, in the order of their numbers
            source = self._labels[pixel].astype(np.int64) - 1
            yield OwnLight(source, pixel, self._image[pixel] - self._empty[pixel])
        children = self._children
        n_footprint = len(self._sources) - len(children)
        for first in range(0, len(children.pixel), PIXELS_AT_ONCE):
            entry = np.arange(first, min(first + PIXELS_AT_ONCE, len(children.pixel)))
            pixel = children.pixel[entry].astype(np.int64)
            share = children.flux[entry] - self._empty[pixel]
            yield OwnLight(children.owner_of(entry) + n_footprint, pixel, share)

    def cut(
        self,
        which: NDArray[np.int64],
        half: int,
        *,
        shift_x: NDArray[np.int64] | None = None,
        shift_y: NDArray[np.int64] | None = None,
    ) -> Stamps:
        """Cut stamps of ``2 * half + 1`` pixels about the given sources.

        Parameters
        ----------
        which : ndarray of int64, shape (n,)
            Indices of the sources.
        half : int
            Half the size, pixels.
        shift_x, shift_y : ndarray of int64, shape (n,), optional
            Middle of the stamp, from the peak pixel; 0 if absent.

        Returns
        -------
        Stamps
        """
        row, column = self._sources.y[which], self._sources.x[which]
        if shift_x is not None:
            column = column + shift_x
        if shift_y is not None:
            row = row + shift_y
        child = self._sources.child[which]
        whole = np.where(child < 0, self._sources.footprint[which], -1)
        if _COMPILED:
            return self._cut_compiled(row, column, whole, child, half)
        height, width = self._shape
        offset = np.arange(-half, half + 1)
        y, x = row[:, None] + offset, column[:, None] + offset
        inside = ((y >= 0) & (y < height))[:, :, None] & ((x >= 0) & (x < width))[:, None, :]
        image = plane_windows(self.empty, row, column, half)
        own = plane_windows(self._labels.reshape(self._shape), row, column, half) == whole[:, None, None]
        source, own_y, own_x = np.nonzero(own)
        pixel = (row[source] - half + own_y) * width + column[source] - half + own_x
        image[source, own_y, own_x] = self._image[pixel]
        self._insert_children(image, which, column - half, row - half)
        return Stamps(image, plane_windows(self.variance, row, column, half), inside)

    def _cut_compiled(
        self,
        row: NDArray[np.int64],
        column: NDArray[np.int64],
        whole: NDArray[np.int64],
        child: NDArray[np.int64],
        half: int,
    ) -> Stamps:
        shape = len(row), 2 * half + 1, 2 * half + 1
        stamps = Stamps(np.empty(shape, np.float32), np.empty(shape, np.float32), np.empty(shape, np.bool_))
        planes = self._image, self._empty, self._variance, self._labels
        pixel = self._children.pixel
        children = self._children.start, pixel.view(np.uint8), pixel.itemsize, self._children.flux
        _COMPILED(
            *planes, *self._shape, row, column, whole, child, len(row), half,
            *children, stamps.image, stamps.variance, stamps.inside,
        )  # fmt: skip
        return stamps

    def _insert_children(
        self,
        image: NDArray[np.float32],
        which: NDArray[np.int64],
        first_x: NDArray[np.int64],
        first_y: NDArray[np.int64],
    ) -> None:
        rows = np.flatnonzero(self._sources.child[which] >= 0)
        child = self._sources.child[which[rows]]
        start, count = self._children.start[child], np.diff(self._children.start)[child]
        row = np.repeat(rows, count)
        entry = np.arange(count.sum()) + np.repeat(start - np.r_[0, np.cumsum(count)[:-1]], count) if len(rows) else row
        y, x = np.divmod(self._children.pixel[entry], self._shape[1])
        y -= first_y[row]
        x -= first_x[row]
        near = (y >= 0) & (y < image.shape[1]) & (x >= 0) & (x < image.shape[2])
        image[row[near], y[near], x[near]] = self._children.flux[entry[near]]
