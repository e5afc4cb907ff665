"""Which exposures reach a patch."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from obs.coadds.frames import Frame
from obs.geom import Box
from obs.skymap.tract import Patch, Tract

__all__ = ["overlaps", "patches_near"]


def patches_near(frames: Sequence[Frame], tract: Tract) -> list[Patch]:
    """Return the patches that exposures may reach, in the order of their numbers.

    Tracts of a dodecahedron have 100,000 patches, most of them far from all exposures.

    Parameters
    ----------
    frames : sequence of Frame
        The exposures.
    tract : Tract
        The tract.
    """
    found = set()
    for frame in frames:
        outline = _outline(frame, tract)
        if np.isfinite(outline).all():
            corners = outline.min(axis=0).tolist(), outline.max(axis=0).tolist()
            found |= {patch.index[::-1] for patch in tract.patches_between(*corners)}
    return [tract.patch((x, y)) for y, x in sorted(found)]


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
    outline = _outline(frame, tract)
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


def _outline(frame: Frame, tract: Tract) -> NDArray[np.float64]:
    """Return the outline of an exposure in pixels of a tract, shape (n, 2)."""
    ra, dec = frame.outline().T
    return np.stack(tract.wcs.sky_to_pixel(ra=ra, dec=dec), axis=1)


def _separates(normal: NDArray[np.float64], one: NDArray[np.float64], other: NDArray[np.float64]) -> bool:
    first, second = one @ normal, other @ normal
    return bool(first.max() < second.min() or second.max() < first.min())
