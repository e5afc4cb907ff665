"""From the header of a corrected frame to registry columns and visit information.

The header numbers frames by ``FRAME``; the rerun is known from the path only, or from the user.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from obs.errors import FileFormatError
from obs.image.visit_info import VisitInfo
from obs.instrument.card_values import read_number
from obs.instrument.header import Header
from obs.instrument.translator import Translator

__all__ = ["SdssTranslator"]

_LEAP_SECONDS = (
    (datetime(1997, 7, 1), 31),
    (datetime(1999, 1, 1), 32),
    (datetime(2006, 1, 1), 33),
    (datetime(2009, 1, 1), 34),
)
"""UTC dates from which TAI is so many seconds ahead; the imaging camera took its last data in 2009."""

_FRAMES_BEHIND = {"r": 0, "i": 2, "u": 4, "z": 6, "g": 8}
"""By how many frames each filter sees a field after r; the sky drifts over them in this order."""

_CENTER_ROW, _LAST_ROW = 680, 1360


_NEEDED = ("RA", "DEC", "AZ", "ALT", "SPA", "EXPTIME", "C_OBS")
"""Cards without which a frame is none of the survey's."""


class SdssTranslator(Translator):
    """Reads the headers of corrected frames, fpC files."""

    def recognizes(self, header: Mapping[str, Any]) -> bool:
        """Return whether a header is of a corrected frame of the survey."""
        return all(card in header for card in (*_NEEDED, "CAMCOL", "FRAME"))

    # rerun is told by the path only
    columns = {"run": int, "rerun": int, "camcol": int, "field": int, "filter": str, "taiObs": str, "strip": str}
    unique = ("run", "camcol", "field", "filter")
    constants = {
        "time_scale": "TAI",
        "dark_time": 0.0,  # the survey has taken out the dark current
        "rotation_type": "SKY",
        # Apache Point Observatory
        "longitude": -105.820417,
        "latitude": 32.780361,
        "elevation": 2788.0,
    }
    translation = {
        "run": "RUN",
        "camcol": "CAMCOL",
        "filter": "FILTER",
        "boresight_ra": ("RA", {"unit": "deg"}),
        "boresight_dec": ("DEC", {"unit": "deg"}),
        "boresight_altitude": ("ALT", {"unit": "deg"}),
        "rotation_angle": ("SPA", {"unit": "deg"}),
        "exposure_time": ("EXPTIME", {"unit": "s"}),  # the header holds it as text
    }

    def translate_taiObs(self, md: Header) -> str:
        """Return when the frame's first row was read: in spite of its name UTC, as in the registries in use.

        Raises
        ------
        FileFormatError
            If it is before the survey.
        """
        tai = _first_row(md)
        ahead = [seconds for since, seconds in _LEAP_SECONDS if tai - timedelta(seconds=seconds) >= since]
        if not ahead:
            raise FileFormatError(f"{tai.isoformat()} is before the survey")
        return (tai - timedelta(seconds=ahead[-1])).isoformat(timespec="microseconds") + "000"

    def translate_field(self, md: Header) -> int | None:
        """Return the field, which is the frame of r; None in another filter than those of the survey."""
        behind = _FRAMES_BEHIND.get(str(md["FILTER"]).strip())
        return None if behind is None else int(md["FRAME"]) - behind

    def translate_strip(self, md: Header) -> str:
        """Return stripe and strip, such as ``82S``."""
        return f"{md['STRIPE']}{md['STRIP']}".strip()

    def translate_boresight_azimuth(self, md: Header) -> float:
        """Return the azimuth from north through east; the survey's counts from south through east."""
        return (180.0 - read_number(md["AZ"])) % 360.0

    # The sky drifts over the CCD: each row is exposed for EXPTIME until it is read, one row every C_OBS microseconds.

    def translate_date_begin(self, md: Header) -> str:
        """Return when the exposure of the first row began, TAI."""
        return _iso(_first_row(md) - timedelta(seconds=float(md["EXPTIME"])))

    def translate_date_avg(self, md: Header) -> str:
        """Return the middle of the exposure of the middle row, TAI."""
        return _iso(_first_row(md) + _CENTER_ROW * _row(md) - timedelta(seconds=float(md["EXPTIME"])) / 2)

    def translate_date_end(self, md: Header) -> str:
        """Return when the last row was read, TAI."""
        return _iso(_first_row(md) + _LAST_ROW * _row(md))

    def visit_info(self, header: Mapping[str, Any], exposure_id: int | None = None) -> VisitInfo:
        """Return when and where the frame was taken, dates in TAI; the airmass is not in the header.

        Raises
        ------
        FileFormatError
            If the header does not have a keyword, or one does not hold what it should.
        """
        for keyword in _NEEDED:
            if keyword not in header:
                raise FileFormatError(f"the header does not have {keyword}")
        return super().visit_info(header, exposure_id)


def _row(md: Header) -> timedelta:
    return timedelta(microseconds=float(md["C_OBS"]))


def _first_row(md: Header) -> datetime:
    """Return when the frame's first row was read, TAI."""
    date, time = str(md["DATE-OBS"]).strip(), str(md["TAIHMS"]).strip()
    try:
        if "/" in date:  # dd/mm/yy, in the oldest runs; the survey began in 1998
            day, month, short_year = (int(part) for part in date.split("/"))
            year = short_year + (1900 if short_year >= 50 else 2000)
        else:
            year, month, day = (int(part) for part in date.split("T")[0].split("-"))
        hours, minutes, seconds = time.split(":")
        # a sum, since seconds may be rounded to 60.00
        return datetime(year, month, day) + timedelta(hours=int(hours), minutes=int(minutes), seconds=float(seconds))
    except ValueError:
        raise FileFormatError(f"DATE-OBS '{date}' and TAIHMS '{time}' are not date and time") from None


def _iso(date: datetime) -> str:
    return date.isoformat(timespec="milliseconds")
