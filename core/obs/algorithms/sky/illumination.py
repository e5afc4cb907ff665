"""Measure how the sky changes over a frame: darker to all corners as through optics without a flat, or to one side."""

from typing import NamedTuple

import numpy as np

from obs.image.background import Background

__all__ = ["SkyShape", "measure_sky_shape"]

FEWEST_CELLS = 16
ROUNDS, HUBER = 8, 2.0
"""Rounds in which weights of cells are found, and the residuals, in their scatter, beyond which they count less."""

COVERED = 0.5
"""Least distance of known cells from the middle on each side, as a fraction of half of the frame."""

LARGEST = 3.0
"""Change, as a fraction of the level, beyond which the level is that of a sky that was subtracted."""

SIGNIFICANT = 8.0
"""Least size of a term, in its error."""

ROUND = 0.5
"""Least ratio of the bends along both axes, where the sky is darker to all corners."""

SMOOTH = 0.2
"""Largest scatter of cells about the shape, as a fraction of its change: clouds and nebulae have more."""


class SkyShape(NamedTuple):
    """How the sky changes over a frame, as fractions of its level in the middle.

    Parameters
    ----------
    corners : float
        How much darker the mean corner is than the middle; 0 if that is not seen.
    slope : float
        Change from one side of the frame to the other; 0 if that is not seen.
    angle : float
        Direction in which the sky becomes brighter, degrees from x to y; NaN without a slope.
    """

    corners: float = 0.0
    slope: float = 0.0
    angle: float = float("nan")


def measure_sky_shape(sky: Background) -> SkyShape:
    """Fit a slope and bends along both axes to the cells of a background.

    Parameters
    ----------
    sky : Background
        Level of the sky in cells, with errors.
    """
    nothing = SkyShape()
    known = np.isfinite(sky.level) & np.isfinite(sky.error)
    if np.count_nonzero(known) < FEWEST_CELLS or min(sky.level.shape) < 3:
        return nothing
    v, u = (2.0 * at / size - 1.0 for at, size in zip((sky.y, sky.x), sky.shape, strict=True))
    u, v = (axis[known] for axis in np.meshgrid(u, v))
    if max(u.min(), v.min()) > -COVERED or min(u.max(), v.max()) < COVERED:
        return nothing
    level = sky.level[known].astype(np.float64)
    design = np.stack([np.ones_like(u), u, v, u**2, v**2, u * v], axis=1)
    weight = np.ones_like(level)
    for _ in range(ROUNDS):
        root = np.sqrt(weight)[:, None]
        terms = np.linalg.lstsq(design * root, level * root[:, 0], rcond=None)[0]
        left = np.abs(level - design @ terms)
        scatter = max(1.4826 * float(np.median(left)), 1e-9 * abs(float(terms[0])))
        weight = np.minimum(1.0, HUBER * scatter / np.maximum(left, 1e-30))
    if not terms[0] > 0 or np.abs(design @ terms / terms[0] - 1).max() > LARGEST:
        return nothing
    error = scatter * np.sqrt(np.diag(np.linalg.pinv(design.T @ (design * weight[:, None]))))
    # cells far off count here, because structures are not the shape of optics
    scatter = float(np.sqrt(np.mean(np.square(left))))
    (slope_x, slope_y, bend_x, bend_y), errors = terms[1:5], error[1:5]
    corners = -float(bend_x + bend_y)
    seen = min(-bend_x, -bend_y) > max(ROUND * max(-bend_x, -bend_y), SIGNIFICANT * errors[2:].max())
    shape = nothing
    if seen and scatter < SMOOTH * corners:
        shape = shape._replace(corners=corners / float(terms[0]))
    slope = 2.0 * float(np.hypot(slope_x, slope_y))
    if slope > max(2.0 * SIGNIFICANT * errors[:2].max(), scatter / SMOOTH):
        shape = shape._replace(slope=slope / float(terms[0]), angle=float(np.degrees(np.arctan2(slope_y, slope_x))))
    return shape
