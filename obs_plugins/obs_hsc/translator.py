"""Headers of Hyper Suprime-Cam, those of its first nights and those of today.

Rules for the registry's columns are those of LSST's obs_subaru, so that repositories and data IDs agree.
"""

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from obs.camera.detector import Detector
from obs.errors import FileFormatError
from obs.image.visit_info import VisitInfo
from obs.instrument.card_values import UNITS, date_to_mjd, format_date, mjd_to_date, parse_date, read_number
from obs.instrument.header import Header
from obs.instrument.translator import Translator

__all__ = ["HscTranslator"]

_DAY_0 = 55927
"""Modified Julian day of 2012-01-01, from which pointings are counted: one pointing is one night."""

_OLD_VISITS = 1_000_000
"""Visits of the letters A, B, C .. are a million apart."""

_ROTATION = 270.0
"""Where the focal plane's y axis points on the sky when the instrument stands at position angle 0: west."""

_IMAGE_TYPES = {"bias": "BIAS", "dark": "DARK", "flat": "DOMEFLAT", "science": "OBJECT"}


class HscTranslator(Translator):
    """Reads and writes the headers of raw frames."""

    def recognizes(self, header: Mapping[str, Any]) -> bool:
        """Return whether a header is of the instrument."""
        return str(header.get("INSTRUME", "")).strip() == "Hyper Suprime-Cam"

    columns = {
        "field": str,
        "visit": int,
        "ccd": int,
        "pointing": int,
        "filter": str,
        "proposal": str,
        "dateObs": str,
        "taiObs": str,
        "expTime": float,
        "pa": float,
        "autoguider": int,
        "ccdTemp": float,
        "config": str,
        "frameId": str,
        "expId": str,
        "dataType": str,
    }
    unique = ("visit", "ccd")
    visit = ("visit", "field", "filter", "dateObs", "taiObs")
    defaults = {"ccdTemp": 0.0, "autoguider": 0}
    constants = {
        "time_scale": "UTC",
        "rotation_type": "SKY",
        # Subaru telescope, Maunakea
        "longitude": -155.476667,
        "latitude": 19.825556,
        "elevation": 4139.0,
    }
    translation = {
        # columns of the registry
        "proposal": "PROP-ID",
        "dataType": "DATA-TYP",
        "expTime": "EXPTIME",
        "ccd": "DET-ID",
        "pa": "INST-PA",
        "autoguider": "T_AG",
        "ccdTemp": "T_CCDTV",
        "config": "T_CFGFIL",
        "frameId": "FRAMEID",
        "expId": "EXP-ID",
        "dateObs": "DATE-OBS",
        "taiObs": "DATE-OBS",  # in spite of its name
        # circumstances
        "exposure_time": ("EXPTIME", {"unit": "s"}),
        "boresight_ra": ("RA2000", {"unit": "hourangle"}),
        "boresight_dec": ("DEC2000", {"unit": "deg"}),
        # The card's comment counts from the south through the west; the values count from the north through the east.
        "boresight_azimuth": ("AZIMUTH", {"unit": "deg"}),
        "boresight_altitude": ("ALTITUDE", {"unit": "deg"}),
        "airmass": "AIRMASS",
        "air_temperature": ("OUT-TMP", {"unit": "K"}),
        "air_pressure": ("OUT-PRS", {"unit": "hPa"}),
        "humidity": ("OUT-HUM", {"unit": "%"}),
    }

    def translate_field(self, md: Header) -> str:
        """Return the name of the target in letters, digits and underscores; that of focus tests has a ``#``."""
        field = str(md["OBJECT"]).strip()
        return "UNKNOWN" if field == "#" else re.sub(r"\W", "_", field).upper()

    def translate_visit(self, md: Header) -> int:
        """Return the number of the exposure.

        The first frames on disk have only ``HSCA00000000`` as their exposure; their own number then is used, rounded
        down to an even one, since an exposure has two frame numbers.

        Raises
        ------
        FileFormatError
            If neither card is as the instrument writes it.
        """
        exposure = str(md["EXP-ID"]).strip()
        match = re.fullmatch(r"HSCE(\d{8})", exposure)
        if match:
            return int(match[1])
        match = re.fullmatch(r"HSC([A-Z])(\d{6})00", exposure)
        if match is None:
            raise FileFormatError(f"Unable to interpret EXP-ID: {exposure}")
        letter, number = match[1], int(match[2])
        if number == 0:
            frame = str(md["FRAMEID"]).strip()
            match = re.fullmatch(r"HSC([A-Z])(\d{6})\d{2}", frame)
            if match is None:
                raise FileFormatError(f"Unable to interpret FRAMEID: {frame}")
            letter, number = match[1], int(match[2])
            number -= number % 2
        return number + _OLD_VISITS * (ord(letter) - ord("A"))

    def translate_pointing(self, md: Header) -> int:
        """Return the number of the night; 0 if the header has no date."""
        try:
            return int(read_number(md["MJD"])) - _DAY_0
        except (KeyError, FileFormatError, ValueError, OverflowError):
            pass
        try:
            return int(date_to_mjd(parse_date(str(md["DATE-OBS"]), "%Y-%m-%d"))) - _DAY_0
        except (KeyError, FileFormatError):
            return 0

    def translate_filter(self, md: Header) -> str:
        """Return the filter in capitals, as the registry has it."""
        return str(md.get("FILTER01") or "").strip().upper() or "Unrecognized"

    def translate_autoguider(self, md: Header) -> int:
        """Return whether the guider was exposed: 0 or 1."""
        return int(md["T_AG"])

    def translate_dateObs(self, md: Header) -> str:
        """Return the day on which the exposure began, UTC, checked."""
        return parse_date(str(md["DATE-OBS"]), "%Y-%m-%d").date().isoformat()

    def translate_taiObs(self, md: Header) -> str:
        """Return the same: in spite of its name UTC, as in the registries that are in use."""
        return self.translate_dateObs(md)

    def translate_rotation_angle(self, md: Header) -> float | None:
        """Return how far the focal plane's y axis is from north, through east."""
        angle = md.get("INST-PA")
        return None if angle is None else (_ROTATION - read_number(angle)) % 360.0

    def translate_date_begin(self, md: Header) -> str | None:
        """Return when the shutter opened."""
        if "MJD-STR" in md:
            return format_date(mjd_to_date(read_number(md["MJD-STR"])))
        if "UT-STR" in md:
            return format_date(parse_date(f"{md['DATE-OBS']}T{md['UT-STR']}"))
        return None

    @classmethod
    def make_header(
        cls,
        data_id: Mapping[str, Any],
        *,
        visit_info: VisitInfo,
        detector: Detector,
        physical_filter: str,
        image_type: str,
    ) -> dict[str, Any]:
        """Return the header of a simulated frame; see `Translator.make_header`."""
        cards = super().make_header(
            data_id,
            visit_info=visit_info,
            detector=detector,
            physical_filter=physical_filter,
            image_type=image_type,
        )
        visit = int(data_id["visit"])
        letter, number = divmod(visit, _OLD_VISITS)
        old = number > 0 and letter < 26
        exposure = f"HSC{chr(ord('A') + letter)}{number:06d}00" if old else f"HSCE{visit:08d}"
        begin = parse_date(visit_info.date_begin)
        middle = begin + timedelta(seconds=visit_info.exposure_time / 2)
        cards |= {
            "TELESCOP": "Subaru",
            "INSTRUME": "Hyper Suprime-Cam",
            "PROP-ID": data_id.get("proposal", "simulate"),
            "DATA-TYP": data_id.get("dataType", _IMAGE_TYPES[image_type]),
            "OBJECT": data_id["field"],
            "EXP-ID": exposure,
            "FRAMEID": f"{exposure[:-2]}{detector.id % 100:02d}",
            "DET-ID": detector.id,
            "T_CCDSN": detector.serial,
            "T_AG": False,
            "T_CFGFIL": "simulated",
            "FILTER01": "NONE"
            if physical_filter == "empty"
            else physical_filter,  # the capitals of empty name no filter
            "EXPTIME": visit_info.exposure_time,
            "TIMESYS": "UTC",
            "DATE-OBS": begin.date().isoformat(),
            "UT-STR": begin.time().isoformat(timespec="milliseconds"),
            "MJD-STR": date_to_mjd(begin),
            "MJD": date_to_mjd(middle),
            "MJD-END": date_to_mjd(begin + timedelta(seconds=visit_info.exposure_time)),
            "RADESYS": "FK5",
            "EQUINOX": 2000.0,
        }
        if visit_info.rotation_angle == visit_info.rotation_angle:
            cards["INST-PA"] = (_ROTATION - visit_info.rotation_angle) % 360.0
        for keyword, unit, value in (
            ("RA2000", "hourangle", visit_info.boresight_ra),
            ("DEC2000", "deg", visit_info.boresight_dec),
        ):
            if value == value:
                cards[keyword] = _sexagesimal(UNITS[unit].from_standard(value), signed=keyword == "DEC2000")
        return cards


def _sexagesimal(value: float, *, signed: bool) -> str:
    """Return an angle as the headers have it, to a hundred-thousandth of a second."""
    units = round(abs(value) * 3600 * 100_000)
    whole, rest = divmod(units, 3600 * 100_000)
    minutes, seconds = divmod(rest, 60 * 100_000)
    sign = ("-" if value < 0 else "+") if signed else ""
    return f"{sign}{whole:02d}:{minutes:02d}:{seconds // 100_000:02d}.{seconds % 100_000:05d}"
