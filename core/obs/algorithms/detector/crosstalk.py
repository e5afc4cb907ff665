"""Remove the ghosts that a bright source leaves in the other amplifiers.

All amplifiers are read at the same time, so what amplifier j reads in one moment adds a small part of itself to what
amplifier i reads then. Pixels of the same moment have the same distance from the corners that are read first.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from obs.algorithms.pixels.row_blocks import row_blocks
from obs.camera.amplifier import Amplifier
from obs.errors import FileFormatError
from obs.image.masked_image import MaskedImage

__all__ = ["subtract_crosstalk"]

_READ_FROM_RIGHT = ("LR", "UR")
_READ_FROM_TOP = ("UL", "UR")
_SEEN = 1e-7
"""Relative change of the variance that float32 can tell."""


def subtract_crosstalk(
    amplifiers: Sequence[tuple[Amplifier, MaskedImage]],
    coefficients: NDArray[np.float64],
    *,
    background: NDArray[np.float64],
    minimum_to_mask: float,
    plane: str = "CROSSTALK",
    raw_order: bool = False,
) -> int:
    """Subtract from each amplifier what the others add to it, in place.

    What the others add follows from their pixels as they are before any correction, which is right to first order in
    the coefficients, as the coefficients themselves are measured.

    Parameters
    ----------
    amplifiers : sequence of (Amplifier, MaskedImage)
        The amplifiers, and the data of each, ADU, all of one size: views of the detector's image, or of raw images.
    coefficients : ndarray of float64, shape (n, n)
        ``coefficients[j, i]`` is the part of source amplifier j that appears in target amplifier i.
    background : ndarray of float64, shape (n,)
        Level of each amplifier that is not counted as a source, ADU.
    minimum_to_mask : float
        Where a source is brighter than this above its background, its targets are masked, ADU.
    plane : str, optional
        The plane that marks such targets.
    raw_order : bool, optional
        Whether the pixels are still in the order of the raw image, before the amplifiers' flips.

    Returns
    -------
    int
        Number of pixels masked.

    Raises
    ------
    FileFormatError
        If the matrix does not fit the amplifiers, or they differ in size.
    """
    n, shapes = len(amplifiers), [data.shape for _, data in amplifiers]
    if coefficients.shape != (n, n):
        raise FileFormatError(
            f"crosstalk coefficients have shape {coefficients.shape}, the detector has {n} amplifiers"
        )
    if len(set(shapes)) > 1:
        sizes = ", ".join(sorted({f"{width} x {height}" for height, width in shapes}))
        raise FileFormatError(f"crosstalk needs amplifiers of one size, these are {sizes}")
    transfer = np.array(coefficients.T, np.float32)
    np.fill_diagonal(transfer, 0.0)
    square = np.square(transfer)
    noisy = np.max(square, initial=0.0) > _SEEN
    turned = [(data, _turn(amp, raw_order)) for amp, data in amplifiers]
    images, variances = ([getattr(data, p)[turn] for data, turn in turned] for p in ("image", "variance"))
    masks, bits = [data.mask.array[turn] for data, turn in turned], amplifiers[0][1].mask.bits(plane)
    level = background.astype(np.float32)[:, None, None]
    reached = (transfer != 0).astype(np.float32)
    number = 0
    for rows in row_blocks(shapes[0]):
        source = np.stack([image[rows] for image in images])
        source -= level
        if not np.isfinite(source).all():
            source[~np.isfinite(source)] = 0.0
        ghosts = _mixed(transfer, source)
        noise = _mixed(square, np.stack([v[rows] for v in variances])) if noisy else None
        bright = source > minimum_to_mask
        struck = _mixed(reached, bright.astype(np.float32)) > 0 if bright.any() else None
        for i in range(n):
            images[i][rows] -= ghosts[i]
            if noise is not None:
                variances[i][rows] += noise[i]
            if struck is not None:
                masks[i][rows] |= struck[i].astype(np.int32) * np.int32(bits)
                number += int(np.count_nonzero(struck[i]))
    return number


def _mixed(matrix: NDArray[np.float32], planes: NDArray[np.float32]) -> NDArray[np.float32]:
    """Apply a matrix (n, n) to the amplifiers of a stack (n, ny, nx)."""
    return (matrix @ planes.reshape(len(planes), -1)).reshape(planes.shape)


def _turn(amp: Amplifier, raw_order: bool) -> tuple[slice, slice]:
    """Index that puts the pixel read first at the lower left."""
    from_right, from_top = amp.readout_corner in _READ_FROM_RIGHT, amp.readout_corner in _READ_FROM_TOP
    if raw_order:
        from_right, from_top = from_right != amp.flip_x, from_top != amp.flip_y
    return slice(None, None, -1 if from_top else 1), slice(None, None, -1 if from_right else 1)
