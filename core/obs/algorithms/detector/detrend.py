"""Subtract and divide by calibration frames, with their variance and their masks.

All functions change the image in place, block by block, so that no second image is needed.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from obs.algorithms.pixels.row_blocks import row_blocks
from obs.image.mask import Mask
from obs.image.masked_image import MaskedImage
from obs.kernels.library import Kernel
from obs.threads import map_threads

__all__ = ["divide_by_flat", "merge_mask", "scale_image", "subtract_frame"]


_FLOATS = "float32", "float32", "int32", "float32", "float32", "int", "float", "float", "int"
_ALL_BITS = Kernel("all_bits", "int32", "int")
_MERGE = Kernel("merge_bits", "int32", "int32", "int", "int32", "int32", "int")
_SUBTRACT, _DIVIDE = Kernel("subtract_pixels", *_FLOATS), Kernel("divide_pixels", *_FLOATS)


def merge_mask(mask: Mask, other: Mask, planes: tuple[str, ...]) -> None:
    """Set planes, by name, where they are set in another mask of the same shape.

    Parameters
    ----------
    mask : Mask
        Changed in place. Planes that it does not have are added, if any pixel needs them.
    other : Mask
        Mask of the same shape; its planes may have other bits.
    planes : tuple of str
        Names of the planes to copy. Those that ``other`` does not have are skipped.
    """
    wanted = other.known_bits(planes)
    if not wanted:
        return
    if _MERGE and _are_plain(mask.array, other.array):
        _merge_compiled(mask, other, planes, wanted)
        return
    for rows in row_blocks(mask.shape):
        set_there = other.array[rows] & wanted
        if not set_there.any():
            continue
        for name in planes:
            bit = other.known_bits([name])
            if bit:
                mask.array[rows] |= ((set_there & bit) != 0).astype(np.int32) * np.int32(mask.add_plane(name))


def _merge_compiled(mask: Mask, other: Mask, planes: tuple[str, ...], wanted: int) -> None:
    if not _ALL_BITS(other.array, other.array.size) & wanted:
        return
    known = [name for name in planes if other.known_bits([name])]
    source = np.array([other.bits(name) for name in known], np.int32)
    target = np.array([mask.add_plane(name) for name in known], np.int32)

    def merge(rows: slice) -> None:
        _MERGE(mask.array[rows], other.array[rows], mask.array[rows].size, source, target, len(known))

    map_threads(merge, row_blocks(mask.shape))


def _are_plain(*planes: NDArray[Any]) -> bool:
    """Whether the compiled loops can run over planes as they lie in memory."""
    return all(plane.flags.c_contiguous and plane.dtype in (np.float32, np.int32) for plane in planes)


def _run(
    kernel: Kernel, masked_image: MaskedImage, frame: MaskedImage, first: float, second: float, bits: int
) -> int | None:
    """Run a compiled loop over all pixels, and return how many the frame has no value for; None without kernels."""
    planes = masked_image.image, masked_image.variance, masked_image.mask.array, frame.image, frame.variance
    if not (kernel and _are_plain(*planes)):
        return None

    def look(rows: slice) -> int:
        parts = [plane[rows] for plane in planes]
        return kernel(*parts, parts[0].size, first, second, bits)

    return sum(map_threads(look, row_blocks(masked_image.shape)))


def subtract_frame(
    masked_image: MaskedImage, frame: MaskedImage, *, scale: float = 1.0, planes: tuple[str, ...] = ()
) -> int:
    """Subtract a frame such as a bias or a dark.

    Parameters
    ----------
    masked_image : MaskedImage
        Counts, changed in place.
    frame : MaskedImage
        The frame, same shape. A variance that is not a number counts as none.
    scale : float, optional
        Factor for the frame.
    planes : tuple of str, optional
        Mask planes to take over from the frame.

    Returns
    -------
    int
        Number of pixels where the frame is not a finite number: they stay as they are and are masked BAD.
    """
    merge_mask(masked_image.mask, frame.mask, planes)
    n_bad, bad_bit = 0, masked_image.mask.bits("BAD")
    found = _run(_SUBTRACT, masked_image, frame, scale, scale**2, bad_bit)
    if found is not None:
        return found
    factor, square = np.float32(scale), np.float32(scale**2)
    for rows in row_blocks(masked_image.shape):
        amount = frame.image[rows] * factor if scale != 1.0 else frame.image[rows]
        if not np.isfinite(amount).all():
            bad = ~np.isfinite(amount)
            amount = np.where(bad, np.float32(0.0), amount)
            masked_image.mask.array[rows][bad] |= bad_bit
            n_bad += int(bad.sum())
        masked_image.image[rows] -= amount
        masked_image.variance[rows] += _finite(frame.variance[rows] * square)
    return n_bad


def divide_by_flat(
    masked_image: MaskedImage,
    flat: MaskedImage,
    *,
    scale: float = 1.0,
    minimum: float = 0.0,
    planes: tuple[str, ...] = (),
) -> int:
    """Divide by a flat, or by any other map of sensitivity.

    Parameters
    ----------
    masked_image : MaskedImage
        Counts, changed in place.
    flat : MaskedImage
        The flat, same shape. A variance that is not a number counts as none.
    scale : float, optional
        Value of the flat that leaves counts as they are.
    minimum : float, optional
        Pixels whose flat is not above this, relative to ``scale``, hold no data.
    planes : tuple of str, optional
        Mask planes to take over from the flat.

    Returns
    -------
    int
        Number of pixels without data: they stay as they are and are masked BAD and NO_DATA.
    """
    merge_mask(masked_image.mask, flat.mask, planes)
    n_bad, bad_bits = 0, masked_image.mask.bits("BAD", "NO_DATA")
    found = _run(_DIVIDE, masked_image, flat, 1.0 / scale, minimum, bad_bits)
    if found is not None:
        return found
    inverse_scale = np.float32(1.0 / scale)
    for rows in row_blocks(masked_image.shape):
        sensitivity = flat.image[rows] * inverse_scale
        bad = ~((sensitivity > minimum) & (sensitivity < np.inf))
        if bad.any():
            sensitivity[bad] = 1.0
            masked_image.mask.array[rows][bad] |= bad_bits
            n_bad += int(bad.sum())
        factor = np.divide(np.float32(1.0), sensitivity, out=sensitivity)
        image, variance = masked_image.image[rows], masked_image.variance[rows]
        image *= factor
        shared = _finite(flat.variance[rows] * inverse_scale**2)
        if bad.any():
            shared[bad] = 0.0
        shared *= image
        shared *= image
        variance += shared
        factor *= factor
        variance *= factor
    return n_bad


def scale_image(masked_image: MaskedImage, factor: float) -> None:
    """Multiply counts by a factor, in place, and the variance by its square.

    Parameters
    ----------
    masked_image : MaskedImage
        Changed in place. Its mask stays.
    factor : float
        Factor for the image; the variance is multiplied by its square.
    """
    for rows in row_blocks(masked_image.shape):
        masked_image.image[rows] *= np.float32(factor)
        masked_image.variance[rows] *= np.float32(factor**2)


def _finite(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Put zero, in place, where a value is not finite."""
    finite = np.isfinite(values)
    if not finite.all():
        values[~finite] = 0.0
    return values
