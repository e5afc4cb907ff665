"""Level and noise of each amplifier in each visit of the night, as differences from what the amplifier usually has."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from obs.report.night import Night

__all__ = ["amplifier_map"]

#: Amplifiers that a page shows; of more, those that change most.
_MOST_AMPLIFIERS = 420
#: Visits that a page shows; of more, the last.
_MOST_VISITS = 400
_FEWEST_VISITS = 2


def amplifier_map(night: Night) -> dict[str, Any]:
    """Return a map of amplifiers and visits for two heat maps: one row an amplifier, one column a visit.

    Parameters
    ----------
    night : Night
        The frames.

    Returns
    -------
    dict
        ``names``, pairs of detector and amplifier; ``first``, the index of the first visit that is shown; ``total``,
        the number of all amplifiers; ``level``, overscan minus its median, ADU; ``noise``, read noise minus its
        median in percent of it; None where there is no value. Or ``reason``, why there is no map.
    """
    order = {visit.name: index for index, visit in enumerate(night.visits)}
    first = max(0, len(order) - _MOST_VISITS)
    found: dict[tuple[str, str], NDArray[np.float64]] = {}
    for frame in night.detectors:
        column = order.get(night.find_visit(frame) if night.is_mosaic else frame.name, -1) - first
        if column < 0:
            continue
        detector = str(frame.row.get("detector_name") or "")
        for name, level, noise in (frame.row.get("details") or {}).get("overscan", []):
            key = (detector, str(name))
            if key not in found:
                found[key] = np.full((2, len(order) - first), np.nan)
            found[key][:, column] = [np.nan if value is None else value for value in (level, noise)]
    if not found:
        return {"reason": "no overscan was subtracted from any frame"}
    if len(order) < _FEWEST_VISITS:
        return {"reason": "one exposure has nothing to be compared with"}
    return _differences(found, first)


def _differences(found: dict[tuple[str, str], NDArray[np.float64]], first: int) -> dict[str, Any]:
    keys = sorted(found)
    cube = np.array([found[key] for key in keys])  # amplifier, quantity, visit
    usual = np.array([[_median(line) for line in amplifier] for amplifier in cube])[:, :, None]
    level = cube[:, 0] - usual[:, 0]
    with np.errstate(divide="ignore", invalid="ignore"):
        noise = 100.0 * (cube[:, 1] / usual[:, 1] - 1.0)
    chosen = np.arange(len(keys))
    if len(keys) > _MOST_AMPLIFIERS:
        largest = np.maximum(_largest_changes(level), _largest_changes(noise))
        chosen = np.sort(np.argsort(largest, kind="stable")[-_MOST_AMPLIFIERS:])
    return {
        "names": [list(keys[k]) for k in chosen],
        "first": first,
        "total": len(keys),
        "level": [_rounded(level[k], 2) for k in chosen],
        "noise": [_rounded(noise[k], 1) for k in chosen],
    }


def _largest_changes(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the largest change of each amplifier in units of the usual one: so ADU and percent can be compared."""
    changes = np.where(np.isfinite(values), np.abs(values), 0.0)
    return np.asarray(changes.max(axis=1) / max(float(np.median(changes)), 1e-6))


def _median(values: NDArray[np.float64]) -> float:
    known = values[np.isfinite(values)]
    return float(np.median(known)) if known.size else float("nan")


def _rounded(values: NDArray[np.float64], digits: int) -> list[float | None]:
    return [round(float(value), digits) + 0.0 if np.isfinite(value) else None for value in values]
