"""Values that headers hold where nobody filled them in, or a device failed: they are not what they say."""

import math
from datetime import UTC, date, datetime, timedelta
from typing import Any

from obs.errors import FileFormatError
from obs.instrument.card_values import parse_date

__all__ = ["DATES", "RANGES", "check_date", "check_value"]

RANGES = {
    "exposure_time": (0.0, 86400.0, "s"),
    "dark_time": (0.0, math.inf, "s"),
    "boresight_ra": (0.0, 360.0, "deg"),
    "boresight_dec": (-90.0, 90.0, "deg"),
    "boresight_altitude": (-5.0, 90.5, "deg"),
    "boresight_azimuth": (-360.0, 720.0, "deg"),
    "rotation_angle": (-720.0, 720.0, "deg"),
    "airmass": (0.99, 40.0, ""),
    "longitude": (-360.0, 360.0, "deg"),
    "latitude": (-90.0, 90.0, "deg"),
    "elevation": (-500.0, 9000.0, "m"),
    "air_temperature": (-90.0, 60.0, "C"),
    "air_pressure": (3e4, 1.1e5, "Pa"),
    "humidity": (0.0, 110.0, "%"),
}
"""Lowest and highest value that a circumstance can have, and its unit."""

DATES = ("date_begin", "date_avg", "date_end", "dateObs", "taiObs")
"""Circumstances and columns that are dates."""

_COLUMNS = {"expTime": "exposure_time"}
_FIRST_YEAR = 1970
_UNSET = (
    (datetime(1970, 1, 1), timedelta(days=1)),  # Unix
    (datetime(1980, 1, 1), timedelta(days=31)),  # the BIOS of PCs, and GPS from its sixth day
    (datetime(2000, 1, 1), timedelta(hours=1)),  # clocks of microcontrollers
)
"""Dates from which clocks count that nobody has set, and for how long they are recognized."""


def check_value(name: str, value: Any, today: date | None = None) -> None:  # noqa: ANN401 - columns are of any type
    """Check what a header tells of a column or a circumstance.

    Parameters
    ----------
    name : str
        The column or the circumstance; of others nothing is known that could not be.
    value : int, float or str
        What the header tells.
    today : date, optional
        The day after which nothing was observed yet; today if None.

    Raises
    ------
    FileFormatError
        If it cannot be.
    """
    limits = RANGES.get(_COLUMNS.get(name, name))
    if limits is not None and isinstance(value, int | float) and not isinstance(value, bool) and value == value:
        lowest, highest, unit = limits
        if not lowest <= value <= highest:
            raise FileFormatError(f"{value:g} is impossible: expected {lowest:g} to {highest:g} {unit}".rstrip())
    elif name in DATES and isinstance(value, str) and value.strip():
        try:
            found = parse_date(value)
        except FileFormatError:
            return  # a column may hold it in any way
        check_date(found, today)


def check_date(found: datetime, today: date | None = None) -> None:
    """Check when a frame is said to have been taken.

    Parameters
    ----------
    found : datetime
        Begin of the exposure, UTC.
    today : date, optional
        Dates up to the end of the following year are allowed. By default the present day in UTC.

    Raises
    ------
    FileFormatError
        If that is the zero of clocks, before there were CCDs, or in the future.
    """
    last = (today or datetime.now(UTC).date()).year + 1
    is_unset = any(zero <= found < zero + lasting for zero, lasting in _UNSET)
    if is_unset or not _FIRST_YEAR <= found.year <= last:
        raise FileFormatError(f"{found.isoformat(sep=' ')[:19]} cannot be when a frame was taken: a clock was not set")
