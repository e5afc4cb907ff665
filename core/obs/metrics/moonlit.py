"""Frames that the Moon lights, against the frames of the same night that it does not."""

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from obs.metrics.moonlight_scale import DARK, moon_over_dark
from obs.metrics.nights import compute_night

__all__ = ["add_moonlit"]

_NIGHT = -18.0
#: Dark frames that the night needs.
_FEWEST = 3
#: Part of the brightness that the Moon explains where it is the cause, and its altitude, degrees, below which it lights
#: the sky by paths that no model has.
_SHARE, _LOW_MOON = 0.5, 8.0


def add_moonlit(rows: Sequence[dict[str, Any]]) -> None:
    """Add ``moonlit`` to rows: magnitudes by which the Moon brightens the sky above that of the dark frames.

    It is 0 in frames without the Moon, and None in a night without dark frames: that the Moon is up all night is said
    of the night, and its frames are compared with each other.

    Parameters
    ----------
    rows : sequence of dict
        Rows with ``sky_rate``, ``moon_sky`` and ``moon_expected``; changed in place.
    """
    groups: dict[tuple[Any, ...], list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        row["moonlit"] = None
        sun, rate = row.get("sun_altitude"), row.get("sky_rate")
        if row.get("moon_sky") is not None and rate is not None and rate > 0 and (sun is None or sun < _NIGHT):
            groups[(compute_night(row), row.get("filter"), row.get("detector_name"))].append(row)
    for group in groups.values():
        dark = [row["sky_rate"] for row in group if not _is_up(row) and moon_over_dark(row) < DARK]
        if len(dark) < _FEWEST:
            continue
        usual = float(np.median(dark))
        for row in group:
            brighter = 2.5 * math.log10(row["sky_rate"] / usual)
            row["moonlit"] = brighter if _explains(row, brighter) else 0.0


def _is_up(row: Mapping[str, Any]) -> bool:
    return (row.get("moon_altitude") or -1.0) > 0.0


def _explains(row: Mapping[str, Any], brighter: float) -> bool:
    """Return whether the Moon is the cause of the brightness of a frame's sky."""
    if not _is_up(row):
        return False
    return float(row["moon_altitude"]) < _LOW_MOON or (row.get("moon_expected") or 0.0) > _SHARE * brighter
