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

__all__ = ["compare_nights", "list_nights", "list_targets"]

_HOUR = 3600.0
_NIGHTS = 31
#: Fewer other nights are no scale.
_FEWEST_NIGHTS = 3
#: Metric, its name, unit and digits, and what a larger value is.
_AGAINST = (
    ("seeing", "seeing", " arcsec", 2, "wider"),
    ("sky", "sky", " mag/arcsec²", 2, "darker"),
    ("zero_point_rate", "zero point", " mag", 2, "higher"),
    ("depth", "depth", " mag", 2, "deeper"),
)


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
        is_compared = any(frame.row.get("effective") is not None for frame in group)
        depths = [float(frame.row["depth"]) for frame in used if frame.row.get("depth") is not None]
        depth = 1.25 * math.log10(sum(10 ** (0.8 * value) for value in depths)) if depths else None
        rows.append(
            {
                "target": target,
                "filter": name,
                "frames": str(len(group)),
                "good": str(sum(frame.verdict.level == "good" for frame in group)),
                "hours": f"{seconds / _HOUR:.2f}",
                "useful": f"{useful / _HOUR:.2f}" if is_compared else "not known",
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
    rows = []
    for (date, name), group in sorted(_group_nights(night).items(), reverse=True):
        medians = {metric: _median(group, metric) for metric, *_ in _AGAINST}
        texts = {metric: "-" if value is None else f"{value:.2f}" for metric, value in medians.items()}
        zero = medians["zero_point_rate"]
        texts["zero_point"] = "-" if zero is None else f"{zero:.3f}"
        current = date in night.nights
        rows.append({"night": date, "filter": name, "frames": str(len(group)), "current": current, **texts})
    return rows


def compare_nights(night: Night) -> list[str]:
    """Return a sentence for each filter of this night: its place among the camera's other nights.

    Parameters
    ----------
    night : Night
        With its history. With several nights of its own, nothing is compared.
    """
    if len(night.nights) != 1:
        return []
    groups, lines = _group_nights(night), []
    for date, name in sorted(groups):
        if date not in night.nights:
            continue
        parts = []
        for metric, label, unit, digits, larger in _AGAINST:
            value = _median(groups[date, name], metric)
            others = [
                median
                for (other, filter_name), group in groups.items()
                if other != date and filter_name == name and (median := _median(group, metric)) is not None
            ]
            if value is not None and len(others) >= _FEWEST_NIGHTS:
                below = sum(other < value for other in others)
                difference = value - float(np.median(others))
                place = f"{larger} than in {below} of {len(others)} other nights"
                parts.append(f"{label} {value:.{digits}f}{unit} ({difference:+.{digits}f} to their median), {place}")
        if parts:
            lines.append(f"{name or 'no filter'}: {'; '.join(parts)}.")
    return lines


def _group_nights(night: Night) -> dict[tuple[str, str], list[Mapping[str, Any]]]:
    """Return rows of the latest nights, this one among them, by night and filter."""
    groups: dict[tuple[str, str], list[Mapping[str, Any]]] = defaultdict(list)
    for row in [*night.history, *(frame.row for frame in night.detectors)]:
        groups[compute_night(row), str(row.get("filter") or "")].append(row)
    chosen = {*sorted({date for date, _ in groups if date})[-_NIGHTS:], *night.nights}
    return {key: group for key, group in groups.items() if key[0] in chosen}


def _median(rows: Sequence[Mapping[str, Any]], metric: str) -> float | None:
    known = [float(value) for row in rows if (value := row.get(metric)) is not None]
    return float(np.median(known)) if known else None
