"""What only the order of the frames tells: a clock that was set back, slow drifts, and thin cloud."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from obs.metrics.fields import number_fields
from obs.metrics.nights import VISIT_KEYS, compute_night

__all__ = ["STEADY", "add_clock_steps", "add_dimming", "add_drifts", "add_pointing_drifts"]

#: Rank correlation above which a drift is steady.
STEADY = 0.7
#: The same of the light alone, which cloud may lose for a few frames as well.
_FADING = 0.85
#: Part of it that may be lost from one frame to the next, where it is lost step by step.
_LARGEST_STEP = 0.4

_DAY = 86400.0
#: Frames that a drift is looked for in, and the fewest that show one.
_LAST, _FEWEST = 8, 5
#: A halo grows if it does so by so much, percent of the light; ordinary stars differ by less.
_LEAST_HALO = 2.0
#: Frames, itself among them, that a frame's transparency is compared with, the fewest others, and the airmass by which
#: these may differ: extinction is not known exactly.
_AROUND, _FEWEST_AROUND, _AIRMASS = 9, 4, 0.2
_SIGMA = 1.4826


def add_clock_steps(rows: Sequence[dict[str, Any]]) -> None:
    """Add ``clock_step`` to rows: seconds by which an exposure began before the one numbered before it had ended.

    Parameters
    ----------
    rows : sequence of dict
        Rows of detectors or of visits; changed in place.
    """
    nights: dict[tuple[str, str], dict[int, dict[str, Any]]] = defaultdict(dict)
    for row in rows:
        row["clock_step"] = None
        key = next((key for key in VISIT_KEYS if isinstance(row.get(key), int)), None)
        if key is not None and row.get("mjd") is not None and row.get("exposure_time"):
            nights[(key, compute_night(row))].setdefault(row[key], row)
    steps: dict[tuple[str, int], float] = {}
    for (key, _), visits in nights.items():
        order = sorted(visits)
        for before, number in pairwise(order):
            gap = _begin(visits[number]) - _end(visits[before])
            steps[(key, number)] = max(-gap, 0.0)
    for row in rows:
        key = next((key for key in VISIT_KEYS if isinstance(row.get(key), int)), None)
        if key is not None:
            row["clock_step"] = steps.get((key, row[key]))


def _begin(row: Mapping[str, Any]) -> float:
    return float(row["mjd"]) * _DAY - 0.5 * float(row["exposure_time"])


def _end(row: Mapping[str, Any]) -> float:
    return float(row["mjd"]) * _DAY + 0.5 * float(row["exposure_time"])


def add_drifts(rows: Sequence[dict[str, Any]]) -> None:
    """Add ``dew`` and ``fading`` to rows: what grew or fell step by step over eight frames around.

    ``dew`` is whether seeing or halo grew and transparency fell, ``fading`` the light that was lost, percent. Cloud and
    bad seeing come and go; dew, frost and a focus that runs away do not.

    Parameters
    ----------
    rows : sequence of dict
        Rows with ``transparency``; changed in place.
    """
    groups: dict[tuple[Any, ...], list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        row["dew"] = row["fading"] = None
        if all(row.get(name) is not None for name in ("seeing", "transparency", "mjd")):
            groups[(compute_night(row), row.get("filter"), row.get("detector_name"))].append(row)
    for group in groups.values():
        group.sort(key=lambda row: float(row["mjd"]))
        seeing, clear = (np.array([row[name] for row in group], float) for name in ("seeing", "transparency"))
        names = ("halo", "airmass", "zp_scatter", "sky_gradient")
        halo, airmass, *uneven = (np.array([row.get(name) for row in group], float) for name in names)
        for end in range(_FEWEST, len(group) + 1):
            last = slice(max(end - _LAST, 0), end)
            grows = np.ptp(halo[last]) > _LEAST_HALO  # not if a value is missing
            wider = max(_rank_trend(seeing[last]), _rank_trend(halo[last]) if grows else 0.0)
            falls = -_rank_trend(clear[last])
            steady = max(min(wider, falls), 0.0)
            # extinction is not known exactly, and falls step by step as well
            fades = falls > _FADING and float(np.max(-np.diff(clear[last]))) < _LARGEST_STEP * float(
                np.ptp(clear[last])
            )
            # patches on the window show in stars and sky as well, step by step; a NaN is no trend
            frosts = falls > STEADY and all(_rank_trend(values[last]) > STEADY for values in uneven)
            fades = (fades or frosts) and end - last.start == _LAST and not np.ptp(airmass[last]) > _AIRMASS
            lost = 100.0 * (1.0 - clear[last] / np.max(clear[last])) * fades
            # what the last frames show was true of those before them, too
            for row, part in zip(group[last], lost.tolist(), strict=True):
                row["dew"] = max(row["dew"] or 0.0, steady)
                row["fading"] = max(row["fading"] or 0.0, part)


def add_dimming(rows: Sequence[dict[str, Any]]) -> None:
    """Add ``dimming`` to rows, the percentage of light lost against the frames around, and its error.

    Transparency is against the best of the night, which slow changes and extinction lead away from as well. Cloud
    comes and goes from frame to frame, and shows against the frames around when it is still thin.

    Parameters
    ----------
    rows : sequence of dict
        Rows with ``transparency``; changed in place.
    """
    groups: dict[tuple[Any, ...], list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        row["dimming"] = row["dimming_error"] = None
        if all(row.get(name) is not None for name in ("transparency", "mjd")):
            groups[(compute_night(row), row.get("filter"), row.get("detector_name"))].append(row)
    for group in groups.values():
        number = len(group)
        if number <= _FEWEST_AROUND:
            continue
        group.sort(key=lambda row: float(row["mjd"]))
        clear = np.array([row["transparency"] for row in group], float)
        airmass = np.array([row.get("airmass") or 1.0 for row in group], float)
        size = min(_AROUND, number)
        first = np.clip(np.arange(number) - size // 2, 0, number - size)
        around = first[:, None] + np.arange(size)
        others = (around != np.arange(number)[:, None]) & (np.abs(airmass[around] - airmass[:, None]) <= _AIRMASS)
        enough = np.count_nonzero(others, axis=1) >= _FEWEST_AROUND
        if not enough.any():
            continue
        # the upper quartile is that of the clear frames when cloud lasts for some
        usual = np.nanpercentile(np.where(others, clear[around], np.nan)[enough], 75.0, axis=1)
        lost = 100.0 * (1.0 - clear[enough] / usual)
        error = _SIGMA * float(np.median(np.abs(lost - np.median(lost))))
        for index, value in zip(np.flatnonzero(enough).tolist(), lost.tolist(), strict=True):
            group[index] |= {"dimming": value, "dimming_error": error}


def add_pointing_drifts(rows: Sequence[dict[str, Any]]) -> None:
    """Add ``pointing_drift`` to rows: arcsec/h by which a field runs away steadily over the frames around.

    Parameters
    ----------
    rows : sequence of dict
        Rows with ``pointing_error``; changed in place.
    """
    groups: dict[tuple[Any, ...], list[dict[str, Any]]] = defaultdict(list)
    for row, pointed in zip(rows, number_fields(rows).tolist(), strict=True):
        row["pointing_drift"] = None
        if row.get("pointing_error") is not None and row.get("mjd") is not None:
            groups[(compute_night(row), row.get("detector_name"), pointed)].append(row)
    for group in groups.values():
        group.sort(key=lambda row: float(row["mjd"]))
        error, hours = (np.array([row[name] for row in group], float) for name in ("pointing_error", "mjd"))
        hours = 24.0 * hours
        for end in range(_FEWEST, len(group) + 1):
            last = slice(max(end - _LAST, 0), end)
            span = hours[end - 1] - hours[last.start]
            if span > 0 and _rank_trend(error[last]) > STEADY:
                rate = float((error[end - 1] - error[last.start]) / span)
                for row in group[last]:
                    row["pointing_drift"] = max(row["pointing_drift"] or 0.0, rate)


def _rank_trend(values: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> float:
    """Return Kendall's rank correlation of values with their order."""
    later, earlier = np.tril_indices(len(values), -1)
    return float(np.mean(np.sign(values[later] - values[earlier])))
