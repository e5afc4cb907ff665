"""From the header of a corrected frame to registry columns and visit information.

The header numbers frames by ``FRAME``, which is not always the field; field and rerun are known from the path only.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from obs.errors import FileFormatError
from obs.image.visit_info import VisitInfo

__all__ = ["SdssTranslator"]

_LEAP_SECONDS = (
    (datetime(1997, 7, 1), 31),
    (datetime(1999, 1, 1), 32),
    (datetime(2006, 1, 1), 33),
    (datetime(2009, 1, 1), 34),
)
"""UTC dates from which TAI is so many seconds ahead; the imaging camera took its last data in 2009."""

_CENTRE_ROW, _LAST_ROW = 680, 1360


class SdssTranslator:
    """Reads one header.

    Parameters
    ----------
    header : mapping of str to Any
        Keywords of an fpC file.
    path : Path, optional
        The file, for messages.
    """

    CONSTANTS: Mapping[str, Any] = {
        "time_scale": "TAI",
        "dark_time": 0.0,  # the survey has taken out the dark current
        "rotation_type": "SKY",
        # Apache Point Observatory
        "longitude": -105.820417,
        "latitude": 32.780361,
        "elevation": 2788.0,
    }
    KEYWORDS: Mapping[str, str] = {
        "boresight_ra": "RA",  # deg
        "boresight_dec": "DEC",  # deg
        "boresight_azimuth": "AZ",  # deg
        "boresight_altitude": "ALT",  # deg
        "rotation_angle": "SPA",  # deg
        "exposure_time": "EXPTIME",  # s; the header holds it as text
    }

    def __init__(self, header: Mapping[str, Any], path: Path | None = None) -> None:
        self.header, self.path = header, path

    def _card(self, keyword: str) -> Any:  # noqa: ANN401 (header values are of any type)
        if keyword not in self.header:
            raise FileFormatError(f"the header lacks {keyword}", path=self.path)
        return self.header[keyword]

    def _number(self, keyword: str) -> float:
        value = self._card(keyword)
        try:
            return float(value)
        except ValueError:
            raise FileFormatError(f"the header's {keyword} is not a number: '{value}'", path=self.path) from None

    def translate_first_row(self) -> datetime:
        """Return when the frame's first row was read, TAI."""
        date, time = str(self._card("DATE-OBS")).strip(), str(self._card("TAIHMS")).strip()
        try:
            if "/" in date:  # dd/mm/yy, in the oldest runs; the survey began in 1998
                day, month, short_year = (int(part) for part in date.split("/"))
                year = short_year + (1900 if short_year >= 50 else 2000)
            else:
                year, month, day = (int(part) for part in date.split("T")[0].split("-"))
            hours, minutes, seconds = time.split(":")
            # a sum, since seconds may be rounded to 60.00
            return datetime(year, month, day) + timedelta(
                hours=int(hours), minutes=int(minutes), seconds=float(seconds)
            )
        except ValueError:
            raise FileFormatError(
                f"DATE-OBS '{date}' and TAIHMS '{time}' are no date and time", path=self.path
            ) from None

    def translate_tai_obs(self) -> str:
        """Return the registry's ``taiObs``: in spite of its name UTC, as in the registries that are in use."""
        tai = self.translate_first_row()
        ahead = [seconds for since, seconds in _LEAP_SECONDS if tai - timedelta(seconds=seconds) >= since]
        if not ahead:
            raise FileFormatError(f"{tai.isoformat()} is before the survey", path=self.path)
        return (tai - timedelta(seconds=ahead[-1])).isoformat(timespec="microseconds") + "000"

    def translate_strip(self) -> str:
        """Return stripe and strip, such as ``82S``."""
        return f"{self._card('STRIPE')}{self._card('STRIP')}".strip()

    def registry_columns(self, data_id: Mapping[str, Any]) -> dict[str, int | str]:
        """Return the row of the registry's table ``raw``.

        Parameters
        ----------
        data_id : mapping
            What the path says; ``rerun`` and ``field`` are used.

        Returns
        -------
        dict
            run, rerun, filter, camcol, field, taiObs, strip.

        Raises
        ------
        FileFormatError
            If the header lacks a keyword.
        """
        return {
            "run": int(self._card("RUN")),
            "rerun": int(data_id["rerun"]),
            "filter": str(self._card("FILTER")).strip(),
            "camcol": int(self._card("CAMCOL")),
            "field": int(data_id["field"]),
            "taiObs": self.translate_tai_obs(),
            "strip": self.translate_strip(),
        }

    def visit_info(self, *, exposure_id: int | None = None, airmass: float = float("nan")) -> VisitInfo:
        """Return when and where the frame was taken.

        The sky drifts over the CCD: each row is exposed for ``EXPTIME`` until it is read, one row every ``C_OBS``
        microseconds. The frame begins where the exposure of its first row does and ends when its last row is read.

        Parameters
        ----------
        exposure_id : int, optional
            Number of the frame.
        airmass : float, optional
            Airmass; not in the header.

        Returns
        -------
        VisitInfo
            Dates in TAI.

        Raises
        ------
        FileFormatError
            If the header lacks a keyword.
        """
        values: dict[str, Any] = {name: self._number(keyword) for name, keyword in self.KEYWORDS.items()}
        first, exposure = self.translate_first_row(), timedelta(seconds=values["exposure_time"])
        row = timedelta(microseconds=self._number("C_OBS"))
        return VisitInfo(
            exposure_id=exposure_id,
            airmass=airmass,
            date_begin=_iso(first - exposure),
            date_avg=_iso(first + _CENTRE_ROW * row - exposure / 2),
            date_end=_iso(first + _LAST_ROW * row),
            **self.CONSTANTS,
            **values,
        )


def _iso(date: datetime) -> str:
    return date.isoformat(timespec="milliseconds")
