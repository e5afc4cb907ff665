"""Mark pixels that the telescope's optics leave in the dark."""

import numpy as np

from obs.algorithms.pixels.row_blocks import row_blocks
from obs.camera.detector import Detector
from obs.image.mask import Mask

__all__ = ["mask_vignetted"]


def mask_vignetted(
    mask: Mask, detector: Detector, *, x: float, y: float, radius: float, plane: str = "NO_DATA"
) -> float:
    """Set a plane outside of a circle in the focal plane, in place.

    Parameters
    ----------
    mask : Mask
        Mask of the assembled detector.
    detector : Detector
        Where the pixels are in the focal plane.
    x, y, radius : float
        Center and radius of the circle, mm.
    plane : str, optional
        The plane to set.

    Returns
    -------
    float
        Part of the detector that is outside.
    """
    height, width = mask.shape
    corner_x, corner_y = np.array([0.0, width - 1, 0.0, width - 1]), np.array([0.0, 0.0, height - 1, height - 1])
    at_x, at_y = detector.pixel_to_focal_plane(x=corner_x, y=corner_y)
    if np.all(np.hypot(at_x - x, at_y - y) <= radius):
        return 0.0
    number, bits = 0, np.int32(mask.add_plane(plane))
    for rows in row_blocks(mask.shape):
        row, column = np.mgrid[rows, 0.0:width]
        at_x, at_y = detector.pixel_to_focal_plane(x=column, y=row)
        outside = (at_x - x) ** 2 + (at_y - y) ** 2 > radius**2
        mask.array[rows][outside] |= bits
        number += int(np.count_nonzero(outside))
    return number / (height * width)
