"""Mask pixels that are too bright to be trusted, and widen the trails that they bleed."""

import numpy as np

from obs.algorithms.pixels.row_blocks import row_blocks
from obs.algorithms.pixels.runs import find_pixels, find_runs
from obs.geom import Box
from obs.image.mask import Mask
from obs.image.masked_image import MaskedImage

__all__ = ["mask_above", "widen_saturation_trails"]

_EXTRA_GROWTH = np.array([0, 0, 0, 0, 0, 0, 1, 1, 3, 3, 4])
"""Pixels added on either side of a run of saturated pixels, by the length of the run; the last for all longer ones."""


def mask_above(masked_image: MaskedImage, box: Box, level: float, plane: str) -> int:
    """Mask the pixels of a box that reach a level.

    Parameters
    ----------
    masked_image : MaskedImage
        Counts; its mask is changed in place.
    box : Box
        Where to look.
    level : float
        The level, image units; not a number for none.
    plane : str
        The plane to set.

    Returns
    -------
    int
        Number of pixels at or above the level.
    """
    if not np.isfinite(level):
        return 0
    image, mask = masked_image.image[box.slices], masked_image.mask.array[box.slices]
    bits, number = np.int32(masked_image.mask.bits(plane)), 0
    for rows in row_blocks(box.shape):
        above = image[rows] >= np.float32(level)
        found = int(np.count_nonzero(above))
        if found:
            mask[rows][above] |= bits
            number += found
    return number


def widen_saturation_trails(mask: Mask, plane: str = "SAT") -> int:
    """Widen wide runs of saturated pixels along rows: the charge beside a thick trail is not to be trusted either.

    Runs of up to five pixels stay as they are; of six or seven pixels grow by one on either side, of eight or nine by
    three, longer ones by four.

    Parameters
    ----------
    mask : Mask
        Changed in place.
    plane : str, optional
        The plane that is widened.

    Returns
    -------
    int
        Number of runs that were widened.
    """
    bits = mask.bits(plane)
    runs = find_runs(*find_pixels(mask.array, bits))
    extra = _EXTRA_GROWTH[np.minimum(runs.stop - runs.start, len(_EXTRA_GROWTH) - 1)]
    widened = np.flatnonzero(extra)
    row, width = runs.line[widened], mask.shape[1]
    for step in range(1, int(_EXTRA_GROWTH.max()) + 1):
        grown = step <= extra[widened]
        for column in (runs.start[widened] - step, runs.stop[widened] - 1 + step):
            kept = grown & (column >= 0) & (column < width)
            mask.array[row[kept], column[kept]] |= np.int32(bits)
    return len(widened)
