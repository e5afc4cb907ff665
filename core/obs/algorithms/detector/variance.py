"""The noise of pixels: that of their light, and that of the amplifier."""

import numpy as np

from obs.algorithms.pixels.row_blocks import row_blocks
from obs.geom import Box
from obs.image.masked_image import MaskedImage

__all__ = ["add_noise"]


def add_noise(
    masked_image: MaskedImage, box: Box, *, gain: float, read_noise: float, level_variance: float = 0.0
) -> None:
    """Add the noise of light and of one read to the variance of a box, in place.

    Parameters
    ----------
    masked_image : MaskedImage
        Counts above the bias, ADU; variance in ADU^2.
    box : Box
        The amplifier.
    gain : float
        Electrons per ADU, positive.
    read_noise : float
        Standard deviation of one read, electrons.
    level_variance : float, optional
        Variance of the overscan level that was subtracted, ADU^2.
    """
    inverse, floor = np.float32(1.0 / gain), np.float32((read_noise / gain) ** 2 + level_variance)
    image, variance = masked_image.image[box.slices], masked_image.variance[box.slices]
    for rows in row_blocks(box.shape):
        noise = np.maximum(image[rows], np.float32(0.0))
        noise *= inverse
        noise += floor
        variance[rows] += noise
