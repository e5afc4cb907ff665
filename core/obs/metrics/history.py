"""Metrics of the camera's other nights, from the outputs that belong to one repository."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from obs.errors import ObsError
from obs.metrics.nights import compute_night
from obs.repo.metric_table import METRIC_FILE, MetricTable

__all__ = ["read_history"]

#: Nights that count as the camera's history, the latest.
HISTORY_NIGHTS = 30


def read_history(roots: Sequence[Path], nights: Sequence[str], *, limit: int = HISTORY_NIGHTS) -> list[dict[str, Any]]:
    """Return rows of detectors of other nights, each detector image once, as last processed.

    Parameters
    ----------
    roots : sequence of Path
        The output and its parents; outputs in their folders ``rerun`` count, too.
    nights : sequence of str
        Nights to leave out: those that are judged.
    limit : int, optional
        Number of nights, the latest.

    Returns
    -------
    list of dict
        Rows that are done, sorted by time.
    """
    newest: dict[str, dict[str, Any]] = {}
    for output in dict.fromkeys(path for root in roots for path in _outputs(root)):
        try:
            rows = MetricTable(output).read("detector", "status = 'done'")
        except ObsError:
            continue  # a damaged table of another output is not a reason not to judge this one
        for row in rows:
            known = newest.get(row["data_id"])
            if compute_night(row) not in ("", *nights) and (known is None or _changed(known) < _changed(row)):
                newest[row["data_id"]] = row
    chosen = set(sorted({compute_night(row) for row in newest.values()})[-limit:])
    return sorted((row for row in newest.values() if compute_night(row) in chosen), key=lambda row: float(row["mjd"]))


def _changed(row: Mapping[str, Any]) -> float:
    return float(row.get("changed") or 0.0)


def _outputs(root: Path) -> Iterator[Path]:
    yield root
    yield from sorted(path.parent for path in (root / "rerun").glob(f"**/{METRIC_FILE}"))
    if root.parent.name == "rerun":
        yield from sorted(path.parent for path in root.parent.glob(f"*/{METRIC_FILE}"))
