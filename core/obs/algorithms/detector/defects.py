"""Mask pixels that are known to be bad, that lie at an edge, or that hold no number."""

from collections.abc import Iterable

import numpy as np

from obs.algorithms.pixels.row_blocks import row_blocks
from obs.geom import Box
from obs.image.mask import Mask
from obs.image.masked_image import MaskedImage

__all__ = ["mask_boxes", "mask_edges", "mask_not_finite"]


def mask_boxes(mask: Mask, boxes: Iterable[Box], plane: str = "BAD") -> None:
    """Set a plane in boxes, in place; what leaves the image is left out.

    Parameters
    ----------
    mask : Mask
        Changed in place.
    boxes : iterable of Box
        Boxes in 0-based pixels of the mask's image.
    plane : str, default: "BAD"
        Name of the plane to set.
    """
    whole = Box(0, 0, mask.shape[1], mask.shape[0])
    bits = np.int32(mask.bits(plane))
    for box in boxes:
        mask.array[whole.intersection(box).slices] |= bits


def mask_edges(mask: Mask, boxes: Iterable[Box], width: int, plane: str = "SUSPECT") -> None:
    """Set a plane along the four edges of boxes, in place.

    Parameters
    ----------
    mask : Mask
        The mask.
    boxes : iterable of Box
        Boxes inside the image.
    width : int
        Width of the edge, pixels.
    plane : str, optional
        The plane to set.
    """
    bits = np.int32(mask.bits(plane))
    for box in boxes:
        x, y = min(width, box.width), min(width, box.height)
        view = mask.array[box.slices]
        for edge in (view[:y], view[box.height - y :], view[:, :x], view[:, box.width - x :]):
            edge |= bits


def mask_not_finite(
    masked_image: MaskedImage, plane: str = "UNMASKEDNAN", *, explained: tuple[str, ...] = ("BAD", "SAT")
) -> int:
    """Set a plane where the image is not a finite number and no other plane says why, in place.

    Parameters
    ----------
    masked_image : MaskedImage
        Counts; its mask is changed in place.
    plane : str, optional
        The plane to set.
    explained : tuple of str, optional
        Planes that say already that a pixel's value is worth nothing.

    Returns
    -------
    int
        Number of pixels that are not finite numbers, masked before or not.
    """
    number = 0
    bits, known = np.int32(masked_image.mask.add_plane(plane)), np.int32(masked_image.mask.bits(*explained))
    for rows in row_blocks(masked_image.shape):
        finite = np.isfinite(masked_image.image[rows])
        if not finite.all():
            number += int(finite.size - np.count_nonzero(finite))
            mask = masked_image.mask.array[rows]
            mask[~finite & ((mask & known) == 0)] |= bits
    return number
