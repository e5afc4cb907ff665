"""Write the metrics of a detector image to the output, whatever became of it; a run never stops here."""

import logging
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from obs.errors import ObsError
from obs.geom import Box
from obs.image.exposure import Exposure
from obs.image.visit_info import VisitInfo
from obs.instrument.barycenter import mid_exposure_mjd
from obs.metrics.definitions import CONTEXT, METRICS
from obs.metrics.detector import Stage, measure_detector
from obs.metrics.header import CCD_TEMPERATURE_CARDS
from obs.metrics.sun_moon import find_lights, moonlight
from obs.policy.data_id import format_data_id
from obs.process_summary import ProcessSummary
from obs.raw_exposure import get_raw_facts
from obs.repo.butler import Butler
from obs.repo.metric_table import MetricTable
from obs.version import __version__

__all__ = ["expect_results", "record_detector", "record_failure"]

logger = logging.getLogger(__name__)

#: Header cards that cameras use for these facts.
_CARDS = {
    "focus": ("FOCUS", "FOCUSPOS", "FOCPOS", "TELFOCUS", "FOCUSVAL", "FOC-VAL"),
    "ccd_temperature": CCD_TEMPERATURE_CARDS,
    "object": ("OBJECT", "OBJNAME", "TARGET", "TARGNAME"),
    "pier_side": ("PIERSIDE", "PIER-SID", "PIER_SID"),
}
_TEXTS = ("object", "pier_side")
_MOST_WARNINGS = 20
#: So many rows are made and written in one transaction.
_ROWS_AT_A_TIME = 10_000
_UNSAFE = re.compile(r"[^A-Za-z0-9_]")


def expect_results(output: Path, data_ids: Iterable[Mapping[str, Any]]) -> None:
    """Note which data IDs a run is asked for, so that done can be compared with expected.

    Parameters
    ----------
    output : Path
        Folder of the output.
    data_ids : iterable of mapping
        What will be processed.
    """
    rows = ({**_keys(data_id), "data_id": format_data_id(data_id), "status": "waiting"} for data_id in data_ids)
    try:
        while some := list(islice(rows, _ROWS_AT_A_TIME)):
            MetricTable(output).write("detector", some)
    except (ObsError, ValueError) as error:
        logger.warning("metrics are not kept: %s", error)


def record_failure(output: Path, data_id: Mapping[str, Any], message: str, cause: str) -> None:
    """Note that a data ID failed, unless its own process could do that.

    Parameters
    ----------
    output : Path
        Folder of the output.
    data_id : mapping
        Which one.
    message, cause : str
        Message of the error, and the name of its class.
    """
    table, name = MetricTable(output), format_data_id(data_id)
    try:
        table.update("detector", name, {"status": "failed", "error": f"{cause}: {message}"})
    except (ObsError, ValueError) as error:
        logger.warning("metrics of %s are not kept: %s", name, error)


def record_detector(
    butler: Butler,
    data_id: Mapping[str, Any],
    stage: Stage,
    summary: ProcessSummary,
    error: Exception | None = None,
) -> None:
    """Measure a detector image and write its metrics; a problem here becomes a warning of the log.

    Parameters
    ----------
    butler : Butler
        Repository with an output.
    data_id : mapping
        Which detector image.
    stage : Stage
        What its processing has made.
    summary : ProcessSummary
        What it has found.
    error : Exception, optional
        Why it failed.
    """
    try:
        row = detector_row(butler, data_id, stage, summary, error)
        MetricTable(Path(str(butler.output))).write("detector", [row])
    except Exception as problem:  # noqa: BLE001 - metrics never stop a run
        logger.warning("metrics of %s are not kept: %s: %s", format_data_id(data_id), type(problem).__name__, problem)


