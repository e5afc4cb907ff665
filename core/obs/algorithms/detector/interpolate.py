"""Fill pixels that hold no trustworthy value from their neighbors."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from obs.algorithms.pixels.runs import find_pixels, find_runs, grow_pixels
from obs.algorithms.pixels.statistics import clipped_statistics
from obs.image.masked_image import MaskedImage

__all__ = ["grow_plane", "interpolate_pixels", "set_bad_regions"]


def grow_plane(masked_image: MaskedImage, plane: str, radius: int) -> None:
    """Set a plane within a distance, pixels, of where it is set, in place.

    Parameters
    ----------
    masked_image : MaskedImage
        Its mask is changed in place.
    plane : str
        Name of the plane to grow.
    radius : int
        Distance, pixels; 0 changes nothing.
    """
    bits = masked_image.mask.bits(plane)
    row, column = find_pixels(masked_image.mask.array, bits)
    if radius > 0 and len(row):
        masked_image.mask.array[grow_pixels(row, column, radius, masked_image.shape)] |= np.int32(bits)


def set_bad_regions(
    masked_image: MaskedImage, *, plane: str = "BAD", avoid: tuple[str, ...] = (), statistic: str = "MEANCLIP"
) -> float:
    """Give pixels of a plane the value of the good ones, in place, so that nothing is upset by what they hold.

    Parameters
    ----------
    masked_image : MaskedImage
        Counts; changed in place, the variance only where it is not a positive number.
    plane : str, optional
        Which pixels.
    avoid : tuple of str, optional
        Further planes whose pixels are not good.
    statistic : {'MEANCLIP', 'MEDIAN'}, optional
        Which value: the clipped mean or the median.

    Returns
    -------
    float
        The value; NaN if there is no good pixel, and then nothing is changed.
    """
    mask = masked_image.mask
    row, column = find_pixels(mask.array, mask.bits(plane))
    image, variance = _good_sample(masked_image, mask.known_bits((plane, *avoid)))
    if not len(image):
        return float("nan")
    value = float(np.median(image)) if statistic == "MEDIAN" else clipped_statistics(image).mean
    masked_image.image[row, column] = value
    known = masked_image.variance[row, column]
    typical = np.float32(np.median(variance))
    masked_image.variance[row, column] = np.where(np.isfinite(known) & (known > 0), known, typical)
    return value


def _good_sample(
    masked_image: MaskedImage, bits: int, size: int = 200_000
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Values and variances of some of the good pixels, spread evenly."""
    step = max(1, masked_image.image.size // size)
    step += step % 2 == 0 and masked_image.shape[1] % 2 == 0  # no column is met every time
    image, variance = (plane.reshape(-1)[::step] for plane in (masked_image.image, masked_image.variance))
    mask = masked_image.mask.array.reshape(-1)[::step]
    good = ((mask & np.int32(bits)) == 0) & np.isfinite(image)
    if not good.any() and step > 1:
        return _good_sample(masked_image, bits, masked_image.image.size)
    return image[good], variance[good]


def interpolate_pixels(
    masked_image: MaskedImage, planes: tuple[str, ...], *, maximum_width: int = 50, plane: str = "INTRP"
) -> int:
    """Replace pixels by what is around them, in place, and mark them.

    A pixel's value comes from the nearest good pixels on both sides of the gap that it lies in, along the row or along
    the column, whichever way the gap is narrower; at the edge of the image from the one side that there is. The
    variance is interpolated in the same way.

    Parameters
    ----------
    masked_image : MaskedImage
        Counts, changed in place.
    planes : tuple of str
        Pixels with any of these planes are replaced.
    maximum_width : int, optional
        Gaps wider than this both ways stay as they are, pixels.
    plane : str, optional
        The plane that marks what was replaced.

    Returns
    -------
    int
        Number of pixels replaced.
    """
    mask = masked_image.mask
    row, column = find_pixels(mask.array, mask.known_bits(planes))
    number = 0
    while len(row):  # a second time where a gap along a whole row crosses one along a whole column
        filled = _fill(masked_image, row, column, maximum_width)
        mask.array[row[filled], column[filled]] |= np.int32(mask.bits(plane))
        number += int(np.count_nonzero(filled))
        if not filled.any():
            break
        row, column = row[~filled], column[~filled]
    return number


def _fill(
    masked_image: MaskedImage, row: NDArray[np.int64], column: NDArray[np.int64], maximum_width: int
) -> NDArray[np.bool_]:
    """Fill, in place, those of the pixels in narrow gaps; return which, shape (n,)."""
    height, width = masked_image.shape
    across, up = _gaps(row, column, width), _gaps(column, row, height)
    by_row = across.width <= up.width
    filled = np.minimum(across.width, up.width) <= maximum_width
    row, column, by_row = row[filled], column[filled], by_row[filled]
    place = np.where(by_row, column, row)
    before, after = (np.where(by_row, a[filled], b[filled]) for a, b in zip(across[1:], up[1:], strict=True))
    weight = ((place - before) / (after - before)).astype(np.float32)
    one_sided = before < 0
    before[one_sided] = after[one_sided]
    beyond = after >= np.where(by_row, width, height)
    after[beyond] = before[beyond]
    first, second = ((np.where(by_row, row, at), np.where(by_row, at, column)) for at in (before, after))
    for values in (masked_image.image, masked_image.variance):
        low, high = values[first], values[second]
        values[row, column] = low + weight * (high - low)
    return filled


class _Gaps(NamedTuple):
    """Of each pixel the width of its gap, counted twice at the edge of the image, and the pixels on either side."""

    width: NDArray[np.float64]
    before: NDArray[np.int64]
    after: NDArray[np.int64]


def _gaps(line: NDArray[np.int64], place: NDArray[np.int64], size: int) -> _Gaps:
    runs = find_runs(line, place)
    width = (runs.stop - runs.start).astype(float)
    missing = (runs.start == 0).astype(int) + (runs.stop == size)
    width *= np.array([1.0, 2.0, np.inf])[missing]
    return _Gaps(width[runs.number], runs.start[runs.number] - 1, runs.stop[runs.number])
