"""Which exposures reach a patch."""

import numpy as np
from numpy.typing import NDArray

from obs.coadds.frames import Frame
from obs.geom import Box
from obs.skymap.tract import Tract

__all__ = ["overlaps"]


def overlaps(frame: Frame, tract: Tract, box: Box) -> bool:
    """Return whether the sky polygon of an exposure and a box of a tract's pixels intersect.

    Both are convex, so they do unless a side of one of them separates them.

    Parameters
    ----------
    frame : Frame
        The exposure.
    tract : Tract
        The tract.
    box : Box
        Pixels of the tract.
    """
    ra, dec = frame.outline().T
    outline = np.stack(tract.wcs.sky_to_pixel(ra=ra, dec=dec), axis=1)
    if not np.isfinite(outline).all():
        return False  # of a hemisphere that the projection does not show
    rectangle = np.array(
        [(box.x_min, box.y_min), (box.x_max, box.y_min), (box.x_max, box.y_max), (box.x_min, box.y_max)], np.float64
    )
    rectangle -= 0.5
    corners = outline[:: len(outline) // 4]
    sides = np.roll(corners, -1, axis=0) - corners
    normals = np.concatenate([np.eye(2), np.stack([-sides[:, 1], sides[:, 0]], axis=1)])
    return not any(_separates(normal, outline, rectangle) for normal in normals)


def _separates(normal: NDArray[np.float64], one: NDArray[np.float64], other: NDArray[np.float64]) -> bool:
    first, second = one @ normal, other @ normal
    return bool(first.max() < second.min() or second.max() < first.min())
