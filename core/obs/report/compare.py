"""Two reruns side by side: which metrics of the same frames have moved beyond their noise."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from obs.metrics.definitions import CONTEXT, METRICS
from obs.plural import count_of
from obs.report.night import short_name
from obs.report.payload import rounded

__all__ = ["compare_reruns"]

_SIGMA = 1.4826
_MOVED = 3.0
_FEWEST = 3
#: Frames whose numbers stand beside each other, for pages that can be mailed.
_MOST_FRAMES = 500
#: Numbers of the run itself, which say nothing of the results.
_NOT_RESULTS = frozenset({"seconds", "peak_memory"})


def compare_reruns(
    these: Sequence[Mapping[str, Any]], others: Sequence[Mapping[str, Any]], name: str
) -> dict[str, Any]:
    """Return what a page says of another rerun.

    Parameters
    ----------
    these, others : sequence of mapping
        Rows of detectors of this rerun and of the other.
    name : str
        Name of the other.

    Returns
    -------
    dict
        ``name`` and ``text``; ``rows`` with ``label``, ``number``, ``median``, ``scatter``, ``moved`` and that in
        ``words``; ``values``, the metrics of each frame in the other rerun.
    """
    before = {row["data_id"]: row for row in others if row.get("status") == "done"}
    pairs = [(row, before[row["data_id"]]) for row in these if row.get("status") == "done" and row["data_id"] in before]
    rows = []
    for metric in METRICS.values():
        if metric.name in _NOT_RESULTS:
            continue
        known = [(a[metric.name], b[metric.name]) for a, b in pairs if _has(a, metric.name) and _has(b, metric.name)]
        if not known:
            continue
        change = np.array([float(a) - float(b) for a, b in known])
        median, scatter = float(np.median(change)), _SIGMA * float(np.median(np.abs(change - np.median(change))))
        error = 1.2533 * scatter / math.sqrt(len(change))
        moved = len(change) >= _FEWEST and abs(median) > _MOVED * error and median != 0
        digits = metric.digits + 1
        rows.append(
            {
                "label": metric.heading,
                "number": len(change),
                "median": f"{median:+.{digits}f}",
                "scatter": f"{scatter:.{digits}f}",
                "moved": moved,
                "words": "yes" if moved else "no" if len(change) >= _FEWEST else f"not judged: n = {len(change)}",
            }
        )
    rows.sort(key=lambda row: not row["moved"])
    only = len(these) - len(pairs)
    n_moved = sum(bool(row["moved"]) for row in rows)
    text = f"{count_of(len(pairs), 'frame')} done in both, {only} only here"
    judged = f"{n_moved} of {len(rows)} metrics moved beyond their noise"
    text += f"; {judged if len(pairs) >= _FEWEST else 'too few to tell changes from noise'}."
    values = {
        short_name(row): {metric: rounded(row[metric]) for metric in (*METRICS, *CONTEXT) if _has(row, metric)}
        for _, row in pairs[:_MOST_FRAMES]
    }
    return {"name": name, "text": text, "rows": rows, "values": values}


def _has(row: Mapping[str, Any], name: str) -> bool:
    return row.get(name) is not None
