"""How many exposures and detectors the exposure numbers of a new package have room for."""

from collections.abc import Mapping
from typing import Any

from obs.instrument.exposure_packer import Digit, ExposurePacker
from obs.scaffold.described_camera import count_detectors

__all__ = ["exposure_room"]

_NUMBERED = 32
"""Bits for exposures that cards number, for nights times ten thousand, and for the seconds from 1980 to 2116."""
_MILLISECONDS = 42
"""Bits for the milliseconds from 1980 to 2119."""
_FEWEST = 4
"""Detectors for which there is room at least: a camera may get another."""


def exposure_room(context: Mapping[str, Any]) -> dict[str, int]:
    """Return the variable ``_room`` of the project template: ``visit_bits``, ``detectors`` and ``bits``.

    Parameters
    ----------
    context : mapping
        The other variables: answers, and under ``_facts`` what raw files told.
    """
    facts = context.get("_facts", {})
    rows = facts.get("detectors") or []
    count = 1 + max(int(row["id"]) for row in rows) if rows else count_detectors({"detectors": "1", **context})
    detectors = max(_FEWEST, 1 << (count - 1).bit_length())
    is_date = facts.get("translator", {}).get("visit", {}).get("per_second", 1) > 1
    visit_bits = _MILLISECONDS if is_date else _NUMBERED
    bits = ExposurePacker(Digit("visit", 2**visit_bits), Digit("detector", detectors)).bits
    return {"visit_bits": visit_bits, "detectors": detectors, "bits": bits}
