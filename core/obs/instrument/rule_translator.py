"""A translator that is a table of cards, each with others that replace it: that of generated packages."""

import math
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar

from obs.camera.detector import Detector
from obs.errors import FileFormatError
from obs.image.visit_info import VisitInfo
from obs.instrument.card_values import format_date, parse_date
from obs.instrument.date_rules import DateRule
from obs.instrument.filter_wheels import color_filter, read_wheels
from obs.instrument.header import COLOR, FILE_NAME, FOLDER, Header
from obs.instrument.image_types import named_type, read_image_type
from obs.instrument.plausible import check_date
from obs.instrument.pointing_rules import PointingRule
from obs.instrument.translator import Translator

__all__ = ["SIMULATED_COLOR", "RuleTranslator"]

SIMULATED_COLOR = "SIMCOLOR"
"""Card of simulated frames of a color camera: which color of its mosaic they are."""


class RuleTranslator(Translator):
    """Reads each quantity from the first of several cards that hold a value that can be.

    Attributes
    ----------
    dates : sequence of DateRule
        How the header tells when the exposure began, in the order in which they are tried.
    pointings : sequence of PointingRule
        Likewise, where the telescope points.
    filter_cards : sequence of sequence of str
        Likewise, the cards of the filter: of several wheels one card for each.
    image_type_cards : sequence of str
        Likewise, the cards that tell what the frame is for.
    target_card : str
        The card of the target, where that tells what the frame is for, too.
    """

    dates: ClassVar[Sequence[DateRule]] = ()
    pointings: ClassVar[Sequence[PointingRule]] = ()
    filter_cards: ClassVar[Sequence[Sequence[str]]] = ()
    image_type_cards: ClassVar[Sequence[str]] = ()
    target_card: ClassVar[str] = ""

    def begin(self, md: Header) -> datetime:
        """Return when the exposure began.

        Parameters
        ----------
        md : Header
            Header.

        Returns
        -------
        datetime
            In UTC.

        Raises
        ------
        FileFormatError
            If no card gives it.
        """
        seconds = self._seconds(md) if any(rule.moment != "begin" for rule in self.dates) else math.nan
        fault: FileFormatError | None = None
        for rule in self.dates:
            try:
                found = rule.read(md, seconds)
                check_date(found, self.today)
            except FileFormatError as error:
                # what a card says wrongly is told before what is not there
                fault = error if fault is None or (rule.date in md and "does not have" in str(fault)) else fault
            else:
                return found
        raise fault or FileFormatError("no card gives when the exposure began")

    def _seconds(self, md: Header) -> float:
        try:
            value = self.read("exposure_time", md)
            return math.nan if value is None else float(value)
        except FileFormatError:
            return math.nan

    def translate_date_begin(self, md: Header) -> str | None:
        """Return when the exposure began; None where no card gives one that can be.

        Parameters
        ----------
        md : Header
            Header.

        Returns
        -------
        str or None
            Date in ISO 8601, UTC.
        """
        try:
            return format_date(self.begin(md))
        except FileFormatError:
            return None

    def _pointing(self, md: Header) -> tuple[float, float] | None:
        try:
            begin = self.begin(md)
        except FileFormatError:
            begin = None
        for rule in self.pointings:
            try:
                return rule.read(md, begin)
            except FileFormatError:
                continue
        return None

    def translate_boresight_ra(self, md: Header) -> float | None:
        """Return the right ascension of J2000, degrees; None where no card gives one that can be."""
        found = self._pointing(md)
        return None if found is None else found[0]

    def translate_boresight_dec(self, md: Header) -> float | None:
        """Return the declination of J2000, degrees; None where no card gives one that can be."""
        found = self._pointing(md)
        return None if found is None else found[1]

    def find_filter(self, md: Header) -> str:
        """Return the name of the filter: ``none`` where there is no card for it, ``unknown`` where none has a name."""
        found = next((name for cards in self.filter_cards if (name := read_wheels(md, cards)) is not None), None)
        is_told = any(card in md for cards in self.filter_cards for card in cards)
        return found or ("unknown" if is_told else "none")

    def find_color(self, md: Header) -> str:
        """Return the color of a mosaic that is looked at, which a simulated frame says.

        Parameters
        ----------
        md : Header
            Header, with the color for which it is read.

        Returns
        -------
        str
            Name of the color, which is also that of the detector.
        """
        return str(md.get(SIMULATED_COLOR) or md[COLOR])

    def find_color_filter(self, md: Header) -> str:
        """Return the filter of a color of a mosaic: glass before it counts unless it passes all colors."""
        glass = self.find_filter(md)
        return glass if SIMULATED_COLOR in md else color_filter(glass, self.find_color(md))

    def find_image_type(self, md: Header) -> str | None:
        """Return what the frame is for: ``unknown`` where no card gives it, None where none can be understood.

        A card is not understood either where the target or the exposure time contradicts it.
        """
        found = read_image_type(md, self.image_type_cards, self._seconds(md))
        is_told = any(
            str(md.get(card, "")).strip() for card in self.image_type_cards if card not in (FILE_NAME, FOLDER)
        )
        return found or (None if is_told else "unknown")

    def find_named_type(self, md: Header) -> str | None:
        """Return the calibration that the target of a frame names, whatever the card of the type says."""
        return named_type(md)

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
        """Return the header of a simulated frame; see `Translator.make_header`.

        Parameters
        ----------
        data_id : mapping
            Columns of the registry.
        visit_info : VisitInfo
            Circumstances of the exposure.
        detector : Detector
            Detector of the frame.
        physical_filter : str
            Name of the filter.
        image_type : {"bias", "dark", "flat", "science"}
            Type of the frame.
        """
        cards = super().make_header(
            data_id, visit_info=visit_info, detector=detector, physical_filter=physical_filter, image_type=image_type
        )
        cards |= {keyword: values[0] for keyword, values in cls.known_by.items()}
        begin = parse_date(visit_info.date_begin)
        if cls.filter_cards:
            cards[cls.filter_cards[0][0]] = physical_filter
        if cls.pointings and not math.isnan(visit_info.boresight_ra + visit_info.boresight_dec):
            cards |= cls.pointings[0].write(visit_info.boresight_ra, visit_info.boresight_dec, begin)
        if cls.dates:
            cards |= cls.dates[0].write(begin, visit_info.exposure_time)
        if cls.image_type_cards and (cls.image_type_cards[0] != cls.target_card or image_type != "science"):
            cards[cls.image_type_cards[0]] = image_type.upper()
        return cards
