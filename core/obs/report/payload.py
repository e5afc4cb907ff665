"""What the scripts of a report draw: metrics, verdicts and pictures as JSON that cannot leave its tag."""

import json
import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from obs.metrics.definitions import CONTEXT, MASTER_METRICS, METRICS, Metric
from obs.metrics.derive import DERIVED
from obs.metrics.gates import Gate
from obs.metrics.nights import compute_night
from obs.metrics.verdict import LEVELS
from obs.report.amplifier_history import amplifier_history
from obs.report.amplifier_map import amplifier_map
from obs.report.night import Frame, Night

__all__ = ["build_payload", "escape_json"]

#: Columns of the table of frames before the metrics.
_TEXTS = ("filter", "object", "date", "detector_name")
_DIGITS = 5
_MOST_REASONS = 4


def escape_json(value: object) -> str:
    r"""Return JSON that is safe inside a script element: ``<``, ``>``, ``&`` and line separators are ``\u`` escapes.

    Parameters
    ----------
    value : object
        Plain data; numbers that are not finite, as of a damaged image, become null.
    """
    try:
        text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False, default=str)
    except ValueError:
        return escape_json(_finite(value))
    for letter in "<>&\u2028\u2029":
        text = text.replace(letter, f"\\u{ord(letter):04x}")
    return text


def _finite(value: object) -> object:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {key: _finite(part) for key, part in value.items()}
    return [_finite(part) for part in value] if isinstance(value, list | tuple) else value


def build_payload(night: Night) -> dict[str, Any]:
    """Return the data of a page, without pictures.

    Parameters
    ----------
    night : Night
        The frames.
    """
    used = _used_metrics([*night.visits, *night.detectors])
    payload: dict[str, Any] = {
        "metrics": {name: _describe(metric, night.gates.gates.get(name)) for name, metric in used.items()},
        "mosaic": night.is_mosaic,
        "frames": _table(night.visits, list(used)),
        "masters": _masters(night.masters),
        "amplifiers": amplifier_history(night),
        "amplifier_map": amplifier_map(night),
    }
    if night.is_mosaic:
        payload["frames"]["detectors"] = _count_detectors(night)
        payload["detectors"] = _table(night.detectors, list(used))
        payload["detectors"]["visit"] = _indices([night.find_visit(frame) for frame in night.detectors], night.visits)
    return payload


def _indices(names: Sequence[str], visits: Sequence[Frame]) -> list[int]:
    order = {visit.name: index for index, visit in enumerate(visits)}
    return [order.get(name, -1) for name in names]


def _count_detectors(night: Night) -> list[str]:
    """Return for each visit how many of its detectors are not good, in words; empty if all are good."""
    found: dict[str, Counter[str]] = defaultdict(Counter)
    for frame in night.detectors:
        found[night.find_visit(frame)][frame.verdict.level] += 1
    words = []
    for visit in night.visits:
        levels = found[visit.name]
        parts = [f"{levels[level]} {level}" for level in LEVELS if level != "good" and levels[level]]
        words.append(f"{', '.join(parts)} of {levels.total()}" if parts else "")
    return words


def _used_metrics(frames: Sequence[Frame]) -> dict[str, Metric]:
    """Return the metrics that some frame has."""
    every = {**METRICS, **DERIVED, **CONTEXT}
    seen = {name for frame in frames for name, value in frame.row.items() if value is not None}
    return {name: metric for name, metric in every.items() if name in seen}


def _describe(metric: Metric, gate: Gate | None) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "label": metric.label,
        "unit": metric.unit,
        "digits": metric.digits,
        "definition": metric.definition,
        "estimator": metric.estimator,
        "version": metric.version,
    }
    if gate is not None:
        facts["gate"] = {"compare": gate.compare, "look": gate.look, "bad": gate.bad, "center": gate.center}
    return facts


def _table(frames: Sequence[Frame], metrics: Sequence[str]) -> dict[str, Any]:
    """Return columns of values, one element a frame; texts that repeat are numbered."""
    table: dict[str, Any] = {
        "n": len(frames),
        "name": [frame.name for frame in frames],
        "level": [frame.verdict.level for frame in frames],
        "night": [compute_night(frame.row) for frame in frames],
        "reasons": [
            [[cause.name, cause.level, cause.text, cause.remedy] for cause in frame.verdict.causes[:_MOST_REASONS]]
            for frame in frames
        ],
        "unmeasured": _unmeasured(frames),
        "values": {name: [rounded(frame.row.get(name)) for frame in frames] for name in metrics},
    }
    for name in _TEXTS:
        table[name] = [frame.row.get(name) or "" for frame in frames]
    if any("n_expected" in frame.row for frame in frames):
        table["expected"] = [[frame.row.get(key) for key in ("n_done", "n_expected")] for frame in frames]
    if len(frames) <= 500:  # the small print of each frame
        table["without"] = [frame.verdict.without for frame in frames]
        table["warnings"] = [frame.row.get("details", {}).get("warnings", []) for frame in frames]
        table["amplifiers"] = [frame.row.get("details", {}).get("amplifiers", []) for frame in frames]
        table["header"] = [frame.row.get("details", {}).get("header", []) for frame in frames]
        table["planes"] = [frame.row.get("details", {}).get("planes", {}) for frame in frames]
        for name in ("gain", "read_noise"):
            table[name] = [frame.row.get("details", {}).get(name) for frame in frames]
        table["psf"] = [frame.row.get("details", {}).get("psf", "") for frame in frames]
    return table


def _unmeasured(frames: Sequence[Frame]) -> dict[str, str]:
    """Return for each metric that no frame has the commonest reason."""
    found: dict[str, str] = {}
    for frame in frames:
        for name, reason in (frame.row.get("details", {}).get("reasons") or {}).items():
            if all(other.row.get(name) is None for other in frames[:50]):
                found.setdefault(name, reason)
    return found


def _masters(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    names = ["data_id", "type", "status", "made", *MASTER_METRICS]
    return [
        {name: rounded(row.get(name)) for name in names} | {"warnings": row["details"].get("warnings", [])}
        for row in rows
    ]


def rounded(value: Any) -> Any:  # noqa: ANN401 - numbers and texts
    """Return a number with five significant figures, None if it is not finite; other values as they are."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return value
    if not math.isfinite(value):
        return None
    if isinstance(value, int) or value == int(value):
        return int(value)
    # times need the seconds of a day
    return round(value, 6) if abs(value) > 10_000 else float(f"{value:.{_DIGITS}g}")
