"""Translators of the toy camera."""

from obs.instrument.card_values import parse_date
from obs.instrument.translator import Translator


def exposure_id(data_id):
    return data_id["visit"] * 2 + data_id["ccd"]


class ToyTranslator(Translator):
    """One frame a file."""

    columns = {
        "visit": int,
        "ccd": int,
        "filter": str,
        "dateObs": str,
        "taiObs": str,
        "expTime": float,
        "dataType": str,
    }
    unique = ("visit", "ccd")
    visit = ("visit", "filter", "dateObs", "taiObs")
    translation = {
        "visit": "RUN",
        "ccd": "DETECTOR",
        "filter": ("FILTER", {"default": "NONE"}),
        "taiObs": "DATE-OBS",
        "date_begin": "DATE-OBS",
        "expTime": "EXPTIME",
        "exposure_time": "EXPTIME",
        "dataType": "IMGTYPE",
    }

    def translate_dateObs(self, md):
        return parse_date(md["DATE-OBS"]).date().isoformat()


class ExtensionTranslator(ToyTranslator):
    """Two frames a file, each in an extension."""

    extensions = ("left", "right")


class EmptyTranslator(Translator):
    """Does not say what the registry looks like."""


class NoTranslator:
    """Is none."""
