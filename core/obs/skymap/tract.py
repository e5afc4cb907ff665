"""One tract of a sky map, and the patches that tile it."""

import re
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from obs.errors import ConfigError, DataIdError
from obs.frozen import frozen
from obs.geom import Box
from obs.skymap.projection import TractWcs

__all__ = ["Patch", "Tract", "cardinal_points", "make_tract", "parse_patch", "surrounding_points"]

_PATCH = re.compile(r"\s*\(?\s*(\d+)\s*,\s*(\d+)\s*\)?\s*")
_DIRECTIONS = 24
#: A tract of a survey has up to a few hundred patches.
_MOST_PATCHES = 1_000_000
_SIDES = 4


@frozen
class Patch:
    """A rectangle of a tract's pixels.

    Parameters
    ----------
    index : tuple of int
        Column and row of the patch in its tract.
    inner_box, outer_box : Box
        Pixels of the tract that are this patch's own; and these with the border, which neighbors have, too.
    """

    index: tuple[int, int]
    inner_box: Box
    outer_box: Box

    @property
    def name(self) -> str:
        """Value of the key ``patch`` in data IDs, such as ``3,4``."""
        return f"{self.index[0]},{self.index[1]}"


@frozen
class Tract:
    """A part of the sky with a pixel grid of its own.

    Parameters
    ----------
    number : int
        Value of the key ``tract`` in data IDs.
    center : tuple of float
        Right ascension and declination, degrees.
    wcs : TractWcs
        Its pixels; (0, 0) is the lower left one.
    patch_size : tuple of int
        Width and height of the inner box of a patch, pixels.
    border : int
        Pixels by which outer boxes are wider on each side.
    n_patch : tuple of int
        Number of columns and rows of patches.
    """

    number: int
    center: tuple[float, float]
    wcs: TractWcs
    patch_size: tuple[int, int]
    border: int
    n_patch: tuple[int, int]

    @property
    def box(self) -> Box:
        """Box of all pixels of the tract."""
        return Box(0, 0, self.patch_size[0] * self.n_patch[0], self.patch_size[1] * self.n_patch[1])

    def __iter__(self) -> Iterator[Patch]:
        return (self.patch((x, y)) for y in range(self.n_patch[1]) for x in range(self.n_patch[0]))

    def patches_between(self, low: Sequence[float], high: Sequence[float]) -> list[Patch]:
        """Return the patches whose outer boxes reach into a rectangle, without a look at the others.

        Parameters
        ----------
        low, high : sequence of float
            x and y of two corners of the rectangle, pixels.
        """
        ranges = []
        for start, end, size, count in zip(low, high, self.patch_size, self.n_patch, strict=True):
            first = int((start - self.border - 1) // size)
            last = int((end + self.border + 1) // size)
            ranges.append(range(max(first, 0), min(last + 1, count)))
        return [self.patch((x, y)) for y in ranges[1] for x in ranges[0]]

    def patch(self, index: Sequence[int] | str | int) -> Patch:
        """Return a patch by column and row, as a pair or ``"3,4"``, or by its number, columns counting first.

        Parameters
        ----------
        index : sequence of int, str or int
            Column and row, from 0, or the number ``row * n_column + column``.

        Raises
        ------
        DataIdError
            If the tract has no such patch.
        """
        if isinstance(index, int):
            x, y = index % self.n_patch[0], index // self.n_patch[0]
        else:
            x, y = parse_patch(index) if isinstance(index, str) else (int(index[0]), int(index[1]))
        if not (0 <= x < self.n_patch[0] and 0 <= y < self.n_patch[1]):
            last = f"{self.n_patch[0] - 1},{self.n_patch[1] - 1}"
            raise DataIdError(
                f"patch={x},{y}: tract {self.number} has the patches 0,0 to {last}; obs skymap show draws them",
                key="patch",
            )
        width, height = self.patch_size
        inner = Box(x * width, y * height, width, height)
        margin = self.border
        outer = Box(inner.x_min - margin, inner.y_min - margin, width + 2 * margin, height + 2 * margin)
        return Patch((x, y), inner, outer.intersection(self.box))

    def find_patch(self, *, ra: ArrayLike, dec: ArrayLike) -> NDArray[np.int64]:
        """Return column and row of the patch whose inner box holds each position, shape (n, 2); -1 off the tract.

        Parameters
        ----------
        ra, dec : array_like of float, shape (n,)
            Positions, degrees.
        """
        x, y = self.wcs.sky_to_pixel(ra=np.atleast_1d(ra), dec=np.atleast_1d(dec))
        with np.errstate(invalid="ignore"):
            inside = (x >= -0.5) & (x < self.box.width - 0.5) & (y >= -0.5) & (y < self.box.height - 0.5)
        columns = np.floor((np.where(inside, x, 0.0) + 0.5) / self.patch_size[0])
        rows = np.floor((np.where(inside, y, 0.0) + 0.5) / self.patch_size[1])
        return np.where(inside[:, None], np.stack([columns, rows], axis=1), -1).astype(np.int64)

    def corners(self, box: Box | None = None) -> list[tuple[float, float]]:
        """Return the sky coordinates, degrees, of the corners of the tract or of ``box``, from the lower left one.

        Parameters
        ----------
        box : Box, optional
            Region in 0-based pixels of the tract.

        Returns
        -------
        list of tuple of float
            Outer corners, counterclockwise in pixels.
        """
        box = box or self.box
        x = np.array([box.x_min, box.x_max, box.x_max, box.x_min]) - 0.5
        y = np.array([box.y_min, box.y_min, box.y_max, box.y_max]) - 0.5
        ra, dec = self.wcs.pixel_to_sky(x=x, y=y)
        return list(zip(ra.tolist(), dec.tolist(), strict=True))


def parse_patch(text: str) -> tuple[int, int]:
    """Return column and row of ``3,4``.

    Parameters
    ----------
    text : str
        Column and row, from 0, for example "3,4".

    Raises
    ------
    DataIdError
        If the text is no such pair.
    """
    match = _PATCH.fullmatch(text)
    if match is None:
        raise DataIdError(f"patch={text}: a patch is its column and row, such as patch=3,4", key="patch")
    return int(match[1]), int(match[2])


def make_tract(
    number: int,
    center: tuple[float, float],
    wcs: TractWcs,
    points: Sequence[tuple[float, float]],
    *,
    patch_size: tuple[int, int],
    border: int,
) -> Tract:
    """Make the smallest tract of whole patches that holds some positions.

    Parameters
    ----------
    number : int
        Value of the key ``tract`` in data IDs.
    center : tuple of float
        Right ascension and declination, degrees.
    wcs : TractWcs
        WCS with any reference pixel.
    patch_size : tuple of int
        Width and height of the inner box of a patch, pixels.
    border : int
        Pixels by which outer boxes are wider on each side.
    points : sequence of tuple of float
        Right ascension and declination, degrees.

    Raises
    ------
    ConfigError
        If there are too many patches.
    """
    ra, dec = np.array(points).T
    lows, counts = [], []
    for pixels, size in zip(wcs.sky_to_pixel(ra=ra, dec=dec), patch_size, strict=True):
        low, high = int(np.floor(pixels.min() + 0.5)), int(np.ceil(pixels.max() - 0.5))
        extent = high - low + 1
        count = -(-extent // size)
        lows.append(low - (count * size - extent) // 2)
        counts.append(count)
    if counts[0] * counts[1] > _MOST_PATCHES:
        raise ConfigError(
            f"a tract has {counts[0]} x {counts[1]} patches of {patch_size[0]} x {patch_size[1]} pixels, at most "
            f"{_MOST_PATCHES} are made: raise pixel_scale, patch_width or patch_height"
        )
    moved = wcs.shifted(x=lows[0], y=lows[1])
    return Tract(number, center, moved, patch_size, border, (counts[0], counts[1]))


def _offset(center: tuple[float, float], angle: float, distance: float) -> tuple[float, float]:
    """Return the position at a distance from another one.

    Parameters
    ----------
    center : tuple of float
        Right ascension and declination, degrees.
    angle : float
        Direction, degrees from east through north.
    distance : float
        Degrees along the great circle.
    """
    ra, dec, r, a = np.deg2rad([center[0], center[1], distance, angle])
    sine = np.sin(dec) * np.cos(r) + np.cos(dec) * np.sin(r) * np.sin(a)
    east = np.sin(r) * np.cos(a)
    forward = np.cos(dec) * np.cos(r) - np.sin(dec) * np.sin(r) * np.sin(a)
    return float(np.rad2deg(ra + np.arctan2(east, forward)) % 360.0), float(np.rad2deg(np.arcsin(np.clip(sine, -1, 1))))


def surrounding_points(points: Sequence[tuple[float, float]], distance: float) -> list[tuple[float, float]]:
    """Return positions all round each point at a distance, degrees; the points themselves if that is 0.

    Parameters
    ----------
    points : sequence of tuple of float
        Right ascensions and declinations, degrees.
    distance : float
        Angle from each point, degrees.
    """
    if distance == 0:
        return list(points)
    angles = np.arange(_DIRECTIONS) * (360.0 / _DIRECTIONS)
    return [_offset(point, float(angle), distance) for point in points for angle in angles]


def cardinal_points(center: tuple[float, float], distance: float) -> list[tuple[float, float]]:
    """Return the positions east, north, west and south of a center at a distance, degrees.

    Parameters
    ----------
    center : tuple of float
        Right ascension and declination, degrees.
    distance : float
        Angle from the center, degrees.
    """
    return [_offset(center, 90.0 * side, distance) for side in range(_SIDES)]
