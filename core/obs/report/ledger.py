"""What a night brought for each target, and how it compares with other nights."""

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from obs.metrics.fields import number_fields
from obs.metrics.nights import compute_night
from obs.plural import count_of
from obs.report.night import Frame, Night

__all__ = ["list_nights", "list_targets"]

_HOUR = 3600.0
_NIGHTS = 31


def list_targets(frames: Sequence[Frame]) -> list[dict[str, str]]:
    """Return frames, hours and depth of the stack for each target and filter.

    Parameters
    ----------
    frames : sequence of Frame
        Visits.

    Returns
    -------
    list of dict
        One row for each target and filter, as text. The depth is that of a stack of all frames that are not bad, each
        weighted by its own depth.
    """
    groups: dict[tuple[str, str], list[Frame]] = defaultdict(list)
    pointings = number_fields([frame.row for frame in frames])
    names: dict[int, str] = {}
    for frame, number in zip(frames, pointings.tolist(), strict=True):
        target = str(frame.row.get("object") or "") or names.setdefault(number, _field(frame.row))
        groups[target, str(frame.row.get("filter") or "")].append(frame)
    rows = []
    for (target, name), group in sorted(groups.items()):
        used = [frame for frame in group if frame.verdict.level in ("good", "look")]
        seconds = sum(float(frame.row.get("exposure_time") or 0.0) for frame in group)
        useful = sum(
            float(frame.row.get("exposure_time") or 0.0) * float(frame.row.get("effective") or 100.0) / 100.0
            for frame in used
        )
        depths = [float(frame.row["depth"]) for frame in used if frame.row.get("depth") is not None]
        depth = 1.25 * math.log10(sum(10 ** (0.8 * value) for value in depths)) if depths else None
        rows.append(
            {
                "target": target,
                "filter": name,
                "frames": str(len(group)),
                "good": str(sum(frame.verdict.level == "good" for frame in group)),
                "hours": f"{seconds / _HOUR:.2f}",
                "useful": f"{useful / _HOUR:.2f}",
                "depth": "not measured" if depth is None else f"{depth:.2f} ({count_of(len(depths), 'frame')})",
            }
        )
    return rows


def _field(row: Mapping[str, Any]) -> str:
    ra, dec = row.get("ra"), row.get("dec")
    return "field not known" if ra is None or dec is None else f"RA {ra:.2f} Dec {dec:+.2f} deg"


def list_nights(night: Night) -> list[dict[str, Any]]:
    """Return medians of this night and of the camera's others, by filter; nothing without other nights.

    Parameters
    ----------
    night : Night
        With its history.
    """
    if not night.history and len(night.nights) < 2:
        return []
    groups: dict[tuple[str, str], list[Mapping[str, Any]]] = defaultdict(list)
    for row in [*night.history, *(frame.row for frame in night.detectors)]:
        groups[compute_night(row), str(row.get("filter") or "")].append(row)
    chosen = set(sorted({date for date, _ in groups if date})[-_NIGHTS:])
    rows = []
    for (date, name), group in sorted(groups.items(), reverse=True):
        if date in chosen:
            texts = {
                metric: _median(group, metric, digits) for metric, digits in (("seeing", 2), ("sky", 2), ("depth", 2))
            }
            texts["zero_point"] = _median(group, "zero_point_rate", 3)
            current = date in night.nights
            rows.append({"night": date, "filter": name, "frames": str(len(group)), "current": current, **texts})
    return rows


def _median(rows: Sequence[Mapping[str, Any]], metric: str, digits: int) -> str:
    known = [float(value) for row in rows if (value := row.get(metric)) is not None]
    return f"{np.median(known):.{digits}f}" if known else "-"