def detector_row(
    butler: Butler,
    data_id: Mapping[str, Any],
    stage: Stage,
    summary: ProcessSummary,
    error: Exception | None = None,
) -> dict[str, Any]:
    """Return the row of the table of metrics for a detector image; see `record_detector`."""
    measured = measure_detector(stage, summary, _amplifiers(butler, stage.exposure))
    reasons = dict(measured.reasons)
    step = next(reversed(summary.seconds), "start") if summary.seconds else "start"
    missing = f"failed in step {step}" if error is not None else "the settings leave this step out"
    values: dict[str, Any] = {}
    for name in METRICS:
        values[name] = measured.values.get(name)
        if values[name] is None:
            reasons.setdefault(name, missing)
    exposure = stage.exposure
    if exposure is not None:
        context = _context(exposure.visit_info, exposure.metadata, exposure)
        known = {"filter": exposure.physical_filter, "detector_name": exposure.detector_name}
    else:
        context, known = _raw_context(butler, data_id)
    row: dict[str, Any] = {**known, **values, **context, **_keys(data_id)}
    if values.get("seeing") is not None and (context.get("airmass") or 0) >= 1:
        row["seeing_zenith"] = values["seeing"] / context["airmass"] ** 0.6
        reasons.pop("seeing_zenith", None)
    elif values.get("seeing") is not None:
        reasons["seeing_zenith"] = "the airmass is not known"
    details = measured.details | {
        "reasons": {name: reason for name, reason in reasons.items() if reason},
        "warnings": summary.warnings[:_MOST_WARNINGS],
        "seconds": {name: round(value, 3) for name, value in summary.seconds.items()},
        "psf": summary.psf_origin,
    }
    ending = {"status": "done", "error": None}
    if error is not None:
        ending = {"status": "failed", "error": f"{type(error).__name__}: {' '.join(str(error).split())}"}
        details["failed_step"] = step
    return row | ending | {"data_id": format_data_id(data_id), "version": __version__, "details": details}


def _keys(data_id: Mapping[str, Any]) -> dict[str, Any]:
    """Return the data ID as columns; a name that a metric or a fact has gets an underscore."""
    taken = {*METRICS, *CONTEXT, "data_id", "status", "error", "changed", "details", "version"}
    names = {key: _UNSAFE.sub("_", key) for key in data_id}
    return {f"{names[key]}_" if names[key] in taken else names[key]: value for key, value in data_id.items()}


def _amplifiers(butler: Butler, exposure: Exposure | None) -> Sequence[tuple[str, Box]]:
    if exposure is None or not exposure.detector_name:
        return ()
    try:
        detector = butler.instrument.load_camera().detector(exposure.detector_name)
    except ObsError:
        return ()
    return [(amplifier.name, amplifier.bbox) for amplifier in detector.amplifiers]


def _raw_context(butler: Butler, data_id: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the facts of a raw file whose signature could not be removed, and the name of its detector."""
    try:
        detector, info, cards = get_raw_facts(butler, data_id)
    except ObsError:
        return dict.fromkeys(CONTEXT), {}
    return _context(info, cards), {"detector_name": detector.name}


def _context(info: VisitInfo | None, cards: Mapping[str, Any], exposure: Exposure | None = None) -> dict[str, Any]:
    """Return the facts that explain the metrics of an exposure; None where they are not known."""
    found: dict[str, Any] = dict.fromkeys(CONTEXT)
    if info is None:
        return found
    ra, dec = info.boresight_ra, info.boresight_dec
    mjd = mid_exposure_mjd(info)
    found.update(mjd=mjd, exposure_time=info.exposure_time, airmass=info.airmass, temperature=info.air_temperature)
    for name, spellings in _CARDS.items():
        value = next((cards[card] for card in spellings if card in cards), None)
        found[name] = _fact(value, text=name in _TEXTS)
    if exposure is not None and exposure.wcs is not None:
        height, width = exposure.shape
        x, y = 0.5 * (width - 1), 0.5 * (height - 1)
        found["ra"], found["dec"] = (float(value) for value in exposure.wcs.pixel_to_sky(x=x, y=y))
        found["field_size"] = math.hypot(width, height) * exposure.wcs.pixel_scale / 3600.0
        ra, dec = (ra, dec) if math.isfinite(ra) and math.isfinite(dec) else (found["ra"], found["dec"])
    found["longitude"] = info.longitude
    found["date"] = info.date_avg or info.date_begin or None
    if math.isfinite(mjd):
        lights = find_lights(mjd, ra=ra, dec=dec, longitude=info.longitude, latitude=info.latitude)
        altitude = info.boresight_altitude if math.isfinite(info.boresight_altitude) else lights.altitude
        found.update(
            sun_altitude=lights.sun_altitude,
            moon_altitude=lights.moon_altitude,
            moon_separation=lights.moon_separation,
            moon_phase=lights.moon_phase,
            altitude=altitude,
            hour_angle=lights.hour_angle,
            moon_sky=moonlight(lights),
        )
    return {
        name: None if isinstance(value, float) and not math.isfinite(value) else value for name, value in found.items()
    }


def _fact(value: object, *, text: bool) -> str | float | None:
    if text:
        return str(value).strip() or None if isinstance(value, str) else None
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
