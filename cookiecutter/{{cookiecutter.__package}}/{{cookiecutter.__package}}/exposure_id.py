"""Number the exposures of the camera's detectors."""

from collections.abc import Mapping
from typing import Any

from {{ cookiecutter.__package }} import instrument

__all__ = ["exposure_id"]

_DETECTORS = 8192
"""Room for as many detectors."""


def exposure_id(data_id: Mapping[str, Any]) -> int:
    """Return ``{{ cookiecutter.visit_key }} * 8192 + number of the detector``, which fits in 44 bits."""
    return int(data_id["{{ cookiecutter.visit_key }}"]) * _DETECTORS + instrument.find_detector(data_id).id
