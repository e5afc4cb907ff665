"""Translators of the toy camera."""

from obs.errors import FileFormatError


class ToyTranslator:
    """One frame a file."""

    columns = {  # noqa: RUF012
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

    def registry_columns(self, header):
        date = header["DATE-OBS"]
        if date[4:5] != "-":
            raise FileFormatError(f"DATE-OBS '{date}' is no date")
        return {
            "visit": header.get("RUN"),
            "ccd": header.get("DETECTOR"),
            "filter": header.get("FILTER", "NONE"),
            "dateObs": date.split("T")[0],
            "taiObs": date,
            "expTime": header.get("EXPTIME"),
            "dataType": header.get("IMGTYPE"),
        }


class ExtensionTranslator(ToyTranslator):
    """Two frames a file, each in an extension."""

    extensions = ("left", "right")


class NoTranslator:
    """Does not say what the registry looks like."""
