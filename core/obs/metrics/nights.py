"""Which detector images belong together: visits, and nights from noon to noon."""

import math
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from obs.camera.color_plane import COLORS

__all__ = ["NOT_KEYS", "VISIT_KEYS", "compute_night", "mjd_to_utc", "visit_name"]

#: Data ID keys that number the exposure, in the order in which they are looked for.
VISIT_KEYS = ("visit", "exposure", "expId")
#: Keys that tell detectors of one exposure apart.
_DETECTOR_KEYS = frozenset({"ccd", "detector", "camcol", "amp", "channel", "extension", "detectorName", "raftName"})
#: Columns that are not keys of data IDs.
NOT_KEYS = frozenset(
    {
        *("data_id", "status", "error", "changed", "details", "version", "detector_name", "object", "date"),
        *("own_verdict", "own_comment", "pier_side"),
    }
)
_MJD_ZERO = datetime(1858, 11, 17, tzinfo=UTC)


def visit_name(row: Mapping[str, Any]) -> str:
    """Return what names the visit of a row: ``visit=12``, or the data ID without the detector.

    The colors of a Bayer mosaic are frames of their own, ``visit=12 ccd=G``: they have other filters.

    Parameters
    ----------
    row : mapping
        A row of a detector.
    """
    color = next((f" {key}={row[key]}" for key in sorted(_DETECTOR_KEYS) if row.get(key) in COLORS), "")
    for key in VISIT_KEYS:
        if row.get(key) is not None:
            return f"{key}={row[key]}{color}"
    words = [word for word in str(row["data_id"]).split() if word.partition("=")[0] not in _DETECTOR_KEYS]
    return " ".join(words) or str(row["data_id"])


def mjd_to_utc(mjd: float | None) -> datetime | None:
    """Return a modified Julian day as UTC; None if it is not known.

    Parameters
    ----------
    mjd : float or None
        Modified Julian day in UTC, days.
    """
    if mjd is None or not math.isfinite(mjd):
        return None
    return _MJD_ZERO + timedelta(days=mjd)


def compute_night(row: Mapping[str, Any]) -> str:
    """Return the date on which the night of a row began, from noon to noon of universal time; empty if not known.

    Parameters
    ----------
    row : mapping
        With ``mjd``, and ``longitude`` where the place is known: then noon is that of the place.
    """
    mjd = row.get("mjd")
    moment = mjd_to_utc(mjd)
    if moment is None:
        return ""
    return (moment + timedelta(days=(row.get("longitude") or 0.0) / 360.0 - 0.5)).date().isoformat()
