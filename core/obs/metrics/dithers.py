"""Which part of pointing errors is dithering that the headers do not tell."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np

from obs.metrics.fields import number_fields
from obs.metrics.nights import compute_night
from obs.sky_vectors import sky_vectors

__all__ = ["excuse_dithers"]

_FEWEST = 5
"""Frames of a field that show whether it is dithered."""
_REACH = 3.0
"""A dither is at most so many times as far from the middle of the field's pointings as half of them are."""
_ALIKE = 0.5
"""Part of the pointing error that is left, in the median, where the headers name the target and not the dithers."""


def excuse_dithers(rows: Sequence[dict[str, Any]]) -> None:
    """Add ``dither``, arcsec, and take it off ``pointing_share``: who dithers around the target's header is not off it.

    Such headers show by errors that are the distances of the frames from the middle of all frames of the field. A
    frame that is farther off than dithers are keeps what is beyond them, and fields that run away keep all.

    Parameters
    ----------
    rows : sequence of dict
        Rows with ``pointing_drift``; changed in place.
    """
    names = ("pointing_error", "pointing_share", "ra", "dec")
    groups: dict[tuple[Any, ...], list[dict[str, Any]]] = defaultdict(list)
    for row, field in zip(rows, number_fields(rows).tolist(), strict=True):
        if row.setdefault("dither", None) is not None:  # is taken off already
            continue
        if None not in [row.get(name) for name in names] and row.get("pointing_drift") is None:
            groups[(compute_night(row), row.get("detector_name"), field)].append(row)
    for group in groups.values():
        if len(group) < _FEWEST:
            continue
        vectors = sky_vectors([row["ra"] for row in group], [row["dec"] for row in group])
        distance = 3600.0 * np.degrees(np.linalg.norm(vectors - np.median(vectors, axis=0), axis=1))
        error = np.array([row["pointing_error"] for row in group], float)
        if np.median(np.abs(error - distance)) > _ALIKE * np.median(error):
            continue
        dither = np.minimum(np.minimum(distance, _REACH * np.median(distance)), error)
        left = 1.0 - dither / np.maximum(error, 1e-6)
        for row, arcsec, share in zip(group, dither.tolist(), left.tolist(), strict=True):
            row["dither"] = arcsec
            row["pointing_share"] *= share
