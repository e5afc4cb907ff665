"""The circumstances of an exposure: what a header gives, and what follows from it."""

from typing import Any

from obs.image.visit_info import VisitInfo
from obs.instrument.card_rules import derive_dates

__all__ = ["complete_visit_info"]


def complete_visit_info(known: dict[str, Any], exposure_id: int | None = None) -> VisitInfo:
    """Return the circumstances of an exposure from those that are known, with what follows from them.

    Parameters
    ----------
    known : dict
        Fields of `VisitInfo`.
    exposure_id : int, optional
        Number of the detector's exposure.

    Raises
    ------
    FileFormatError
        If the begin is not a date.
    """
    if exposure_id is not None:
        known = known | {"exposure_id": exposure_id}
    dark_time = {"dark_time": known.get("exposure_time", float("nan"))}
    return VisitInfo(**(dark_time | derive_dates(known) | known))
