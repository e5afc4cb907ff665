"""What the header of a calibration frame says it is."""

from collections.abc import Mapping
from typing import Any

__all__ = ["calibration_type"]

#: What OBSTYPE says, where that is not the dataset type.
_OBSERVATION_TYPES = {"zero": "bias"}


def calibration_type(header: Mapping[str, Any]) -> str:
    """Return the dataset type that OBSTYPE tells, in lower case; empty if the card is absent.

    Parameters
    ----------
    header : mapping
        Cards.
    """
    observation_type = str(header.get("OBSTYPE", "")).strip().lower()
    return _OBSERVATION_TYPES.get(observation_type, observation_type)
