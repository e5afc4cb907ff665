"""Metrics of calibration frames, kept beside them."""

import logging
import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from obs.errors import ObsError
from obs.policy.data_id import format_data_id
from obs.repo.metric_table import MetricTable
from obs.version import __version__

__all__ = ["MasterFacts", "record_masters"]

logger = logging.getLogger(__name__)


class MasterFacts(Protocol):
    """What the building of a calibration frame found; see `obs.calibration_frames.summary.BuildSummary`."""

    levels: dict[str, float]
    dropped: dict[str, str]
    n_clipped: int
    noise_factors: list[float]
    peak_memory: float
    warnings: list[str]


def record_masters(
    root: Path,
    name: str,
    made: Sequence[tuple[Mapping[str, Any], MasterFacts]],
    failed: Sequence[tuple[Mapping[str, Any], str]] = (),
    changes: Sequence[tuple[float | None, str]] = (),
) -> None:
    """Write a row for each calibration frame; a problem here becomes a warning of the log.

    Parameters
    ----------
    root : Path
        Folder of the calibrations.
    name : str
        Their type, such as ``flat``.
    made : sequence of (mapping, MasterFacts)
        Data IDs and what was found.
    failed : sequence of (mapping, str)
        Data IDs that could not be made, and why.
    changes : sequence of (float or None, str), optional
        For each that was made, the percentage of pixels that differ from an earlier one, and its date; or None, and
        the reason.
    """
    now = datetime.now(UTC).isoformat(timespec="seconds")
    common = {"type": name, "made": now, "version": __version__}
    known = changes or [(None, "not compared")] * len(made)
    rows = [
        _keys(name, data_id) | common | _facts(facts, change)
        for (data_id, facts), change in zip(made, known, strict=True)
    ]
    rows += [_keys(name, data_id) | common | {"status": "failed", "error": error} for data_id, error in failed]
    try:
        MetricTable(root).write("master", rows)
    except (ObsError, ValueError) as error:
        logger.warning("metrics of calibration frames are not kept: %s", error)


def _keys(name: str, data_id: Mapping[str, Any]) -> dict[str, Any]:
    known = {key: value for key, value in data_id.items() if key.isidentifier() and key not in ("type", "level")}
    return known | {"data_id": f"{name} {format_data_id(data_id)}"}


def _facts(facts: MasterFacts, change: tuple[float | None, str]) -> dict[str, Any]:
    levels = [level for level in facts.levels.values() if math.isfinite(level)]
    reasons = {} if facts.noise_factors else {"noise_expected": "one input, or no gain or read noise is known"}
    if change[0] is None:
        reasons["master_change"] = change[1]
    compared = {"compared_with": change[1]} if change[0] is not None else {}
    return {
        "status": "done",
        "n_used": len(facts.levels),
        "n_dropped": len(facts.dropped),
        "level": float(np.median(levels)) if levels else None,
        "noise_expected": max(facts.noise_factors, default=None),
        "master_change": change[0],
        "clipped": facts.n_clipped,
        "peak_memory": facts.peak_memory,
        "details": {"warnings": facts.warnings, "dropped": facts.dropped, "reasons": reasons} | compared,
    }
