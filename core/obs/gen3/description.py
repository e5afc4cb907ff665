"""What the templates of a package for the LSST stack need to know of a camera."""

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from obs.errors import DataIdError, PluginError
from obs.frozen import frozen
from obs.ingest.translation import load_translator
from obs.instrument.exposure_packer import largest_exposure_id
from obs.instrument.instrument import Instrument
from obs.instrument.translator import Translator
from obs.policy.dataset_type import Template
from obs.tasks.process_config import ProcessConfig
from obs.tasks.process_settings import process_settings

__all__ = ["Identity", "describe_instrument", "find_identity", "find_visit_key"]

_NAME = re.compile(r"[a-z][a-z0-9_]*")
#: Limits of columns of the Butler's registry.
_LONGEST_NAME, _LONGEST_CLASS = 32, 64
#: Cards that tell which camera a file is of; one of the first group has to be there.
_CAMERA_CARDS = ("INSTRUME", "CAMERA", "DETECTOR", "DETNAM", "CAMNAME")
_SITE_CARDS = ("TELESCOP", "OBSERVAT", "OBSERVATORY")
_FALLBACK_FILTERS = ("none", "unknown")
#: Switches of our ISR and of the stack's.
_SWITCHES = {
    "do_bias": "doBias",
    "do_dark": "doDark",
    "do_flat": "doFlat",
    "do_fringe": "doFringe",
    "do_defect": "doDefect",
    "do_crosstalk": "doCrosstalk",
    "do_linearize": "doLinearize",
}

Identity = dict[str, str]
"""Cards that all files of a camera have, and no other camera's: keyword to value."""


@frozen
class _Names:
    """Names of a camera in the stack."""

    package: str
    cls: str


def describe_instrument(instrument: Instrument, identity: Identity, seen_filters: Iterable[str]) -> dict[str, Any]:
    """Return the values of the templates.

    Parameters
    ----------
    instrument : Instrument
        The camera.
    identity : mapping
        From `find_identity`.
    seen_filters : iterable of str
        Names of filters that known headers give, which the stack has to know, too.

    Raises
    ------
    PluginError
        If the camera does not start from raw files, or the stack cannot number its exposures.
    """
    if instrument.raw_dataset_type != "raw":
        raise PluginError(
            f"camera '{instrument.name}' starts from '{instrument.raw_dataset_type}', not from raw files: it cannot be "
            "exported",
            plugin=instrument.name,
        )
    names = _names(instrument.name)
    translator = load_translator(instrument)
    detectors = instrument.load_camera().detectors
    detector_max = 1 + max(detector.id for detector in detectors)
    camera = instrument.load_camera()
    longitude = translator.constants.get("longitude", math.nan)
    return {
        "name": instrument.name,
        "cls": names.cls,
        "package": names.package,
        "constant": names.package.upper(),
        "identity": identity,
        "visit_key": find_visit_key(instrument, translator),
        "detector_max": detector_max,
        "exposure_max": (largest_exposure_id(instrument.exposure_id_bits) + 1) // detector_max,
        "filters": _filters(instrument, seen_filters),
        "longitude": float(longitude) if math.isfinite(float(longitude)) else None,
        "rotation": float(camera.rotation),
        "flip_x": bool(camera.flip_x),
        "hdus": {
            detector.id: [(amp.name, amp.raw_hdu) for amp in detector.amplifiers]
            for detector in detectors
            if len({amp.raw_hdu for amp in detector.amplifiers}) > 1
        },
        "switches": _switches(instrument),
        "detectors": [(detector.id, detector.name) for detector in detectors],
    }


def find_visit_key(instrument: Instrument, translator: Translator) -> str:
    """Return the column that numbers exposures: an integer that all detectors of one share, and that names it.

    Parameters
    ----------
    instrument : Instrument
        The camera.
    translator : Translator
        Its translator.

    Raises
    ------
    PluginError
        If there is none, or several.
    """
    of_detector = Template(instrument.detector).keys
    found = [
        name
        for name in translator.unique
        if name in translator.visit and name not in of_detector and translator.columns.get(name) is int
    ]
    if len(found) != 1:
        what = f"the integers {', '.join(found)} together" if found else "no integer"
        raise PluginError(
            f"camera '{instrument.name}': {what} number an exposure; the LSST stack needs one integer, a column "
            "that is in unique and in visit of the translator",
            plugin=instrument.name,
        )
    return found[0]


def find_identity(headers: Sequence[Mapping[str, Any]]) -> Identity:
    """Return the cards by which files of the camera are recognized; empty if no card names the camera.

    Parameters
    ----------
    headers : sequence of mapping
        Headers of raw files. A card counts if all of them have the same value.
    """
    identity: Identity = {}
    for card in (*_CAMERA_CARDS, *_SITE_CARDS):
        values = {str(header.get(card, "")).strip() for header in headers}
        if len(values) == 1 and (value := values.pop()):
            identity[card] = value
    return identity if any(card in identity for card in _CAMERA_CARDS) else {}


def _names(name: str) -> _Names:
    if not _NAME.fullmatch(name) or len(name) > _LONGEST_NAME:
        raise PluginError(
            f"camera '{name}' cannot be exported: the LSST stack needs a name of at most {_LONGEST_NAME} letters in "
            "lower case, digits and underscores",
            plugin=name,
        )
    cls = "".join(part.capitalize() for part in name.split("_"))
    if len(f"lsst.obs.{name}.{cls}") > _LONGEST_CLASS:
        raise PluginError(f"camera '{name}' cannot be exported: lsst.obs.{name}.{cls} is too long", plugin=name)
    return _Names(name, cls)


def _filters(instrument: Instrument, seen: Iterable[str]) -> list[dict[str, Any]]:
    """Return the filters of the camera, and names without a band that headers give where there is none."""
    found: list[dict[str, Any]] = [
        {"physical_filter": known.physical_filter, "band": known.band, "alias": sorted(known.aliases)}
        for known in instrument.filters
    ]
    for name in dict.fromkeys((*seen, *_FALLBACK_FILTERS)):
        try:
            instrument.find_filter(name)
        except DataIdError:
            found.append({"physical_filter": name, "band": None, "alias": []})
    return found


def _switches(instrument: Instrument) -> dict[str, bool]:
    """Return the switches of ISR of which the camera has another value than the engine, by the stack's names."""
    own, default = process_settings(instrument).build().isr, ProcessConfig().isr
    return {
        theirs: getattr(own, ours) for ours, theirs in _SWITCHES.items() if getattr(own, ours) != getattr(default, ours)
    }
