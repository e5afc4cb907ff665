"""Headers of simulated frames: what the camera's translator reads, written."""

from collections.abc import Mapping
from typing import Any

from obs.camera.detector import Detector
from obs.errors import PluginError
from obs.instrument.instrument import Instrument
from obs.simulator.shots import Shot

__all__ = ["make_header"]


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
        visit_info=shot.visit_info,
        detector=detector,
        physical_filter=shot.physical_filter,
        image_type=shot.image_type,
    )
    return dict(header)
