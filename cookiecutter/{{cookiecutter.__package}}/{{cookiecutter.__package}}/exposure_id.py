"""Number the exposures of the camera's detectors."""

{% if cookiecutter._facts.detector_type != "int" -%}
from collections.abc import Mapping
from typing import Any

from obs.instrument.exposure_packer import Digit, ExposurePacker
from {{ cookiecutter.__package }} import instrument

__all__ = ["exposure_id"]

_NUMBERS = ExposurePacker(Digit("{{ cookiecutter.visit_key }}", 2**{{ cookiecutter._room.visit_bits }}), Digit("detector", {{ cookiecutter._room.detectors }}))


def exposure_id(data_id: Mapping[str, Any]) -> int:
    """Return ``{{ cookiecutter.visit_key }} * {{ cookiecutter._room.detectors }} + number of the detector``."""
    return _NUMBERS({**data_id, "detector": instrument.find_detector(data_id).id})
{%- else -%}
from obs.instrument.exposure_packer import Digit, ExposurePacker

__all__ = ["exposure_id"]

exposure_id = ExposurePacker(Digit("{{ cookiecutter.visit_key }}", 2**{{ cookiecutter._room.visit_bits }}), Digit("{{ cookiecutter.detector_key }}", {{ cookiecutter._room.detectors }}))
"""``{{ cookiecutter.visit_key }} * {{ cookiecutter._room.detectors }} + {{ cookiecutter.detector_key }}``: another number of detectors changes the numbers of all."""
{%- endif %}
