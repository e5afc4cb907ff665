"""Level and noise of the amplifiers with time, over this night and the camera's others."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

import numpy as np

from obs.metrics.nights import compute_night
from obs.report.night import Night

__all__ = ["amplifier_history"]

#: Of more frames than this in all, nights are shown by their medians.
_MOST_FRAMES = 500

_Point = tuple[float, float | None, float | None]


def amplifier_history(night: Night) -> dict[str, dict[str, list[list[float | None]]]]:
    """Return level (ADU) and noise (electron) of the overscan of each amplifier with time.

    Parameters
    ----------
    night : Night
        The frames, with the camera's history.

    Returns
    -------
    dict
        Detector to amplifier to rows of MJD, level, noise; for an amplifier without overscan nothing.
    """
    rows = [*night.history, *(frame.row for frame in night.detectors)]
    found: dict[tuple[str, str], list[tuple[str, _Point]]] = defaultdict(list)
    for row in rows:
        if row.get("mjd") is None:
            continue
        detector, when = str(row.get("detector_name") or ""), float(row["mjd"])
        for name, level, noise in row.get("details", {}).get("overscan", []):
            found[detector, str(name)].append((compute_night(row), (when, level, noise)))
    short = len(rows) <= _MOST_FRAMES
    result: dict[str, dict[str, list[list[float | None]]]] = defaultdict(dict)
    for (detector, name), points in sorted(found.items()):
        result[detector][name] = [list(point) for _, point in points] if short else _nightly(points)
    return dict(result)


def _nightly(points: Sequence[tuple[str, _Point]]) -> list[list[float | None]]:
    """Return the medians of each night."""
    nights: Mapping[str, list[_Point]] = defaultdict(list)
    for date, point in points:
        nights[date].append(point)
    return [[_median([point[k] for point in group]) for k in range(3)] for group in nights.values()]


def _median(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(f"{np.median(known):.7g}") if known else None
