"""What is wrong with the header of an exposure, and how old its calibration frames are."""

import math
from collections.abc import Mapping
from typing import Any

from obs.errors import FileFormatError
from obs.image.exposure import Exposure
from obs.instrument.barycenter import mid_exposure_mjd
from obs.instrument.card_values import date_to_mjd, parse_date
from obs.instrument.consistency import visit_faults
from obs.metrics.measured import Measured

__all__ = ["CCD_TEMPERATURE_CARDS", "find_number", "measure_ages", "measure_header"]

CCD_TEMPERATURE_CARDS = ("CCD-TEMP", "CCDTEMP", "CCD_TEMP", "DETTEMP", "DET-TEMP", "DET-TMP1")
_SET_POINT_CARDS = ("SET-TEMP", "SETTEMP", "CCD-SETP", "CCDSETP", "CCD_SET", "DETSETP", "TEMPSET")
#: Degrees that a cooled detector may be off.
_OFF_SET_POINT = 2.0
_AGES = ("bias", "dark", "flat")


def measure_header(out: Measured, exposure: Exposure) -> None:
    """Count what is missing in the header, or cannot be.

    Parameters
    ----------
    out : Measured
        Receives values and reasons.
    exposure : Exposure
        Exposure with its metadata and circumstances.
    """
    found = _problems(exposure)
    out.set("", header_problems=len(found))
    if found:
        out.details["header"] = found


def _problems(exposure: Exposure) -> list[str]:
    info = exposure.visit_info
    if info is None:
        return ["nothing is known of the exposure"]
    found = []
    if not info.exposure_time > 0:
        is_known = math.isfinite(info.exposure_time)
        found.append(f"the exposure time is {info.exposure_time:g} s" if is_known else "the exposure time is missing")
    if not (info.date_avg or info.date_begin):
        found.append("the date is missing")
    if exposure.wcs is None and not (math.isfinite(info.boresight_ra) and math.isfinite(info.boresight_dec)):
        found.append("the pointing is missing")
    if not exposure.physical_filter:
        found.append("the filter is missing")
    found += visit_faults(info)
    actual = find_number(exposure.metadata, CCD_TEMPERATURE_CARDS)
    wanted = find_number(exposure.metadata, _SET_POINT_CARDS)
    if actual is not None and wanted is not None and abs(actual - wanted) > _OFF_SET_POINT:
        found.append(f"the detector is at {actual:.1f} C, its set point is {wanted:.1f} C")
    return found


def find_number(cards: Mapping[str, Any], names: tuple[str, ...]) -> float | None:
    """Return the first of some cards that is a number; None if none is.

    Parameters
    ----------
    cards : mapping
        Cards by keyword.
    names : tuple of str
        Keywords, the preferred one first. Logical values, NaN and infinity do not count.
    """
    for name in names:
        value = cards.get(name)
        if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
            return float(value)
    return None


def measure_ages(out: Measured, exposure: Exposure) -> None:
    """Note how many days before the exposure its calibration frames were taken; negative for later ones.

    Parameters
    ----------
    out : Measured
        Receives values and reasons.
    exposure : Exposure
        Exposure whose metadata has the cards ``CALIB_DATE_*``.
    """
    mjd = mid_exposure_mjd(exposure.visit_info)
    for name in _AGES:
        text = str(exposure.metadata.get(f"CALIB_DATE_{name.upper()}", ""))
        if not text:
            out.set(f"no {name} with a date was used", **{f"{name}_age": math.nan})
            continue
        try:
            # calibration frames have the date alone: they count from its noon
            day = date_to_mjd(parse_date(text)) + (0.5 if len(text) == len("2020-01-01") else 0.0)
        except FileFormatError:
            day = math.nan
        reason = f"the date of the exposure or of the {name} ('{text}') is not known"
        out.set(reason, **{f"{name}_age": mjd - day})
