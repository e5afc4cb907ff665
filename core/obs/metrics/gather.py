"""Gather what the detectors of an output have measured: one row a visit."""

import logging
import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from obs.errors import ObsError
from obs.metrics.definitions import CONTEXT, METRICS
from obs.metrics.nights import visit_name
from obs.repo.metric_table import MetricTable

__all__ = ["gather_metrics", "visit_rows"]

logger = logging.getLogger(__name__)

#: Metrics that add up over the detectors of a visit; medians are taken of the others.
_SUMS = frozenset(
    {"n_sources", "n_stars", "n_reference", "n_psf_stars", "n_warnings", "seconds", "amp_dead", "n_streaks"}
)
#: Where the largest value tells.
_LARGEST = frozenset({"peak_memory"})
#: Percentiles need as many values as this.
_FEWEST = 5
_TEXTS = ("filter", "object", "date")


def gather_metrics(output: Path, *, again: bool = True) -> None:
    """Write a row for each visit; a problem here becomes a warning of the log.

    Parameters
    ----------
    output : Path
        Folder of the output.
    again : bool, optional
        Write also where each visit has a row that counts its detectors rightly.
    """
    table = MetricTable(output)
    try:
        rows = visit_rows(table.read("detector"))
        if again or _counts(rows) != _counts(table.read("visit")):
            table.write("visit", rows)
    except (ObsError, ValueError, OSError) as error:
        logger.warning("metrics are not gathered: %s", error)


def _counts(rows: Sequence[Mapping[str, Any]]) -> set[tuple[Any, ...]]:
    return {(row["data_id"], row["n_expected"], row["n_done"], row["n_failed"]) for row in rows}


def visit_rows(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return one row for each visit from the rows of its detectors.

    Each metric is the median over detectors, or the sum of counts. Beside it are the number of detectors that were
    expected, done and failed, and how many have the metric: a mean over survivors hides the dead.

    Parameters
    ----------
    rows : sequence of mapping
        Rows of detectors.

    Returns
    -------
    list of dict
        In order of time.
    """
    groups: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for row in rows:
        groups[visit_name(row)].append(row)
    visits = [_visit_row(name, group) for name, group in groups.items()]
    return sorted(visits, key=lambda row: (row["mjd"] is None, row["mjd"] or 0.0, row["data_id"]))


def _visit_row(name: str, group: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    done = [row for row in group if row.get("status") == "done"]
    failed = sum(row.get("status") == "failed" for row in group)
    row: dict[str, Any] = {"data_id": name, "n_expected": len(group), "n_done": len(done), "n_failed": failed}
    row["status"] = "done" if len(done) == len(group) else "failed" if failed else "waiting"
    spreads: dict[str, Any] = {}
    for metric in (*METRICS, *CONTEXT):
        values = np.array([v for r in group if (v := r.get(metric)) is not None], float)
        row[metric] = _combined(metric, values)
        spread: list[float] = []
        if len(values) >= _FEWEST:
            spread = [float(f"{value:.5g}") for value in np.percentile(values, [5, 95])]
        spreads[metric] = [len(values), *spread]
    for key in _TEXTS:
        row[key] = next((value for r in group if (value := r.get(key))), None)
    # detectors tell the width of the focal plane's field only together
    widths = np.array([v for r in group if (v := r.get("seeing")) is not None], float)
    if len(widths) >= _FEWEST:
        low, high = np.percentile(widths, [5, 95])
        row["psf_gradient"] = math.sqrt(max(high**2 - low**2, 0.0))
    row["details"] = {"spreads": spreads}
    for name in ("gain", "read_noise"):
        known = [value for r in group if (value := (r.get("details") or {}).get(name)) is not None]
        if known:
            row["details"][name] = float(np.median(known))
    return row


def _combined(metric: str, values: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> float | None:
    if not len(values):
        return None
    if metric in _SUMS:
        return float(values.sum())
    return float(values.max() if metric in _LARGEST else np.median(values))
