"""Headers of simulated frames: what the camera's translator reads, written."""

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from obs.camera.detector import Detector
from obs.errors import FileFormatError, PluginError
from obs.image.visit_info import VisitInfo
from obs.instrument.consistency import DEGREE, compare_direction
from obs.instrument.instrument import Instrument
from obs.simulator.shots import Shot

__all__ = ["make_consistent_header", "make_header"]


def make_consistent_header(
    instrument: Instrument, shot: Shot, detector: Detector, data_id: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the header of a simulated frame, without an altitude that its field, date and observatory contradict.

    The airmass of a simulated exposure is chosen, and its altitude follows from it. Where the camera was and when, says
    where the field really stood.

    Parameters
    ----------
    instrument : Instrument
        The camera.
    shot : Shot
        The exposure.
    detector : Detector
        Detector of the frame.
    data_id : mapping
        Data ID that the header has to give.
    """
    header = make_header(instrument, shot, detector, data_id)
    cards = {keyword: card[0] if isinstance(card, tuple) else card for keyword, card in header.items()}
    try:
        stood = compare_direction(instrument.make_translator().visit_info(cards))
    except FileFormatError:
        return header
    if stood is None or stood.distance <= DEGREE:
        return header
    return _make(instrument, replace(shot.visit_info, boresight_altitude=math.nan), shot, detector, data_id)


def make_header(instrument: Instrument, shot: Shot, detector: Detector, data_id: Mapping[str, Any]) -> dict[str, Any]:
    """Return the cards from which the camera's translator reads an exposure's data ID and circumstances.

    Parameters
    ----------
    instrument : Instrument
        The camera.
    shot : Shot
        The exposure.
    detector : Detector
        Which detector.
    data_id : mapping
        What the header has to give.

    Raises
    ------
    PluginError
        If the camera does not start from raw frames, has no translator, or one that makes no headers.
    """
    return _make(instrument, shot.visit_info, shot, detector, data_id)


def _make(
    instrument: Instrument, visit_info: VisitInfo, shot: Shot, detector: Detector, data_id: Mapping[str, Any]
) -> dict[str, Any]:
    if instrument.translator is None:
        raise PluginError(
            f"camera '{instrument.name}' has no translator, whose make_header writes the headers of simulated frames",
            plugin=instrument.name,
        )
    named = instrument.translator
    translator = instrument.load(named) if isinstance(named, str) else named
    if not hasattr(translator, "make_header"):
        raise PluginError(
            f"the translator {instrument.translator} of camera '{instrument.name}' cannot write headers: it needs a "
            "method make_header",
            plugin=instrument.name,
        )
    header = translator.make_header(
        data_id,
        visit_info=visit_info,
        detector=detector,
        physical_filter=shot.physical_filter,
        image_type=shot.image_type,
    )
    return dict(header)
