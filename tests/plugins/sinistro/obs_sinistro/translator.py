"""Headers of Las Cumbres Observatory."""

from datetime import datetime, timedelta

from obs.instrument.card_values import parse_date
from obs.instrument.translator import Translator

__all__ = ["SinistroTranslator", "exposure_id"]

_DAY_0 = datetime(2010, 1, 1)
_PER_NIGHT = 10_000


def exposure_id(data_id):
    """Return the visit: there is one detector."""
    return data_id["visit"]


class SinistroTranslator(Translator):
    """Frames are numbered anew each night, ``DAY-OBS``, hence the night is part of the visit."""

    columns = {
        "visit": int,
        "ccd": int,
        "filter": str,
        "object": str,
        "dataType": str,
        "dateObs": str,
        "taiObs": str,
        "expTime": float,
    }
    unique = ("visit", "ccd")
    visit = ("visit", "filter", "dateObs", "taiObs")
    constants = {"ccd": 0, "rotation_type": "SKY"}
    translation = {
        "filter": "FILTER",
        "object": "OBJECT",
        "dataType": "OBSTYPE",
        "expTime": "EXPTIME",
        "date_begin": "DATE-OBS",
        "time_scale": "TIMESYS",
        "exposure_time": ("EXPTIME", {"unit": "s"}),
        "boresight_ra": ("RA", {"unit": "hourangle"}),
        "boresight_dec": ("DEC", {"unit": "deg"}),
        "boresight_azimuth": ("AZIMUTH", {"unit": "deg"}),
        "boresight_altitude": ("ALTITUDE", {"unit": "deg"}),
        "airmass": "AIRMASS",
        "longitude": ("LONGITUD", {"unit": "deg"}),
        "latitude": ("LATITUDE", {"unit": "deg"}),
        "elevation": ("HEIGHT", {"unit": "m"}),
        "air_temperature": ("WMSTEMP", {"unit": "C"}),
        "air_pressure": ("WMSPRES", {"unit": "mbar"}),
        "humidity": ("WMSHUMID", {"unit": "%"}),
    }
    translators = {"dateObs": "translate_day", "taiObs": "translate_day"}

    def translate_day(self, md):
        """Return the day on which the exposure began, UTC."""
        return parse_date(md["DATE-OBS"]).date().isoformat()

    def translate_visit(self, md):
        """Return night and number."""
        return (parse_date(md["DAY-OBS"], "%Y%m%d") - _DAY_0).days * _PER_NIGHT + int(md["FRAMENUM"])

    @classmethod
    def make_header(cls, data_id, **exposure):
        """Return the header of a simulated frame."""
        day, number = divmod(data_id["visit"], _PER_NIGHT)
        night = (_DAY_0 + timedelta(days=day)).strftime("%Y%m%d")
        cards = {"DAY-OBS": night, "FRAMENUM": number, "FILTER": exposure["physical_filter"]}
        return super().make_header(data_id, **exposure) | cards
