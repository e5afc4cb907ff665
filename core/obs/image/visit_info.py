"""When, where and how an exposure was taken."""

import re
from collections.abc import Mapping
from dataclasses import field, fields
from typing import Any

import numpy as np

from obs.facts_text import facts_html, facts_text
from obs.frozen import frozen

__all__ = ["VISIT_INFO_CARDS", "VisitInfo"]

_NAN = float("nan")
#: Unit at the beginning of a FITS comment.
_UNIT = re.compile(r"\[(\S+)\]")


def _fact(card: str, comment: str, default: Any = _NAN) -> Any:  # noqa: ANN401 - as dataclasses.field
    return field(default=default, metadata={"card": card, "comment": comment})


def _is_known(value: object) -> bool:
    return value not in (None, "") and not (isinstance(value, float) and np.isnan(value))


@frozen(kw_only=True)
class VisitInfo:
    """Facts about one exposure; what is not known is NaN, None or empty.

    Each field names its FITS card, as LSST files have it, and its unit. Angles are degrees, dates ISO 8601 in
    `time_scale`.

    Parameters
    ----------
    exposure_id : int or None
        Number of the exposure.
    exposure_time : float
        Exposure time, seconds.
    dark_time : float
        Time between reset and readout, seconds.
    date_begin, date_avg, date_end : str
        Begin, middle and end of the exposure.
    time_scale : str, default: "UTC"
        Time scale of the dates.
    era : float
        Earth rotation angle at the middle of the exposure.
    boresight_ra, boresight_dec : float
        Right ascension and declination of the boresight.
    boresight_azimuth : float
        Azimuth of the boresight, from north through east.
    boresight_altitude : float
        Refracted altitude of the boresight.
    airmass : float
        Airmass of the boresight.
    rotation_angle : float
        Rotation angle at the boresight.
    rotation_type : str
        Origin of the rotation angle.
    longitude, latitude : float
        East longitude and latitude of the observatory.
    elevation : float
        Elevation of the observatory, m.
    air_temperature : float
        Outside air temperature, degrees Celsius.
    air_pressure : float
        Outside air pressure, Pa.
    humidity : float
        Relative humidity, percent.

    Examples
    --------
    >>> from obs import Butler
    >>> Butler("DATA/rerun/first").get("calexp", visit=21).visit_info.exposure_time
    60.0
    """

    exposure_id: int | None = _fact("EXPID", "exposure id", None)
    exposure_time: float = _fact("EXPTIME", "[s] exposure time")
    dark_time: float = _fact("DARKTIME", "[s] time between reset and readout")
    date_begin: str = _fact("DATE-BEG", "start of exposure", "")
    date_avg: str = _fact("DATE-AVG", "middle of exposure", "")
    date_end: str = _fact("DATE-END", "end of exposure", "")
    time_scale: str = _fact("TIMESYS", "time scale of the dates", "UTC")
    era: float = _fact("AVG-ERA", "[deg] Earth rotation angle, middle of exposure")
    boresight_ra: float = _fact("BORE-RA", "[deg] right ascension of the boresight")
    boresight_dec: float = _fact("BORE-DEC", "[deg] declination of the boresight")
    boresight_azimuth: float = _fact("BORE-AZ", "[deg] azimuth of the boresight, north to east")
    boresight_altitude: float = _fact("BORE-ALT", "[deg] refracted altitude of the boresight")
    airmass: float = _fact("BORE-AIRMASS", "airmass of the boresight")
    rotation_angle: float = _fact("BORE-ROTANG", "[deg] rotation angle at the boresight")
    rotation_type: str = _fact("ROTTYPE", "origin of the rotation angle", "")
    longitude: float = _fact("OBS-LONG", "[deg] east longitude of the observatory")
    latitude: float = _fact("OBS-LAT", "[deg] latitude of the observatory")
    elevation: float = _fact("OBS-ELEV", "[m] elevation of the observatory")
    air_temperature: float = _fact("AIRTEMP", "[C] outside air temperature")
    air_pressure: float = _fact("AIRPRESS", "[Pa] outside air pressure")
    humidity: float = _fact("HUMIDITY", "[%] relative humidity")

    def __repr__(self) -> str:
        return facts_text("VisitInfo", self._facts())

    def _repr_html_(self) -> str:
        return facts_html("VisitInfo", self._facts())

    def _facts(self) -> dict[str, str]:
        """Return what is known by the names of attributes, with units."""
        known = {}
        for fact in fields(self):
            value = getattr(self, fact.name)
            if _is_known(value):
                unit = _UNIT.match(fact.metadata["comment"])
                number = f"{value:.10g}" if isinstance(value, float) else str(value)
                known[fact.name] = f"{number} {unit[1]}" if unit else number
        return known if known.keys() - {"time_scale"} else {"known": "nothing"}

    def to_header(self) -> dict[str, tuple[str | int | float, str]]:
        """Return FITS cards, name to value and comment, of what is known."""
        cards = {}
        for fact in fields(self):
            value = getattr(self, fact.name)
            if _is_known(value):
                cards[fact.metadata["card"]] = (value, fact.metadata["comment"])
        return cards

    @classmethod
    def from_header(cls, header: Mapping[str, Any]) -> "VisitInfo":
        """Read FITS cards; a missing card, or one that is not a number where one is due, leaves its field unknown.

        Parameters
        ----------
        header : mapping
            Cards by keyword.
        """
        known: dict[str, Any] = {}
        for fact in fields(cls):
            value = header.get(fact.metadata["card"])
            if isinstance(fact.default, str):
                if isinstance(value, str) and value.strip():
                    known[fact.name] = value.strip()
            elif isinstance(value, (int, float, str)):
                try:
                    known[fact.name] = int(value) if fact.default is None else float(value)
                except ValueError:
                    continue
        return cls(**known)


VISIT_INFO_CARDS = frozenset(fact.metadata["card"] for fact in fields(VisitInfo))
