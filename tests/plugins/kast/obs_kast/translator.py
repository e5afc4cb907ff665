"""Headers of the Kast spectrograph."""

from datetime import datetime, timedelta

from obs.instrument.card_values import format_date, parse_date
from obs.instrument.translator import Translator

__all__ = ["KastTranslator", "exposure_id"]

_DAY_0 = datetime(2008, 1, 1)  # when the camera came
_PER_NIGHT = 10_000


def exposure_id(data_id):
    """Return the visit: there is one detector."""
    return data_id["visit"]


class KastTranslator(Translator):
    """Observations are numbered anew each night, hence the night is part of the visit."""

    columns = {
        "visit": int,
        "ccd": int,
        "filter": str,
        "object": str,
        "dateObs": str,
        "taiObs": str,
        "expTime": float,
    }
    unique = ("visit", "ccd")
    visit = ("visit", "filter", "dateObs", "taiObs")
    constants = {
        "ccd": 0,
        "time_scale": "UTC",
        "longitude": -121.6429,
        "latitude": 37.3414,
        "elevation": 1283.0,
    }
    translation = {
        "filter": "BLFILT_N",
        "object": "OBJECT",
        "expTime": "EXPTIME",
        "date_begin": "DATE-BEG",
        "exposure_time": ("EXPTIME", {"unit": "s"}),
        "boresight_ra": ("RA", {"unit": "hourangle"}),
        "boresight_dec": ("DEC", {"unit": "deg"}),
        "airmass": "AIRMASS",
    }
    translators = {"dateObs": "translate_day", "taiObs": "translate_day"}

    def translate_day(self, md):
        """Return the day on which the exposure began, UTC."""
        return parse_date(md["DATE-BEG"]).date().isoformat()

    def translate_visit(self, md):
        """Return night and number."""
        return (parse_date(md["DATE-BEG"]) - _DAY_0).days * _PER_NIGHT + int(md["OBSNUM"])

    @classmethod
    def make_header(cls, data_id, **exposure):
        """Return the header of a simulated frame."""
        day, number = divmod(data_id["visit"], _PER_NIGHT)
        begin = parse_date(exposure["visit_info"].date_begin)
        midnight = _DAY_0 + timedelta(days=day)
        begin = midnight + (begin - begin.replace(hour=0, minute=0, second=0, microsecond=0))
        cards = {"OBSNUM": number, "DATE-BEG": format_date(begin), "BLFILT_N": exposure["physical_filter"]}
        return super().make_header(data_id, **exposure) | cards
