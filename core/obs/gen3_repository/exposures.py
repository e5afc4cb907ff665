"""Numbers of exposures in a third-generation repository.

There a data ID is instrument, exposure (or visit) and detector; which of our keys these are depends on the camera.
"""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from obs.errors import DataIdError
from obs.instrument.instrument import Instrument
from obs.policy.dataset_type import Template

__all__ = ["NUMBERS", "exposure_number"]

#: Keys that number exposures, also of cameras whose raw files and translator do without.
NUMBERS = ("visit", "expId")


def exposure_number(instrument: Instrument, data_id: Mapping[str, Any]) -> int:
    """Return the number of the exposure that a data ID belongs to, the same for all of its detectors.

    It is the camera's own number (``visit``) where one key and the detector number everything, whether the translator
    names that key or only data IDs have it; else the number that `Instrument.exposure_number` gives for the camera's
    first detector.

    Parameters
    ----------
    instrument : Instrument
        The camera.
    data_id : mapping
        Data ID of a raw frame.

    Raises
    ------
    DataIdError
        If the data ID does not have a key.
    """
    beside = {key for key in Template(instrument.detector).keys if key != "filter"}
    unique = instrument.make_translator().unique if instrument.translator is not None else ()
    own = [key for key in unique if key not in beside and key != "filter"]
    first = {**data_id, **_first_detector(instrument)}
    if len(own) == 1 and isinstance(number := data_id.get(own[0]), int):
        with suppress(DataIdError):
            instrument.exposure_number({key: first[key] for key in (own[0], *beside)})
            return number
    whole = instrument.exposure_number(first)
    for key in NUMBERS:
        if isinstance(number := data_id.get(key), int):
            with suppress(DataIdError):
                if instrument.exposure_number({name: first[name] for name in (key, *beside)}) == whole:
                    return number
    return whole


def _first_detector(instrument: Instrument) -> dict[str, Any]:
    template = Template(instrument.detector)
    detector = instrument.load_camera().detectors[0]
    parsed = (template.parse(text) for text in (detector.name, str(detector.id)))
    keys = next((keys for keys in parsed if keys is not None), {})
    return {key: value for key, value in keys.items() if key != "filter"}
