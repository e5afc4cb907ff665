"""Zero points of the detectors of a mosaic, against each other in the same visit."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import numpy as np

from obs.metrics.nights import compute_night, visit_name

__all__ = ["add_zero_point_offsets"]

#: Detectors of a visit below which it is not known which of them is wrong.
_FEWEST_DETECTORS = 3
_SIGMA = 1.4826

_Row = TypeVar("_Row", bound=Mapping[str, Any])


def add_zero_point_offsets(
    rows: Sequence[dict[str, Any]], history: Sequence[Mapping[str, Any]], night_frames: int, history_frames: int
) -> None:
    """Add ``zp_offset`` and its error to rows: by how much a detector left its usual place among those of the visit.

    Detectors differ in their response, and keep that difference. One that changes is a gain, a flat, or something in
    front of a part of the field; cloud takes light from all detectors, or unevenly, which makes the error large.

    Parameters
    ----------
    rows : sequence of dict
        Rows of detector images with ``zero_point_rate``; changed in place. Others get None.
    history : sequence of mapping
        Rows of other nights.
    night_frames, history_frames : int
        Number of visits that the usual place of a detector needs.
    """
    for row in rows:
        row["zp_offset"] = row["zp_offset_error"] = None
    visits = _group_visits(rows)
    usual_now = _usual_places(visits, lambda row: (compute_night(row), *_detector(row)), night_frames)
    usual_before = _usual_places(_group_visits(history), _detector, history_frames)
    for visit in visits:
        found: dict[int, list[float]] = defaultdict(list)
        for usual in (
            [usual_now.get((compute_night(row), *_detector(row))) for row in visit],
            [usual_before.get(_detector(row)) for row in visit],
        ):
            known = [number for number, place in enumerate(usual) if place is not None]
            if len(known) < _FEWEST_DETECTORS:
                continue
            left = np.array([visit[number]["zero_point_rate"] - usual[number] for number in known])
            for number, offset in zip(known, left - np.median(left), strict=True):
                found[number].append(float(offset))
        offsets = {number: max(values, key=abs) for number, values in found.items()}
        for number, offset in offsets.items():
            visit[number]["zp_offset"] = offset
            visit[number]["zp_offset_error"] = _SIGMA * float(np.median(np.abs([*offsets.values()])))


def _detector(row: Mapping[str, Any]) -> tuple[Any, ...]:
    return row.get("filter"), row["detector_name"]


def _usual_places(
    visits: Sequence[Sequence[_Row]], key: Callable[[_Row], tuple[Any, ...]], fewest: int
) -> dict[tuple[Any, ...], float]:
    """Return where zero points of detectors usually are: median difference to the median of the visit, mag."""
    found: dict[tuple[Any, ...], list[float]] = defaultdict(list)
    for visit in visits:
        middle = float(np.median([row["zero_point_rate"] for row in visit]))
        for row in visit:
            found[key(row)].append(float(row["zero_point_rate"]) - middle)
    return {place: float(np.median(values)) for place, values in found.items() if len(values) >= fewest}


def _group_visits(rows: Sequence[_Row]) -> list[list[_Row]]:
    """Return the detectors of each visit that have a zero point, where there are enough."""
    visits: dict[tuple[Any, ...], list[_Row]] = defaultdict(list)
    for row in rows:
        if row.get("detector_name") is not None and row.get("zero_point_rate") is not None:
            visits[(compute_night(row), row.get("filter"), visit_name(row))].append(row)
    return [visit for visit in visits.values() if len(visit) >= _FEWEST_DETECTORS]
