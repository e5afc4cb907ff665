"""Numbers for exposures."""

from collections.abc import Mapping
from typing import Any

__all__ = ["exposure_id"]


def exposure_id(data_id: Mapping[str, Any]) -> int:
    """Return the number of a detector's exposure."""
    return int(data_id["visit"]) * 10 + int(data_id["ccd"])
