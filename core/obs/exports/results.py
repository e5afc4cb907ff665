"""Which results of a repository are exported: by data ID, and by night."""

import math
from datetime import date, datetime, timedelta

from obs.errors import DataIdError
from obs.image.visit_info import VisitInfo
from obs.instrument.barycenter import mid_exposure_mjd
from obs.instrument.card_values import mjd_to_date

__all__ = ["local_night", "parse_night"]

_HOURS_PER_DEGREE = 1.0 / 15.0


def parse_night(text: str) -> date:
    """Return the date of a night.

    Parameters
    ----------
    text : str
        Date such as "2024-03-01".

    Raises
    ------
    DataIdError
        If the text is not a date.
    """
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise DataIdError(f"--night takes a date like 2024-03-01, got '{text}'") from None


def local_night(info: VisitInfo | None) -> date | None:
    """Return the night of an exposure: the date of the last noon before its middle, in mean solar time at the site.

    Parameters
    ----------
    info : VisitInfo or None
        Time of the exposure, and longitude of the observatory. Without a longitude, that of Greenwich is taken.

    Returns
    -------
    date or None
        None if the time of the exposure is not known.
    """
    mjd = mid_exposure_mjd(info)
    if info is None or not math.isfinite(mjd):
        return None
    longitude = info.longitude if math.isfinite(info.longitude) else 0.0
    longitude = (longitude + 180.0) % 360.0 - 180.0
    local: datetime = mjd_to_date(mjd) + timedelta(hours=longitude * _HOURS_PER_DEGREE - 12.0)
    return local.date()
