"""For how long the light or dark current of a calibration frame was collected, by which it is scaled."""

from collections.abc import Callable

from obs.image.exposure import Exposure
from obs.instrument.exposure_time_cards import exposure_seconds
from obs.instrument.image_unit import parse_image_unit

__all__ = ["dark_seconds", "light_seconds", "warn_of_no_time"]


def dark_seconds(dark: Exposure) -> float:
    """Return the dark time of a dark, else its exposure time, s; 1 for a rate, and where its header does not say.

    Parameters
    ----------
    dark : Exposure
        The frame.
    """
    return _known(dark, is_dark=True) or 1.0


def light_seconds(frame: Exposure) -> float:
    """Return the exposure time of a frame, s; 1 for a rate, and where its header does not say.

    Parameters
    ----------
    frame : Exposure
        The frame.
    """
    return _known(frame, is_dark=False) or 1.0


def warn_of_no_time(frame: Exposure, name: str, warn: Callable[[str], None]) -> None:
    """Warn that a frame which is scaled by time does not say how long it is.

    Parameters
    ----------
    frame : Exposure
        The frame.
    name : str
        What it is: ``dark`` or ``stray light``.
    warn : callable
        Called with the line.
    """
    if not _known(frame, is_dark=name == "dark"):
        warn(
            f"the {name} has no exposure time (EXPTIME or DARKTIME) and is taken for one of 1 s: write EXPTIME into "
            "its header, or BUNIT = 'adu/s' if it is a rate, and ingest it again with obs calibs ingest --clobber"
        )


def _known(frame: Exposure, *, is_dark: bool) -> float:
    """Return the time of a frame, s; 0 if it is not known."""
    if parse_image_unit(str(frame.metadata.get("BUNIT", ""))).is_rate:
        return 1.0
    info = frame.visit_info
    times = () if info is None else (info.dark_time, info.exposure_time) if is_dark else (info.exposure_time,)
    return next((time for time in times if 0 < time < float("inf")), 0.0) or exposure_seconds(frame.metadata)
