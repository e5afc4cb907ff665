"""Headers of the teaching camera.

A translator goes from a header to two things: a row of the registry, by which exposures are found, and the
circumstances of the exposure, which the processing needs. Most of both is one card each, and stands in the table
`translation`. What takes a little more is a method ``translate_NAME``.
"""

from collections.abc import Mapping
from typing import Any

from obs.camera.detector import Detector
from obs.image.visit_info import VisitInfo
from obs.instrument.card_values import format_date, parse_date, read_number, read_whole
from obs.instrument.header import Header
from obs.instrument.translator import Translator

__all__ = ["NecamTranslator"]


class NecamTranslator(Translator):
    """Reads and writes the headers of raw frames."""

    # The registry's columns. They are also the keys that a data ID may have, and those of the raw template in
    # policy/necam.yaml must be among them.
    columns = {
        "visit": int,
        "ccd": int,
        "filter": str,
        "dataType": str,
        "dateObs": str,
        "taiObs": str,
        "expTime": float,
    }
    # Two frames with the same values in these columns are the same frame.
    unique = ("visit", "ccd", "filter")
    # What all detectors of one exposure share; here there is one detector, and it is among them.
    visit = ("visit", "ccd", "filter", "dateObs", "taiObs")

    # Circumstances that are the same for all exposures. The names are the fields of VisitInfo. A camera that stands
    # somewhere has longitude, latitude (degrees) and elevation (meters) here.
    constants = {"time_scale": "UTC", "rotation_type": "SKY"}

    # What one card tells: the name of a column, or of a field of VisitInfo, and the keyword. A keyword may come with
    # the unit that the header has it in and with a default: ("TEMP", {"unit": "K", "default": 283.0}).
    translation = {
        "dataType": "IMGTYPE",
        "filter": "FILTER",
        "exposure_time": ("EXPTIME", {"unit": "s"}),
        # RA2000 is in degrees, not in hours. Taken for hours, frames lie in another part of the sky.
        "boresight_ra": ("RA2000", {"unit": "deg"}),
        "boresight_dec": ("DEC2000", {"unit": "deg"}),
        # From north to the detector's y axis, through east.
        "rotation_angle": ("ROTANG", {"unit": "deg"}),
        "airmass": "AIRMASS",
    }

    # Methods that serve several columns. A method called translate_NAME need not be listed for NAME.
    translators = {"dateObs": "translate_date", "taiObs": "translate_date"}

    def translate_date(self, md: Header) -> str:
        """Return the date as registries have it, 2020-09-04, from 20200904 in the header.

        Methods get the header as ``md``. They may raise FileFormatError, as `parse_date` does here: the frame is then
        not ingested, and a message says why.
        """
        return parse_date(str(md["DATE-OBS"]), "%Y%m%d").date().isoformat()

    def translate_expTime(self, md: Header) -> float:
        """Return the exposure time, seconds, which the header may hold as text."""
        return read_number(md.get("EXPTIME"))

    def translate_visit(self, md: Header) -> int:
        """Return the number of the exposure, which is called a run at the telescope."""
        return read_whole(md["RUN"])

    def translate_ccd(self, md: Header) -> int:
        """Return the number of the detector, as in camera/detectors.csv."""
        return read_whole(md["DETECTOR"])

    def translate_date_begin(self, md: Header) -> str | None:
        """Return when the shutter opened: date and, where there is such a card, time."""
        if "TIME-OBS" not in md:
            return None
        return format_date(parse_date(f"{self.translate_date(md)}T{md['TIME-OBS']}"))

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
        """Return the header of a simulated frame.

        The other way round: cards that the class reads as this data ID and these circumstances. The base class writes
        what is in `translation`; what the methods read is added here. Only `obs simulate` needs it.
        """
        cards = super().make_header(
            data_id,
            visit_info=visit_info,
            detector=detector,
            physical_filter=physical_filter,
            image_type=image_type,
        )
        begin = parse_date(visit_info.date_begin)
        return cards | {
            "INSTRUME": "NECAM",
            "IMGTYPE": data_id.get("dataType", image_type),
            "FILTER": physical_filter,
            "RUN": int(data_id["visit"]),
            "DETECTOR": detector.id,
            "EXPTIME": visit_info.exposure_time,
            "DATE-OBS": begin.strftime("%Y%m%d"),
            "TIME-OBS": begin.time().isoformat(timespec="milliseconds"),
        }
