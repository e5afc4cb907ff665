"""The shape that all stars of a frame share, against that of other frames of the night: wind and guiding."""

import math
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np

from obs.metrics.references import group_of

__all__ = ["add_shape_excess"]

_SIGMA = 1.4826


def add_shape_excess(rows: Sequence[dict[str, Any]], night_frames: int) -> None:
    """Add ``star_e_excess`` and its error to rows: how far the common ellipticity is from that of the night.

    A telescope draws all its images out a little, in one direction. What one frame has beside that, in length or in
    direction, came in during its exposure.

    Parameters
    ----------
    rows : sequence of dict
        Rows with ``star_e_coherent`` and ``star_angle``; changed in place. None where there are too few to compare.
    night_frames : int
        Number of frames of a night, filter and detector that a comparison needs.
    """
    groups: dict[tuple[Any, ...], list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        row["star_e_excess"] = row["star_e_excess_error"] = None
        if row.get("star_e_coherent") is not None and row.get("star_angle") is not None:
            groups[(*group_of(row), row.get("detector_name"))].append(row)
    for group in groups.values():
        if len(group) < night_frames:
            continue
        angles = [math.radians(2.0 * float(row["star_angle"])) for row in group]
        e1 = np.array([row["star_e_coherent"] * math.cos(angle) for row, angle in zip(group, angles, strict=True)])
        e2 = np.array([row["star_e_coherent"] * math.sin(angle) for row, angle in zip(group, angles, strict=True)])
        distance = np.hypot(e1 - np.median(e1), e2 - np.median(e2))
        error = _SIGMA * float(np.median(distance))
        for row, excess in zip(group, distance, strict=True):
            row["star_e_excess"], row["star_e_excess_error"] = float(excess), error
