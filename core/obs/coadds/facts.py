"""What is known of a calibrated exposure, to select and weigh it by."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from obs.coadds.frames import Frame
from obs.errors import DataIdError, DatasetNotFoundError, FileFormatError
from obs.policy.data_id import format_data_id
from obs.repo.butler import Butler
from obs.repo.metric_table import MetricTable

__all__ = ["frame_facts"]

_METADATA = "processCcd_metadata"
_UNKNOWN = (DatasetNotFoundError, DataIdError, FileFormatError)
#: Facts of the processing, and of the observation, that a condition can name.
_PROCESSING = (
    "seeing",
    "zero_point",
    "zero_point_rms",
    "astrometric_scatter",
    "psf_size_residual",
    "psf_origin",
    "noise_ratio",
    "n_source",
    "n_psf_star",
    "n_streak",
)
_OBSERVATION = ("exposure_time", "airmass", "boresight_ra", "boresight_dec", "date_avg")


def frame_facts(butler: Butler, frame: Frame) -> dict[str, Any]:
    """Return facts by name: keys of the data ID, the observation, and what the processing measured.

    Parameters
    ----------
    butler : Butler
        The repository.
    frame : Frame
        The exposure.

    Returns
    -------
    dict
        None where a value is not known.
    """
    facts: dict[str, Any] = dict.fromkeys((*_PROCESSING, *_OBSERVATION))
    facts |= frame.data_id
    try:
        visit_info = butler.get("calexp_visitInfo", frame.data_id)
        facts |= {name: _known(getattr(visit_info, name, None)) for name in _OBSERVATION}
    except _UNKNOWN:
        pass
    try:
        measured = butler.get(_METADATA, frame.data_id)
    except _UNKNOWN:
        measured = {}
    if isinstance(measured, Mapping):
        facts |= {name: _known(measured.get(name)) for name in _PROCESSING}
    facts["own_verdict"] = _own_verdict(butler, frame)
    return facts


def _own_verdict(butler: Butler, frame: Frame) -> str:
    """Return what somebody said of an exposure on a report; empty if nothing."""
    words = set(format_data_id(frame.data_id).split())
    for root in butler.roots:
        for row in _rows_with_verdict(root):
            if words <= set(str(row["data_id"]).split()):
                return str(row["own_verdict"])
    return ""


def _rows_with_verdict(root: Path) -> list[dict[str, Any]]:
    table = MetricTable(root)
    if "own_verdict" not in table.columns("detector"):
        return []
    return table.read("detector", "own_verdict in ('good', 'look', 'bad')")


def _known(value: Any) -> Any:  # noqa: ANN401 - of any type
    return None if value is None or (isinstance(value, float) and not math.isfinite(value)) else value
